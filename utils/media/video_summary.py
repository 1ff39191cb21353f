"""Summary of a video: which faces were seen when, and how often with which expression."""

from collections import Counter

from pydantic import BaseModel, ConfigDict

from utils.results import Face, FrameResult


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
        self._counts: dict[int, Counter[str | None]] = {}

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
        counts[None if face.uncertain else face.emotion] += 1

    @property
    def people(self) -> tuple[Person, ...]:
        """The faces in the order of their appearance, without those seen in a single frame.

        A detection that only one frame of a video confirms is seldom a face.
        """
        people = []
        for track_id, counts in sorted(self._counts.items()):
            frames = counts.total()
            shares = {name: n / frames for name, n in counts.most_common() if name is not None}
            first, last = self._seen[track_id]
            if frames > 1 or self.frames == 1:
                people.append(
                    Person(
                        track_id=track_id,
                        first=first,
                        last=last,
                        frames=frames,
                        shares=shares,
                        uncertain=counts[None] / frames,
                    )
                )
        return tuple(people)
