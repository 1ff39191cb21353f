"""Databases that can't be used, and stored content that is damaged: each is one sentence."""

import sqlite3
from pathlib import Path

import pytest
from frames import frame
from hostile_names import HOSTILE
from sqlalchemy import update

from utils.emotions import EMOTIONS
from utils.errors import DatabaseError
from utils.media.sessions import SessionStore
from utils.media.sessions.tables import SessionRow

SECRET = "s3cret-word"
USER = f"tester:{SECRET}"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "malformed"),
        ("", "malformed"),
        (f"postgresql+psycopg://{USER}@127.0.0.1:port/a", "malformed"),
        (f"{USER}@127.0.0.1", "malformed"),
        (f"oracle://{USER}@127.0.0.1/a", "kind 'oracle'"),
        (f"nonsense://{USER}@127.0.0.1/a", "kind 'nonsense'"),
        (f"postgresql+psycopg://tester:a@{SECRET}/b@127.0.0.1/a", "write one in a password as %40"),
        (f"postgresql+psycopg2://{USER}@127.0.0.1/a", "No module named 'psycopg2'"),
        (f"postgresql+nonsense://{USER}@127.0.0.1/a", "nonsense"),
        (f"postgresql+psycopg://{USER}@127.0.0.1:1/a", "a on 127.0.0.1:1"),
        (f"postgresql+psycopg://{USER}@127.0.0.1:99999999/a", "a on 127.0.0.1:99999999"),
        (f"postgresql+psycopg://{USER}@127.0.0.1:1/a?nonsense={SECRET}", "nonsense"),
        (f"postgresql+psycopg://{USER}@nowhere.invalid/a", "a on nowhere.invalid"),
        ("sqlite://a.sqlite", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("sqlite:///:memory:", "three slashes"),
        ("sqlite:////proc/nowhere/a.sqlite", "/proc/nowhere/a.sqlite"),
        ("sqlite:////proc/version", "writable"),
        ("sqlite:////", "unable to open"),
    ],
)
def test_an_unusable_address_is_explained_without_its_password(address: str, words: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        SessionStore(address)
    sentence = str(caught.value)
    assert "database of sessions" in sentence
    assert words.lower() in sentence.lower()
    assert "\n" not in sentence
    assert SECRET not in sentence


def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_text("no database, but long enough to be taken for one" * 40)
    with pytest.raises(DatabaseError, match=rf"{path}.* not a database\. Move the file away"):
        SessionStore(f"sqlite:///{path}")


def test_tables_of_another_program_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE session (id INTEGER)")
    with pytest.raises(DatabaseError, match=r"already exists.*a database of its own"):
        SessionStore(f"sqlite:///{path}")


def test_a_locked_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match=r"locked\. Another program is writing"):
        store.create("a", "live", model="m", classes=EMOTIONS)
    assert store.sessions() == []
    lock.execute("ROLLBACK")
    store.create("a", "live", model="m", classes=EMOTIONS)


def test_damaged_pages_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    number = store.create("a", "live", model="m", classes=EMOTIONS)
    store.append(number, [frame(i / 10) for i in range(2000)])
    store._database.shrink()
    store.close()
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(b"\xff" * (20 * 4096))
    store = SessionStore(f"sqlite:///{path}")
    (info,) = store.sessions()
    with pytest.raises(DatabaseError, match=r"malformed\. The file is damaged: restore it"):
        store.table(info)


@pytest.fixture
def two(tmp_path: Path) -> tuple[SessionStore, sqlite3.Connection]:
    """A store with two sessions, 1 and 2, and a way to damage the first."""
    path = tmp_path / "a.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    for name in ("damaged", "sound"):
        number = store.create(name, "live", model="m", classes=EMOTIONS)
        store.append(number, [frame(i / 10) for i in range(20)])
    return store, sqlite3.connect(path, isolation_level=None)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("classes = '[\"a\"'", "classes"),
        ("classes = '[]'", "classes"),
        ("classes = '{\"a\": 1}'", "classes"),
        ("classes = '[1, null]'", "classes"),
        ("classes = x'ff00'", "classes"),
        ("started = 'yesterday'", "started"),
        ("seconds = 'long'", "seconds"),
        ('names = \'{"one": "Anna"}\'', "names"),
        ("seconds = -1", "seconds"),
        ("seconds = 9e999", "seconds"),
        ("started = 'x', seconds = 'y'", "seconds, started"),
    ],
)
def test_a_damaged_session_does_not_hide_the_others(
    two: tuple[SessionStore, sqlite3.Connection], change: str, problem: str
) -> None:
    store, connection = two
    connection.execute(f"UPDATE session SET {change} WHERE id = 1")
    assert [session.name for session in store.sessions()] == ["sound"]
    assert [(d.id, d.name, d.problem) for d in store.damaged()] == [(1, "damaged", problem)]
    store.delete([1])
    assert store.damaged() == []
    assert [session.name for session in store.sessions()] == ["sound"]


