"""The search as LangChain sees it, over a small real index."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from assistant.build import build_embedder, build_generations
from assistant.errors import NoIndexError, UsageError
from assistant.langchain import PianoRetriever
from assistant.settings import Settings
from ingest.pipeline import ingest
from tests.test_architecture import PACKAGES, imports_of, sources, targets

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
QUERY = "trasporto sociale per gli anziani"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, an index of two districts' plans."""
    folder = tmp_path_factory.mktemp("langchain")
    documents = folder / "piani"
    documents.mkdir()
    for distretto, sentence in (
        ("Valdoro", "Il trasporto sociale accompagna gli anziani alle visite."),
        ("Montechiaro", "Il trasporto degli anziani è affidato a un consorzio."),
    ):
        text = f"# Piano di zona 2018-2020 – Distretto {distretto}\n\n## Trasporti\n\n{sentence}\n"
        (documents / f"{distretto.lower()}.md").write_text(text, "utf-8")
    settings = Settings(data_dir=folder / "data")
    embedder = build_embedder(settings)
    store = build_generations(settings, embedder=lambda: embedder)
    ingest([str(documents)], settings=settings, store=store, embedder=embedder)
    return folder


def test_documents_say_where_they_stand(folder: Path) -> None:
    retriever = PianoRetriever.over(folder / "data", k=1)
    (found,) = retriever.invoke(QUERY)
    page = retriever.assistant.page(found.metadata["document_id"], found.metadata["page"])
    start, end = found.metadata["start"], found.metadata["end"]
    assert page.text[start:end].endswith("Il trasporto sociale accompagna gli anziani alle visite.")
    assert found.page_content == page.text[start:end]
    hit = retriever.assistant.search(QUERY, k=1).hits[0]
    assert found.id == found.metadata["passage_id"] == hit.passage.id
    assert found.metadata["score"] == hit.score
    assert found.metadata["generation"] == retriever.assistant.status().generation
    about = {name: found.metadata[name] for name in ("kind", "distretto", "year", "section")}
    assert about == {
        "kind": "piano_di_zona",
        "distretto": "Valdoro",
        "year": 2018,
        "section": "Piano di zona 2018-2020 – Distretto Valdoro › Trasporti",
    }
    assert found.metadata["source"].endswith("valdoro.md")
    retriever.assistant.close()


def test_filters_and_the_loop_are_served_alike(folder: Path) -> None:
    retriever = PianoRetriever.over(folder / "data", filters={"distretto": "Montechiaro"})
    found = retriever.invoke(QUERY)
    assert {one.metadata["distretto"] for one in found} == {"Montechiaro"}

    async def together() -> list[object]:
        return await asyncio.gather(*(retriever.ainvoke(QUERY) for _ in range(4)))

    assert asyncio.run(together()) == [found] * 4
    retriever.assistant.close()


def test_documents_say_what_was_searched_and_the_words_alone_can_be(folder: Path) -> None:
    query = "trasporto per anziani e badante a Valdoro, percorso accompagnaa"
    retriever = PianoRetriever.over(folder / "data", k=1)
    (found,) = retriever.invoke(query)
    assert "assistente familiare" in found.metadata["also_searched"]
    assert found.metadata["corrections"] == {"accompagnaa": "accompagna"}
    assert found.metadata["translated"] == ""
    retriever.assistant.close()
    exact = PianoRetriever.over(folder / "data", k=1, expand=False, ignore=("distretto",))
    (alone,) = exact.invoke(query)
    assert (alone.metadata["also_searched"], alone.metadata["corrections"]) == ([], {})
    exact.assistant.close()
    with pytest.raises(UsageError, match="ignorare"):
        PianoRetriever.over(folder / "data", ignore=("comune",))


def test_what_is_wrong_is_told_as_everywhere(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Filtro sconosciuto"):
        PianoRetriever.over(folder / "data", filters={"colore": "rosso"})
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        PianoRetriever.over(folder / "data", k=0)
    with pytest.raises(NoIndexError, match="piano ingest"):
        PianoRetriever.over(tmp_path).invoke(QUERY)


def test_the_example_of_the_readme_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert "PianoRetriever" in example and len(example.splitlines()) <= 10
    monkeypatch.chdir(folder)
    exec(compile(example, "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "accompagna gli anziani alle visite." in shown
    assert "(Piano di zona 2018-2020 – Distretto Valdoro, p. 1)" in shown


def test_nothing_of_the_program_imports_it() -> None:
    users = [
        str(found)
        for package in PACKAGES
        for path in sources(package)
        if "langchain" in path.read_text("utf-8")
        for found in imports_of(path)
        if "assistant.langchain" in targets(found)
    ]
    assert users == []
