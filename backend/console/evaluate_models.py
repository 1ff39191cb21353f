"""Several models held against each other: two of them, all architectures, all training options."""

import argparse
import json
import sys
from dataclasses import asdict

from backend.console.evaluation_data import Data
from utils.errors import ConfigError
from utils.evaluation.ablation import ablation_table, read_ablation
from utils.evaluation.evaluate import LABEL_SETS, target_label_set
from utils.evaluation.result_plots import save_zoo
from utils.evaluation.significance import compare_predictions
from utils.evaluation.zoo import load_models, merge_results, zoo_row, zoo_table
from utils.model.checkpoint import load_checkpoint
from utils.paths import BUNDLED_MODEL

ZOO_RESULTS = BUNDLED_MODEL.parent / "zoo.json"


def compare(args: argparse.Namespace) -> int:
    """Say for each label set whether one of two models is significantly better."""
    data, names = Data(args, args.split), [str(path) for path in args.compare]
    models = [load_checkpoint(path) for path in args.compare]
    evaluations = [data.answers(model) for model in models]
    found = {}
    for label_set, labels in evaluations[0].labels.items():
        answers = []
        for model, evaluation in zip(models, evaluations, strict=True):
            heads = [h for h in model.heads if target_label_set(h, LABEL_SETS) == label_set]
            head = model.head(args.head) if args.head else (heads or model.heads)[0]
            answers.append(evaluation.probabilities[head.name].argmax(1))
        comparison = compare_predictions(answers[0], answers[1], labels)
        found[label_set] = asdict(comparison) | {"sentence": comparison.sentence(*names)}
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        for name, figures in found.items():
            print(f"{LABEL_SETS[name]}: {figures['sentence']}")
    return 0


def measure_zoo(args: argparse.Namespace) -> int:
    """Measure every architecture of a folder and bring the committed table up to date.

    Raises:
        ConfigError: Options would make the rows unlike the committed ones.
    """
    if args.split != "test" or args.average != "none":
        raise ConfigError(
            "--zoo compares on the test split, each face looked at once: leave out "
            "--split and --average"
        )
    data, rows = Data(args, "test"), []
    for name, checkpoint in load_models(args.zoo).items():
        rows.append(zoo_row(name, checkpoint, data.evaluate(checkpoint)))
        print(f"measured {name}", file=sys.stderr)
    path = args.out / "zoo.json" if args.out else ZOO_RESULTS
    merged = merge_results(path, rows)
    table = zoo_table(merged, {row["name"] for row in rows})
    path.with_suffix(".md").write_text(table + "\n", "utf-8")
    save_zoo(merged, path.with_suffix(".png"))
    print(json.dumps(merged, indent=1) if args.json else table)
    return 0


def show_ablation(args: argparse.Namespace) -> int:
    """Print what each change of the recipe is worth."""
    rows = read_ablation(args.ablation)
    print(json.dumps(rows, indent=1) if args.json else ablation_table(rows))
    return 0
