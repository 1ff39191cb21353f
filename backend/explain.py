"""Show where a model looks: heat maps on the faces of pictures, or the mean over a split.

Examples:
  python backend/explain.py photo.jpg
  python backend/explain.py photo.jpg --target fear --layers all
  python backend/explain.py --data images --split validation
"""

from backend.console.requirements import ensure

ensure("train", "The explanation")

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from backend.console.cli import run
from utils.errors import ConfigError, EmotionError, ImageError
from utils.evaluation.grad_cam import METHODS, Explainer
from utils.evaluation.plots.explanations import save_explanations, save_mean_maps
from utils.evaluation.split import label_sets
from utils.faces import FaceDetector, build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.media.images import load_image
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.paths import BUNDLED_MODEL
from utils.processing.dataset import load_split


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="pictures of faces")
    parser.add_argument("--data", type=Path, help="prepared data folder, for mean maps")
    parser.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    parser.add_argument("--samples", type=int, default=100, help="most images a class (100)")
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    parser.add_argument("--head", help="which of the model's answers: perceived or fer2013")
    parser.add_argument("--target", help="class to explain; by default each face's answer")
    parser.add_argument("--layers", nargs="+", help="layers side by side, or 'all'")
    parser.add_argument("--method", choices=METHODS, default="gradcam")
    parser.add_argument("--detector", default="mtcnn", help="face detector (default: mtcnn)")
    parser.add_argument("--out", type=Path, default=Path("explanations"), help="folder for PNGs")
    args = parser.parse_args(argv)
    if bool(args.images) == bool(args.data):
        parser.error("give either pictures or --data")
    if args.samples < 1:
        parser.error("--samples must be at least 1")
    return args


def explain_image(
    path: Path, explainer: Explainer, detector: FaceDetector, args: argparse.Namespace
) -> str:
    """Draw the explanation of one picture's faces; return what to tell the user."""
    image = load_image(path)
    boxes = detector.detect(image).boxes
    if not len(boxes):
        return f"{path}: no face found"
    spec = explainer.checkpoint.preprocessing
    geometry = spec.geometry.get(detector.name) or DEFAULT_GEOMETRY[detector.name]
    crops = crop_faces(image, boxes, geometry=geometry, size=spec.input_size)
    explanation = explainer.explain(crops, args.target)
    target = args.out / f"{path.stem}_explained.png"
    seen = spec.to_network_size(crops).transpose(0, 2, 3, 1)
    shown = np.broadcast_to(seen, (*seen.shape[:3], 3))
    save_explanations(shown, explanation, classes=explainer.checkpoint.classes, path=target)
    return f"{path}: {len(boxes)} face{'s' * (len(boxes) > 1)}, {target}"


def explain_split(explainer: Explainer, args: argparse.Namespace) -> list[Path]:
    """Draw the mean maps of every class, of right answers and of mistakes."""
    checkpoint = explainer.checkpoint
    folder = load_split(
        args.data,
        args.split,
        preprocessing=checkpoint.preprocessing,
        classes=checkpoint.classes,
    )
    available = label_sets(folder)
    labels = available[explainer.head.role.target_label_set(available)]
    means: dict[str, list[tuple[str, NDArray[np.float32], NDArray[np.float32], int]]]
    means = {"right": [], "mistakes": []}
    for index, name in enumerate(tqdm(checkpoint.classes, desc="classes")):
        chosen = np.flatnonzero(labels == index)[: args.samples]
        if not len(chosen):
            continue
        pixels = folder.batch(chosen).transpose(0, 2, 3, 1)
        crops = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:3], 3)))
        explanation = explainer.explain(crops, args.target or name)
        right = explanation.probabilities.argmax(1) == index
        for kind, rows in (("right", right), ("mistakes", ~right)):
            if rows.any():
                face = crops[rows].mean((0, 3), dtype=np.float32)
                influence = explanation.maps[rows, -1].mean(0)
                means[kind].append((name, face, influence, int(rows.sum())))
    return [_save_means(kind, rows, explainer, args) for kind, rows in means.items() if rows]


def _save_means(
    kind: str,
    rows: list[tuple[str, NDArray[np.float32], NDArray[np.float32], int]],
    explainer: Explainer,
    args: argparse.Namespace,
) -> Path:
    words = {"right": "answered as labelled", "mistakes": "answered otherwise"}[kind]
    looked = f"where {explainer.checkpoint.model} looks for " + (args.target or "each class")
    path = args.out / f"mean_maps_{args.split}_{kind}.png"
    save_mean_maps(rows, f"{args.split}, faces {words}: {looked}", path=path)
    result: Path = path
    return result


def build_explainer(checkpoint: Checkpoint, args: argparse.Namespace) -> Explainer:
    """Return the explainer that the options ask for.

    Raises:
        ConfigError: A class, a layer or a head is unknown.
    """
    if args.target is not None and args.target not in checkpoint.classes:
        known = ", ".join(checkpoint.classes)
        raise ConfigError(f"unknown class {args.target!r}; known: {known}")
    layers = tuple(args.layers) if args.layers else None
    return Explainer(checkpoint, args.head, layers=layers, method=args.method)


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    explainer = build_explainer(load_checkpoint(args.model), args)
    if args.data:
        for path in explain_split(explainer, args):
            print(path)
        return 0
    detector = build_detector(args.detector)
    failed = False
    for path in args.images:
        try:
            print(explain_image(path, explainer, detector, args))
        except ImageError as error:
            print(f"error: {error}", file=sys.stderr)
            failed = True
    return EmotionError.exit_code if failed else 0


if __name__ == "__main__":
    run(main)
