"""The targets: what reads files, each with the inputs that are made for it."""

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz import media_files, structured
from fuzz.mutation import mutate_member, mutate_png, mutations
from fuzz.service_targets import SERVICE_TARGETS
from fuzz.worker import Run, Target
from utils.errors import ConfigError, EmotionError

_MAX_PIXELS, _MAX_FRAMES = 2_000_000, 100


def _in_file(suffix: str, run: Callable[[Path], bool]) -> Run:
    """Return a function that writes its input to a file and runs another on it."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-input-")

    def run_file(data: bytes) -> bool:
        path = Path(folder.name, f"input{suffix}")
        path.write_bytes(data)
        return run(path)

    return run_file


def _read_picture(data: bytes) -> bool:
    from utils.media.images import load_image

    image = load_image(data, max_pixels=_MAX_PIXELS)
    assert (image.ndim, image.shape[2], image.dtype) == (3, 3, np.uint8)
    return True


def _make_pictures(seed: str, count: int) -> Iterator[bytes]:
    files, rng = media_files.pictures(), Random(seed)
    return mutations(files, rng, count=count, mutators=(mutate_png,))


def _open_videos() -> Run:
    from utils.media.video import VideoReader

    def read(path: Path) -> bool:
        data = path.read_bytes()
        # The service reads videos from memory, the programs from files.
        source = io.BytesIO(data) if len(data) % 2 else path
        with VideoReader(source, max_pixels=_MAX_PIXELS) as video:
            last = 0.0
            for frame in video:
                assert frame.time >= last
                last = frame.time
                if frame.index >= _MAX_FRAMES:
                    break
        return video.problem is None

    return _in_file(".video", read)


def _make_videos(seed: str, count: int) -> Iterator[bytes]:
    return mutations(media_files.videos(), Random(seed), count=count)


def _read_archive(data: bytes) -> bool:
    from utils.media.sources import zip_sources

    accepted = True
    for source in zip_sources(io.BytesIO(data), "photos.zip"):
        if source.read is None:
            accepted = False
            continue
        try:
            source.read()
        except EmotionError:
            accepted = False
    return accepted


def _open_datasets() -> Run:
    from utils.processing.prepare import prepare

    def run(path: Path) -> bool:
        with tempfile.TemporaryDirectory(prefix="fuzz-dataset-") as out:
            return not prepare(path, Path(out, "out")).problems

    return _in_file(".zip", run)


def _make_archives(seed: str, count: int) -> Iterator[bytes]:
    files, rng = media_files.archives(), Random(seed)
    return mutations(files, rng, count=count, mutators=(mutate_member,))


def _make_datasets(seed: str, count: int) -> Iterator[bytes]:
    files, rng = media_files.datasets(), Random(seed)
    return mutations(files, rng, count=count, mutators=(mutate_member,))


def _open_models(suffix: str) -> Run:
    from utils.model.classifier import EmotionClassifier

    crop = np.zeros((1, 9, 9, 3), np.uint8)

    def run(path: Path) -> bool:
        probabilities = EmotionClassifier.load(path, "cpu").predict(crop)
        assert np.isfinite(probabilities).all()
        return True

    return _in_file(suffix, run)


@cache
def _model_document() -> dict[str, Any]:
    from model_files import spec_text

    document: dict[str, Any] = json.loads(spec_text())
    return document


def _make_checkpoints(seed: str, count: int) -> Iterator[bytes]:
    from model_files import checkpoint_bytes

    changes = structured.changed(_model_document())
    for document in structured.examples(changes, seed, count - count // 2):
        yield checkpoint_bytes(document)
    files, rng = [checkpoint_bytes({})], Random(seed)
    yield from mutations(files, rng, count=count // 2, mutators=(mutate_member,))


def _make_onnx(seed: str, count: int) -> Iterator[bytes]:
    from model_files import onnx_bytes

    from utils.model.onnx_runtime import SPEC_KEY

    changes = structured.changed(_model_document())
    for document in structured.examples(changes, seed, count - count // 2):
        yield onnx_bytes({SPEC_KEY: json.dumps(document)})
    files = [onnx_bytes({SPEC_KEY: json.dumps(_model_document())})]
    yield from mutations(files, Random(seed), count=count // 2)


def _resume(kind: str, path: Path) -> bool:
    """Resume a run; what is left of its file must be the beginning, or all if it is refused."""
    from utils.media.tables.resume import truncate_incomplete

    before = path.read_bytes()
    try:
        truncate_incomplete(path, kind)
    except ConfigError:
        assert path.read_bytes() == before
        raise
    assert before.startswith(path.read_bytes())
    return True


def _open_configs() -> Run:
    import torch  # noqa: F401  # its memory is not that of an input

    from utils.training.recipes import load_config

    def run(path: Path) -> bool:
        load_config(path, {})
        return True

    return _in_file(".yaml", run)


def _make_configs(seed: str, count: int) -> Iterator[bytes]:
    from utils.training.config import TrainConfig

    return structured.examples(structured.yaml_options(TrainConfig().to_document()), seed, count)


def _read_votes(path: Path) -> bool:
    from utils.emotions import EMOTIONS
    from utils.processing.ferplus import load_votes, majority, soft_targets

    votes = load_votes(path, EMOTIONS, split="train")
    if votes:
        soft_targets(np.stack(list(votes.values())))
        majority(np.stack(list(votes.values())))
    return True


def _read_fer2013(path: Path) -> bool:
    from utils.processing.prepare.fer2013_table import read_rows

    with path.open("rb") as file:
        return all([row.problem is None for row in read_rows(file, path.name)])


def _made(strategy: Callable[[], Any], seed: str, count: int) -> Iterator[bytes]:
    yield from structured.examples(strategy(), seed, count)


def _table_target(name: str, run: Callable[[Path], bool], strategy: Callable[[], Any]) -> Target:
    return Target(name, partial(_in_file, ".txt", run), partial(_made, strategy), 200)


def _itself(run: Run) -> Run:
    return run


_ALL = (
    Target("pictures", partial(_itself, _read_picture), _make_pictures, 5000),
    Target("videos", _open_videos, _make_videos, 100),
    Target("archives", partial(_itself, _read_archive), _make_archives, 1000),
    Target("datasets", _open_datasets, _make_datasets, 100),
    Target("checkpoints", partial(_open_models, ".pth"), _make_checkpoints, 20),
    Target("onnx", partial(_open_models, ".onnx"), _make_onnx, 100),
    _table_target("journals", partial(_resume, "jsonl"), structured.journal_lines),
    _table_target("journal-tables", partial(_resume, "csv"), structured.journal_table),
    Target("configs", _open_configs, _make_configs, 100),
    _table_target("ferplus", _read_votes, structured.ferplus_table),
    _table_target("fer2013", _read_fer2013, structured.fer2013_table),
    *SERVICE_TARGETS,
)
TARGETS: dict[str, Target] = {target.name: target for target in _ALL}
