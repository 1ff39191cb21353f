"""The report of a session: one file that loads nothing and shows foreign text as it is."""

import re
from datetime import timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest
from frames import frame

from utils.emotions import EMOTIONS
from utils.media.figures.timecode import timecode
from utils.media.sessions import SessionInfo, SessionStore, export

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\u202e"
VOID = {"meta", "br", "rect"}


class Page(HTMLParser):
    """What a browser would make of a document: its elements, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(f"sqlite:///{tmp_path / 'a.sqlite'}")


def report(
    store: SessionStore, frames: list, markers: list, hours: int = 0, **texts: object
) -> Page:
    number = store.create("Morning", "live", model="m", classes=EMOTIONS, model_revision="abc")
    store.append(number, frames, markers=markers)
    store.edit(number, **texts)  # type: ignore[arg-type]
    session = next(session for session in store.sessions() if session.id == number)
    zone = timezone(timedelta(hours=hours), "clock")
    document = export.as_html(session, store.markers(number), store.table(session), zone=zone)
    page = Page(document)
    assert not page.open
    return page


def frames(people: int = 1) -> list:
    """Six seconds, two of them without a face."""
    return [frame(i / 10, faces=0 if 20 <= i < 40 else people) for i in range(60)]


def test_a_report_says_what_was_recorded(store: SessionStore) -> None:
    page = report(store, frames(2), [(1.5, "the film starts")], note="with Ada", names={1: "Anna"})
    for words in (
        "Morning",
        "with Ada",
        "Length0:06",
        "Modelm, revision abc",
        "2 faces. A face was classified in 67% of the frames.",
        "Anna: most often happy (100%), uncertain 0% of the time in view.",
        "Face 2",
        "Number of faces",
        "Mean over all faces",
        "no face",
        "0:01.5the film starts",
        "not what a person feels",
        "Article 5(1)(f)",
    ):
        assert words in page.text, words
    assert page.tags.count("svg") == 4


def test_a_report_loads_nothing(store: SessionStore) -> None:
    page = report(store, frames(), [(1.0, "now")])
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(page.tags)
    assert not {"src", "href", "onload", "onerror"} & {name for name, _ in page.attributes}
    assert not [value for _, value in page.attributes if value and "url(" in value]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_foreign_text_stays_text(store: SessionStore) -> None:
    page = report(
        store, frames(2), [(1.0, HOSTILE)], name=HOSTILE, note=HOSTILE, names={1: HOSTILE}
    )
    assert not {"script", "img"} & set(page.tags)
    assert "onerror" not in {name for name, _ in page.attributes}
    assert page.text.count("<script>alert(1)</script>") >= 5
    assert "\u202e" not in page.text


def test_a_report_uses_the_readers_clock(store: SessionStore) -> None:
    page = report(store, frames(), [], hours=5)
    (session,) = store.sessions()
    began = session.started.astimezone(timezone(timedelta(hours=5)))
    assert f"{began:%d %B %Y, %H:%M} (clock)" in page.text


@pytest.mark.parametrize("recorded", [[], [frame(0.0, faces=0)], [frame(0.0)]])
def test_a_short_session_has_a_report_too(store: SessionStore, recorded: list) -> None:
    page = report(store, recorded, [(0.0, "now")])
    assert "What this can't say" in page.text
    assert ("No face" in page.text) is (not recorded or not recorded[0].faces)


def test_curves_break_where_there_is_no_face(store: SessionStore) -> None:
    page = report(store, frames(), [])
    paths = [value for name, value in page.attributes if name == "d" and value]
    assert len(paths) == len(EMOTIONS)
    assert {len(re.findall("M", path)) for path in paths} == {2}


@pytest.mark.parametrize(
    ("seconds", "text", "with_tenths"),
    [
        (0.0, "0:00", "0:00.0"),
        (59.96, "1:00", "1:00.0"),
        (83.44, "1:23", "1:23.4"),
        (3723.0, "1:02:03", "1:02:03.0"),
    ],
)
def test_times_are_written_as_on_a_clock(seconds: float, text: str, with_tenths: str) -> None:
    assert timecode(seconds) == text
    assert timecode(seconds, tenths=True) == with_tenths


def test_a_session_knows_what_its_faces_are_called(store: SessionStore) -> None:
    number = store.create("x", "live", model="m", classes=EMOTIONS)
    store.edit(number, names={1: "Anna", 3: ""})
    (session,) = store.sessions()
    assert isinstance(session, SessionInfo)
    assert [session.name_of(track) for track in (1, 2, 3)] == ["Anna", "Face 2", "Face 3"]
