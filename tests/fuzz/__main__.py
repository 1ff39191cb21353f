"""Run the fuzzer: ``make fuzz MINUTES=10``, or ``python -m fuzz --help`` for all options."""

import argparse
import logging
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from fuzz.runner import Runner, table
from fuzz.targets import TARGETS
from fuzz.worker import Target
from utils.errors import EmotionError

_FOLDER = Path("artifacts", "fuzz")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: 10")
    parser.add_argument(
        "--inputs", type=int, metavar="N", help="so many for each target, however long it takes"
    )
    parser.add_argument("--targets", nargs="+", choices=TARGETS, metavar="NAME", default=TARGETS,
                        help=f"only these of: {', '.join(TARGETS)}")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="same seed, same inputs (default: 0)")
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="run one saved input, with its traceback"
    )
    return parser.parse_args()


def _replay(path: Path) -> int:
    target = TARGETS[path.name.rsplit("-", 1)[0]]
    try:
        accepted = target.open()(path.read_bytes())
        print("accepted" if accepted else "explained")
    except EmotionError as error:
        print(f"explained: {error}")
    return 0


def _run_all(runner: Runner, targets: list[Target], options: argparse.Namespace) -> None:
    """Give the targets turns until the time is over, or until each has had its inputs."""
    deadline = time.monotonic() + 60 * options.minutes
    waiting = list(targets)
    while waiting:
        for target in tuple(waiting):
            if options.inputs is None and time.monotonic() > deadline:
                return
            count = runner.run(target)
            if options.inputs is not None and count.inputs >= options.inputs:
                waiting.remove(target)


def main() -> int:
    """Run the program and return its exit code: 1 if anything was found."""
    options = _parse_args()
    logging.basicConfig(format="%(message)s")
    if options.replay:
        return _replay(options.replay)
    with Runner(_FOLDER, options.seed) as runner:
        try:
            _run_all(runner, [TARGETS[name] for name in options.targets], options)
        except KeyboardInterrupt:
            print("interrupted")
        print(table(runner.counts))
    kinds = [path for count in runner.counts.values() for path in count.kinds.values()]
    if kinds:
        print(f"\n{len(kinds)} different findings, each with its input and traceback: {_FOLDER}/")
        print("run one again: make fuzz ARGS='--replay FILE'")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
