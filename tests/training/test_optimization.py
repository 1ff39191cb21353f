"""Optimisers and learning-rate schedules do what their names say."""

from typing import Any

import pytest
import torch
from torch import nn

from utils.devices import pick_device
from utils.training.optimization import LearningRateSchedule, build_ema, build_optimizer
from utils.training.recipes import load_config


def rates(**options: Any) -> list[float]:
    """Return the learning rate at each of 10 epochs of 10 steps."""
    flat = {"epochs": 10, "lr": 0.1, "progressive_epochs": 0} | options
    config = load_config(None, flat).schedule
    optimizer = build_optimizer(nn.Linear(2, 2), config)
    schedule = LearningRateSchedule(optimizer, config, steps_per_epoch=10)
    rates_by_epoch = []
    for _ in range(10):
        rates_by_epoch.append(optimizer.param_groups[0]["lr"])
        for _ in range(10):
            optimizer.step()
            schedule.after_step()
        schedule.after_epoch(accuracy=0.5)
    return rates_by_epoch


def test_cosine_warms_up_and_falls_to_zero() -> None:
    rates_by_epoch = rates(schedule="cosine", warmup_epochs=2)
    assert rates_by_epoch[0] == pytest.approx(0.001)
    assert rates_by_epoch[2] == pytest.approx(0.1)
    assert rates_by_epoch[2:] == sorted(rates_by_epoch[2:], reverse=True)
    assert rates_by_epoch[-1] < 0.01


def test_onecycle_rises_and_falls() -> None:
    rates_by_epoch = rates(schedule="onecycle")
    assert max(rates_by_epoch) == pytest.approx(0.1, rel=0.01)
    assert rates_by_epoch[0] < 0.01
    assert 1 <= rates_by_epoch.index(max(rates_by_epoch)) <= 4


def test_plateau_halves_without_progress() -> None:
    rates_by_epoch = rates(schedule="plateau")
    assert rates_by_epoch[:5] == [0.1] * 5
    assert rates_by_epoch[5] == pytest.approx(0.05)


def test_constant_stays() -> None:
    assert rates(schedule="constant", warmup_epochs=0) == [0.1] * 10


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)],
)
def test_optimizers_spare_biases_the_weight_decay(name: str, kind: type) -> None:
    network = nn.Linear(3, 2)
    config = load_config(None, {"optimizer": name, "weight_decay": 0.1}).schedule
    optimizer = build_optimizer(network, config)
    assert type(optimizer) is kind
    decayed, spared = optimizer.param_groups
    assert decayed["weight_decay"] == 0.1
    assert spared["weight_decay"] == 0
    assert spared["params"][0] is network.bias
    if name == "sgd":
        assert decayed["nesterov"]


def test_ema_follows_slowly() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    ema = build_ema(network, 0.9)
    assert ema is not None
    ema.update_parameters(network)
    nn.init.ones_(network.weight)
    ema.update_parameters(network)
    assert ema.module.weight.item() == pytest.approx(0.1)
    assert build_ema(network, 0) is None


def test_auto_always_finds_a_device() -> None:
    assert pick_device("auto").type in ("cpu", "cuda", "mps")
    assert pick_device("cpu").type == "cpu"
