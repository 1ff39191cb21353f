"""Measure how honest a model's confidence is when its temperature is fitted on corrupted faces.

Example:
    python backend/measurements/measure_calibration.py --data images --mixture 0 0.25 0.5
    python backend/measurements/measure_calibration.py --data images --mixture 0.5 --out runs/honest
"""

from backend.console.requirements import ensure

ensure("train", "Calibration")

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from backend.console.cli import ExitCode, run
from backend.console.options import ArgumentParser, build_config
from utils.errors import ConfigError
from utils.evaluation.calibration import calibrate
from utils.evaluation.metrics import expected_calibration_error
from utils.evaluation.mixture import mix_corrupted
from utils.evaluation.predict import predict_logits
from utils.evaluation.split import LabelledSplit, SplitConfig, label_sets
from utils.files import make_folder
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.spec import Head
from utils.paths import BUNDLED_MODEL
from utils.processing.dataset import FaceDataset
from utils.training.report import finish

_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class MeasureCalibrationConfig:
    """What to measure.

    Attributes:
        model: The checkpoint.
        data: Prepared data folder; its validation split is what is fitted on.
        mixture: Shares of the faces that are corrupted.
        outside: Prepared data folder with other faces, whose test split is measured too.
        out: Run folder for the recalibrated model; None writes none.
        json: Print JSON instead of text.

    Raises:
        ConfigError: A share is not in 0..1, or ``out`` goes with several.
    """

    model: Path = BUNDLED_MODEL
    data: Path = Path("images")
    mixture: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    outside: Path | None = None
    out: Path | None = None
    json: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if not all(0 <= share <= 1 for share in self.mixture):
            raise ConfigError("--mixture: shares must be between 0 and 1")
        if self.out and len(self.mixture) > 1:
            raise ConfigError("--out: a model has one calibration; give --mixture one share")
        if self.out and self.out.exists() and not self.out.is_dir():
            raise ConfigError(f"--out {self.out}: is a file; name a folder")


class Faces(NamedTuple):
    """Faces to measure.

    Attributes:
        name: What they are.
        logits: float32 ``(N, H * K)``.
        labels: int64 ``(N,)`` of the first head; negative ones are left out.
    """

    name: str
    logits: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class CalibrationRow:
    """The first head's confidence on some faces.

    Attributes:
        mixture: Share of corrupted faces that the temperature was fitted with.
        temperature: That temperature.
        faces: What was measured.
        nll: Mean negative log-likelihood of the labels.
        ece: Expected calibration error, 0..1.
        uncertain: Share of the predictions below the threshold.
    """

    mixture: float
    temperature: float
    faces: str
    nll: float
    ece: float
    uncertain: float


def parse_args(argv: list[str] | None = None) -> MeasureCalibrationConfig:
    """Return the configuration that the command line describes.

    Raises:
        ConfigError: An option is out of range, or options contradict each other.
    """
    default = MeasureCalibrationConfig()
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--model", type=Path, default=default.model, help="checkpoint (.pth)")
    add("--data", type=Path, default=default.data, help="prepared data folder")
    add("--mixture", type=float, nargs="+", default=default.mixture, help="shares to try, 0..1")
    add("--outside", type=Path, metavar="DATA", help="other faces to measure: DATA/test/CLASS")
    add("--out", type=Path, help="run folder for the recalibrated model")
    add("--json", action="store_true", help="print JSON instead of text")
    options = vars(parser.parse_args(argv))
    return build_config(MeasureCalibrationConfig, options | {"mixture": tuple(options["mixture"])})


def measure(config: MeasureCalibrationConfig) -> list[CalibrationRow]:
    """Calibrate with each share, measure the confidence and, if asked, write the model.

    Raises:
        CheckpointError: The checkpoint can't be used.
        DataError: The data can't be used.
    """
    checkpoint = load_checkpoint(config.model)
    validation = _split(checkpoint, config.data, "validation")
    faces = list(_faces(checkpoint, validation, config.outside))
    rows = []
    for share in config.mixture:
        calibrate(checkpoint, validation, mixture=share)
        rows += [_row(checkpoint, share, measured) for measured in faces]
    if config.out:
        changes = {"calibration_mixture": config.mixture[0], "data": str(config.data)}
        checkpoint.training = checkpoint.training | changes
        make_folder(config.out)
        finish(checkpoint, validation, out=config.out)
    return rows


def _split(checkpoint: Checkpoint, data: Path, split: str) -> FaceDataset:
    return LabelledSplit(SplitConfig(data=data, split=split)).dataset(checkpoint)


def _faces(
    checkpoint: Checkpoint, validation: FaceDataset, outside: Path | None
) -> Iterator[Faces]:
    network, head = checkpoint.build(), checkpoint.heads[0]
    clean = predict_logits(network, validation, device=_CPU)
    corrupted = mix_corrupted(network, validation, clean=clean, share=1.0)
    yield Faces("validation", clean.numpy(), _labels(validation, head))
    yield Faces("corrupted", corrupted.numpy(), _labels(validation, head))
    if outside:
        others = _split(checkpoint, outside, "test")
        logits = predict_logits(network, others, device=_CPU)
        yield Faces("outside", logits.numpy(), _labels(others, head))


def _labels(dataset: FaceDataset, head: Head) -> NDArray[np.int64]:
    available = label_sets(dataset)
    return available[head.role.target_label_set(available)]


def _row(checkpoint: Checkpoint, share: float, faces: Faces) -> CalibrationRow:
    head, kept = checkpoint.heads[0], faces.labels >= 0
    logits = faces.logits[kept][:, checkpoint.head_columns(head)]
    probabilities, labels = head.probabilities(logits), faces.labels[kept]
    likelihood = probabilities[np.arange(len(labels)), labels]
    return CalibrationRow(
        mixture=share,
        temperature=head.temperature,
        faces=faces.name,
        nll=float(-np.log(np.maximum(likelihood, np.finfo(np.float32).tiny)).mean()),
        ece=expected_calibration_error(probabilities, labels),
        uncertain=float((probabilities.max(1) < head.threshold).mean()),
    )


def describe(rows: list[CalibrationRow]) -> str:
    """Return rows as lines of text."""
    return "\n".join(
        f"mixture {row.mixture:.2f}: temperature {row.temperature:.3f}, {row.faces:10s} "
        f"NLL {row.nll:.3f}, ECE {row.ece:.1%}, uncertain {row.uncertain:.1%}"
        for row in rows
    )


def main() -> int:
    """Run the program and return its exit code."""
    config = parse_args()
    rows = measure(config)
    print(json.dumps([asdict(row) for row in rows]) if config.json else describe(rows))
    return ExitCode.SUCCESS


if __name__ == "__main__":
    run(main)
