"""The one pipeline: a picture goes in, faces with probabilities come out."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from utils.errors import DetectorError
from utils.faces import Detections, FaceDetector, build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.faces.quality import find_problem
from utils.media.images import ImageSource, load_image
from utils.model.classifier import EmotionClassifier
from utils.results import Face, FrameResult, status_of


class EmotionAnalyzer:
    """Detects faces, crops them as in training and classifies all of a picture in one batch.

    Safe to share between threads.

    Example:
        >>> from utils.inference.analyzer import EmotionAnalyzer
        >>> analyzer = EmotionAnalyzer.load("model/best_model.pth")
        >>> for face in analyzer.analyze("photo.jpg").faces:
        ...     print(face.emotion, face.confidence)

    Args:
        classifier: The trained network.
        detector: Finds the faces.
        min_face: Smallest face in pixels that ``with_detector`` looks for.
    """

    def __init__(
        self, classifier: EmotionClassifier, detector: FaceDetector, min_face: int = 20
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        self._min_face = min_face
        self._siblings: dict[str, EmotionAnalyzer] = {detector.name: self}
        self._lock = Lock()

    @classmethod
    def load(
        cls,
        model: Path | str | None = None,
        detector: str = "mtcnn",
        device: str = "auto",
        detector_weights: Path | None = None,
        min_face: int = 20,
        threads: int = 1,
        min_score: float | None = None,
    ) -> "EmotionAnalyzer":
        """Load a model, the bundled one if None, and build a detector.

        Args:
            model: Checkpoint (.pth) or ONNX file.
            detector: One of ``utils.faces.list_detectors()``.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``, for the classifier.
            detector_weights: The user's model file for the detectors that need one.
            min_face: Smallest face in pixels that is looked for; live video is faster with 40.
            threads: Cores that ONNX Runtime may use.
            min_score: Faces that the detector scores lower are dropped; None takes its default.

        Raises:
            CheckpointError: The model is missing, damaged, unsafe or does not fit.
            ConfigError: The device is not there.
            DetectorError: The detector is unknown or its model file is not there.
        """
        found = build_detector(
            detector, weights=detector_weights, min_face=min_face, min_score=min_score
        )
        classifier = EmotionClassifier.load(model, device, threads=threads)
        return cls(classifier, found, min_face)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        return self.classifier.classes

    @property
    def threshold(self) -> float:
        """Answers less probable than this are uncertain."""
        return self.classifier.threshold

    @property
    def model_name(self) -> str:
        """Name of the architecture that answers."""
        return self.classifier.model_name

    def with_detector(self, name: str) -> "EmotionAnalyzer":
        """Return an analyzer with another detector and the same classifier; built only once.

        Raises:
            DetectorError: The detector is unknown or its model file is not there.
        """
        with self._lock:
            if name not in self._siblings:
                found = build_detector(name, min_face=self._min_face)
                sibling = EmotionAnalyzer(self.classifier, found, self._min_face)
                sibling._siblings, sibling._lock = self._siblings, self._lock
                self._siblings[name] = sibling
            return self._siblings[name]

    def analyze(
        self, image: ImageSource, name: str | None = None, time: float | None = None
    ) -> FrameResult:
        """Find every face of a picture and its apparent expression.

        Args:
            image: A path, the bytes of a file, a PIL image, or RGB uint8 ``(H, W, 3)``.
            name: What the result calls the picture; the path itself if None.
            time: Media time in seconds for a frame of a video.

        Raises:
            ImageError: The picture can't be used.
        """
        if name is None and isinstance(image, (str, Path)):
            name = str(image)
        (result,) = self.analyze_batch([load_image(image, name=name)], [name])
        return result if time is None else result.model_copy(update={"time": time})

    def analyze_batch(
        self, images: Sequence[NDArray[np.uint8]], names: Sequence[str | None]
    ) -> list[FrameResult]:
        """Analyse several pictures; all of their faces are classified together.

        Args:
            images: RGB uint8 ``(H, W, 3)`` each, of any sizes.
            names: What each result calls its picture.

        Raises:
            DetectorError: Nobody measured how this detector's boxes are to be cropped.
        """
        if not images:
            return []
        found = [self.detect(image) for image in images]
        crops = [self.crops(image, one.boxes) for image, one in zip(images, found, strict=True)]
        probabilities = self.classifier.predict(np.concatenate(crops))
        ends = np.cumsum([len(one) for one in found])
        return [
            self._result(
                images[i], names[i], found[i], crops[i], probabilities[end - len(crops[i]) : end]
            )
            for i, end in enumerate(ends)
        ]

    def _result(
        self,
        image: NDArray[np.uint8],
        name: str | None,
        found: Detections,
        crops: NDArray[np.uint8],
        probabilities: NDArray[np.float32],
    ) -> FrameResult:
        problems = _problems(crops, found)
        faces = tuple(
            self.face(
                found.boxes[i],
                found.scores[i],
                probabilities[i],
                None if found.landmarks is None else found.landmarks[i],
                problem=problems[i],
            )
            for i in range(len(found))
        )
        height, width = image.shape[:2]
        return FrameResult(
            model=self.model_name,
            image=name,
            width=width,
            height=height,
            faces=faces,
            status=status_of(faces),
        )

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find faces in RGB uint8 ``(H, W, 3)``, largest first."""
        return self.detector.detect(image)

    def classify(self, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities ``(N, K)`` for the faces of this detector's boxes.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            boxes: float32 ``(N, 4)``, ``(x1, y1, x2, y2)`` in pixels of ``image``.

        Raises:
            DetectorError: Nobody measured how this detector's boxes are to be cropped.
        """
        return self.classifier.predict(self.crops(image, boxes))

    def read(
        self, image: NDArray[np.uint8], found: Detections
    ) -> tuple[NDArray[np.float32], list[str | None]]:
        """Return probabilities ``(N, K)`` and for each face why it can't be read, or None.

        See ``utils.faces.quality`` for the reasons.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            found: This detector's faces.

        Raises:
            DetectorError: Nobody measured how this detector's boxes are to be cropped.
        """
        crops = self.crops(image, found.boxes)
        return self.classifier.predict(crops), _problems(crops, found)

    def crops(self, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return what the network sees of the boxes' faces, RGB uint8 ``(N, S, S, 3)``.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            boxes: float32 ``(N, 4)`` of this detector, in pixels of ``image``.

        Raises:
            DetectorError: Nobody measured how this detector's boxes are to be cropped.
        """
        spec, detector = self.classifier.preprocessing, self.detector.name
        # A checkpoint trained before a detector was added has no measure of it.
        geometry = spec.geometry.get(detector) or DEFAULT_GEOMETRY.get(detector)
        if geometry is None:
            raise DetectorError(
                f"there is no crop geometry for detector {detector!r}; measure it with "
                "backend/measurements/measure_crop.py and add it to DEFAULT_GEOMETRY"
            )
        return crop_faces(image, boxes, geometry=geometry, size=spec.input_size)

    def face(
        self,
        box: NDArray[np.float32],
        score: float,
        probabilities: NDArray[np.float32],
        landmarks: NDArray[np.float32] | None = None,
        track_id: int | None = None,
        label: int | None = None,
        problem: str | None = None,
    ) -> Face:
        """Return one face's result.

        Args:
            box: ``(4,)``, ``(x1, y1, x2, y2)`` in pixels.
            score: The detector's confidence in 0..1.
            probabilities: ``(K,)`` in class order.
            landmarks: ``(5, 2)`` in pixels, or None.
            track_id: Identity within a video or stream, or None.
            label: Index of the class to name; the most probable one if None.
            problem: Why the face can't be read, or None.
        """
        values = self.named(probabilities)
        emotion = self.classes[int(np.argmax(probabilities)) if label is None else label]
        return Face(
            box=tuple(round(float(v), 2) for v in box),  # type: ignore[arg-type]
            score=min(max(float(score), 0.0), 1.0),
            emotion=emotion,
            confidence=values[emotion],
            uncertain=problem is not None or values[emotion] < self.threshold,
            probabilities=values,
            landmarks=None
            if landmarks is None
            else tuple((round(float(x), 2), round(float(y), 2)) for x, y in landmarks),
            track_id=track_id,
            problem=problem,
        )

    def named(self, probabilities: NDArray[np.float32]) -> dict[str, float]:
        """Return probabilities ``(K,)`` by class name."""
        return dict(zip(self.classes, np.clip(probabilities, 0, 1).tolist(), strict=True))

    def warm_up(self) -> None:
        """Run detector and classifier once, so that the first real picture is not the slow one."""
        self.detect(np.zeros((120, 160, 3), np.uint8))
        self.classifier.warm_up()


def _problems(crops: NDArray[np.uint8], found: Detections) -> list[str | None]:
    return [
        find_problem(
            crops[i], found.boxes[i], None if found.landmarks is None else found.landmarks[i]
        )
        for i in range(len(found))
    ]
