"""The model card: what a user should know before trusting the model, from measured metrics."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from utils.evaluation.chart_data import save_robustness_data
from utils.evaluation.plots.comparison import save_robustness
from utils.evaluation.results import (
    EndToEndResult,
    EvaluationResult,
    PriorRow,
    RobustnessResult,
    ScalingRow,
)
from utils.evaluation.split import SplitPredictions
from utils.evaluation.tables import (
    accuracy_table,
    end_to_end_table,
    per_class_table,
    prior_correction_table,
    robustness_table,
    scaling_comparison_table,
)
from utils.files import write_file
from utils.model.architectures import count_parameters
from utils.model.checkpoint import MACHINE_OPTIONS, Checkpoint
from utils.model.spec import Head

_USE = """## Intended use

Estimating the **apparent expression** of faces in photos, videos and live pictures: research,
teaching, art, user-interface experiments, sorting one's own pictures. The prediction is a
calibrated probability for each of seven classes and an `uncertain` mark where the model had better
abstain.

## Limits

- It sees an expression, not a feeling. It is no lie detector, no diagnosis of mental health and no
  measure of character.
- Do not use it to judge people at work or in schools: Article 5(1)(f) of the EU AI Act
  (Regulation (EU) 2024/1689) forbids inferring emotions there. Elsewhere, emotion recognition is a
  high-risk use by Annex III, point 1(c), with obligations from 2 December 2027, and people exposed
  to it must be told (Article 50(3)).
- FER2013 was collected by web search: many faces are posed or acted, and neither age,
  gender nor ethnicity is balanced or known. Expressions and
  their reading differ between cultures; the voters of FER+ were crowd workers.
- Rare classes are weak: see disgust and fear in the tables. Contempt is not among the classes.
- Turned heads, masks, hands before the face, strong side light and faces below 48 pixels cost
  accuracy.
