"""The one result type: the faces of an image or frame, and the status that follows from them.

Terminal, Python API, service, app and exports all use these models. :func:`to_document` is their
JSON, ``utils/media/tables/rows.py`` their table; docs/results.md describes both.
"""

from collections.abc import Iterable
from enum import Enum
from statistics import fmean
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from utils.errors import EmotionError

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Box = tuple[float, float, float, float]
Point = tuple[float, float]
# Of a face's height: those whose middles differ by less are in one row.
_ROW = 0.75


class Status(str, Enum):
    """The status of a frame, or of one face in it; timelines keep a row for each."""

    OK = "ok"
    UNCERTAIN = "uncertain"
    LOW_QUALITY = "low_quality"
    NO_FACE = "no_face"
    CAMERA_OFF = "camera_off"
    SKIPPED = "skipped"
    FAILED = "failed"


class FaceProblem(str, Enum):
    """Why the expression of a detected face can't be classified."""

    TOO_SMALL = "too small"
    TOO_DARK = "too dark"
    TOO_BLURRED = "too blurred"
    TURNED_AWAY = "turned away"

    def __str__(self) -> str:
        return self.value


# A plain string in schemas, so that a client which validates results does not refuse a problem that
# is added later; a FaceProblem, which is a string, in Python.
Problem = Annotated[str, AfterValidator(FaceProblem)]


class Face(BaseModel):
    """One face and its apparent expression.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the original frame, clipped to it.
        score: The detector's confidence in 0..1.
        emotion: The most probable class; in a stream, classes in balance have level probabilities
            until one of them leads (see ``utils/inference/tracking/smoothing.py``).
        confidence: Calibrated probability of ``emotion``.
        uncertain: True if ``confidence`` is below the threshold chosen on validation data, or if
            there is a ``problem``.
        probabilities: Class name to calibrated probability, in class order, summing to 1; in a
            stream smoothed over time.
        raw: Probabilities of this frame alone, in a stream; None for single images and for a face
            that was not classified in this frame.
        landmarks: Five points (left eye, right eye, nose, left and right mouth corner, as seen in
            the image) in pixels, or None if the detector gives none.
        track_id: Identity within one video or stream; None for single images.
        problem: Why the expression can't be classified (``too small``, ``too dark``,
            ``too blurred``, ``turned away``), so that ``emotion`` means nothing; None if it can.
    """

    model_config = ConfigDict(frozen=True)

    box: Box
    score: Probability
    emotion: str
    confidence: Probability
    uncertain: bool
    probabilities: dict[str, Probability]
    raw: dict[str, Probability] | None = None
    landmarks: tuple[Point, ...] | None = None
    track_id: int | None = None
    problem: Problem | None = None

    @property
    def status(self) -> Status:
        """``ok``, ``uncertain`` or ``low_quality``."""
        return face_status(problem=self.problem, uncertain=self.uncertain)

    @property
    def verdict(self) -> str:
        """The prediction in words, such as ``uncertain: happy`` or ``can't classify: too dark``."""
        if self.problem:
            return f"can't classify: {self.problem}"
        return f"uncertain: {self.emotion}" if self.uncertain else self.emotion


