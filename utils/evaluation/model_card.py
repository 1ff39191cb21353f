"""The model card: what a user should know before trusting the model, from measured figures."""

from pathlib import Path
from typing import Any

import yaml

from utils.evaluation.evaluate import LABEL_SETS, Evaluation, target_label_set
from utils.evaluation.result_plots import save_robustness
from utils.model.architectures import count_parameters
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head
from utils.training.report import per_class_table

_USE = """## Intended use

Estimating the **apparent expression** of faces in photos, videos and live pictures: research,
teaching, art, user-interface experiments, sorting one's own pictures. The answer is a calibrated
probability for each of seven classes and an `uncertain` mark where the model had better abstain.

## Limits

- It sees an expression, not a feeling. It is no lie detector, no diagnosis of mental health and no
  measure of character.
- Do not use it to judge people at work or in schools: Article 5(1)(f) of the EU AI Act
  (Regulation (EU) 2024/1689) forbids inferring emotions there. Elsewhere, people exposed to it must
  be told (Article 50(3)).
- FER2013 was collected by web search: many faces are posed or acted, and neither age,
  gender nor ethnicity is balanced or known. Expressions and
  their reading differ between cultures; the voters of FER+ were crowd workers.
- Rare classes are weak: see disgust and fear in the tables. Contempt is not among the classes.
- Turned heads, masks, hands before the face, strong side light and faces below 48 pixels cost
  accuracy.
- FER2013 is distributed for research. The weights were trained on it; the images are not
  distributed with the project."""


_MACHINES_OWN = ("data", "out", "device", "cache_gb")


def write_card(
    checkpoint: Checkpoint,
    result: dict[str, Any],
    evaluation: Evaluation,
    validation: Evaluation,
    path: Path,
    command: str,
) -> None:
    """Write a model card in Markdown, and its pictures beside it.

    Args:
        checkpoint: The model.
        result: ``utils.evaluation.evaluate.document`` of its first head for the test split, with
            ``prior_table``, ``scaling_table``, ``robustness``, ``robustness_mean_drop`` and, if
            photos were measured, ``end_to_end``.
        evaluation: The answers on that split.
        validation: The answers on the validation split.
        path: The Markdown file.
        command: The command that printed the figures.
    """
    parts = [
        f"# Model card: {checkpoint.model}",
        _summary(checkpoint),
        _data(checkpoint),
        "## Accuracy",
        f"Printed by `{command}`. The best epoch, the temperature, the prior correction and the "
        "thresholds were chosen on the validation split; the test split was only measured. In "
        "brackets are bootstrap 95 % intervals. *Without twins* leaves out the images that have a "
        "near-identical copy (root-mean-square difference below 3 grey levels) among the training "
        "images." + _agreement(result),
        _accuracy_table(checkpoint, {"validation": validation, result["split"]: evaluation}),
    ]
    for head in checkpoint.heads:
        parts += _head(head, evaluation, result["split"])
    if "end_to_end" in result:
        parts += [_end_to_end(result["end_to_end"])]
    parts += [_robustness(result, path), _priors(result, checkpoint.heads[0]), _scalings(result)]
    parts += [_USE, _training(checkpoint)]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _summary(checkpoint: Checkpoint) -> str:
    spec = checkpoint.preprocessing
    parameters = count_parameters(checkpoint.build())
    lines = [
        f"A network of {parameters / 1e6:.1f} M parameters for {spec.input_size}x"
        f"{spec.input_size} {spec.color} faces; classes in order: {', '.join(checkpoint.classes)}. "
        "Its heads, the default first:"
    ]
    lines += [
        f"- **{head.name}**, trained on {head.label_set}. Temperature {head.temperature:.3f}, "
        f"prior correction {head.prior_correction:.1f}; an answer below {head.threshold:.2f} is "
        "marked `uncertain` (the least certain tenth of the validation images)."
        for head in checkpoint.heads
    ]
    return "\n".join(lines)


def _agreement(result: dict[str, Any]) -> str:
    if result.get("label_agreement") is None:
        return ""
    return (
        f" The folder labels and the majority of FER+'s voters agree on "
        f"{result['label_agreement']:.1%} of the {result['split']} images, so no single answer can "
        "be right by both."
    )


def _data(checkpoint: Checkpoint) -> str:
    counts = {split: sum(checkpoint.data[split].values()) for split in ("train", "validation")}
    text = (
        f"## Data\n\n{counts['train']:,} training and {counts['validation']:,} validation images; "
        "fingerprint of the training images: "
        f"`{checkpoint.data.get('fingerprint', 'unknown')[:16]}`."
    )
    if checkpoint.training.get("ferplus_weight"):
        text += (
            " FER2013 (Goodfellow et al., 2013, *Challenges in Representation Learning*) with the "
            "crowd votes of FER+ (Barsoum et al., 2016); validation is PublicTest, test is "
            "PrivateTest."
        )
    return text


