"""A network being trained, and everything that changes with its weights."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from utils.model.architectures import EmotionNetwork
from utils.training.config import ExecutionConfig, ScheduleConfig
from utils.training.losses import SoftTargetLoss
from utils.training.optimization import LearningRateSchedule, build_ema, build_optimizer


class Learner:
    """Updates a network's weights batch by batch.

    Args:
        network: The network, on the device it is trained on.
        loss: The training loss, on the same device.
        schedule: Optimiser and learning rate.
        execution: Averaged weights, precision and compilation.
        steps_per_epoch: Batches per epoch.

    Attributes:
        network: The network.
    """

    def __init__(
        self,
        network: EmotionNetwork,
        loss: SoftTargetLoss,
        *,
        schedule: ScheduleConfig,
        execution: ExecutionConfig,
        steps_per_epoch: int,
    ) -> None:
        self.network = network
        self._loss = loss
        self._device = next(network.parameters()).device
        self._precision = execution.precision
        self._ema = build_ema(network, execution.ema)
        self._forward: Callable[[Tensor], Tensor] = (
            torch.compile(network) if execution.compile else network
        )
        self._optimizer = build_optimizer(network, schedule)
        self._schedule = LearningRateSchedule(
            self._optimizer, schedule, steps_per_epoch=steps_per_epoch
        )
        scaled = execution.precision == "fp16" and self._device.type == "cuda"
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=scaled)

    @property
    def kept_network(self) -> nn.Module:
        """The network whose weights are validated and saved: their average if EMA is on."""
        return self._ema.module if self._ema else self.network

    @property
    def lr(self) -> float:
        """The current learning rate."""
        lr: float = self._optimizer.param_groups[0]["lr"]
        return lr

    def step(self, images: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        """Update the weights by one batch; return its loss and logits.

        Args:
            images: Normalised float32 ``(B, C, S, S)``.
            targets: float32 ``(B, H * K)``.
        """
        with _autocast(self._device, self._precision):
            logits = self._forward(images)
        loss = self._loss(logits, targets)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._schedule.after_step()
        if self._ema:
            self._ema.update_parameters(self.network)
        return loss.item(), logits

    def after_epoch(self, accuracy: float) -> None:
        """Adapt the learning rate to the validation accuracy, if the schedule does."""
        self._schedule.after_epoch(accuracy)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for resuming."""
        return {
            "network": self.network.state_dict(),
            "ema": self._ema.state_dict() if self._ema else None,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: The state is of another network.
        """
        self.network.load_state_dict(state["network"])
        if self._ema:
            self._ema.load_state_dict(state["ema"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._scaler.load_state_dict(state["scaler"])


def _autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return the autocast context of a precision; fp32 has none."""
    if precision == "fp32":
        return nullcontext()
    dtype = torch.bfloat16 if precision == "bf16" else torch.float16
    return torch.autocast(device.type, dtype)
