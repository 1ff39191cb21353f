"""Which inputs a run has finished is read from its own results, wherever it was cut off."""

import io
import json
from pathlib import Path

import pytest
from hostile_names import HOSTILE

from utils.errors import ConfigError
from utils.media.tables.resume import truncate_incomplete
from utils.media.tables.writers import CsvWriter, JsonLinesWriter
from utils.results import ErrorInfo, Failure, FrameResult, Outcome

NAMES = [name for name in HOSTILE if name and len(name) < 100]


def results() -> list[Outcome]:
    """Two frames of each input, and a failure that repeats its name."""
    found: list[Outcome] = []
    for name in NAMES:
        frame = FrameResult(model="m", image=name, width=4, height=3)
        info = ErrorInfo(code="bad_video", message=f"{name}: ends prematurely")
        found += [frame, frame, Failure(image=name, error=info)]
    return found


def whole(kind: str) -> bytes:
    file = io.StringIO(newline="")
    writer = CsvWriter(file, ("happy", "sad")) if kind == "csv" else JsonLinesWriter(file)
    for outcome in results():
        writer.write(outcome)
    return file.getvalue().encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_that_is_cut_anywhere_is_continued_without_loss(kind: str, tmp_path: Path) -> None:
    path, data = tmp_path / f"faces.{kind}", whole(kind)
    seen = set()
    for end in [*range(0, len(data), 29), len(data)]:
        path.write_bytes(data[:end])
        done = truncate_incomplete(path, kind)
        seen.add(len(done))
        assert list(done) == NAMES[: len(done)], "whole inputs, in order"
        assert all(done.values()), "each ends with its failure"
        kept = path.read_bytes()
        # What follows is what a run writes for the other inputs.
        rest = data[len(kept) :]
        assert data.startswith(kept)
        assert not kept or not rest or rest.startswith(first_entry(kind, NAMES[len(done)]))
    assert seen == set(range(len(NAMES) + 1))


def first_entry(kind: str, name: str) -> bytes:
    file = io.StringIO(newline="")
    frame = FrameResult(model="m", image=name, width=4, height=3)
    if kind == "csv":
        CsvWriter(file, ("happy", "sad"), header=False).write(frame)
    else:
        JsonLinesWriter(file).write(frame)
    return file.getvalue().encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("jsonl", '{"image": "a.jpg", "label": 3}\n{"image": "b.jpg", "label": 4}\n'),
        ("jsonl", '{"image": "a.jpg", "label": 3}\n{"image": "b.jpg"'),
        ("jsonl", '{"id": 1}\n{"id": 2}'),
        ("jsonl", '{"id": 1, "text": "one line without an end"}'),
        ("jsonl", '{"model": "m", "width": 4, "height": 3}\n'),
        ("jsonl", "[" * 100_000 + "\n"),
        ("jsonl", "plain text\n"),
        ("jsonl", "\n"),
        ("csv", "image,label\na.jpg,3\nb.jpg,4\n"),
        ("csv", "a text"),
        ("csv", "\n"),
    ],
)
def test_a_file_of_another_program_is_refused_and_left_unchanged(
    kind: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / f"other.{kind}"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not a result file of this program"):
        truncate_incomplete(path, kind)
    assert path.read_text() == text


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_row_that_is_damaged_in_the_middle_is_not_cut_off(kind: str, tmp_path: Path) -> None:
    path, lines = tmp_path / f"faces.{kind}", whole(kind).split(b"\n")
    lines[3] = lines[3][:10]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ConfigError, match="is not a result file"):
        truncate_incomplete(path, kind)
    assert path.read_bytes() == b"\n".join(lines)


def test_without_a_file_nothing_is_finished(tmp_path: Path) -> None:
    assert truncate_incomplete(tmp_path / "x.csv", "csv") == {}
    (tmp_path / "x.csv").touch()
    assert truncate_incomplete(tmp_path / "x.csv", "csv") == {}


def test_documents_of_older_versions_are_known(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    document = {"model": "m", "image": "a", "width": 4, "height": 3, "faces": [], "status": "ok"}
    path.write_text(f"{json.dumps(document)}\n{json.dumps(document | {'image': 'b'})}\n")
    assert truncate_incomplete(path, "jsonl") == {"a": False}
