"""Write a checkpoint as ONNX files, each held against the original and refused if it drifts.

Example: python backend/export.py --model model/best_model.pth --data images
"""

from backend.console.requirements import ensure

ensure("train", "The export")

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from backend.console.cli import run
from utils.errors import CheckpointError, EmotionError
from utils.evaluation.split import label_sets
from utils.model.checkpoint import load_checkpoint
from utils.model.export import LIMITS, PRECISIONS, check_drift, export_onnx, measure_drift
from utils.model.onnx_runtime import onnx_path
from utils.model.spec import ModelSpec
from utils.paths import BUNDLED_MODEL
from utils.processing.dataset import FaceDataset, load_split

CALIBRATION_IMAGES = 512


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
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
    return parser.parse_args(argv)


def load_images(checkpoint: ModelSpec, data: Path, split: str) -> FaceDataset:
    """Return a split of the data as the checkpoint sees it, in memory."""
    folder = load_split(
        data, split, preprocessing=checkpoint.preprocessing, classes=checkpoint.classes
    )
    folder.cache(limit_gb=4)
    return folder


def calibration_images(checkpoint: ModelSpec, data: Path) -> NDArray[np.float32]:
    """Return normalised images spread over the validation split."""
    folder = load_images(checkpoint, data, "validation")
    number = min(CALIBRATION_IMAGES, len(folder))
    chosen = torch.linspace(0, len(folder) - 1, number).long().numpy()
    return checkpoint.preprocessing.normalize(folder.batch(chosen))


def test_images(
    checkpoint: ModelSpec, data: Path
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
    """Return the normalised test split and what each head is to answer."""
    split = "test" if (data / "test").is_dir() else "validation"
    folder = load_images(checkpoint, data, split)
    labels = label_sets(folder)
    by_head = {head.name: labels[head.role.target_label_set(labels)] for head in checkpoint.heads}
    pixels = folder.batch(np.arange(len(folder)))
    return checkpoint.preprocessing.normalize(pixels), by_head


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    checkpoint = load_checkpoint(args.model)
    calibration = calibration_images(checkpoint, args.data)
    pixels, labels = test_images(checkpoint, args.data)
    out = args.out or args.model.parent
    print(
        f"{'file':32s} {'MB':>6s} {'max Δp':>8s} {'mean Δp':>8s} {'same':>7s} {'points lost':>12s}"
    )
    refused = False
    for precision in args.precision:
        path = out / onnx_path(args.model, precision).name
        # The file takes its place only once it has been checked.
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        export_onnx(checkpoint, precision, part, calibration)
        size, drift = part.stat().st_size / 1e6, measure_drift(checkpoint, part, pixels, labels)
        loss = 100 * (drift.accuracy_loss or 0.0)
        print(
            f"{path.name:32s} {size:6.2f} {drift.max_probability:8.5f} "
            f"{drift.mean_probability:8.5f} {drift.agreement:7.2%} {loss:12.2f}",
            flush=True,
        )
        try:
            check_drift(path, precision, drift)
            part.replace(path)
        except CheckpointError as error:
            part.unlink()
            print(f"error: {error}", file=sys.stderr)
            refused = True
    allowed = ", ".join(f"{p} {100 * LIMITS[p].accuracy:.1f}" for p in args.precision)
    print(f"on {len(pixels)} images of {args.data}; points that may be lost: {allowed}")
    return EmotionError.exit_code if refused else 0


if __name__ == "__main__":
    run(main)
