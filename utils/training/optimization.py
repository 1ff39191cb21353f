"""Optimisers, learning-rate schedules and the weight average, by configuration."""

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from utils.training.config import TrainConfig


def build_optimizer(network: nn.Module, config: TrainConfig) -> Optimizer:
    """Return the optimiser; weight decay leaves out biases and BatchNorm."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    return (Adam if config.optimizer == "adam" else AdamW)(groups, lr=config.lr)


class Schedule:
    """The learning rate over time: some schedules move with every step, one with every epoch."""

    def __init__(self, optimizer: Optimizer, config: TrainConfig, steps_per_epoch: int) -> None:
        total = config.epochs * steps_per_epoch
        warmup = min(int(config.warmup_epochs * steps_per_epoch), total - 1)
        self._plateau: lr_scheduler.ReduceLROnPlateau | None = None
        self._steps: lr_scheduler.LRScheduler | None = None
        if config.schedule == "plateau":
            self._plateau = lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="max", factor=0.5, patience=3
            )
        elif config.schedule == "onecycle":
            self._steps = lr_scheduler.OneCycleLR(optimizer, config.lr, total_steps=total + 1)
        else:
            self._steps = _warm(optimizer, config.schedule, warmup, total)

    def after_step(self) -> None:
        """Advance the schedules that move with every step."""
        if self._steps:
            self._steps.step()

    def after_epoch(self, accuracy: float) -> None:
        """Advance the schedule that watches the validation accuracy."""
        if self._plateau:
            self._plateau.step(accuracy)

    def state_dict(self) -> dict[str, object]:
        """Return the state for resuming."""
        return (self._plateau or self._steps).state_dict()  # type: ignore[union-attr]

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue from a saved state."""
        (self._plateau or self._steps).load_state_dict(state)  # type: ignore[union-attr]


def _warm(optimizer: Optimizer, kind: str, warmup: int, total: int) -> lr_scheduler.LRScheduler:
    main: lr_scheduler.LRScheduler
    if kind == "cosine":
        main = lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warmup + 1)
    else:
        main = lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if not warmup:
        return main
    ramp = lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=warmup)
    return lr_scheduler.SequentialLR(optimizer, [ramp, main], milestones=[warmup])


def build_ema(network: nn.Module, decay: float) -> AveragedModel | None:
    """Return an exponential moving average of the weights and BatchNorm statistics, or None."""
    if not decay:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