def test_everything_includes_what_is_damaged(
    two: tuple[SessionStore, sqlite3.Connection],
) -> None:
    store, connection = two
    connection.execute("UPDATE session SET classes = '[' WHERE id = 1")
    store.delete_all()
    for table in ("session", "point", "marker"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_name_of_no_known_encoding_is_shown_nevertheless(
    two: tuple[SessionStore, sqlite3.Connection],
) -> None:
    store, connection = two
    connection.execute("UPDATE session SET name = CAST(x'61ff' AS TEXT) WHERE id = 1")
    assert {session.name for session in store.sessions()} == {"a\ufffd", "sound"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("emotion = 'joy'", "value of emotion at 0.5 s"),
        ("status = 'fine'", "value of status at 0.5 s"),
        ("time = 'now'", "value of time at now s"),
        ("time = 9e999", "value of time at inf s"),
        ("x1 = 'left'", "value of x1 at 0.5 s"),
        ("confidence = 'high'", "value of confidence"),
        ("shown = x'0000'", "too many or too few probabilities"),
        ("shown = zeroblob(32)", "too many or too few probabilities"),
        ("shown = x'" + "0000c07f" * 7 + "'", "value of shown at 0.5 s"),
        ("raw = x'" + "00004040" * 7 + "'", "value of raw at 0.5 s"),
        ("shown = 'text'", "too many or too few probabilities"),
    ],
)
def test_damaged_points_are_explained(
    two: tuple[SessionStore, sqlite3.Connection], change: str, words: str
) -> None:
    store, connection = two
    connection.execute(f"UPDATE point SET {change} WHERE session_id = 1 AND time = 0.5")
    damaged, sound = sorted(store.sessions(), key=lambda session: session.id)
    with pytest.raises(DatabaseError, match="database of sessions") as caught:
        store.table(damaged)
    assert words in str(caught.value)
    assert len(store.table(sound)) == 20


def test_a_session_without_rows_is_empty(two: tuple[SessionStore, sqlite3.Connection]) -> None:
    store, connection = two
    connection.execute("DELETE FROM point WHERE session_id = 1")
    for session in store.sessions():
        assert len(store.table(session)) == (0 if session.id == 1 else 20)
    connection.execute("DROP TABLE point")
    with pytest.raises(DatabaseError, match="no such table"):
        store.table(store.sessions()[0])


def test_what_is_written_into_a_deleted_session_is_refused(store: SessionStore) -> None:
    number = store.create("a", "live", model="m", classes=EMOTIONS)
    store.delete([number])
    for write in (
        lambda: store.edit(number, name="b"),
        lambda: store.mark(number, 0.0, label="now"),
        lambda: store.append(number, [frame(0.0)]),
    ):
        with pytest.raises(DatabaseError, match="The session was deleted"):
            write()


def test_any_text_can_be_stored(store: SessionStore) -> None:
    for text in HOSTILE:
        number = store.create(text, "live", model="m", classes=EMOTIONS)
        store.edit(number, note=text)
        store.mark(number, 0.0, label=text)
        (marker,) = store.markers(number)
        assert len(marker.label) <= 200
    assert len(store.sessions()) == len(HOSTILE)


def test_a_session_names_what_made_it(store: SessionStore) -> None:
    store.create("a", "live", model="m", classes=EMOTIONS, model_revision="x" * 5000)
    (session,) = store.sessions()
    assert session.version
    assert session.model_revision == "x" * 100
    with store._database.transaction() as connection:
        connection.execute(update(SessionRow).values(version=None, model_revision=None))
    (session,) = store.sessions()
    assert (session.version, session.model_revision) == (None, None)
