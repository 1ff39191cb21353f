"""The configuration of each benchmark.

Nothing here imports a network: every process that measures a form of the model imports this module,
and PyTorch would count as that process's memory.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from backend.benchmarks.page.config import BenchmarkPageConfig
from backend.benchmarks.soak.config import BenchmarkSoakConfig
from backend.console.options import check_at_least_one, check_seconds
from utils.defaults import DETECTOR, INTERVAL
from utils.paths import BUNDLED_MODEL


@dataclass(frozen=True, kw_only=True)
class BenchmarkModelsConfig:
    """Speed, size and accuracy of each form of a model.

    Attributes:
        model: The checkpoint (.pth); its ONNX files are in the same folder.
        data: Prepared data folder; without its test split, accuracy is not measured.
        threads: Numbers of threads to measure with.
        runs: Timed runs with one face; batches get a tenth of them.
    """

    model: Path = BUNDLED_MODEL
    data: Path = Path("images")
    threads: tuple[int, ...] = (1, 2)
    runs: int = 200

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A number is below 1.
        """
        check_at_least_one(threads=min(self.threads), runs=self.runs)


@dataclass(frozen=True, kw_only=True)
class BenchmarkLiveConfig:
    """Live video.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        threads: CPU cores for inference; None is half of them.
        video: The video to show; None is a moving photo.
        seconds: How long to show it.
        interval: Every N-th frame is analysed.
        streams: Viewers at the same time.
        faces: Faces in the moving photo.
        peers: Also time comparable packages that are installed.
    """

    model: Path | None = None
    detector: str = DETECTOR
    detector_weights: Path | None = None
    threads: int | None = None
    video: Path | None = None
    seconds: float = 20.0
    interval: int = INTERVAL
    streams: int = 1
    faces: int = 1
    peers: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_at_least_one(
            threads=self.threads, streams=self.streams, faces=self.faces, interval=self.interval
        )
        check_seconds(self.seconds, math.inf)


@dataclass(frozen=True, kw_only=True)
class BenchmarkVideoConfig:
    """A video file, analysed with and without an annotated copy.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        threads: CPU cores for inference.
        video: The video file; None makes one of a moving photo.
        seconds: Length of the video that is made.
        faces: Faces in the video that is made.
    """

    model: Path | None = None
    detector: str = DETECTOR
    detector_weights: Path | None = None
    threads: int = 2
    video: Path | None = None
    seconds: float = 20.0
    faces: int = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_at_least_one(threads=self.threads, faces=self.faces)
        check_seconds(self.seconds, 3600)


@dataclass(frozen=True, kw_only=True)
class BenchmarkFolderConfig:
    """A folder of photos.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        threads: CPU cores for inference.
        runs: Number of photos.
    """

    model: Path | None = None
    detector: str = DETECTOR
    detector_weights: Path | None = None
    threads: int = 1
    runs: int = 200

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A number is below 1.
        """
        check_at_least_one(threads=self.threads, runs=self.runs)


@dataclass(frozen=True, kw_only=True)
class BenchmarkApiConfig:
    """The HTTP and WebSocket service.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        seconds: Length of each load test.
        requests: Requests between the two measurements of the server's memory.
    """

    model: Path | None = None
    seconds: float = 20.0
    requests: int = 20_000

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_at_least_one(requests=self.requests)
        check_seconds(self.seconds, math.inf)


@dataclass(frozen=True, kw_only=True)
class BenchmarkSessionConfig:
    """A long recording.

    Attributes:
        points: Analysed frames of the recording; the default is an hour at ten per second.
    """

    points: int = 36_000

    def __post_init__(self) -> None:
        """Check the value.

        Raises:
            ConfigError: It is below 1.
        """
        check_at_least_one(points=self.points)


BenchmarkConfig = (
    BenchmarkModelsConfig
    | BenchmarkLiveConfig
    | BenchmarkVideoConfig
    | BenchmarkFolderConfig
    | BenchmarkApiConfig
    | BenchmarkSessionConfig
    | BenchmarkPageConfig
    | BenchmarkSoakConfig
)
