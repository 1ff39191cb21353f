"""The end of a training run: calibrate the kept checkpoint, measure it, write the report."""

import csv
from pathlib import Path

from utils.evaluation.calibration import calibrate
from utils.evaluation.plots.curves import save_curves
from utils.evaluation.plots.heads import save_figures
from utils.evaluation.results import Metrics
from utils.evaluation.split import predict_split
from utils.evaluation.tables import per_class_table
from utils.files import write_file
from utils.model.checkpoint import Checkpoint, save_checkpoint
from utils.model.spec import LabelSet
from utils.processing.dataset import FaceDataset, load_split
from utils.training.history import TrainingHistory
from utils.training.trainer import BEST


def finish(
    checkpoint: Checkpoint,
    validation: FaceDataset,
    *,
    out: Path,
    history: TrainingHistory | None = None,
    train: FaceDataset | None = None,
) -> None:
    """Calibrate and measure the checkpoint of a run, and write the report.

    Writes the completed ``best_model.pth``, ``history.csv``, ``curves.png``, a confusion matrix and
    a reliability diagram for each head, and ``report.md``.

    Args:
        checkpoint: The kept epoch; gets its calibration, metrics and data fingerprint.
        validation: Images that temperature, prior correction and threshold are fitted on.
        out: Run folder.
        history: The epochs; None for a checkpoint averaged from others.
        train: The training images; None for a checkpoint averaged from others.

    Raises:
        CheckpointError: The weights do not fit the architecture.
        DataError: The test split is malformed.
    """
    calibrate(checkpoint, validation, mixture=checkpoint.training.get("calibration_mixture", 0.0))
    if train is not None:
        checkpoint.data["fingerprint"] = train.fingerprint()
    data = Path(checkpoint.training["data"])
    splits = {"validation": validation}
    if (data / "test").is_dir():
        splits["test"] = load_split(
            data, "test", preprocessing=validation.preprocessing, classes=validation.classes
        )
    for name, dataset in splits.items():
        predictions = predict_split(checkpoint, dataset)
        checkpoint.metrics[name] = predictions.metrics_document(checkpoint.heads)
        for head in checkpoint.heads:
            save_figures(predictions, head, model=checkpoint.model, split=name, out=out)
    save_checkpoint(checkpoint, out / BEST)
    if history is not None:
        save_curves(history.rows(), out / "curves.png", kept=history.best_epoch)
        _write_rows(history.rows(), out / "history.csv")
    write_file(out / "report.md", _markdown(checkpoint, history).encode())


def _write_rows(rows: list[dict[str, float]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _markdown(checkpoint: Checkpoint, history: TrainingHistory | None) -> str:
    parts = [f"# {checkpoint.model}"]
    if history is not None:
        minutes = sum(result.seconds for result in history.epochs) / 60
        parts += [
            f"{len(history.epochs)} epochs, epoch {history.best_epoch} was kept; "
            f"{minutes:.0f} minutes, {history.images_per_second():.0f} images/s.",
            "![curves](curves.png)",
        ]
    parts += [
        f"Head {head.name}: trained on {head.label_set}; temperature {head.temperature:.3f}, "
        f"prior correction {head.prior_correction:.1f}, uncertain below {head.threshold:.2f} (all "
        "from the validation split)."
        for head in checkpoint.heads
    ]
    for split, heads in checkpoint.metrics.items():
        for name, sets in heads.items():
            target = checkpoint.head(name).role.target_label_set(sets)
            for label_set, document in sets.items():
                title = f"{split}, head {name}, {LabelSet(label_set).display_name}"
                parts.append(_section(title, Metrics.from_document(document)))
                if label_set == target:
                    parts.append(f"![confusion](confusion_{split}_{name}.png)")
    return "\n\n".join(parts) + "\n"


def _section(title: str, metrics: Metrics) -> str:
    return (
        f"## {title}\n\n"
        f"Accuracy {metrics.accuracy:.2%}, balanced {metrics.balanced_accuracy:.2%}, "
        f"macro F1 {metrics.macro_f1:.3f}, ECE {metrics.ece:.2%} "
        f"({metrics.images} images).\n\n{per_class_table(metrics)}"
    )