class FrameResult(BaseModel):
    """All faces of one image or frame; an empty list of faces is a normal result.

    Attributes:
        model: Name of the model that classified the faces.
        image: Path or name of the image; None for frames in memory.
        width: Width of the frame in pixels.
        height: Height of the frame in pixels.
        faces: The faces, largest first.
        status: ``ok``, ``uncertain`` (every face is), or why no face was classified.
        time: Media time in seconds for frames of a video or stream.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    image: str | None = None
    width: int
    height: int
    faces: tuple[Face, ...] = ()
    status: Status = Status.OK
    time: float | None = None

    def with_faces(self, faces: tuple[Face, ...]) -> "FrameResult":
        """Return a result with some of the faces only, and the status that follows from them."""
        follows = self.status not in (Status.CAMERA_OFF, Status.SKIPPED, Status.FAILED)
        status = frame_status(face.status for face in faces) if follows else self.status
        return self.model_copy(update={"faces": faces, "status": status})

    def in_reading_order(self) -> "FrameResult":
        """Return a result with its faces row by row, each from left to right."""
        return self.model_copy(update={"faces": _in_reading_order(self.faces)})

    def numbered(self) -> "FrameResult":
        """Return a result of a single image whose faces have a ``track_id``: 1, 2 and so on."""
        faces = [face.model_copy(update={"track_id": i}) for i, face in enumerate(self.faces, 1)]
        return self.model_copy(update={"faces": tuple(faces)})


def _in_reading_order(faces: Iterable[Face]) -> tuple[Face, ...]:
    rows: list[list[Face]] = []
    for face in sorted(faces, key=_middle):
        row = rows[-1] if rows else []
        if row and _middle(face) - fmean(map(_middle, row)) < _ROW * fmean(map(_height, row)):
            row.append(face)
        else:
            rows.append([face])
    return tuple(face for row in rows for face in sorted(row, key=lambda face: face.box[0]))


def _middle(face: Face) -> float:
    return (face.box[1] + face.box[3]) / 2


def _height(face: Face) -> float:
    return face.box[3] - face.box[1]


def face_status(*, problem: str | None, uncertain: bool) -> Status:
    """Return a face's status: ``low_quality`` if there is a problem, ``uncertain``, or ``ok``."""
    if problem is not None:
        return Status.LOW_QUALITY
    return Status.UNCERTAIN if uncertain else Status.OK


def frame_status(faces: Iterable[Status]) -> Status:
    """Return the status of a frame from those of its faces: that of its clearest face.

    Args:
        faces: What :func:`face_status` returned for each face; none gives ``no_face``.
    """
    statuses = set(faces)
    by_clarity = (Status.OK, Status.UNCERTAIN, Status.LOW_QUALITY)
    return next((status for status in by_clarity if status in statuses), Status.NO_FACE)


class ErrorInfo(BaseModel):
    """An error, the same in files, responses of the service and messages of the WebSocket.

    Attributes:
        code: One word for programs, such as ``bad_image``.
        message: A sentence for people: what is wrong and what to do.
        field: The parameter or file that is wrong; None if the error concerns the whole request.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    field: str | None = None


class Failure(BaseModel):
    """Takes the place of the result for an image or video that can't be used.

    Attributes:
        image: Path or name of the image or video.
        error: What is wrong with it.
    """

    model_config = ConfigDict(frozen=True)

    image: str
    error: ErrorInfo

    @classmethod
    def of(cls, image: str, error: EmotionError) -> "Failure":
        """Return the failure of an image or video that an error describes."""
        return cls(image=image, error=ErrorInfo(code=error.code, message=str(error)))


Outcome = FrameResult | Failure
_OUTCOMES: TypeAdapter[Outcome] = TypeAdapter(Outcome)


def to_document(outcome: Outcome) -> dict[str, Any]:
    """Return the JSON document of a result or failure; unknown values are left out."""
    return outcome.model_dump(mode="json", exclude_none=True)


def parse_document(values: Any) -> Outcome:
    """Return the result or failure of a JSON document; the inverse of :func:`to_document`.

    Raises:
        pydantic.ValidationError: It is neither.
    """
    return _OUTCOMES.validate_python(values)


def most_probable(result: FrameResult, count: int | None) -> FrameResult:
    """Return a result that keeps only the ``count`` most probable classes of each face.

    Args:
        result: The result.
        count: Number of classes, at least 1; None keeps all.
    """
    if count is None:
        return result
    faces = tuple(
        face.model_copy(
            update={
                "probabilities": _top(face.probabilities, count),
                "raw": None if face.raw is None else _top(face.raw, count),
            }
        )
        for face in result.faces
    )
    return result.model_copy(update={"faces": faces})


def _top(probabilities: dict[str, float], count: int) -> dict[str, float]:
    best = sorted(probabilities.items(), key=lambda item: -item[1])[:count]
    return dict(best)
