"""The model card: what a user should know before trusting the model, from measured figures."""

from pathlib import Path
from typing import Any

import yaml

from utils.checkpoint import Checkpoint
from utils.evaluation import LABEL_SETS
from utils.models import count_parameters
from utils.report import per_class_table

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


def write_card(
    checkpoint: Checkpoint,
    result: dict[str, Any],
    validation: dict[str, dict[str, Any]],
    path: Path,
    command: str,
) -> None:
    """Write a model card in Markdown.

    Args:
        checkpoint: The model.
        result: The document of ``backend/evaluate.py`` for the test split, with ``end_to_end`` if
            photos were measured.
        validation: The figures of each label set on the validation split.
        path: The Markdown file; the pictures lie beside it.
        command: The command that printed the figures.
    """
    parts = [
        f"# Model card: {checkpoint.model}",
        _summary(checkpoint, result),
        _data(checkpoint),
        "## Accuracy",
        f"Printed by `{command}`. The best epoch, the temperature and the threshold were chosen on "
        "the validation split; the test split was only measured. *Without twins* leaves out the "
        "images that have a near-identical copy (root-mean-square difference below 3 grey levels) "
        "among the training images." + _agreement(result),
        _accuracy_table(result, validation),
    ]
    for name in ("ferplus", "folder"):
        figures = result if name == "folder" else result.get(name)
        if figures:
            parts += [
                f"### {result['split']} split, {LABEL_SETS[name]}",
                per_class_table(figures),
                f"![confusion matrix](confusion_{result['split']}_{checkpoint.heads[0].name}.png)",
            ]
    parts += [
        f"![reliability diagram](reliability_{result['split']}_{checkpoint.heads[0].name}.png)"
    ]
    if "end_to_end" in result:
        parts += [_end_to_end(result["end_to_end"])]
    parts += [_USE, _training(checkpoint)]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _summary(checkpoint: Checkpoint, result: dict[str, Any]) -> str:
    spec, head = checkpoint.preprocessing, checkpoint.heads[0]
    parameters = count_parameters(checkpoint.build())
    return (
        f"A network of {parameters / 1e6:.1f} M parameters for {spec.input_size}x"
        f"{spec.input_size} {spec.color} faces; classes in order: {', '.join(checkpoint.classes)}. "
        f"Trained on {head.label_set}. Probabilities are calibrated with temperature "
        f"{head.temperature:.3f}; an answer below {head.threshold:.2f} is marked "
        "`uncertain` (the least certain tenth of the validation images)."
    )


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


def _accuracy_table(result: dict[str, Any], validation: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| labels | split | accuracy | without twins | balanced | macro F1 | ECE | images |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in ("ferplus", "folder"):
        test = result if name == "folder" else result.get(name)
        for split, figures in (("validation", validation.get(name)), (result["split"], test)):
            if figures:
                lines.append(_accuracy_row(LABEL_SETS[name], split, figures))
    return "\n".join(lines)


def _accuracy_row(labels: str, split: str, figures: dict[str, Any]) -> str:
    twin_free = figures.get("accuracy_twin_free")
    return (
        f"| {labels} | {split} | {figures['accuracy']:.1%} "
        f"| {f'{twin_free:.1%}' if twin_free is not None else '–'} "
        f"| {figures['balanced_accuracy']:.1%} | {figures['macro_f1']:.3f} "
        f"| {figures['ece']:.1%} | {figures['images']} |"
    )


def _end_to_end(figures: dict[str, Any]) -> str:
    lines = [
        "### Whole photos from elsewhere",
        f"Detector ({figures['detector']}), crop and classifier together on {figures['images']} "
        f"photos in `{figures['photos']}`, one folder a class: "
        f"**{figures['accuracy']:.1%}** right, balanced {figures['balanced_accuracy']:.1%}; "
        f"a photo without a face found ({figures['no_face']:.1%}) counts as wrong. The bundled "
        "model is measured on 600 photos that are not from FER2013, a sample of "
        "`muxspace/facial_expressions` on GitHub, labelled by other people.",
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
    config = {k: v for k, v in checkpoint.training.items() if k not in ("data", "out", "device")}
    recipe = yaml.safe_dump(config, sort_keys=False).strip()
    versions = ", ".join(f"{name} {version}" for name, version in checkpoint.versions.items())
    return (
        "## Training\n\n"
        f"`python backend/train.py --data images --model {checkpoint.model}`, code revision "
        f"`{checkpoint.revision}`, {versions}.\n\n```yaml\n{recipe}\n```"
    )
