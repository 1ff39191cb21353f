"""The configuration of ``backend/inference.py``, nested by subject and checked on construction."""

import os
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from backend.console.options import check_at_least_one
from utils.defaults import DETECTOR, MIN_FACE
from utils.devices import limit_threads
from utils.errors import ConfigError
from utils.inference.analyzer import EmotionAnalyzer
from utils.media.live_outputs.config import LiveOutputConfig
from utils.media.sources import Source, find_sources, is_video_name, read_list


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """What to analyse.

    Attributes:
        names: Images, videos and folders; ``-`` is an image from standard input.
        lists: Text files with further names, one per line.
        pattern: Glob pattern; in folders, only matching files are analysed.
        camera: Number, device file or stream address of a camera.
        every: In videos, every N-th frame is analysed.
    """

    names: tuple[str, ...] = ()
    lists: tuple[Path, ...] = ()
    pattern: str | None = None
    camera: str | None = None
    every: int = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: ``every`` is below 1.
        """
        check_at_least_one(every=self.every)

    @property
    def is_single_image(self) -> bool:
        """Whether the only source is one image."""
        if self.lists or self.camera or len(self.names) != 1:
            return False
        return not os.path.isdir(self.names[0]) and not is_video_name(self.names[0])

    def check_lists(self) -> None:
        """Check that the lists can be read.

        Raises:
            ConfigError: A list can't be read.
        """
        for path in self.lists:
            next(read_list(path), None)

    def find(self, finished: Container[str] = ()) -> Iterator[Source]:
        """Yield the images and videos to analyse.

        Args:
            finished: Names of sources to leave out.
        """
        names = chain(self.names, *(read_list(path) for path in self.lists))
        return (item for item in find_sources(names, self.pattern) if item.name not in finished)


@dataclass(frozen=True, kw_only=True)
class OutputConfig:
    """Where results go, and in which form.

    Attributes:
        format: ``text`` or one of ``utils.media.tables.writers.FORMATS``; None follows from
            ``file``.
        file: Results are written to this file; None is standard output.
        resume: Continue the run that wrote ``file``.
        overwrite: Replace ``file`` if it exists.
        save: Annotated copy of a single image, or a folder for annotated copies.
        save_dir: Folder for annotated copies.
        top: Report only the K most probable emotions; None reports all.
        quiet: No progress bar and no final table.
    """

    format: str | None = None
    file: Path | None = None
    resume: bool = False
    overwrite: bool = False
    save: Path | None = None
    save_dir: Path | None = None
    top: int | None = None
    quiet: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: ``top`` is below 1, or ``save`` and ``save_dir`` are both set.
        """
        check_at_least_one(top=self.top)
        if self.save and self.save_dir:
            raise ConfigError("use either --save or --save-dir, not both")


@dataclass(frozen=True, kw_only=True)
class AnalyzerConfig:
    """Which model and detector to use, and how.

    Attributes:
        model: Checkpoint (.pth) or ONNX file; None is the bundled model.
        detector: One of ``utils.faces.list_detectors()``.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        min_face: Smallest face to detect, in pixels.
        min_score: Faces with a lower detection score in 0..1 are dropped; None is the detector's
            default.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: CPU cores to use; None is all of them, at most 8.
        batch_size: Images whose faces are classified together.
    """

    model: Path | None = None
    detector: str = DETECTOR
    detector_weights: Path | None = None
    min_face: int = MIN_FACE
    min_score: float | None = None
    device: str = "auto"
    threads: int | None = None
    batch_size: int = 4

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is out of range.
        """
        check_at_least_one(min_face=self.min_face, batch_size=self.batch_size, threads=self.threads)
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ConfigError(f"--min-score must be from 0 to 1, not {self.min_score}")

    def load(self) -> EmotionAnalyzer:
        """Load the model and the detector, and limit the threads of this process.

        Raises:
            CheckpointError: The model is missing, damaged or unsafe.
            ConfigError: The device is not available.
            DetectorError: The detector is unknown or its model file is missing.
        """
        return EmotionAnalyzer.load(
            self.model,
            detector=self.detector,
            device=self.device,
            detector_weights=self.detector_weights,
            min_face=self.min_face,
            threads=limit_threads(self.threads),
            min_score=self.min_score,
        )


@dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """Everything that a run of ``backend/inference.py`` depends on.

    Attributes:
        sources: What to analyse.
        output: Where results go.
        live: Which programs receive results meanwhile.
        analyzer: Which model and detector to use.
    """

    sources: SourceConfig
    output: OutputConfig = field(default_factory=OutputConfig)
    live: LiveOutputConfig = field(default_factory=LiveOutputConfig)
    analyzer: AnalyzerConfig = field(default_factory=AnalyzerConfig)
