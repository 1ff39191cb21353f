"""Results as documents and rows."""

import re

import pytest
from paths import REPO

from utils.emotions import EMOTIONS
from utils.errors import ImageError
from utils.media.tables.rows import COLUMNS, columns, rows
from utils.results import (
    Face,
    FaceProblem,
    Failure,
    FrameResult,
    Status,
    face_status,
    frame_status,
    most_probable,
    to_document,
)

PROBABILITIES = dict(zip(EMOTIONS, (0.1, 0.0, 0.05, 0.6, 0.2, 0.03, 0.02), strict=True))


def face(**values: object) -> Face:
    given = {
        "box": (1, 2, 30, 40),
        "score": 0.9,
        "emotion": "happy",
        "confidence": 0.6,
        "uncertain": False,
        "probabilities": PROBABILITIES,
    }
    return Face.model_validate(given | values)


def frame(*faces: Face, **values: object) -> FrameResult:
    given = {"model": "m", "image": "a.jpg", "width": 64, "height": 48, "faces": faces}
    return FrameResult.model_validate(given | values)


def test_each_face_has_a_row_with_its_own_status() -> None:
    faces = (
        face(),
        face(uncertain=True),
        face(uncertain=True, problem="too dark", raw=PROBABILITIES),
    )
    table = list(rows(frame(*faces, time=1.5)))
    assert [row["status"] for row in table] == ["ok", "uncertain", "low_quality"]
    assert [row["face"] for row in table] == [1, 2, 3]
    assert table[2]["reason"] == "too dark"
    assert table[0]["p_happy"] == 0.6
    assert [row.get("raw_happy") for row in table] == [None, None, 0.6]
    assert all(set(row) <= set(columns(EMOTIONS)) for row in table)


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ([], Status.NO_FACE),
        ([Status.LOW_QUALITY], Status.LOW_QUALITY),
        ([Status.LOW_QUALITY, Status.UNCERTAIN], Status.UNCERTAIN),
        ([Status.UNCERTAIN, Status.UNCERTAIN], Status.UNCERTAIN),
        ([Status.LOW_QUALITY, Status.UNCERTAIN, Status.OK], Status.OK),
    ],
)
def test_the_status_of_a_frame_is_that_of_its_clearest_face(
    faces: list[Status], expected: Status
) -> None:
    assert frame_status(faces) is expected


def test_the_status_of_a_face_follows_from_problem_and_certainty() -> None:
    dark = FaceProblem.TOO_DARK
    assert face_status(problem=dark, uncertain=False) is Status.LOW_QUALITY
    assert face_status(problem=dark, uncertain=True) is Status.LOW_QUALITY
    assert face_status(problem=None, uncertain=True) is Status.UNCERTAIN
    assert face_status(problem=None, uncertain=False) is Status.OK
    assert face(uncertain=True).status is Status.UNCERTAIN


def test_with_other_faces_the_status_follows_unless_it_does_not_depend_on_faces() -> None:
    sure, uncertain = face(), face(uncertain=True)
    whole = frame(sure, uncertain, status=Status.OK)
    assert whole.with_faces((uncertain,)).status is Status.UNCERTAIN
    assert whole.with_faces(()).status is Status.NO_FACE
    assert whole.with_faces((sure,)).faces == (sure,)
    for status in (Status.SKIPPED, Status.CAMERA_OFF):
        assert frame(sure, uncertain, status=status).with_faces((uncertain,)).status is status


def test_a_skipped_frame_has_skipped_faces() -> None:
    assert [row["status"] for row in rows(frame(face(), status=Status.SKIPPED))] == ["skipped"]


def test_problems_are_plain_strings_outside() -> None:
    dark = face(uncertain=True, problem=FaceProblem.TOO_DARK)
    (row,) = rows(frame(dark))
    assert type(row["reason"]) is str
    written = to_document(frame(dark))["faces"][0]["problem"]
    assert (type(written), written) == (str, "too dark")
    assert f"{dark.problem}" == str(dark.problem) == "too dark"
    assert Face.model_validate_json(dark.model_dump_json()) == dark
    schema = Face.model_json_schema()["properties"]["problem"]
    assert schema["anyOf"] == [{"type": "string"}, {"type": "null"}]


def test_what_has_no_face_has_a_row() -> None:
    (row,) = rows(frame(status=Status.NO_FACE))
    assert (row["image"], row["status"], row["width"]) == ("a.jpg", "no_face", 64)
    (row,) = rows(Failure.of("b.jpg", ImageError("b.jpg is empty")))
    assert row == {"image": "b.jpg", "status": "failed", "reason": "b.jpg is empty"}


def test_the_likeliest_classes_alone() -> None:
    (short,) = most_probable(frame(face(raw=PROBABILITIES)), 2).faces
    assert list(short.probabilities.items()) == [("happy", 0.6), ("neutral", 0.2)]
    assert short.raw == short.probabilities
    whole = frame(face())
    assert most_probable(whole, None) is whole


@pytest.mark.parametrize("model", [Face, FrameResult])
def test_every_key_is_documented(model: type[Face | FrameResult]) -> None:
    documented = re.findall(r"`(\w+)`", (REPO / "docs/results.md").read_text(encoding="utf-8"))
    assert set(model.model_fields) <= set(documented)
    assert set(COLUMNS) <= set(documented)
    assert {status.value for status in Status} <= set(documented)


def test_unknown_values_are_left_out() -> None:
    written = to_document(frame(face()))
    assert "time" not in written
    assert "raw" not in written["faces"][0]
    failed = to_document(Failure.of("b.jpg", ImageError("no")))
    assert failed == {"image": "b.jpg", "error": {"code": "bad_image", "message": "no"}}
