"""Typed results: their documents, and reading them back."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.evaluate import parse_args
from utils import evaluation
from utils.errors import DataError
from utils.evaluation.comparison.zoo_table import ZooRow, merge_rows, read_rows, zoo_table
from utils.evaluation.metrics import compute_metrics
from utils.evaluation.results import (
    EvaluationResult,
    Metrics,
    PriorRow,
    RobustnessResult,
    RobustnessRow,
)
from utils.model.spec import Head, HeadRole, LabelSet
from utils.paths import BUNDLED_MODEL

PROBABILITIES = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.1, 0.9]])
LABELS = np.array([0, 1, 1, -1])


def measure(**options: object) -> Metrics:
    return compute_metrics(PROBABILITIES, LABELS, classes=("a", "b"), **options)  # type: ignore[arg-type]


def test_optional_parts_are_in_the_document_only_if_measured() -> None:
    plain = measure().to_document()
    assert not {"twins", "accuracy_twin_free", "intervals"} & plain.keys()
    full = measure(near_duplicates=np.array([True, False, False, True]), intervals=True)
    document = full.to_document()
    assert list(document) == [*plain, "accuracy_twin_free", "twins", "intervals"]
    assert document["twins"] == 1
    assert document["accuracy_twin_free"] == pytest.approx(1 / 2)


@pytest.mark.parametrize("duplicates", [None, [False] * 4, [True] * 4])
def test_metrics_survive_a_checkpoint_or_a_file(duplicates: list[bool] | None) -> None:
    marked = None if duplicates is None else np.array(duplicates)
    metrics = measure(near_duplicates=marked, intervals=True)
    again = Metrics.from_document(json.loads(json.dumps(metrics.to_document())))
    assert again == metrics


def test_the_top_level_is_against_the_labels_of_the_heads_role() -> None:
    votes = compute_metrics(PROBABILITIES, np.array([0, 0, 1, 1]), classes=("a", "b"))
    result = EvaluationResult(
        model="net",
        head=Head("perceived", "votes"),
        split="test",
        label_sets={LabelSet.FOLDER: measure(), LabelSet.FERPLUS: votes},
        ferplus_accuracy=1.0,
        fer2013_accuracy=0.5,
        label_agreement=None,
        prior_table=(
            PriorRow(prior_correction=0.0, accuracy=1.0, balanced_accuracy=1.0, macro_f1=1.0),
        ),
        robustness=RobustnessResult(
            rows=(
                RobustnessRow(name="blur", accuracy=0.5, drop=0.5),
                RobustnessRow(name="noise", accuracy=0.75, drop=0.25),
            )
        ),
    )
    document = result.to_document()
    assert document["label_set"] == "FER+ majority"
    assert document["accuracy"] == votes.accuracy == 1
    assert list(document["label_sets"]) == ["folder", "ferplus"]
    assert all(type(name) is str for name in document["label_sets"])
    assert document["robustness_mean_drop"] == 0.375
    assert "scaling_table" not in document
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("perceived", tuple(LabelSet), LabelSet.FERPLUS),
        ("perceived", (LabelSet.FOLDER,), LabelSet.FOLDER),
        ("perceived", {"ferplus": 1}, LabelSet.FERPLUS),
        ("fer2013", tuple(LabelSet), LabelSet.FOLDER),
        ("labels", tuple(LabelSet), LabelSet.FOLDER),
        ("another", tuple(LabelSet), LabelSet.FOLDER),
    ],
)
def test_a_heads_role_decides_its_labels(
    name: str, available: tuple[LabelSet, ...], expected: LabelSet
) -> None:
    assert Head(name).role is HeadRole.of(name)
    assert Head(name).role.target_label_set(available) is expected


def zoo_row(name: str, accuracy: float, **others: object) -> dict[str, object]:
    return {
        "name": name, "model": name, "parameters": 10, "multiply_adds": 20, "input_size": 48,
        "epochs": 3, "accuracy": accuracy, "accuracy_twin_free": None, "macro_f1": 0.5,
        "disgust_f1": None, "ferplus_accuracy": None, "ece": 0.1, "ms": 2.0, "published": None,
        "revision": None, **others,
    }  # fmt: skip


def test_earlier_rows_of_the_zoo_stay_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "zoo.json"
    earlier = [zoo_row("old", 0.25), zoo_row("again", 0.5)]
    path.write_text(json.dumps(earlier))
    new = ZooRow.from_document(zoo_row("again", 0.75, teacher=True))
    assert [row.name for row in merge_rows(path, [new])] == ["again", "old"]
    written = json.loads(path.read_text())
    assert written == [zoo_row("again", 0.75, teacher=True), earlier[0]]
    assert list(written[1]) == list(earlier[0])


def test_the_committed_zoo_is_read_and_written_alike() -> None:
    text = (BUNDLED_MODEL.parent / "zoo.json").read_text("utf-8")
    rows = read_rows(BUNDLED_MODEL.parent / "zoo.json")
    assert json.dumps([row.to_document() for row in rows], indent=1) + "\n" == text
    table = (BUNDLED_MODEL.parent / "zoo.md").read_text("utf-8")
    assert len(zoo_table(rows).splitlines()) <= len(table.splitlines())


@pytest.mark.parametrize(
    "content", ["{", "[1]", '["a"]', '[{"name": "a"}]', json.dumps([zoo_row("a", 0.5, ms="x")])]
)
def test_a_damaged_zoo_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "zoo.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"zoo\.json: damaged"):
        read_rows(path)


def test_the_command_line_becomes_a_config() -> None:
    arguments = "--data d --split validation --end-to-end p --detector haar --card c.md --json"
    options = parse_args(arguments.split())
    assert options.config.split == evaluation.SplitConfig(data=Path("d"), split="validation")
    assert options.config.photos == evaluation.PhotosConfig(folder=Path("p"), detector="haar")
    assert options.config.model == evaluation.ModelConfig()
    assert (options.card, options.as_json, options.compare) == (Path("c.md"), True, None)
    assert parse_args([]).config == evaluation.EvaluateConfig()
    assert parse_args(["--compare", "a", "b"]).compare == (Path("a"), Path("b"))


def test_the_room_lists_what_it_offers() -> None:
    assert set(evaluation.__all__) <= set(dir(evaluation))
    assert all(hasattr(evaluation, name) for name in evaluation.__all__)
    with pytest.raises(AttributeError, match="guess"):
        _ = evaluation.guess
