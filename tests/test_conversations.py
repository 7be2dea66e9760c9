from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.conversations import ConversationStore
from assistant.errors import NotFoundError, StorageError
from assistant.models import Answer, AnswerSentence, Citation

WORDS = "Il Distretto è lo snodo dell’integrazione: «prossimità» — 100% \x0b fine"


def answer(question: str, text: str = WORDS) -> Answer:
    citation = Citation(
        n=1,
        document_id="d" * 64,
        title="Piano dimostrativo",
        kind="piano",
        distretto=None,
        year=2017,
        source="piano.pdf",
        page=3,
        section="Obiettivi › Distretto",
        start=10,
        end=10 + len(text),
        quote=text,
        demonstration=True,
        printed_label="iii",
    )
    return Answer(
        question=question,
        understood_as=question,
        status="answered",
        sentences=(AnswerSentence(text, "verbatim", (1,), "testuale"),),
        citations=(citation,),
        notices=("Documento dimostrativo.",),
        hits=(),
        mode="extractive",
        model="prova",
        generation="g1",
        timings_ms={"total": 1.5},
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ConversationStore]:
    store = ConversationStore(tmp_path / "dati" / "conversations.sqlite")
    yield store
    store.close()


def test_a_kept_answer_comes_back_equal(store: ConversationStore) -> None:
    chat = store.create()
    kept = store.add(chat.id, answer("Che cos'è il Distretto?"))
    assert store.messages(chat.id) == [kept]
    assert store.messages(chat.id)[0].answer == answer("Che cos'è il Distretto?")


def test_everything_is_still_there_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    store = ConversationStore(path)
    chat = store.create("Caregiver")
    message = store.add(chat.id, answer("Chi è il caregiver?"))
    store.give_feedback(message.id, "incompleta", "manca la pagina 4")
    store.close()
    script = (
        "import sys; from pathlib import Path;"
        "from assistant.conversations import ConversationStore;"
        "s = ConversationStore(Path(sys.argv[1])); c = s.recent()[0]; m = s.messages(c.id)[0];"
        "print(c.title, m.question, m.answer.citations[0].page, s.feedback(m.id)[0].comment,"
        " sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.stdout.strip() == "Caregiver|Chi è il caregiver?|3|manca la pagina 4"


def test_the_first_question_names_an_unnamed_conversation(store: ConversationStore) -> None:
    chat = store.create()
    store.add(chat.id, answer("Chi   approva\nil piano? " + "molto lunga " * 20))
    store.add(chat.id, answer("e a Piacenza?"))
    title = store.get(chat.id).title
    assert title.startswith("Chi approva il piano? molto lunga")
    assert len(title) <= 80
    assert title.endswith("…")
    assert store.get(chat.id).messages == 2
    assert store.questions(chat.id)[-1] == "e a Piacenza?"


def test_conversations_without_questions_can_be_left_out(store: ConversationStore) -> None:
    asked, _ = store.create(), store.create("vuota")
    store.add(asked.id, answer("Chi è il caregiver?"))
    assert [chat.id for chat in store.recent(empty=False)] == [asked.id]
    assert len(store.recent()) == 2


def test_signs_that_nobody_sees_stay_out_of_titles_and_searches(store: ConversationStore) -> None:
    chat = store.create("Piano\x00 di\n\u202eanoz\u202c")
    assert chat.title == "Piano di anoz"
    assert store.recent("zzz\x00") == []
    assert store.rename(chat.id, "\u2066Piano\x07").title == "Piano"


def test_the_last_used_conversation_comes_first(store: ConversationStore) -> None:
    first, second = store.create("prima"), store.create("seconda")
    assert [chat.id for chat in store.recent()] == [second.id, first.id]
    store.add(first.id, answer("Una domanda"))
    assert [chat.id for chat in store.recent()] == [first.id, second.id]


def test_search_looks_in_titles_and_questions_and_takes_signs_literally(
    store: ConversationStore,
) -> None:
    caregiver, percent = store.create("CAREGIVER È qui"), store.create("quote")
    store.add(percent.id, answer("Quanto è il 100% della spesa_a?"))
    assert [c.id for c in store.recent("caregiver è")] == [caregiver.id]
    assert [c.id for c in store.recent("100%")] == [percent.id]
    assert [c.id for c in store.recent("spesa_a")] == [percent.id]
    assert store.recent("1%0") == []
    assert store.recent("spesaXa") == []
    assert store.recent("'; DROP TABLE conversations; --") == []


def test_rename_and_delete(store: ConversationStore) -> None:
    chat = store.create()
    message = store.add(chat.id, answer("Una domanda"))
    store.give_feedback(message.id, "utile")
    assert store.rename(chat.id, "  Nuovo nome ").title == "Nuovo nome"
    store.delete(chat.id)
    assert store.recent() == []
    assert store.feedback(message.id) == []
    for call in (
        lambda: store.get(chat.id),
        lambda: store.delete(chat.id),
        lambda: store.rename(chat.id, "x"),
        lambda: store.messages(chat.id),
        lambda: store.questions(chat.id),
        lambda: store.add(chat.id, answer("x")),
        lambda: store.give_feedback(message.id, "errata"),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_deleted_words_leave_the_disk(store: ConversationStore) -> None:
    chat = store.create()
    store.add(chat.id, answer("Il signor Rossi Segretissimo ha diritto?"))
    store.delete(chat.id)
    for file in store.path.parent.iterdir():
        assert b"Segretissimo" not in file.read_bytes(), file.name


def test_only_the_owner_may_read_the_file(store: ConversationStore) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_many_threads_lose_nothing(store: ConversationStore) -> None:
    chat = store.create("insieme")

    def ask(number: int) -> None:
        for turn in range(10):
            store.add(chat.id, answer(f"domanda {number}-{turn}"))
            store.recent()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len({m.question for m in store.messages(chat.id)}) == 80


def test_two_stores_on_one_file_see_each_other(store: ConversationStore) -> None:
    other = ConversationStore(store.path)
    chat = other.create("dall'altro processo")
    assert store.get(chat.id).title == "dall'altro processo"
    other.close()


def test_a_newer_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match=r"versione più recente.*Aggiorna"):
        ConversationStore(path)


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    path.write_bytes(b"non sono un archivio " * 100)
    with pytest.raises(StorageError, match=r"conversations\.sqlite"):
        ConversationStore(path)


def test_an_answer_that_cannot_be_read_again_is_named(store: ConversationStore) -> None:
    chat = store.create()
    message = store.add(chat.id, answer("Una domanda"))
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE messages SET answer = '{}'")
    with pytest.raises(StorageError, match=message.id):
        store.messages(chat.id)
