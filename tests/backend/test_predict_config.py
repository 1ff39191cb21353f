"""The configuration of ``backend/inference.py``, and the program called as a function."""

import json
from pathlib import Path

import pytest

from backend.console.options import build_config, check_at_least_one
from backend.console.predict_config import (
    AnalyzerConfig,
    OutputConfig,
    PredictConfig,
    SourceConfig,
)
from backend.inference import parse_args, predict
from utils.errors import ConfigError


def test_the_command_line_becomes_a_configuration() -> None:
    sources = "a.jpg b.mp4 --list x --list y --glob *.png --every 3 --webcam 0"
    output = "--json --out o.json --top 2 --quiet"
    analyzer = "--detector haar --min-face 30 --min-score 0.5 --threads 2"
    config = parse_args(f"{sources} {output} {analyzer}".split())
    assert config == PredictConfig(
        sources=SourceConfig(
            names=("a.jpg", "b.mp4"),
            lists=(Path("x"), Path("y")),
            pattern="*.png",
            camera="0",
            every=3,
        ),
        output=OutputConfig(format="json", file=Path("o.json"), top=2, quiet=True),
        analyzer=AnalyzerConfig(detector="haar", min_face=30, min_score=0.5, threads=2),
    )


def test_defaults_are_those_of_the_configuration() -> None:
    assert parse_args(["a.jpg"]) == PredictConfig(sources=SourceConfig(names=("a.jpg",)))


@pytest.mark.parametrize(
    ("names", "single"),
    [(("a.jpg",), True), (("-",), True), (("a.mp4",), False), (("a.jpg", "b.jpg"), False)],
)
def test_a_single_image_is_recognised(names: tuple[str, ...], single: bool) -> None:
    assert SourceConfig(names=names).is_single_image == single
    assert not SourceConfig(names=names, camera="0").is_single_image


def test_impossible_values_are_refused_on_construction() -> None:
    for make, message in (
        (lambda: SourceConfig(every=0), "--every must be at least 1, not 0"),
        (lambda: OutputConfig(top=0), "--top must be at least 1, not 0"),
        (lambda: OutputConfig(save=Path("a"), save_dir=Path("b")), "--save-dir"),
        (lambda: AnalyzerConfig(min_face=0), "--min-face must be at least 1, not 0"),
        (lambda: AnalyzerConfig(min_score=1.5), "--min-score must be from 0 to 1, not 1.5"),
        (lambda: parse_args(["a.jpg", "--json", "--format", "csv"]), "--format csv"),
    ):
        with pytest.raises(ConfigError, match=message):
            make()


def test_options_that_are_not_set_pass_the_check() -> None:
    check_at_least_one(threads=None, min_face=1)
    with pytest.raises(ConfigError, match="--batch-size must be at least 1, not -1"):
        check_at_least_one(threads=None, batch_size=-1)


def test_a_configuration_is_built_of_the_options_with_its_names() -> None:
    options = {"names": ["a"], "lists": [], "pattern": None, "camera": None, "every": 2, "json": 1}
    assert build_config(SourceConfig, options) == SourceConfig(names=("a",), every=2)


def test_predict_is_a_function(tiny_checkpoint: Path, astronaut_jpg: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.jsonl"
    missing = str(tmp_path / "missing.jpg")
    summary = predict(
        PredictConfig(
            sources=SourceConfig(names=(str(astronaut_jpg), missing)),
            output=OutputConfig(file=out, quiet=True),
            analyzer=AnalyzerConfig(model=tiny_checkpoint, detector="none"),
        )
    )
    assert (summary.files, summary.faces, summary.failed) == (2, 1, 1)
    assert dict(summary.failures) == {"bad_image": 1}
    documents = [json.loads(line) for line in out.read_text().splitlines()]
    assert [d["image"] for d in documents] == [str(astronaut_jpg), missing]
