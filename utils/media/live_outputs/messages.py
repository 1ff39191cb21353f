"""What live outputs and the service's WebSocket send: one JSON document per result or event."""

from datetime import datetime
from enum import Enum

from pydantic import BaseModel, ConfigDict

from utils.results import ErrorInfo, FrameResult


class EventKind(str, Enum):
    """What happened in a stream."""

    START = "start"
    STOP = "stop"
    MARKER = "marker"
    FACE_APPEARS = "face_appears"
    FACE_LEAVES = "face_leaves"


class StreamDescription(BaseModel):
    """What the results of a stream mean.

    Attributes:
        model: Name of the model.
        revision: Revision of the code that the model was trained with; None if unknown.
        classes: Names of the classes in the order of the model's output.
        threshold: Predictions below this probability are uncertain.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    revision: str | None = None
    classes: tuple[str, ...]
    threshold: float


class StreamEvent(BaseModel):
    """Something that happened at one moment of a stream.

    Attributes:
        kind: What happened.
        time: Media time in seconds; None among images.
        at: The same moment in UTC by this computer's clock.
        label: Text of a marker.
        track_id: The face that appeared or left.
        stream: What the results mean; with the start only.
    """

    model_config = ConfigDict(frozen=True)

    kind: EventKind
    time: float | None
    at: datetime
    label: str | None = None
    track_id: int | None = None
    stream: StreamDescription | None = None

    @property
    def text(self) -> str:
        """The event in a few words: a marker's label, or ``face 1 appears``."""
        if self.label is not None:
            return self.label
        words = self.kind.value.replace("_", " ")
        return words if self.track_id is None else words.replace("face", f"face {self.track_id}")


class StreamMessage(BaseModel):
    """One result, event or error of a stream; the others of these three are None.

    Attributes:
        frame: Number of the frame: 1 is the first.
        dropped: Number of frames or messages so far that were left out because newer ones came.
        age_ms: Milliseconds between the arrival of the frame and this message; None for frames that
            were not live.
        result: The faces of the frame; ``time`` is counted from the first frame.
        event: What happened.
        error: Why there is no result.
    """

    model_config = ConfigDict(frozen=True)

    frame: int
    dropped: int = 0
    age_ms: float | None = None
    result: FrameResult | None = None
    event: StreamEvent | None = None
    error: ErrorInfo | None = None

    def to_json(self, *, dropped: int | None = None) -> str:
        """Return the JSON document; unknown values are left out.

        Args:
            dropped: Takes the place of ``dropped``, for a receiver that missed messages.
        """
        message = self if dropped is None else self.model_copy(update={"dropped": dropped})
        return message.model_dump_json(exclude_none=True)
