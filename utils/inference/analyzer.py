"""The pipeline: an image goes in, faces with calibrated probabilities come out."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from utils.defaults import DETECTOR, MIN_FACE
from utils.errors import DetectorError
from utils.faces import Detections, FaceDetector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.faces.detector_options import DetectorOptions
from utils.inference.face_results import ClassifiedFaces, ResultBuilder
from utils.media.images import ImageSource, load_image
from utils.media.live_outputs.messages import StreamDescription
from utils.model.classifier import EmotionClassifier
from utils.results import FrameResult


class EmotionAnalyzer:
    """Detects faces, crops them as in training and classifies all faces of an image in one batch.

    Safe to share between threads.

    Example:
        >>> from utils import EmotionAnalyzer
        >>> analyzer = EmotionAnalyzer.load("model/best_model.pth")
        >>> for face in analyzer.analyze("photo.jpg").faces:
        ...     print(face.emotion, face.confidence)

    Args:
        classifier: The trained network.
        detector: Finds the faces.
        options: How :meth:`with_detector` builds other detectors; None takes the defaults.

    Attributes:
        results: Builds the results from what detector and classifier return.
    """

    def __init__(
        self,
        classifier: EmotionClassifier,
        detector: FaceDetector,
        *,
        options: DetectorOptions | None = None,
    ) -> None:
        self.classifier = classifier
        self.detector = detector
        spec = classifier.spec
        self.results = ResultBuilder(spec.model, spec.classes, classifier.threshold)
        self._options = options or DetectorOptions()
        self._siblings: dict[str, EmotionAnalyzer] = {detector.name: self}
        self._lock = Lock()

    @classmethod
    def load(  # noqa: PLR0913 - the one door where users name what they want
        cls,
        model: Path | str | None = None,
        *,
        detector: str = DETECTOR,
        device: str = "auto",
        detector_weights: Path | None = None,
        min_face: int = MIN_FACE,
        min_score: float | None = None,
        threads: int = 1,
    ) -> "EmotionAnalyzer":
        """Load a model and build a detector.

        Args:
            model: Checkpoint (.pth) or ONNX file; None takes the bundled model.
            detector: One of ``utils.faces.list_detectors()``.
            device: ``auto``, ``cpu``, ``cuda`` or ``mps``, for the classifier.
            detector_weights: The user's model file, for the detectors that need one.
            min_face: Smallest face to detect, in pixels; ``LIVE_MIN_FACE`` is faster.
            min_score: Faces that the detector scores lower are dropped; None takes the detector's
                own default.
            threads: Number of cores that ONNX Runtime may use.

        Raises:
            CheckpointError: The model is missing, damaged, unsafe or does not fit.
            ConfigError: The device is not available.
            DetectorError: The detector is unknown, or its model file is missing or damaged.
        """
        options = DetectorOptions(detector_weights, min_face, min_score)
        built = options.build(detector)
        classifier = EmotionClassifier.load(model, device=device, threads=threads)
        return cls(classifier, built, options=options)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        return self.classifier.classes

    @property
    def threshold(self) -> float:
        """Predictions below this probability are uncertain."""
        return self.classifier.threshold

    @property
    def model_name(self) -> str:
        """Name of the classifier's architecture."""
        return self.classifier.model_name

    @property
    def stream_description(self) -> StreamDescription:
        """What the results of a stream mean."""
        spec = self.classifier.spec
        return StreamDescription(
            model=spec.model,
            revision=spec.revision,
            classes=tuple(spec.classes),
            threshold=self.threshold,
        )

    def with_detector(self, name: str) -> "EmotionAnalyzer":
        """Return an analyzer with another detector, the same classifier and the same options.

        Each detector is built only once.

        Raises:
            DetectorError: The detector is unknown, or its model file is missing or damaged.
        """
        with self._lock:
            if name not in self._siblings:
                detector = self._options.build(name)
                sibling = EmotionAnalyzer(self.classifier, detector, options=self._options)
                sibling._siblings, sibling._lock = self._siblings, self._lock
                self._siblings[name] = sibling
            return self._siblings[name]

    def analyze(
        self, image: ImageSource, *, name: str | None = None, time: float | None = None
    ) -> FrameResult:
        """Find all faces of an image and their apparent expressions.

        Args:
            image: A path, the bytes of a file, a PIL image, or RGB uint8 ``(H, W, 3)``.
            name: What the result calls the image; None takes the path, if there is one.
            time: Media time in seconds, for a frame of a video.

        Raises:
            ImageError: The image can't be used.
        """
        if name is None and isinstance(image, (str, Path)):
            name = str(image)
        (result,) = self.analyze_batch([load_image(image, name=name)], [name])
        return result if time is None else result.model_copy(update={"time": time})

    def analyze_batch(
        self, images: Sequence[NDArray[np.uint8]], names: Sequence[str | None]
    ) -> list[FrameResult]:
        """Analyse several images; all their faces are classified in one batch.

        Args:
            images: RGB uint8 ``(H, W, 3)`` each, of any sizes.
            names: What each result calls its image.

        Raises:
            DetectorError: No crop geometry is defined for the detector.
        """
        if not images:
            return []
        detections = [self.detect(image) for image in images]
        crops = [
            self.crops(image, found.boxes) for image, found in zip(images, detections, strict=True)
        ]
        probabilities = self.classifier.predict(np.concatenate(crops))
        parts = np.split(probabilities, np.cumsum([len(found) for found in detections])[:-1])
        classified = map(ClassifiedFaces.of, detections, crops, parts)
        return [
            self.results.image(faces, (image.shape[1], image.shape[0]), name=name)
            for faces, image, name in zip(classified, images, names, strict=True)
        ]

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find faces in RGB uint8 ``(H, W, 3)``, largest first."""
        return self.detector.detect(image)

    def classify_faces(self, image: NDArray[np.uint8], detections: Detections) -> ClassifiedFaces:
        """Classify the faces of an image.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            detections: Faces that this analyzer's detector found in it.

        Raises:
            DetectorError: No crop geometry is defined for the detector.
        """
        crops = self.crops(image, detections.boxes)
        return ClassifiedFaces.of(detections, crops, self.classifier.predict(crops))

    def crops(self, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the classifier's view of the faces in boxes, RGB uint8 ``(N, S, S, 3)``.

        Args:
            image: RGB uint8 ``(H, W, 3)``.
            boxes: float32 ``(N, 4)`` of this detector, ``(x1, y1, x2, y2)`` in pixels of ``image``.

        Raises:
            DetectorError: No crop geometry is defined for the detector.
        """
        preprocessing, detector = self.classifier.preprocessing, self.detector.name
        # A checkpoint trained before a detector was added has no geometry for it.
        geometry = preprocessing.geometry.get(detector) or DEFAULT_GEOMETRY.get(detector)
        if geometry is None:
            raise DetectorError(
                f"no crop geometry is defined for detector {detector!r}; measure it with "
                "backend/measurements/measure_crop.py and add it to DEFAULT_GEOMETRY"
            )
        return crop_faces(image, boxes, geometry=geometry, size=preprocessing.input_size)

    def warm_up(self) -> None:
        """Run detector and classifier once, so that the first real image is not the slow one."""
        self.detect(np.zeros((120, 160, 3), np.uint8))
        self.classifier.warm_up()
