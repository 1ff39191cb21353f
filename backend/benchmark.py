"""How fast everything is on this machine.

Examples:
  python backend/benchmark.py                         every form of the model, one table
  python backend/benchmark.py --live --seconds 20     the live page's engine
  python backend/benchmark.py --file --seconds 20     a video file
  python backend/benchmark.py --folder                a folder of photos
  python backend/benchmark.py --api                   the service, over loopback
  python backend/benchmark.py --session               a recording of an hour
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.benchmarks.models import benchmark_models, models_table
from backend.console.cli import run
from utils.extras import require


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Return the program's options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="checkpoint (default: bundled)")
    parser.add_argument("--threads", type=int, nargs="+", help="cores for inference")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    models = parser.add_argument_group("the forms of a model")
    models.add_argument(
        "--data", type=Path, default=Path("images"), help="prepared data folder, for the accuracy"
    )
    models.add_argument("--runs", type=int, default=200, help="timed runs (default: 200)")
    live = parser.add_argument_group("video")
    live.add_argument("--live", action="store_true", help="measure live video")
    live.add_argument("--file", action="store_true", help="measure a video file instead")
    live.add_argument("--seconds", type=float, default=20.0, help="of video (default: 20)")
    live.add_argument(
        "--video", type=Path, metavar="FILE", help="what is shown; default: a moving photo"
    )
    live.add_argument("--detector", default="mtcnn", help="face detector (default: mtcnn)")
    live.add_argument("--streams", type=int, default=1, help="viewers at once (default: 1)")
    live.add_argument("--faces", type=int, default=1, help="faces in the picture (default: 1)")
    live.add_argument(
        "--peers", action="store_true", help="also time fer and deepface, where installed"
    )
    many = parser.add_argument_group("folders and the service")
    many.add_argument("--folder", action="store_true", help="measure a folder of photos")
    many.add_argument("--api", action="store_true", help="measure the HTTP and WebSocket service")
    many.add_argument("--session", action="store_true", help="measure an hour's recording")
    many.add_argument(
        "--requests", type=int, default=20_000, help="to see its memory after (default: 20000)"
    )
    live.add_argument("--interval", type=int, default=2, help="analyse every N-th frame")
    return parser.parse_args(argv)


def _chosen(args: argparse.Namespace) -> Callable[[argparse.Namespace], dict[str, Any]] | None:
    # Imported where they are used: each process that measures a form of the model imports this
    # program anew, and PyTorch would count as its memory.
    if args.live:
        from backend.benchmarks.live import benchmark_live

        return benchmark_live
    if args.file:
        from backend.benchmarks.video import benchmark_video

        return benchmark_video
    if args.folder:
        from backend.benchmarks.folder import benchmark_folder

        return benchmark_folder
    if args.session:
        from backend.benchmarks.sessions import benchmark_sessions

        return benchmark_sessions
    if args.api:
        require("api", feature="The service")
        from backend.benchmarks.api import benchmark_api

        return benchmark_api
    return None


def main() -> int:
    """Parse the arguments, measure, print."""
    args = parse_args()
    if measure := _chosen(args):
        figures = measure(args)
        width = max(map(len, figures))
        text = "\n".join(f"{name:>{width}}  {value}" for name, value in figures.items())
    else:
        require("train", feature="The comparison of PyTorch and ONNX", modules=("torch",))
        from utils.paths import BUNDLED_MODEL

        model = args.model or BUNDLED_MODEL
        figures = benchmark_models(model, args.data, args.threads or [1, 2], args.runs)
        text = models_table(figures)
    print(json.dumps(figures, indent=1) if args.json else text)
    return 0


if __name__ == "__main__":
    run(main)
