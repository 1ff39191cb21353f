"""Write a checkpoint as ONNX files, each compared with the original and refused if it drifts.

Example: python backend/export.py --model model/best_model.pth --data images
"""

from backend.console.requirements import ensure

ensure("train", "The export")

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from backend.console.cli import run
from backend.console.messages import report_error
from backend.console.options import ArgumentParser
from utils.errors import CheckpointError, EmotionError
from utils.evaluation.split import label_sets
from utils.files import check_folder
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.export import PRECISIONS, export_onnx
from utils.model.export_check import LIMITS, Drift, check_drift, measure_drift
from utils.model.onnx_runtime import onnx_path
from utils.model.spec import ModelSpec
from utils.paths import BUNDLED_MODEL
from utils.processing.dataset import FaceDataset, load_split

CALIBRATION_IMAGES = 512
HEADER = f"{'file':32s} {'MB':>6s} {'max Δp':>8s} {'mean Δp':>8s} {'same':>7s} {'points lost':>12s}"


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and the data to calibrate and check it with.

    Attributes:
        model: The checkpoint (.pth).
        out: Folder of the ONNX files; None is the checkpoint's own.
        precisions: Some of ``utils.model.export.PRECISIONS``.
        data: Prepared data folder: INT8 is calibrated on its validation split, every file is
            checked on its test split.
    """

    model: Path = BUNDLED_MODEL
    out: Path | None = None
    precisions: tuple[str, ...] = PRECISIONS
    data: Path = Path("images")


@dataclass(frozen=True)
class ExportedFile:
    """One exported file.

    Attributes:
        path: The ``.onnx`` file.
        size: Its size in bytes.
        drift: How its predictions differ from the checkpoint's.
        refusal: Why it was not written; None if it was.
    """

    path: Path
    size: int
    drift: Drift
    refusal: CheckpointError | None


def parse_args(argv: list[str] | None = None) -> ExportOptions:
    """Return the program's options."""
    parser = ArgumentParser(
        description="Write a checkpoint as ONNX files, checked against the original."
    )
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    parser.add_argument("--out", type=Path, help="folder; the checkpoint's own by default")
    parser.add_argument(
        "--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS), help="default: all"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("images"),
        help="prepared data folder: int8 is calibrated on its validation split, every file is "
        "checked on its test split",
    )
    args = parser.parse_args(argv)
    return ExportOptions(args.model, args.out, tuple(args.precision), args.data)


def load_images(spec: ModelSpec, data: Path, split: str) -> FaceDataset:
    """Return a split of the data as the model sees it, in memory."""
    dataset = load_split(data, split, preprocessing=spec.preprocessing, classes=spec.classes)
    dataset.cache(limit_gb=4)
    return dataset


def calibration_images(spec: ModelSpec, data: Path) -> NDArray[np.float32]:
    """Return normalised images spread over the validation split."""
    dataset = load_images(spec, data, "validation")
    count = min(CALIBRATION_IMAGES, len(dataset))
    indices = torch.linspace(0, len(dataset) - 1, count).long().numpy()
    return spec.preprocessing.normalize(dataset.batch(indices))


def test_images(
    spec: ModelSpec, data: Path
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
    """Return the normalised test split and the labels of each head."""
    split = "test" if (data / "test").is_dir() else "validation"
    dataset = load_images(spec, data, split)
    labels = label_sets(dataset)
    by_head = {head.name: labels[head.role.target_label_set(labels)] for head in spec.heads}
    pixels = dataset.batch(np.arange(len(dataset)))
    return spec.preprocessing.normalize(pixels), by_head


def export_files(
    options: ExportOptions,
    checkpoint: Checkpoint,
    *,
    calibration: NDArray[np.float32],
    pixels: NDArray[np.float32],
    labels: dict[str, NDArray[np.int64]],
) -> Iterator[ExportedFile]:
    """Export a checkpoint in each precision and yield what became of it.

    A file replaces an older one only after it has passed its check.

    Args:
        options: Where to write, and which precisions.
        checkpoint: The model.
        calibration: Normalised float32 ``(N, C, S, S)`` to calibrate INT8 with.
        pixels: Normalised float32 ``(M, C, S, S)`` to check the files with.
        labels: Head name to int64 ``(M,)``; negative labels are ignored.
    """
    folder = options.out or options.model.parent
    for precision in options.precisions:
        path = folder / onnx_path(options.model, precision).name
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            export_onnx(checkpoint, part, precision=precision, calibration=calibration)
            size = part.stat().st_size
            drift = measure_drift(checkpoint, part, pixels=pixels, labels=labels)
            refusal = None
            try:
                check_drift(path, drift, precision=precision)
                part.replace(path)
            except CheckpointError as error:
                refusal = error
        finally:
            part.unlink(missing_ok=True)
        yield ExportedFile(path, size, drift, refusal)


def format_row(file: ExportedFile) -> str:
    """Return a file's line of the table."""
    drift = file.drift
    return (
        f"{file.path.name:32s} {file.size / 1e6:6.2f} {drift.max_probability:8.5f} "
        f"{drift.mean_probability:8.5f} {drift.agreement:7.2%} "
        f"{100 * (drift.accuracy_loss or 0.0):12.2f}"
    )


def main() -> int:
    """Run the program and return its exit code."""
    options = parse_args()
    check_folder(options.out or options.model.parent)
    checkpoint = load_checkpoint(options.model)
    calibration = calibration_images(checkpoint, options.data)
    pixels, labels = test_images(checkpoint, options.data)
    print(HEADER)
    refused = False
    files = export_files(options, checkpoint, calibration=calibration, pixels=pixels, labels=labels)
    for file in files:
        print(format_row(file), flush=True)
        if file.refusal:
            report_error(file.refusal)
            refused = True
    allowed = ", ".join(f"{p} {100 * LIMITS[p].accuracy:.1f}" for p in options.precisions)
    print(f"on {len(pixels)} images of {options.data}; points that may be lost: {allowed}")
    return EmotionError.exit_code if refused else 0


if __name__ == "__main__":
    run(main)
