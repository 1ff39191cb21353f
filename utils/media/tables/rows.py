"""Results as rows of a table: one per face, or one per image without faces; see docs/results.md."""

from collections.abc import Iterator, Sequence
from typing import Any

from utils.results import Face, Failure, Outcome, Status

Row = dict[str, Any]

# Column to type; the columns of the class probabilities follow.
COLUMNS: dict[str, type] = {
    "image": str,
    "time": float,
    "status": str,
    "reason": str,
    "model": str,
    "width": int,
    "height": int,
    "face": int,
    "track_id": int,
    "x1": float,
    "y1": float,
    "x2": float,
    "y2": float,
    "score": float,
    "emotion": str,
    "confidence": float,
    "uncertain": bool,
}


def columns(classes: Sequence[str]) -> dict[str, type]:
    """Return all columns and their types for a model's classes, in order.

    ``p_<class>`` is the probability; ``raw_<class>`` that of the frame alone, in a video.
    """
    probabilities = {f"{kind}_{name}": float for kind in ("p", "raw") for name in classes}
    return COLUMNS | probabilities


def rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the rows of an image or frame; columns without a value are missing.

    Each face has a row. An image without faces has one row, and so has one that failed.
    """
    if isinstance(outcome, Failure):
        status = Status.FAILED.value
        yield {"image": outcome.image, "status": status, "reason": outcome.error.message}
        return
    frame = {
        "image": outcome.image,
        "time": outcome.time,
        "status": outcome.status.value,
        "model": outcome.model,
        "width": outcome.width,
        "height": outcome.height,
    }
    if not outcome.faces:
        yield frame
    for number, face in enumerate(outcome.faces, 1):
        status = Status.SKIPPED if outcome.status is Status.SKIPPED else face.status
        yield frame | {"status": status.value, "face": number} | _face(face)


def _face(face: Face) -> Row:
    row: Row = dict(zip(("x1", "y1", "x2", "y2"), face.box, strict=True))
    row |= {
        "reason": None if face.problem is None else str(face.problem),
        "track_id": face.track_id,
        "score": face.score,
        "emotion": face.emotion,
        "confidence": face.confidence,
        "uncertain": face.uncertain,
    }
    row |= {f"p_{name}": value for name, value in face.probabilities.items()}
    return row | {f"raw_{name}": value for name, value in (face.raw or {}).items()}
