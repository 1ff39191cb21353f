"""Show which regions of a face a prediction depends on: heat maps of faces, or means of a split.

Examples:
  python backend/explain.py photo.jpg
  python backend/explain.py photo.jpg --target fear --layers all
  python backend/explain.py --data images --split validation
"""

from backend.console.requirements import ensure

ensure("train", "The explanation")

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from backend.console.cli import run
from backend.console.messages import printable, report_error
from backend.console.options import ArgumentParser
from utils.defaults import DETECTOR
from utils.errors import ConfigError, EmotionError, ImageError
from utils.evaluation.grad_cam import METHODS, Explainer
from utils.evaluation.plots.explanations import save_explanations, save_mean_maps
from utils.evaluation.split import label_sets
from utils.faces import FaceDetector, build_detector
from utils.faces.crop import DEFAULT_GEOMETRY, crop_faces
from utils.files import check_folder
from utils.media.images import load_image
from utils.model.checkpoint import load_checkpoint
from utils.paths import BUNDLED_MODEL
from utils.processing.dataset import FaceDataset, load_split

CORRECT, MISTAKES = "right", "mistakes"
DESCRIPTIONS = {CORRECT: "predicted as labelled", MISTAKES: "predicted otherwise"}
# A class, its mean face (S, S) in 0..255, its mean map (S, S) in 0..1, and the number of faces.
MeanMap = tuple[str, NDArray[np.float32], NDArray[np.float32], int]


@dataclass(frozen=True)
class ExplainOptions:
    """What to explain, and how.

    Attributes:
        images: Image files whose faces are explained.
        data: Prepared data folder, for mean maps.
        split: Split of ``data``.
        samples: Most images of each class for a mean.
        model: The checkpoint (.pth).
        head: Name of the head to explain; None is the default.
        target: Class to explain; None explains each face's predicted class.
        layers: Module paths in the network, or ``("all",)``; None is the last feature map.
        method: One of ``utils.evaluation.grad_cam.METHODS``.
        detector: Name of the face detector.
        detector_weights: Model file of the detectors that need one (yunet, ssd).
        out: Folder for the PNG files.
    """

    images: tuple[Path, ...] = ()
    data: Path | None = None
    split: str = "validation"
    samples: int = 100
    model: Path = BUNDLED_MODEL
    head: str | None = None
    target: str | None = None
    layers: tuple[str, ...] | None = None
    method: str = "gradcam"
    detector: str = DETECTOR
    detector_weights: Path | None = None
    out: Path = Path("explanations")


def parse_args(argv: list[str] | None = None) -> ExplainOptions:
    """Return the program's options."""
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="pictures of faces")
    parser.add_argument("--data", type=Path, help="prepared data folder, for mean maps")
    parser.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    parser.add_argument("--samples", type=int, default=100, help="most images a class (100)")
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="checkpoint (.pth)")
    parser.add_argument("--head", help="head of the model: perceived or fer2013")
    parser.add_argument("--target", help="class to explain; by default each face's prediction")
    parser.add_argument("--layers", nargs="+", help="layers side by side, or 'all'")
    parser.add_argument("--method", choices=METHODS, default="gradcam")
    parser.add_argument("--detector", default=DETECTOR, help=f"face detector (default: {DETECTOR})")
    parser.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    parser.add_argument("--out", type=Path, default=Path("explanations"), help="folder for PNGs")
    args = parser.parse_args(argv)
    if bool(args.images) == bool(args.data):
        parser.error("give either pictures or --data")
    if args.samples < 1:
        parser.error("--samples must be at least 1")
    args.images = tuple(args.images)
    args.layers = tuple(args.layers) if args.layers else None
    return ExplainOptions(**vars(args))


def build_explainer(options: ExplainOptions) -> Explainer:
    """Load the model and return its explainer.

    Raises:
        CheckpointError: The model is missing, damaged, unsafe or does not fit.
        ConfigError: A class, a layer or a head is unknown.
    """
    checkpoint = load_checkpoint(options.model)
    if options.target is not None and options.target not in checkpoint.classes:
        known = ", ".join(checkpoint.classes)
        raise ConfigError(f"unknown class {options.target!r}; known: {known}")
    return Explainer(checkpoint, options.head, layers=options.layers, method=options.method)