- FER2013 is distributed for research. The weights were trained on it; the images are not
  distributed with the project."""


def write_card(
    checkpoint: Checkpoint,
    result: EvaluationResult,
    *,
    predictions: Mapping[str, SplitPredictions],
    path: Path,
    command: str,
) -> None:
    """Write a model card in Markdown, and the figure of the corruptions into its folder.

    A part that was not measured (a table, the photos) is left out. The figures of each head must
    be drawn by ``utils.evaluation.plots.heads``.

    Args:
        checkpoint: The model.
        result: Its first head on the split.
        predictions: Name of the split to the model's predictions on it, for ``validation`` and for
            the split of ``result``.
        path: The Markdown file.
        command: The command that printed the results.
    """
    split = result.split
    parts = [
        f"# Model card: {checkpoint.model}",
        _summary(checkpoint),
        _data(checkpoint),
        "## Accuracy",
        f"Printed by `{command}`. The best epoch, the temperature, the prior correction and the "
        "thresholds were chosen on the validation split; the test split was only measured. In "
        "brackets are bootstrap 95% intervals. *Without near-duplicates* leaves out the images "
        "that have a near-identical copy (root-mean-square difference below 3 grey levels) "
        "among the training images." + _agreement(result),
        accuracy_table(checkpoint.heads, predictions),
    ]
    for head in checkpoint.heads:
        parts += _head(head, predictions[split], split)
    if result.end_to_end is not None:
        parts.append(_end_to_end(result.end_to_end))
    if result.robustness is not None:
        save_robustness(result.robustness.rows, path.parent / "robustness.png")
        save_robustness_data(result.robustness.rows, path.parent / "robustness.json")
        parts.append(_robustness(result, result.robustness))
    if result.prior_table is not None:
        parts.append(_prior_correction(result, result.prior_table))
    if result.scaling_table is not None:
        parts.append(_calibration(result, result.scaling_table))
    parts += [_USE, _training(checkpoint)]
    write_file(path, ("\n\n".join(parts) + "\n").encode())


def _summary(checkpoint: Checkpoint) -> str:
    preprocessing = checkpoint.preprocessing
    parameters = count_parameters(checkpoint.build())
    lines = [
        f"A network of {parameters / 1e6:.1f} M parameters for {preprocessing.input_size}x"
        f"{preprocessing.input_size} {preprocessing.color} faces; classes in order: "
        f"{', '.join(checkpoint.classes)}. Its heads, the default first:"
    ]
    lines += [
        f"- **{head.name}**, trained on {head.label_set}. Temperature {head.temperature:.3f}, "
        f"prior correction {head.prior_correction:.1f}; a prediction below {head.threshold:.2f} is "
        "marked `uncertain` (the least certain tenth of the validation images)."
        for head in checkpoint.heads
    ]
    return "\n".join(lines)


def _agreement(result: EvaluationResult) -> str:
    if result.label_agreement is None:
        return ""
    return (
        f" The folder labels and the majority of FER+'s voters agree on "
        f"{result.label_agreement:.1%} of the {result.split} images, so no single prediction can "
        "be right by both."
    )


def _data(checkpoint: Checkpoint) -> str:
    counts = {split: sum(checkpoint.data[split].values()) for split in ("train", "validation")}
    text = (
        f"## Data\n\n{counts['train']:,} training and {counts['validation']:,} validation images; "
        "fingerprint of the training images: "
        f"`{checkpoint.data.get('fingerprint', 'unknown')[:16]}`."
    )
    if unlabelled := checkpoint.data.get("unlabelled"):
        text += f" {unlabelled:,} images without labels, learned from other networks' predictions."
    if checkpoint.training.get("ferplus_weight"):
        text += (
            " FER2013 (Goodfellow et al., 2013, *Challenges in Representation Learning*) with the "
            "crowd votes of FER+ (Barsoum et al., 2016); validation is PublicTest, test is "
            "PrivateTest."
        )
    return text


def _head(head: Head, predictions: SplitPredictions, split: str) -> list[str]:
    label_sets = predictions.metrics(head)
    target = head.role.target_label_set(label_sets)
    parts = [
        f"### Head {head.name}: {split} split, {target.display_name}",
        per_class_table(label_sets[target]),
        f"![confusion matrix](confusion_{split}_{head.name}.png)",
        f"![reliability diagram](reliability_{split}_{head.name}.png) "
        f"![accuracy by coverage](coverage_{split}_{head.name}.png)",
        "The most confident mistakes, many of them the label's, are drawn by `backend/evaluate.py "
        "--out FOLDER`; the dataset's images may not be shown here.",
    ]
    for label_set, metrics in label_sets.items():
        if label_set is not target:
            parts.append(f"The same head against the {label_set.display_name}:")
            parts.append(per_class_table(metrics))
    return parts


def _end_to_end(result: EndToEndResult) -> str:
    return (
        "### Whole photos from elsewhere\n\n"
        f"Detector ({result.detector}), crop and classifier together on {result.images} "
        f"photos in `{result.photos}`, one folder a class: "
        f"**{result.accuracy:.1%}** right, balanced {result.balanced_accuracy:.1%}; "
        f"a photo without a face found ({result.no_face:.1%}) counts as wrong."
        f"\n\n{end_to_end_table(result)}"
    )


def _robustness(result: EvaluationResult, robustness: RobustnessResult) -> str:
    return (
        f"### What a webcam does\n\nHead {result.head.name}, {result.split} split, "
        f"{result.label_set.display_name}; `utils/processing/corruptions.py` defines each. On "
        f"average {100 * robustness.mean_drop:.1f} points are lost."
        f"\n\n{robustness_table(robustness.rows)}\n\n![robustness](robustness.png)"
    )


def _prior_correction(result: EvaluationResult, rows: tuple[PriorRow, ...]) -> str:
    return (
        "### Class-prior correction\n\nFrequent classes, above all neutral, are predicted too "
        "often where people show other faces than FER2013's. The correction trades accuracy on "
        "data with FER2013's prior for recall of the rarer classes; the default "
        f"{result.head.prior_correction:.1f} "
        "is the strongest that costs at most half a point on the validation split. On the "
        f"{result.split} split:\n\n{prior_correction_table(rows)}"
    )


def _calibration(result: EvaluationResult, rows: tuple[ScalingRow, ...]) -> str:
    return (
        "### Calibration\n\nOne temperature against a scale and a bias for each class, fitted on "
        "the validation split; there, each fifth is judged by what the other four gave. The prior "
        "correction, which the model applies after the temperature, is left out. The bias of "
        "vector scaling learns the validation split's class prior, which the prior correction is "
        f"there to take out; the model has a temperature. Head {result.head.name}, "
        f"{rows[0].label_set.display_name}:\n\n{scaling_comparison_table(rows, result.split)}"
    )


def _training(checkpoint: Checkpoint) -> str:
    averaged = checkpoint.training.get("soup")
    program = "train.py --data images --model " + checkpoint.model
    if averaged:
        shares = ", ".join(f"{part['share']:.0%}" for part in averaged)
        program = (
            f"soup.py` averaged the weights of {len(averaged)} networks ({shares}) of `train.py"
        )
    versions = ", ".join(f"{name} {version}" for name, version in checkpoint.versions.items())
    text = f"## Training\n\n`python backend/{program}`, code revision "
    text += f"`{checkpoint.revision}`, {versions}."
    for part in averaged or [{"training": checkpoint.training}]:
        config = {k: v for k, v in part["training"].items() if k not in MACHINE_OPTIONS}
        text += f"\n\n```yaml\n{yaml.safe_dump(config, sort_keys=False).strip()}\n```"
    return text