def _accuracy_table(checkpoint: Checkpoint, splits: dict[str, Evaluation]) -> str:
    lines = [
        "| head | labels | split | accuracy | without twins | balanced | macro F1 | top-2 | ECE "
        "| right of the surest 80 % | images |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for head in checkpoint.heads:
        for split, evaluation in splits.items():
            for name, figures in evaluation.reports(head.name, intervals=True).items():
                lines.append(f"| {head.name} | {LABEL_SETS[name]} | {split} {_row(figures)}")
    return "\n".join(lines)


def _row(figures: dict[str, Any]) -> str:
    twin_free = figures.get("accuracy_twin_free")
    low, high = figures["intervals"]["accuracy"]
    return (
        f"| {figures['accuracy']:.1%} [{100 * low:.1f}, {100 * high:.1f}] "
        f"| {f'{twin_free:.1%}' if twin_free is not None else '–'} "
        f"| {figures['balanced_accuracy']:.1%} | {figures['macro_f1']:.3f} "
        f"| {figures['top2_accuracy']:.1%} | {figures['ece']:.1%} "
        f"| {figures['coverage_80_accuracy']:.1%} | {figures['images']} |"
    )


def _head(head: Head, evaluation: Evaluation, split: str) -> list[str]:
    sets = evaluation.reports(head.name)
    label_set = target_label_set(head, sets)
    parts = [
        f"### Head {head.name}: {split} split, {LABEL_SETS[label_set]}",
        per_class_table(sets[label_set]),
        f"![confusion matrix](confusion_{split}_{head.name}.png)",
        f"![reliability diagram](reliability_{split}_{head.name}.png) "
        f"![accuracy by coverage](coverage_{split}_{head.name}.png)",
        "The most confident mistakes, many of them the label's, are drawn by `backend/evaluate.py "
        "--out FOLDER`; the data set's pictures may not be shown here.",
    ]
    for name, figures in sets.items():
        if name != label_set:
            parts += [f"The same head against the {LABEL_SETS[name]}:", per_class_table(figures)]
    return parts


def _robustness(result: dict[str, Any], path: Path) -> str:
    rows = result["robustness"]
    save_robustness(rows, path.parent / "robustness.png")
    lines = ["| degradation | accuracy | points lost |", "|---|---:|---:|"]
    lines += [
        f"| {row['name']} | {row['accuracy']:.1%} | {100 * row['drop']:.1f} |" for row in rows
    ]
    return (
        f"### What a webcam does\n\nHead {result['head']}, {result['split']} split, "
        f"{result['label_set']}; `utils/processing/corruptions.py` defines each. On average "
        f"{100 * result['robustness_mean_drop']:.1f} points are lost.\n\n"
        + "\n".join(lines)
        + "\n\n![robustness](robustness.png)"
    )


def _priors(result: dict[str, Any], head: Head) -> str:
    lines = ["| correction | accuracy | balanced | macro F1 |", "|---:|---:|---:|---:|"]
    lines += [
        f"| {row['prior_correction']:.1f} | {row['accuracy']:.1%} "
        f"| {row['balanced_accuracy']:.1%} | {row['macro_f1']:.3f} |"
        for row in result["prior_table"]
    ]
    return (
        "### Class-prior correction\n\nFrequent classes, above all neutral, are answered too often "
        "where people show other faces than FER2013's. The correction trades accuracy on data with "
        f"FER2013's prior for recall of the rarer classes; the default {head.prior_correction:.1f} "
        "is the strongest that costs at most half a point on the validation split. On the "
        f"{result['split']} split:\n\n" + "\n".join(lines)
    )


def _scalings(result: dict[str, Any]) -> str:
    lines = [
        f"| scaling | validation: accuracy | NLL | ECE | {result['split']}: accuracy | NLL | ECE |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in result["scaling_table"]:
        cells = [
            f"{f['accuracy']:.1%} | {f['nll']:.3f} | {f['ece']:.1%}"
            for f in (row["validation"], row["test"])
        ]
        lines.append(f"| {row['scaling']} | {' | '.join(cells)} |")
    return (
        "### Calibration\n\nOne temperature against a scale and a bias for each class, fitted on "
        "the validation split; there, each fifth is judged by what the other four gave. The prior "
        "correction, which the model applies after the temperature, is left out. The bias of "
        "vector scaling learns the validation split's class prior, which the prior correction is "
        f"there to take out; the model has a temperature. Head {result['head']}, "
        f"{result['scaling_table'][0]['label_set']}:\n\n" + "\n".join(lines)
    )


def _end_to_end(figures: dict[str, Any]) -> str:
    lines = [
        "### Whole photos from elsewhere",
        f"Detector ({figures['detector']}), crop and classifier together on {figures['images']} "
        f"photos in `{figures['photos']}`, one folder a class: "
        f"**{figures['accuracy']:.1%}** right, balanced {figures['balanced_accuracy']:.1%}; "
        f"a photo without a face found ({figures['no_face']:.1%}) counts as wrong.",
    ]
    answers = list(next(iter(figures["confusion"].values())))
    lines.append(
        "| label | recall | " + " | ".join(answers) + " |\n|---|---:|" + "---:|" * len(answers)
    )
    for name, row in figures["confusion"].items():
        cells = " | ".join(str(row[a]) for a in answers)
        lines[-1] += f"\n| {name} | {figures['per_class'][name]['recall']:.1%} | {cells} |"
    return "\n\n".join(lines)


def _training(checkpoint: Checkpoint) -> str:
    soup = checkpoint.training.get("soup")
    program = "train.py --data images --model " + checkpoint.model
    if soup:
        shares = ", ".join(f"{part['share']:.0%}" for part in soup)
        program = f"soup.py` averaged the weights of {len(soup)} networks ({shares}) of `train.py"
    versions = ", ".join(f"{name} {version}" for name, version in checkpoint.versions.items())
    text = f"## Training\n\n`python backend/{program}`, code revision "
    text += f"`{checkpoint.revision}`, {versions}."
    for part in soup or [{"training": checkpoint.training}]:
        config = {k: v for k, v in part["training"].items() if k not in _MACHINES_OWN}
        text += f"\n\n```yaml\n{yaml.safe_dump(config, sort_keys=False).strip()}\n```"
    return text
