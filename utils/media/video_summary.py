"""Summary of a video: which faces were seen when, and how often with which expression."""

from collections import Counter

from pydantic import BaseModel, ConfigDict

from utils.defaults import MIN_FRAMES
from utils.results import Face, FrameResult, Status

# Counted in place of an emotion where a prediction is uncertain or a face can't be classified.
UNCERTAIN = Status.UNCERTAIN.value


def prediction_shares(counts: Counter[str]) -> dict[str, float]:
    """Return the share of each emotion among the predictions for a face, the largest first.

    Args:
        counts: Emotion, or ``UNCERTAIN``, to its number of predictions.
    """
    total = counts.total()
    return {name: count / total for name, count in counts.most_common()}


class Person(BaseModel):
    """One face of a video, tracked by its box and never identified.

    Attributes:
        track_id: Identity within the video.
        first: Media time in seconds of the first frame that shows it.
        last: Media time in seconds of the last frame that shows it.
        frames: Number of analysed frames that show it.
        shares: Emotion to its share of these frames; the rest are uncertain.
        uncertain: Share of these frames in which the prediction is uncertain.
    """

    model_config = ConfigDict(frozen=True)

    track_id: int
    first: float
    last: float
    frames: int
    shares: dict[str, float]
    uncertain: float


class VideoSummary:
    """Counts the results of a video; its memory grows with the faces, not with the frames.

    Attributes:
        frames: Number of analysed frames so far.
        time: Media time in seconds of the last analysed frame.
        size: Width and height of the frames in pixels; None before the first one.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.time = 0.0
        self.size: tuple[int, int] | None = None
        self._seen: dict[int, tuple[float, float]] = {}
        self._counts: dict[int, Counter[str]] = {}

    def add(self, result: FrameResult) -> None:
        """Count an analysed frame."""
        self.frames += 1
        self.time = result.time or 0.0
        self.size = (result.width, result.height)
        for face in result.faces:
            self._add_face(face, self.time)

    def _add_face(self, face: Face, time: float) -> None:
        if face.track_id is None:
            return
        first, _ = self._seen.get(face.track_id, (time, time))
        self._seen[face.track_id] = (first, time)
        counts = self._counts.setdefault(face.track_id, Counter())
        counts[UNCERTAIN if face.uncertain else face.emotion] += 1

    @property
    def people(self) -> tuple[Person, ...]:
        """The faces in the order of their appearance, those of at least ``MIN_FRAMES`` frames."""
        people = []
        for track_id, counts in sorted(self._counts.items()):
            shares = prediction_shares(counts)
            uncertain = shares.pop(UNCERTAIN, 0.0)
            first, last = self._seen[track_id]
            if counts.total() >= min(MIN_FRAMES, self.frames):
                people.append(
                    Person(
                        track_id=track_id,
                        first=first,
                        last=last,
                        frames=counts.total(),
                        shares=shares,
                        uncertain=uncertain,
                    )
                )
        return tuple(people)
