"""The training loop: learn, validate, keep the best epoch, resume."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from utils.devices import pick_device
from utils.errors import CheckpointError
from utils.evaluation.predict import predict_logits
from utils.model.architectures import EmotionNetwork
from utils.model.checkpoint import Checkpoint, code_revision, save_checkpoint
from utils.model.plain_file import load_plain, save_atomically
from utils.processing.face_images import FaceImages
from utils.training.config import TrainConfig
from utils.training.data import Splits
from utils.training.history import EpochResult, TrainingHistory
from utils.training.learner import Learner
from utils.training.loader import BatchLoader
from utils.training.losses import SoftTargetLoss, build_loss, mean_accuracy
from utils.training.network import build_network, check_options, unfreeze_layers
from utils.training.targets import (
    build_heads,
    distilled_targets,
    head_shares,
    label_targets,
    unlabelled_targets,
    with_priors,
)

LAST, BEST = "last.pth", "best_model.pth"
# Far more than a run has epochs, so that no two epochs of different seeds share their randomness.
_SEED_STRIDE = 100_003


class Trainer:
    """Trains one model and keeps the epoch with the best validation accuracy.

    That accuracy is the mean over the heads, weighted by their share, against the most probable
    class of the validation targets, which are blended like the training targets. Each epoch draws
    its randomness from the seed and its own number only, so a resumed run ends like an
    uninterrupted one.

    Args:
        config: What to do.
        splits: Training and validation images, and those without labels.
        out: Run folder for ``last.pth`` and ``best_model.pth``.
        show_progress: Draw progress bars on standard error.

    Attributes:
        history: The finished epochs.

    Raises:
        CheckpointError: The initial checkpoint or a teacher can't be used.
        ConfigError: The model or the device is not available, or options contradict each other.
        DataError: There are fewer images than a batch needs, or FER+ votes are missing.
    """

    def __init__(
        self, config: TrainConfig, splits: Splits, *, out: Path, show_progress: bool = True
    ) -> None:
        check_options(config, images=len(splits.train))
        torch.manual_seed(config.execution.seed)
        self._config, self._splits, self._out = config, splits, out
        self._show_progress = show_progress
        self._device = pick_device(config.execution.device)
        self._num_classes = len(splits.train.classes)
        self._shares = head_shares(config.targets)
        heads = build_heads(config.targets)
        self._outputs = len(heads) * self._num_classes
        network, self._started = build_network(
            config.network, self._outputs, faces=splits.train, device=self._device
        )
        labels = label_targets(config.targets, splits.train)
        self._heads = with_priors(heads, labels)
        targets = distilled_targets(
            config.targets, splits.train, targets=labels, device=self._device
        )
        self._batches = self._build_batches(targets)
        self._learner = self._build_learner(network, targets)
        self._validation_targets = label_targets(config.targets, splits.validation)
        self.history = TrainingHistory()
        self._revision = code_revision()  # now, while it is that of the loaded code

    @property
    def network(self) -> EmotionNetwork:
        """The network being trained."""
        return self._learner.network

    def fit(self) -> TrainingHistory:
        """Train until the last epoch or until patience ends; return the history.

        ``last.pth`` is written after every epoch; ``best_model.pth`` after every epoch with a
        better accuracy, or after every epoch if the last one is to be kept.
        """
        while not self._is_finished():
            result = self._run_epoch(len(self.history.epochs) + 1)
            self._learner.after_epoch(result.validation_accuracy)
            keep = (
                self._config.schedule.keep == "last"
                or result.validation_accuracy > self.history.best_accuracy
            )
            self.history.add(result, keep=keep)
            if keep:
                save_checkpoint(self.checkpoint(), self._out / BEST)
            state = self._learner.state_dict() | {"progress": self.history.to_document()}
            save_atomically(state, self._out / LAST)
        return self.history

    def resume(self) -> None:
        """Continue after the last finished epoch of the run folder.

        Raises:
            CheckpointError: ``last.pth`` is missing, damaged or of another model.
        """
        path = self._out / LAST
        state = load_plain(path)
        try:
            self._learner.load_state_dict(state)
            self.history = TrainingHistory.from_document(state["progress"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path}: not the state of this run: {error}") from error

    def checkpoint(self) -> Checkpoint:
        """Return the current weights (their average if EMA is on) as a checkpoint."""
        state = self._learner.kept_network.state_dict()
        train, validation, unlabelled = self._splits
        data: dict[str, Any] = {"train": train.counts(), "validation": validation.counts()}
        if unlabelled is not None:
            data["unlabelled"] = len(unlabelled)
        return Checkpoint(
            model=self._config.network.model,
            model_args=self._config.network.build_args(self._outputs),
            classes=train.classes,
            preprocessing=train.preprocessing,
            state_dict={k: v.detach().cpu().contiguous() for k, v in state.items()},
            heads=self._heads,
            training=self._config.to_document() | self._started,
            data=data,
            revision=self._revision,
        )

    def _build_batches(self, targets: Tensor) -> BatchLoader:
        """Return the batches of the labelled images with these targets, and of the others."""
        train, _, unlabelled = self._splits
        images: list[FaceImages] = [train]
        if unlabelled is not None:
            images.append(unlabelled)
            further = unlabelled_targets(
                self._config.targets, unlabelled, classes=train.classes, device=self._device
            )
            targets = torch.cat([targets, further])
        return BatchLoader(
            images,
            targets,
            augmentation=self._config.augmentation,
            batch_size=self._config.schedule.batch_size,
            device=self._device,
        )

    def _build_learner(self, network: EmotionNetwork, targets: Tensor) -> Learner:
        loss = build_loss(
            self._config.loss, targets, num_classes=self._num_classes, shares=self._shares
        )
        return Learner(
            network,
            loss.to(self._device),
            schedule=self._config.schedule,
            execution=self._config.execution,
            steps_per_epoch=len(self._batches),
        )

    def _is_finished(self) -> bool:
        schedule, done = self._config.schedule, len(self.history.epochs)
        without_better = done - self.history.best_epoch
        return done >= schedule.epochs or 0 < schedule.patience <= without_better

    def _run_epoch(self, epoch: int) -> EpochResult:
        torch.manual_seed(self._config.execution.seed * _SEED_STRIDE + epoch)
        started = time.perf_counter()
        lr, steps = self._learner.lr, len(self._batches)
        unfreeze_layers(self.network, self._config.network, epoch=epoch)
        with tqdm(
            total=steps,
            desc=f"epoch {epoch}/{self._config.schedule.epochs}",
            disable=not self._show_progress,
            unit="batch",
            mininterval=1.0,
        ) as bar:
            loss, accuracy = self._train_epoch(epoch, bar)
            seconds = time.perf_counter() - started
            validation_loss, validation_accuracy = self._validate()
            bar.set_postfix(
                loss=f"{loss:.3f}",
                acc=f"{accuracy:.1%}",
                val_loss=f"{validation_loss:.3f}",
                val_acc=f"{validation_accuracy:.1%}",
            )
        return EpochResult(
            epoch=epoch,
            lr=lr,
            train_loss=loss,
            train_accuracy=accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            seconds=seconds,
            images_per_second=steps * self._config.schedule.batch_size / seconds,
        )

    def _train_epoch(self, epoch: int, bar: "tqdm[Any]") -> tuple[float, float]:
        """Learn from every batch once; return the mean loss and accuracy."""
        self.network.train()
        losses, accuracies, step = 0.0, 0.0, 0
        with closing(self._batches.epoch(epoch)) as batches:
            for step, (images, targets) in enumerate(batches, 1):
                loss, logits = self._learner.step(images, targets)
                losses += loss
                accuracies += self._accuracy(logits, targets)
                bar.update()
                bar.set_postfix(
                    loss=f"{losses / step:.3f}", acc=f"{accuracies / step:.1%}", refresh=False
                )
        return losses / step, accuracies / step

    def _validate(self) -> tuple[float, float]:
        """Return the cross-entropy and the accuracy on the validation split."""
        targets = self._validation_targets
        network = self._learner.kept_network
        logits = predict_logits(network, self._splits.validation, device=self._device)
        cross_entropy = SoftTargetLoss(self._num_classes, self._shares)
        return cross_entropy(logits, targets).item(), self._accuracy(logits, targets)

    def _accuracy(self, logits: Tensor, targets: Tensor) -> float:
        return mean_accuracy(logits, targets, num_classes=self._num_classes, shares=self._shares)
