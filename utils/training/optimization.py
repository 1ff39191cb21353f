"""Optimisers, learning-rate schedules and the averaged weights, by configuration."""

from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from utils.model.architectures import FineTunable
from utils.training.config import ScheduleConfig

_WARMUP_START = 0.01
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.5, 3


def build_optimizer(network: nn.Module, config: ScheduleConfig) -> Optimizer:
    """Return the optimiser; weight decay applies to neither biases nor BatchNorm.

    With layer-wise decay, each group of layers learns at a lower rate than the one after it, since
    what it does differs less from one task to another (Howard and Ruder, 2018,
    https://arxiv.org/abs/1801.06146).
    """
    groups = []
    for parameters, lr in _learning_rates(network, config):
        decayed = [p for p in parameters if p.ndim > 1]
        others = [p for p in parameters if p.ndim <= 1]
        groups += [
            {"params": decayed, "weight_decay": config.weight_decay, "lr": lr},
            {"params": others, "weight_decay": 0.0, "lr": lr},
        ]
    if config.optimizer == "sgd":
        return SGD(groups, lr=config.lr, momentum=0.9, nesterov=True)
    return (Adam if config.optimizer == "adam" else AdamW)(groups, lr=config.lr)


def _learning_rates(
    network: nn.Module, config: ScheduleConfig
) -> list[tuple[list[nn.Parameter], float]]:
    """Return groups of parameters, the last layer's first, with their peak learning rates."""
    if config.layer_decay == 1 or not isinstance(network, FineTunable):
        return [(list(network.parameters()), config.lr)]
    layers = [nn.ModuleList(group) for group in network.layer_groups()]
    grouped = {id(p) for group in layers for p in group.parameters()}
    rates = []
    for depth, group in enumerate(reversed(layers)):
        parameters = list(group.parameters())
        if depth == len(layers) - 1:
            parameters += [p for p in network.parameters() if id(p) not in grouped]
        rates.append((parameters, config.lr * config.layer_decay**depth))
    return rates


class LearningRateSchedule:
    """The learning rate over time; it changes after every step or after every epoch.

    Args:
        optimizer: Its learning rate is set.
        config: Kind of schedule, learning rate, warm-up and epochs.
        steps_per_epoch: Steps of the optimiser in one epoch.
    """

    def __init__(
        self, optimizer: Optimizer, config: ScheduleConfig, *, steps_per_epoch: int
    ) -> None:
        total = config.epochs * steps_per_epoch
        warmup = min(int(config.warmup_epochs * steps_per_epoch), total - 1)
        self._plateau: lr_scheduler.ReduceLROnPlateau | None = None
        self._steps: lr_scheduler.LRScheduler | None = None
        if config.lr_schedule == "plateau":
            self._plateau = lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="max", factor=_PLATEAU_FACTOR, patience=_PLATEAU_PATIENCE
            )
        elif config.lr_schedule == "onecycle":
            self._steps = lr_scheduler.OneCycleLR(
                optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=total + 1
            )
        else:
            main: lr_scheduler.LRScheduler
            if config.lr_schedule == "cosine":
                main = lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warmup + 1)
            else:
                main = lr_scheduler.ConstantLR(optimizer, factor=1.0)
            self._steps = _with_warmup(optimizer, main, warmup=warmup)

    def after_step(self) -> None:
        """Advance a schedule that changes after every step."""
        if self._steps:
            self._steps.step()

    def after_epoch(self, accuracy: float) -> None:
        """Advance a schedule that depends on the validation accuracy."""
        if self._plateau:
            self._plateau.step(accuracy)

    def state_dict(self) -> dict[str, object]:
        """Return the state for resuming."""
        return (self._plateau or self._steps).state_dict()  # type: ignore[union-attr]

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Continue from a saved state."""
        (self._plateau or self._steps).load_state_dict(state)  # type: ignore[union-attr]


def _with_warmup(
    optimizer: Optimizer, main: lr_scheduler.LRScheduler, *, warmup: int
) -> lr_scheduler.LRScheduler:
    """Return a schedule that rises linearly for so many steps before the main one."""
    if not warmup:
        return main
    ramp = lr_scheduler.LinearLR(optimizer, start_factor=_WARMUP_START, total_iters=warmup)
    return lr_scheduler.SequentialLR(optimizer, [ramp, main], milestones=[warmup])


def build_ema(network: nn.Module, decay: float) -> AveragedModel | None:
    """Return an exponential moving average of the weights and BatchNorm statistics.

    Args:
        network: The network to average.
        decay: Decay per step; 0 is off.

    Returns:
        The average, or None if it is off.
    """
    if not decay:
        return None
    ema = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=ema, use_buffers=True)
