"""The training loop: best checkpoint, history, resume."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from utils.devices import pick_device
from utils.errors import CheckpointError, ConfigError, DataError
from utils.evaluation.predict import predict_logits
from utils.model.architectures import FINE_TUNED, FULLY_CONVOLUTIONAL, build_model
from utils.model.checkpoint import (
    Checkpoint,
    code_revision,
    epochs_in_all,
    load_checkpoint,
    load_plain,
    save_atomically,
    save_checkpoint,
    start_from,
)
from utils.processing.dataset import FaceDataset
from utils.training.config import TrainConfig
from utils.training.loader import BatchLoader
from utils.training.losses import SoftTargetLoss, accuracies, build_loss, head_shares
from utils.training.optimization import Schedule, build_ema, build_optimizer
from utils.training.targets import build_heads, distilled_targets, label_targets

LAST, BEST = "last.pth", "best_model.pth"


@dataclass
class TrainingHistory:
    """Where a run stands.

    Attributes:
        history: One row an epoch: epoch, lr, losses, accuracies, seconds, images_per_second.
        best: Validation accuracy of the epoch that is kept.
        best_epoch: That epoch, counted from 1.
    """

    history: list[dict[str, float]]
    best: float = -1.0
    best_epoch: int = 0


class Trainer:
    """Trains one model on one split and keeps the best by validation accuracy.

    The accuracy that chooses is the heads' weighted mean, measured against the most probable class
    of the validation targets, which are blended like the training targets. Each epoch draws its
    randomness from the seed and its number alone, so a resumed run ends like an uninterrupted one.

    Args:
        config: What to do.
        train: Training images.
        validation: Validation images with the same classes.
        out: Run folder for ``last.pth`` and ``best_model.pth``.
        show_progress: Draw progress bars on standard error.

    Raises:
        CheckpointError: A checkpoint to begin with or to learn from can't be used.
        ConfigError: The model or device can't be had.
        DataError: There are too few images, or FER+ votes are asked for but missing.
    """

    def __init__(
        self,
        config: TrainConfig,
        train: FaceDataset,
        validation: FaceDataset,
        out: Path,
        show_progress: bool = True,
    ) -> None:
        if len(train) < config.batch_size:
            raise DataError(
                f"{len(train)} training images are fewer than one batch of {config.batch_size}; "
                "choose a smaller --batch-size"
            )
        if config.unfreeze_every and config.model not in FINE_TUNED:
            raise ConfigError(
                f"unfreeze_every: {config.model} has no groups of layers to freeze; set it to 0"
            )
        if config.progressive_epochs and config.model not in FULLY_CONVOLUTIONAL:
            raise ConfigError(
                f"progressive_epochs: {config.model} takes one input size only; set it to 0"
            )
        torch.manual_seed(config.seed)
        self.config, self.train, self.validation, self.out = config, train, validation, out
        self.show_progress = show_progress
        self.device = pick_device(config.device)
        self.heads = build_heads(config)
        self.model_args = model_args(config, len(self.heads) * len(train.classes))
        network = build_model(config.model, **self.model_args)
        self.epochs_before = 0
        if config.init:
            initial = load_checkpoint(config.init)
            start_from(network, initial, config.init)
            self.epochs_before = epochs_in_all(initial.training)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = build_ema(self.network, config.ema)
        self.forward: Callable[[Tensor], Tensor] = (
            torch.compile(self.network) if config.compile else self.network
        )
        self.optimizer = build_optimizer(self.network, config)
        self.steps = len(train) // config.batch_size
        self.schedule = Schedule(self.optimizer, config, self.steps)
        self.scaler = torch.amp.GradScaler(
            self.device.type, enabled=config.precision == "fp16" and self.device.type == "cuda"
        )
        labels = label_targets(config, train)
        self.prior = labels.mean(0).split(len(train.classes))
        targets = distilled_targets(config, train, labels, self.device)
        self.batches = BatchLoader(config, train, targets, self.device)
        self.validation_targets = label_targets(config, validation)
        self.loss = build_loss(config, targets, len(train.classes)).to(self.device)
        self.progress = TrainingHistory([])
        self.revision = code_revision()  # of the code as it was loaded

    def fit(self) -> TrainingHistory:
        """Train until the last epoch or until patience ends; return the history.

        ``last.pth`` is written after every epoch, ``best_model.pth`` at every better accuracy (or
        always, if the last epoch is to be kept).
        """
        while self._goes_on():
            epoch = len(self.progress.history) + 1
            row = self._epoch(epoch)
            self.schedule.after_epoch(row["validation_accuracy"])
            self.progress.history.append(row)
            if self.config.keep == "last" or row["validation_accuracy"] > self.progress.best:
                self.progress.best, self.progress.best_epoch = row["validation_accuracy"], epoch
                save_checkpoint(self.checkpoint(), self.out / BEST)
            self._save_last()
        return self.progress

    def resume(self) -> None:
        """Continue after the last finished epoch of the run folder.

        Raises:
            CheckpointError: ``last.pth`` is missing, damaged or of another model.
        """
        path = self.out / LAST
        state = load_plain(path)
        try:
            self.network.load_state_dict(state["network"])
            if self.ema:
                self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            self.scaler.load_state_dict(state["scaler"])
            self.progress = TrainingHistory(**state["progress"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path}: not the state of this run: {error}") from error

    def checkpoint(self) -> Checkpoint:
        """Return the current weights (their average if EMA is on) as a checkpoint."""
        source = self.ema.module if self.ema else self.network
        state = {k: v.detach().cpu().contiguous() for k, v in source.state_dict().items()}
        return Checkpoint(
            model=self.config.model,
            model_args=self.model_args,
            classes=self.train.classes,
            preprocessing=self.train.preprocessing,
            state_dict=state,
            heads=tuple(
                replace(head, prior=tuple(round(p, 5) for p in prior.tolist()))
                for head, prior in zip(self.heads, self.prior, strict=True)
            ),
            training=self.config.model_dump(mode="json") | {"epochs_before": self.epochs_before},
            data={"train": self.train.counts(), "validation": self.validation.counts()},
            revision=self.revision,
        )

    def _goes_on(self) -> bool:
        done = len(self.progress.history)
        waited = done - self.progress.best_epoch
        return done < self.config.epochs and not 0 < self.config.patience <= waited

    def _epoch(self, epoch: int) -> dict[str, float]:
        torch.manual_seed(self.config.seed * 100_003 + epoch)
        started = time.perf_counter()
        lr = self.optimizer.param_groups[0]["lr"]
        self._unfreeze(epoch)
        self.network.train()
        losses, hits = 0.0, 0.0
        with tqdm(
            total=self.steps,
            desc=f"epoch {epoch}/{self.config.epochs}",
            disable=not self.show_progress,
            unit="batch",
            mininterval=1.0,
        ) as bar:
            for step, (images, targets) in enumerate(self.batches.epoch(epoch), 1):
                loss, hit = self._step(images, targets)
                losses, hits = losses + loss, hits + hit
                bar.update()
                bar.set_postfix(
                    loss=f"{losses / step:.3f}", acc=f"{hits / step:.1%}", refresh=False
                )
            seconds = time.perf_counter() - started
            validation_loss, validation_accuracy = self._validate()
            bar.set_postfix(
                loss=f"{losses / self.steps:.3f}",
                acc=f"{hits / self.steps:.1%}",
                val_loss=f"{validation_loss:.3f}",
                val_acc=f"{validation_accuracy:.1%}",
            )
        return {
            "epoch": epoch,
            "lr": lr,
            "train_loss": losses / self.steps,
            "train_accuracy": hits / self.steps,
            "validation_loss": validation_loss,
            "validation_accuracy": validation_accuracy,
            "seconds": seconds,
            "images_per_second": self.steps * self.config.batch_size / seconds,
        }

    def _step(self, images: Tensor, targets: Tensor) -> tuple[float, float]:
        with autocast(self.device, self.config.precision):
            logits = self.forward(images)
        loss = self.loss(logits, targets)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.after_step()
        if self.ema:
            self.ema.update_parameters(self.network)
        return loss.item(), self._accuracy(logits, targets)

    def _accuracy(self, logits: Tensor, targets: Tensor) -> float:
        """Return the accuracy, the mean of the heads' weighted by their shares."""
        heads = accuracies(logits, targets, len(self.train.classes))
        return float((heads.cpu() * torch.tensor(head_shares(self.config))).sum())

    def _validate(self) -> tuple[float, float]:
        network = self.ema.module if self.ema else self.network
        logits = predict_logits(network, self.validation, device=self.device)
        plain = SoftTargetLoss(len(self.train.classes), head_shares(self.config))
        loss = plain(logits, self.validation_targets).item()
        return loss, self._accuracy(logits, self.validation_targets)

    def _unfreeze(self, epoch: int) -> None:
        """Let one more group of a pretrained model's layers train every few epochs."""
        if not self.config.unfreeze_every:
            return
        groups = (epoch - 1) // self.config.unfreeze_every
        most = self.config.unfreeze_groups
        self.network.freeze_backbone(groups if most is None else min(groups, most))

    def _save_last(self) -> None:
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "ema": self.ema.state_dict() if self.ema else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "progress": vars(self.progress),
        }
        save_atomically(state, self.out / LAST)


def model_args(config: TrainConfig, outputs: int) -> dict[str, Any]:
    """Return the arguments of the architecture that a configuration asks for."""
    return {
        "num_classes": outputs,
        "input_size": config.input_size,
        "in_channels": 1 if config.color == "grey" else 3,
    } | config.model_args


def autocast(device: torch.device, precision: str) -> Any:
    """Return the autocast context of a precision name; fp32 has none."""
    if precision == "fp32":
        return nullcontext()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device.type, dtype)
