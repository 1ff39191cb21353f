"""Say what faces in photos look like: text, JSON or annotated copies.

Examples:
  python backend/inference.py photo.jpg
  python backend/inference.py *.jpg --json > results.json
  python backend/inference.py holiday/ --save annotated/
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from backend.cli import run
from backend.result_text import Style, describe
from utils.analysis import EmotionAnalyzer
from utils.errors import ConfigError, EmotionError, ImageError
from utils.faces import list_detectors
from utils.images import list_images, load_image
from utils.results import FrameResult
from utils.sinks import SAVE_SUFFIXES, save_image


@dataclass(frozen=True)
class Answer:
    """What became of one picture: a result, or the error that prevented it."""

    image: str
    result: FrameResult | None = None
    error: EmotionError | None = None

    def document(self) -> dict[str, Any]:
        """Return the JSON document of this picture."""
        if self.result is not None:
            return self.result.model_dump(mode="json", exclude_none=True)
        assert self.error is not None
        return {"image": self.image, "error": {"code": self.error.code, "message": str(self.error)}}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="pictures, or folders of them")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON document")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="OUT",
        help="write the annotated picture; a folder if there are several",
    )
    parser.add_argument("--model", type=Path, metavar="FILE.pth", help="default: the bundled model")
    parser.add_argument("--detector", default="mtcnn", help=", ".join(list_detectors()))
    parser.add_argument(
        "--detector-weights", type=Path, metavar="FILE", help="model file for yunet and ssd"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    return parser.parse_args(argv)


def expand(sources: list[str]) -> list[str]:
    """Replace folders by the pictures in them, however deep.

    A folder without any, or one that can't be read, stays as it is.
    """
    paths: list[str] = []
    for source in sources:
        found: list[Path] = []
        if os.path.isdir(source):
            with suppress(ImageError):
                found = list_images(source)
        paths += map(str, found) if found else [source]
    return paths


def output_paths(paths: list[str], sources: list[str], out: Path) -> list[Path]:
    """Return where the annotated copy of each picture goes; never onto a picture itself.

    One picture goes to ``out``, or into it if it is a folder. Several go into the folder ``out``,
    under their names, numbered where two are the same. A copy of a kind that can't be written
    becomes a PNG file.

    Raises:
        ConfigError: A copy would replace an input, ``out`` is a file though there are several, or
            its suffix is not one of ``SAVE_SUFFIXES``.
    """
    if len(paths) == 1 and not os.path.isdir(out) and not os.path.isdir(sources[0]):
        if out.suffix.lower() not in SAVE_SUFFIXES:
            raise ConfigError(
                f"--save {out}: can't write this kind; use {', '.join(SAVE_SUFFIXES)}"
            )
        targets = [out]
    elif os.path.isfile(out):
        raise ConfigError(f"--save {out}: is a file; name a folder for {len(paths)} pictures")
    else:
        targets = _names_in(out, [Path(path) for path in paths])
    inputs = {Path(p).resolve() for p in paths}
    if clash := [t for t in targets if t.resolve() in inputs]:
        raise ConfigError(f"--save {clash[0]}: would replace an input; name another file or folder")
    return targets


def _names_in(folder: Path, paths: list[Path]) -> list[Path]:
    targets: dict[Path, None] = {}
    for path in paths:
        suffix = path.suffix if path.suffix.lower() in SAVE_SUFFIXES else ".png"
        target, number = folder / f"{path.stem}{suffix}", 2
        while target in targets:
            target = folder / f"{path.stem}-{number}{suffix}"
            number += 1
        targets[target] = None
    return list(targets)


def analyze_all(
    analyzer: EmotionAnalyzer, paths: list[str], targets: list[Path] | None
) -> Iterator[Answer]:
    """Yield an answer for every picture; one that fails does not stop the others."""
    for i, path in enumerate(paths):
        try:
            if os.path.isdir(path):
                list_images(path)  # knows why a folder can't be read
                raise ImageError(f"{path}: the folder holds no pictures")
            image = load_image(Path(path))
            result = analyzer.analyze(image, name=path)
            if targets:
                from utils.draw import annotate  # loads fonts, which only --save needs

                save_image(annotate(image, result), targets[i])
            yield Answer(path, result)
        except EmotionError as error:
            print(f"error: {error}", file=sys.stderr)
            yield Answer(path, error=error)


def main() -> int:
    """Run the program and return its exit code."""
    args = parse_args()
    paths = expand(args.images)
    targets = output_paths(paths, args.images, args.save) if args.save else None
    analyzer = EmotionAnalyzer.load(args.model, args.detector, args.device, args.detector_weights)
    failed = 0
    documents = []
    style = Style.of(sys.stdout)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be beyond it
    for answer in analyze_all(analyzer, paths, targets):
        failed += answer.error is not None
        if args.json:
            documents.append(answer.document())
        elif answer.result is not None:
            print(describe(answer.result, style), flush=True)
    if args.json:
        single = len(args.images) == 1 and not os.path.isdir(args.images[0])
        print(json.dumps(documents[0] if single else documents, indent=1))
    return EmotionError.exit_code if failed else 0


if __name__ == "__main__":
    run(main)
