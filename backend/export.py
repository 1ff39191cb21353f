"""Write a checkpoint as ONNX files, each held against the original and refused if it drifts.

Examples:
  python backend/export.py
  python backend/export.py --model runs/NAME/best_model.pth --formats fp32 int8 --data images
"""

import argparse
import sys
from pathlib import Path

from backend.cli import run
from utils.checkpoint import BUNDLED_MODEL, Checkpoint, load_checkpoint
from utils.errors import CheckpointError, ConfigError, EmotionError
from utils.export import PRECISIONS, build_graph, convert, replacing, save_onnx
from utils.export_check import LIMITS, Drift, Reference, answer, check_drift, measure_drift
from utils.labelled_faces import (
    calibration_faces,
    held_out_split,
    labelled_faces,
    random_faces,
)

DATA = Path("images")
_HEADINGS = f"{'file':32} {'MB':>6} {'max Δp':>8} {'mean Δp':>8} {'same':>8} {'points lost':>12}"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    parser.add_argument("--out", type=Path, help="folder; the checkpoint's own by default")
    parser.add_argument(
        "--formats",
        nargs="+",
        choices=PRECISIONS,
        help="default: all; without labelled images fp32 and fp16",
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="prepared data folder (default: images, if filled): int8 is calibrated on its "
        "validation split, every file is checked on its test split",
    )
    return parser.parse_args(argv)


def file_name(checkpoint_path: Path, precision: str) -> str:
    """Return the name of an exported file; fp32 is the plain one."""
    suffix = "" if precision == "fp32" else f"_{precision.replace('-', '_')}"
    return f"{checkpoint_path.stem}{suffix}.onnx"


def choose_data(args: argparse.Namespace) -> Path | None:
    """Return the data folder, None if there is none; complete the formats.

    Raises:
        ConfigError: INT8 is asked for without labelled images, which alone can tell what it costs.
    """
    data = args.data or (DATA if held_out_split(DATA) else None)
    if args.formats is None:
        args.formats = [p for p in PRECISIONS if data or not p.startswith("int8")]
    elif data is None and any(p.startswith("int8") for p in args.formats):
        raise ConfigError("int8 needs labelled images: name a prepared folder with --data")
    return data


def export(
    args: argparse.Namespace, checkpoint: Checkpoint, data: Path | None, reference: Reference
) -> bool:
    """Write every format that passes; return whether all did."""
    graph = build_graph(checkpoint)
    faces = calibration_faces(checkpoint, data) if data and "int8" in args.formats else None
    print(_HEADINGS)
    passed = True
    for precision in args.formats:
        path = (args.out or args.model.parent) / file_name(args.model, precision)
        try:
            with replacing(path) as temporary:
                save_onnx(convert(graph, precision, faces), checkpoint, precision, temporary)
                drift = measure_drift(temporary, reference)
                print(_row(path.name, temporary.stat().st_size, drift), flush=True)
                check_drift(str(path), precision, drift)
        except CheckpointError as error:
            print(f"error: {error}", file=sys.stderr)
            passed = False
    return passed


def _row(name: str, size: int, drift: Drift) -> str:
    loss = "unknown" if drift.accuracy_loss is None else f"{100 * drift.accuracy_loss:.2f}"
    return (
        f"{name:32} {size / 1e6:6.2f} {drift.max_probability:8.5f} "
        f"{drift.mean_probability:8.5f} {drift.agreement:8.2%} {loss:>12}"
    )


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    checkpoint = load_checkpoint(args.model)
    data = choose_data(args)
    if data is None:
        reference = answer(checkpoint, random_faces(checkpoint))
        what = "random pixels, for want of labelled images: the accuracy is not checked"
    else:
        split = held_out_split(data) or "test"
        reference = answer(checkpoint, *labelled_faces(checkpoint, data, split))
        what = f"images of {data / split}"
    passed = export(args, checkpoint, data, reference)
    print(f"checked on {len(reference.pixels)} {what}")
    allowed = [f"{p} {100 * LIMITS[p].accuracy:.1f}" for p in args.formats]
    if data is not None:
        print(f"points of accuracy that may be lost: {', '.join(allowed)}")
    return 0 if passed else EmotionError.exit_code


if __name__ == "__main__":
    run(main)
