"""A whole video in a few figures: who was seen when, and how often with which expression."""

from collections import Counter

from pydantic import BaseModel, ConfigDict

from utils.results import Face, FrameResult


class Person(BaseModel):
    """One face of a video, followed by its box; never by who it is.

    Attributes:
        track_id: Identity within the video.
        first: Media time in seconds when it was first seen.
        last: When it was last seen.
        frames: Analysed frames that show it.
        shares: Emotion to its share of those frames; the rest was ``uncertain``.
        uncertain: Share of those frames without a certain answer.
    """

    model_config = ConfigDict(frozen=True)

    track_id: int
    first: float
    last: float
    frames: int
    shares: dict[str, float]
    uncertain: float


class VideoSummary:
    """Counts a video's results one by one; its size grows with the faces, not with the frames.

    Attributes:
        frames: Analysed frames so far.
        time: Media time in seconds of the last one.
        size: Width and height in pixels; None before the first.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.time = 0.0
        self.size: tuple[int, int] | None = None
        self._seen: dict[int, tuple[float, float]] = {}
        self._counts: dict[int, Counter[str | None]] = {}

    def add(self, result: FrameResult) -> None:
        """Take in an analysed frame."""
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
        counts[None if face.uncertain else face.emotion] += 1

    @property
    def people(self) -> tuple[Person, ...]:
        """The faces in the order of their appearance; what was seen in one frame alone is left out.

        A single frame is seldom a face.
        """
        found = []
        for track_id, counts in sorted(self._counts.items()):
            frames = counts.total()
            shares = {name: n / frames for name, n in counts.most_common() if name is not None}
            first, last = self._seen[track_id]
            if frames > 1 or self.frames == 1:
                found.append(
                    Person(
                        track_id=track_id,
                        first=first,
                        last=last,
                        frames=frames,
                        shares=shares,
                        uncertain=counts[None] / frames,
                    )
                )
        return tuple(found)
