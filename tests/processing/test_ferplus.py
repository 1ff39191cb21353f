"""FER+ votes are joined to their images, or a remark says why not."""

from pathlib import Path

import pytest
from dataset_files import (
    FERPLUS_HEADER,
    USAGES,
    csv_bytes,
    csv_line,
    ferplus,
    png,
    small_csv,
    votes_of,
    write_files,
)

from utils.emotions import EMOTIONS
from utils.errors import DataError
from utils.processing.prepare import prepare


def test_votes_are_joined_to_the_table_by_row(tmp_path: Path) -> None:
    # FER+ has no name for what is not a face, and its names are not row numbers.
    table = ferplus(tmp_path / "fer2013new.csv", ["fer0000000.png", "", "fer0000001.png", ""])
    (tmp_path / "fer2013.csv").write_bytes(small_csv())
    report = prepare(tmp_path / "fer2013.csv", tmp_path / "out", ferplus=table)
    votes = votes_of(tmp_path / "out")
    assert {name: row["angry"] for name, row in votes.items()} == {
        f"row000000{i}.png": str(i) for i in range(4)
    }
    assert votes["row0000003.png"] == {
        **dict.fromkeys((*EMOTIONS, "contempt", "unknown", "nf"), "0"),
        **{"image": "row0000003.png", "split": "test", "neutral": "7", "angry": "3"},
    }
    assert "FER+ votes: 4 images joined, 0 without" in report.remarks


def test_votes_are_joined_to_files_by_name(tmp_path: Path) -> None:
    names = ["fer0000000.png", "fer0000001.png", "fer0000009.png", "fer0000009.png"]
    table = ferplus(tmp_path / "fer2013new.csv", names)
    files = {f"train/happy/{name}": png() for name in [*names, "PublicTest_1.png"]}
    source = write_files(tmp_path / "data", {**files, "test/happy/other.png": png(1)})
    report = prepare(source, tmp_path / "out", ferplus=table)
    votes = votes_of(tmp_path / "out")
    assert {name: row["angry"] for name, row in votes.items()} == {
        "fer0000000.png": "0",
        "fer0000001.png": "1",
    }
    assert "FER+ has contradictory votes for fer0000009.png: not joined" in report.remarks
    assert "FER+ votes: 2 images joined, 3 without" in report.remarks


@pytest.mark.parametrize(
    ("lines", "usages", "remark"),
    [
        ([csv_line()] * 4, USAGES, "row 2 is in train, but FER+ has it in validation"),
        ([csv_line()] * 3, USAGES, "the table has 3 rows, but FER+ has 4"),
    ],
    ids=["reordered", "incomplete"],
)
def test_votes_are_not_joined_to_another_table(
    tmp_path: Path, lines: list[str], usages: tuple[str, ...], remark: str
) -> None:
    table = ferplus(tmp_path / "fer2013new.csv", [""] * 4, usages)
    (tmp_path / "fer2013.csv").write_bytes(csv_bytes(*lines))
    report = prepare(tmp_path / "fer2013.csv", tmp_path / "out", ferplus=table)
    assert any(remark in text for text in report.remarks)
    assert "could not be joined" in report.problems[0]
    assert not (tmp_path / "out/ferplus.csv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "lacks the columns Image name, NF, Usage, anger"),
        (FERPLUS_HEADER + "\nTraining,x.png,many,0,0,0,0,0,0,0,0,0\n", "line 2"),
        (FERPLUS_HEADER + "\nTraining,x.png,1\n", "line 2"),
        (FERPLUS_HEADER + "\nElse,x.png,1,0,0,0,0,0,0,0,0,0\n", "line 2"),
        (FERPLUS_HEADER + "\nTraining,x.png,-1,0,0,0,0,0,0,0,0,0\n", "line 2"),
    ],
)
def test_bad_votes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(text)
    (tmp_path / "fer2013.csv").write_bytes(small_csv())
    with pytest.raises(DataError, match=message):
        prepare(tmp_path / "fer2013.csv", tmp_path / "out", ferplus=tmp_path / "votes.csv")
    with pytest.raises(DataError, match="no such file"):
        prepare(tmp_path / "fer2013.csv", tmp_path / "out", ferplus=tmp_path / "missing.csv")
