"""Results of frames, made up."""

from utils.emotions import EMOTIONS
from utils.results import Face, FrameResult, Status


def frame(time: float, happy: float = 0.7, faces: int = 1) -> FrameResult:
    """Return a frame with so many tracked faces, all happy to the same degree."""
    rest = (1 - happy) / 6
    shares = {name: happy if name == "happy" else rest for name in EMOTIONS}
    people = tuple(
        Face(
            box=(10.0 * i, 5.0, 10.0 * i + 40, 45.0),
            score=0.99,
            emotion="happy",
            confidence=happy,
            uncertain=happy < 0.5,
            probabilities=shares,
            raw=shares,
            track_id=i,
        )
        for i in range(1, faces + 1)
    )
    status = Status.OK if faces else Status.NO_FACE
    return FrameResult(model="m", width=64, height=48, faces=people, status=status, time=time)
