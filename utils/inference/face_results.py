"""From arrays to results: what the classifier returns for faces, as faces of a result."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from utils.faces.base import Detections
from utils.faces.quality import find_problem
from utils.inference.tracking.track import ExpectedFace, Track
from utils.results import (
    Face,
    FaceProblem,
    FrameResult,
    Point,
    Status,
    face_status,
    frame_status,
)


@dataclass(frozen=True)
class ClassifiedFaces:
    """The faces of one frame with what the classifier returned for them.

    Attributes:
        detections: The N faces.
        probabilities: float32 ``(N, K)``, calibrated, in class order.
        problems: For each face why it can't be classified, or None; N of them.

    Raises:
        ValueError: The lengths differ.
    """

    detections: Detections
    probabilities: NDArray[np.float32]
    problems: Sequence[FaceProblem | None]

    def __post_init__(self) -> None:
        lengths = {len(self.detections), len(self.probabilities), len(self.problems)}
        if len(lengths) != 1:
            raise ValueError(f"detections, probabilities and problems differ in length: {lengths}")

    @classmethod
    def of(
        cls,
        detections: Detections,
        crops: NDArray[np.uint8],
        probabilities: NDArray[np.float32],
    ) -> "ClassifiedFaces":
        """Return faces with the problems that their crops show (see ``utils.faces.quality``).

        Args:
            detections: N faces.
            crops: The classifier's view of them, RGB uint8 ``(N, S, S, 3)``.
            probabilities: float32 ``(N, K)``.
        """
        landmarks = detections.landmarks
        problems = [
            find_problem(crops[i], detections.boxes[i], None if landmarks is None else landmarks[i])
            for i in range(len(detections))
        ]
        return cls(detections, probabilities, problems)


@dataclass(frozen=True)
class ResultBuilder:
    """Builds results; knows what a model calls its classes and when it is uncertain.

    Attributes:
        model: Name of the architecture.
        classes: Class names in the order of the probabilities.
        threshold: Predictions below this probability are uncertain.
    """

    model: str
    classes: tuple[str, ...]
    threshold: float

    def image(
        self, faces: ClassifiedFaces, size: tuple[int, int], *, name: str | None = None
    ) -> FrameResult:
        """Return the result of a single image.

        Args:
            faces: Its faces, largest first.
            size: Width and height in pixels.
            name: Path or name of the image, or None.
        """
        return self.frame(self.faces(faces), size).model_copy(update={"image": name})

    def faces(self, classified: ClassifiedFaces) -> tuple[Face, ...]:
        """Return the faces of a single image, in the order of the detections."""
        found = classified.detections
        return tuple(
            self.face(
                found.boxes[i],
                float(found.scores[i]),
                classified.probabilities[i],
                landmarks=None if found.landmarks is None else found.landmarks[i],
                problem=classified.problems[i],
            )
            for i in range(len(found))
        )

    def tracked_face(self, face: ExpectedFace, time: float) -> Face:
        """Return a tracked face where it is expected at a media time in seconds.

        ``raw`` is set only if the face was classified at that very time.
        """
        track = face.track
        prediction = track.prediction
        current = self.face(
            face.box,
            track.score,
            prediction.shown,
            landmarks=face.landmarks,
            label=prediction.label,
            problem=track.problem,
        )
        raw = self._by_class(prediction.raw) if track.classified_at == time else None
        return current.model_copy(update={"track_id": track.track_id, "raw": raw})

    def face(
        self,
        box: NDArray[np.float32],
        score: float,
        probabilities: NDArray[np.float32],
        *,
        landmarks: NDArray[np.float32] | None = None,
        label: int | None = None,
        problem: FaceProblem | None = None,
    ) -> Face:
        """Return one face.

        Args:
            box: ``(4,)``, ``(x1, y1, x2, y2)`` in pixels.
            score: The detector's confidence; clipped to 0..1.
            probabilities: ``(K,)`` in class order; clipped to 0..1.
            landmarks: ``(5, 2)`` in pixels, or None.
            label: Index of the class to name; None takes the most probable one.
            problem: Why the face can't be classified, or None.
        """
        label = int(np.argmax(probabilities)) if label is None else label
        values = self._by_class(probabilities)
        emotion = self.classes[label]
        x1, y1, x2, y2 = (round(float(value), 2) for value in box)
        return Face(
            box=(x1, y1, x2, y2),
            score=min(max(score, 0.0), 1.0),
            emotion=emotion,
            confidence=values[emotion],
            uncertain=self._is_uncertain(values[emotion], problem),
            probabilities=values,
            landmarks=None if landmarks is None else tuple(_point(row) for row in landmarks),
            problem=problem,
        )

    def track_status(self, track: Track) -> Status:
        """Return the status of a tracked face."""
        confidence = float(track.prediction.shown[track.prediction.label])
        uncertain = self._is_uncertain(confidence, track.problem)
        return face_status(problem=track.problem, uncertain=uncertain)

    def frame(
        self, faces: tuple[Face, ...], size: tuple[int, int], *, time: float | None = None
    ) -> FrameResult:
        """Return the result of a frame; the status follows from its faces.

        Args:
            faces: The faces, largest first.
            size: Width and height in pixels.
            time: Media time in seconds, or None.
        """
        width, height = size
        return FrameResult(
            model=self.model,
            width=width,
            height=height,
            faces=faces,
            status=frame_status(face.status for face in faces),
            time=time,
        )

    def _by_class(self, probabilities: NDArray[np.float32]) -> dict[str, float]:
        return dict(zip(self.classes, np.clip(probabilities, 0, 1).tolist(), strict=True))

    def _is_uncertain(self, confidence: float, problem: FaceProblem | None) -> bool:
        return problem is not None or confidence < self.threshold


def _point(row: NDArray[np.float32]) -> Point:
    x, y = row
    return round(float(x), 2), round(float(y), 2)