def explain_image(
    path: Path, explainer: Explainer, *, detector: FaceDetector, options: ExplainOptions
) -> str:
    """Draw the explanation of an image's faces and return a sentence about it.

    Raises:
        ImageError: The file is not a readable image.
    """
    image = load_image(path)
    boxes = detector.detect(image).boxes
    if not len(boxes):
        return f"{path}: no face found"
    preprocessing = explainer.checkpoint.preprocessing
    geometry = preprocessing.geometry.get(detector.name) or DEFAULT_GEOMETRY[detector.name]
    crops = crop_faces(image, boxes, geometry=geometry, size=preprocessing.input_size)
    explanation = explainer.explain(crops, options.target)
    png = options.out / f"{path.stem}_explained.png"
    pixels = preprocessing.to_network_size(crops).transpose(0, 2, 3, 1)
    shown = np.broadcast_to(pixels, (*pixels.shape[:3], 3))
    save_explanations(shown, explanation, classes=explainer.checkpoint.classes, path=png)
    return f"{path}: {len(boxes)} face{'s' * (len(boxes) > 1)}, {png}"


def explain_split(explainer: Explainer, options: ExplainOptions) -> list[Path]:
    """Draw the mean maps of every class, of correct predictions and of mistakes.

    Raises:
        ConfigError: There is no data folder in the options.
        DataError: The data folder is missing or malformed.
    """
    if options.data is None:
        raise ConfigError("mean maps need a data folder")
    checkpoint = explainer.checkpoint
    dataset = load_split(
        options.data,
        options.split,
        preprocessing=checkpoint.preprocessing,
        classes=checkpoint.classes,
    )
    means: dict[str, list[MeanMap]] = {CORRECT: [], MISTAKES: []}
    for kind, mean in _mean_maps(dataset, explainer, options):
        means[kind].append(mean)
    return [_save_means(kind, means[kind], explainer, options) for kind in means if means[kind]]


def _mean_maps(
    dataset: FaceDataset, explainer: Explainer, options: ExplainOptions
) -> Iterator[tuple[str, MeanMap]]:
    """Yield the mean of each class's correct predictions, and of its mistakes."""
    available = label_sets(dataset)
    labels = available[explainer.head.role.target_label_set(available)]
    for index, name in enumerate(tqdm(explainer.checkpoint.classes, desc="classes")):
        members = np.flatnonzero(labels == index)[: options.samples]
        if not len(members):
            continue
        pixels = dataset.batch(members).transpose(0, 2, 3, 1)
        crops = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:3], 3)))
        explanation = explainer.explain(crops, options.target or name)
        correct = explanation.probabilities.argmax(1) == index
        for kind, rows in ((CORRECT, correct), (MISTAKES, ~correct)):
            if rows.any():
                face = crops[rows].mean((0, 3), dtype=np.float32)
                influence = explanation.maps[rows, -1].mean(0)
                yield kind, (name, face, influence, int(rows.sum()))


def _save_means(
    kind: str, rows: list[MeanMap], explainer: Explainer, options: ExplainOptions
) -> Path:
    regions = f"regions that {explainer.checkpoint.model} uses for {options.target or 'each class'}"
    path = options.out / f"mean_maps_{options.split}_{kind}.png"
    save_mean_maps(rows, f"{options.split}, faces {DESCRIPTIONS[kind]}: {regions}", path=path)
    return path


def main() -> int:
    """Run the program and return its exit code."""
    options = parse_args()
    check_folder(options.out)
    explainer = build_explainer(options)
    if options.data:
        for path in explain_split(explainer, options):
            print(path)
        return 0
    detector = build_detector(options.detector, weights=options.detector_weights)
    failed = False
    for path in options.images:
        try:
            text = explain_image(path, explainer, detector=detector, options=options)
            print(printable(text))
        except ImageError as error:
            report_error(error)
            failed = True
    return EmotionError.exit_code if failed else 0


if __name__ == "__main__":
    run(main)
