"""The modes of ``evaluate.py``: each measures, prints its result and returns the exit code."""

import json
import sys
from pathlib import Path

from backend.console.evaluation_text import (
    print_end_to_end,
    print_ensemble,
    print_evaluation,
)
from backend.console.messages import report_error
from utils.errors import ConfigError, EmotionError
from utils.evaluation.comparison.ablation import ablation_table, read_ablation
from utils.evaluation.comparison.ensemble import measure_ensemble
from utils.evaluation.comparison.significance import compare_models
from utils.evaluation.comparison.zoo import load_models, measure_architecture
from utils.evaluation.comparison.zoo_table import merge_rows, zoo_table
from utils.evaluation.evaluator import (
    EvaluateConfig,
    ModelConfig,
    PhotosConfig,
    evaluate,
    evaluate_for_card,
    evaluate_photos,
)
from utils.evaluation.plots.comparison import save_zoo
from utils.evaluation.results import EndToEndResult
from utils.evaluation.split import LabelledSplit, SplitConfig
from utils.files import write_file
from utils.model.checkpoint import load_checkpoint
from utils.paths import BUNDLED_MODEL

ZOO_RESULTS = BUNDLED_MODEL.parent / "zoo.json"


def show_split(config: EvaluateConfig, *, card: Path | None, as_json: bool) -> int:
    """Measure one model on a labelled split, and write its model card if asked for."""
    if card:
        command = " ".join(["python", *sys.argv])
        result = evaluate_for_card(config, card, command=command)
    else:
        result = evaluate(config)
    if as_json:
        print(json.dumps(result.to_document(), indent=1))
    else:
        print_evaluation(result, config.split.data)
    return _exit_code(result.end_to_end)


def show_photos(model: ModelConfig, photos: PhotosConfig, *, as_json: bool) -> int:
    """Measure one model on whole photos."""
    result = evaluate_photos(model, photos)
    if as_json:
        print(json.dumps(result.to_document(), indent=1))
    else:
        print_end_to_end(result)
    return _exit_code(result)


def _exit_code(result: EndToEndResult | None) -> int:
    """Name unreadable photos on standard error, and fail if there are any."""
    unreadable = result.unreadable if result else []
    for sentence in unreadable:
        report_error(sentence)
    return EmotionError.exit_code if unreadable else 0


def show_comparison(
    models: tuple[Path, Path], split: SplitConfig, *, head: str | None, as_json: bool
) -> int:
    """Print for each label set whether one of two models is significantly better."""
    names = [str(path) for path in models]
    a, b = (load_checkpoint(path) for path in models)
    comparisons = compare_models(a, b, split=LabelledSplit(split), head=head)
    if as_json:
        document = {k.value: found.to_document(*names) for k, found in comparisons.items()}
        print(json.dumps(document, indent=1))
    else:
        for label_set, comparison in comparisons.items():
            print(f"{label_set.display_name}: {comparison.sentence(*names)}")
    return 0


def show_ensemble(models: tuple[Path, ...], split: SplitConfig, *, as_json: bool) -> int:
    """Print the metrics of several models and of the mean of their predictions."""
    loaded = {str(path): load_checkpoint(path) for path in models}
    rows = measure_ensemble(loaded, LabelledSplit(split))
    if as_json:
        print(json.dumps([row.to_document() for row in rows], indent=1))
    else:
        print_ensemble(rows)
    return 0


def show_zoo(folder: Path, split: SplitConfig, *, out: Path | None, as_json: bool) -> int:
    """Measure every architecture of a folder and update the table of all.

    Args:
        folder: Holds the checkpoints.
        split: The test split.
        out: Folder of the table; None is the committed one's.
        as_json: Print JSON, not a table.

    Raises:
        ConfigError: Options would make the rows unlike the committed ones.
    """
    if split.split != "test" or split.average != "none":
        raise ConfigError(
            "--zoo compares on the test split, with one prediction for each face: leave out "
            "--split and --average"
        )
    data, rows = LabelledSplit(split), []
    for name, checkpoint in load_models(folder).items():
        predictions = data.predict(checkpoint, mark_near_duplicates=True)
        rows.append(measure_architecture(name, checkpoint, predictions=predictions))
        print(f"measured {name}", file=sys.stderr)
    path = out / "zoo.json" if out else ZOO_RESULTS
    merged = merge_rows(path, rows)
    table = zoo_table(merged, {row.name for row in rows})
    write_file(path.with_suffix(".md"), (table + "\n").encode())
    save_zoo(merged, path.with_suffix(".png"))
    print(json.dumps([row.to_document() for row in merged], indent=1) if as_json else table)
    return 0


def show_ablation(folder: Path, *, as_json: bool) -> int:
    """Print the effect of each change to a recipe."""
    rows = read_ablation(folder)
    if as_json:
        print(json.dumps([row.to_document() for row in rows], indent=1))
    else:
        print(ablation_table(rows))
    return 0
