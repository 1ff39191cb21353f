"""Every trained architecture, measured alike, beside what was published of it."""

import json
import time
from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np
import torch

from utils.errors import ConfigError, DataError
from utils.evaluation.evaluate import FERPLUS, FOLDER, Evaluation
from utils.model.architectures import count_multiply_adds, count_parameters
from utils.model.checkpoint import Checkpoint, epochs_in_all, load_checkpoint

# FER2013 test accuracies, in percent, that public projects give for the same kind of network.
PUBLISHED = {
    "attention_cnn": 65.9,
    "baseline_cnn": 65.7,
    "cbam_cnn": 62.2,
    "kernel_cnn": 59.7,
    "mini_xception": 66.0,
    "mobilenet_v3_large": 65.0,
    "se_resnet": 73.28,  # VGGNet of Khaireddin and Chen, 2021 (https://arxiv.org/abs/2105.03588)
    "simple_resnet": 53.1,
    "small_vit": 65.5,
    "vgg_cnn": 66.0,
    "vit": 65.5,
}
_RUNS = 60


def find_models(folder: Path) -> dict[str, Path]:
    """Return name to checkpoint for ``FOLDER/NAME/best_model.pth`` and ``FOLDER/NAME.pth``.

    Raises:
        ConfigError: The folder is missing.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; train with --out {folder}/NAME")
    found = {path.parent.name: path for path in sorted(folder.glob("*/best_model.pth"))}
    return found | {path.stem: path for path in sorted(folder.glob("*.pth"))}


def zoo_row(name: str, checkpoint: Checkpoint, evaluation: Evaluation) -> dict[str, Any]:
    """Return one architecture's figures.

    Args:
        name: What the table calls it.
        checkpoint: The model.
        evaluation: Its answers on the test split.

    Returns:
        ``accuracy``, ``accuracy_twin_free``, ``macro_f1`` and ``disgust_f1`` are the last head's
        against FER2013's labels; ``ferplus_accuracy`` and ``ece`` the first head's against the
        majority of FER+ (against FER2013's labels where there are no votes). ``teacher`` says
        whether it learned from another network's answers too.
    """
    spec = checkpoint.preprocessing
    network = checkpoint.build()
    own = evaluation.reports(checkpoint.heads[-1].name)[FOLDER]
    first = evaluation.reports(checkpoint.heads[0].name)
    history = checkpoint.training
    return {
        "name": name,
        "model": checkpoint.model,
        "parameters": count_parameters(network),
        "multiply_adds": count_multiply_adds(network, spec.input_size, in_channels=spec.channels),
        "input_size": spec.input_size,
        "epochs": epochs_in_all(history),
        "teacher": bool(history.get("distill")),
        "accuracy": own["accuracy"],
        "accuracy_twin_free": own.get("accuracy_twin_free"),
        "macro_f1": own["macro_f1"],
        "disgust_f1": own["per_class"].get("disgust", {}).get("f1"),
        "ferplus_accuracy": first.get(FERPLUS, {}).get("accuracy"),
        "ece": first.get(FERPLUS, own)["ece"],
        "ms": latency(checkpoint),
        "published": PUBLISHED.get(checkpoint.model),
        "revision": checkpoint.revision,
    }


@torch.inference_mode()
def latency(checkpoint: Checkpoint) -> float:
    """Return the median milliseconds for one face, by PyTorch on one thread of the CPU."""
    spec, threads = checkpoint.preprocessing, torch.get_num_threads()
    network = checkpoint.build().to(memory_format=torch.channels_last)
    face = torch.zeros(1, spec.channels, spec.input_size, spec.input_size)
    torch.set_num_threads(1)
    try:
        seconds = []
        for _ in range(_RUNS):
            began = time.perf_counter()
            network(face)
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return 1000 * float(np.median(seconds[_RUNS // 4 :]))


def merge_results(path: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add rows to earlier results, replacing those of the same name, and write them.

    The weights of large models are not committed; their rows stay from the last time they were
    measured.

    Raises:
        DataError: The earlier results are damaged.
    """
    earlier: list[dict[str, Any]] = []
    if path.is_file():
        try:
            earlier = json.loads(path.read_text("utf-8"))
            zoo_table(earlier)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: damaged ({error!r}); remove it to measure anew") from error
    names = {row["name"] for row in rows}
    merged = sorted(
        [row for row in earlier if row["name"] not in names] + rows,
        key=lambda row: -row["accuracy"],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(merged, indent=1) + "\n", "utf-8")
    return merged


def zoo_table(rows: list[dict[str, Any]], measured: Container[str] | None = None) -> str:
    """Return the rows as a Markdown table.

    Args:
        rows: Of ``zoo_row``.
        measured: Names whose figures are new; the others are marked as remembered. None: all.
    """
    lines = [
        "| architecture | parameters | mult-adds | epochs | FER2013 test | without twins "
        "| published | macro F1 | disgust F1 | FER+ test | ECE | ms a face |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    remembered = [r["name"] for r in rows if measured is not None and r["name"] not in measured]
    for row in rows:
        mark = (" †" if row.get("teacher") else "") + (" *" if row["name"] in remembered else "")
        published = f"{row['published']:.1f}%" if row["published"] else "–"
        lines.append(
            f"| {row['name']}{mark} | {row['parameters'] / 1e6:.2f} M "
            f"| {row['multiply_adds'] / 1e6:,.0f} M | {row['epochs'] or '–'} "
            f"| {_percent(row['accuracy'])} | {_percent(row['accuracy_twin_free'])} "
            f"| {published} | {row['macro_f1']:.3f} | {_percent(row['disgust_f1'])} "
            f"| {_percent(row['ferplus_accuracy'])} | {_percent(row['ece'])} | {row['ms']:.1f} |"
        )
    if any(row.get("teacher") for row in rows):
        lines += ["", "† learned from another network's answers too (`--distill`)."]
    if remembered:
        lines += ["", "\\* measured earlier; the weights are not in the folder."]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def load_models(folder: Path) -> dict[str, Checkpoint]:
    """Read every checkpoint of a folder.

    Raises:
        CheckpointError: One of them can't be read.
        ConfigError: The folder is missing or holds none.
    """
    found = {name: load_checkpoint(path) for name, path in find_models(folder).items()}
    if not found:
        raise ConfigError(f"{folder}: no NAME/best_model.pth or NAME.pth in it")
    return found
