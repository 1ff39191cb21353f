"""Fine-tuning of pretrained architectures, here with random weights: nothing is downloaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from faces_data import make_face_folder

from utils.errors import ConfigError
from utils.model.architectures import build_model
from utils.model.checkpoint import load_checkpoint
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.training.config import ScheduleConfig, TrainConfig
from utils.training.data import Splits
from utils.training.optimization import build_optimizer
from utils.training.trainer import Trainer

# Architecture to its arguments, its first layer, a layer of its last group, its last layer.
ARCHITECTURES = {
    "efficientnet_lite0": ({}, "stem.0.weight", "head.0.weight", "fc.weight"),
    "mobilenet_v3_large": (
        {}, "features.0.0.weight", "features.16.0.weight", "classifier.3.weight",
    ),
    "vit": (
        {"depth": 2}, "network.conv_proj.weight",
        "network.encoder.layers.encoder_layer_1.mlp.0.weight", "network.heads.weight",
    ),
}  # fmt: skip


def fine_tune(tmp_path: Path, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the weights before and after training."""
    data = tmp_path / "data"
    if not data.is_dir():
        make_face_folder(data, sizes={"train": 8, "validation": 2})
    spec = Preprocessing(input_size=32, color="rgb")
    splits = Splits(
        load_split(data, "train", preprocessing=spec),
        load_split(data, "validation", preprocessing=spec),
    )
    flat = {
        "input_size": 32, "color": "rgb", "batch_size": 24, "lr": 0.01, "schedule": "constant",
    }  # fmt: skip
    config = TrainConfig.from_flat(flat | options)
    trainer = Trainer(config, splits, out=tmp_path, show_progress=False)
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    trainer.fit()
    return before, trainer.network.state_dict()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ARCHITECTURES))
@pytest.mark.parametrize(
    ("epochs", "most", "trained"), [(1, None, [2]), (2, None, [1, 2]), (9, 1, [1, 2])]
)
def test_layers_unfreeze_from_the_last_one_back(
    tmp_path: Path, name: str, epochs: int, most: int | None, trained: list[int]
) -> None:
    args, *layers = ARCHITECTURES[name]
    before, after = fine_tune(
        tmp_path, model=name, model_args=args, epochs=epochs, patience=0, unfreeze_every=1,
        unfreeze_groups=most,
    )  # fmt: skip
    changed = [i for i, layer in enumerate(layers) if not torch.equal(before[layer], after[layer])]
    assert changed == trained


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_all_layers_train_in_the_end(tmp_path: Path, name: str) -> None:
    args, first, *_ = ARCHITECTURES[name]
    before, after = fine_tune(
        tmp_path, model=name, model_args=args, epochs=9, patience=0, unfreeze_every=1
    )
    assert not torch.equal(before[first], after[first])


def test_earlier_groups_learn_more_slowly() -> None:
    network = build_model("face_resnet", input_size=31, last_strides=[1, 1])
    config = ScheduleConfig(lr=0.01, layer_decay=0.5, optimizer="sgd")
    optimizer = build_optimizer(network, config)
    rate = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert len(rate) == len(list(network.parameters()))
    assert rate[id(network.get_parameter("fc.weight"))] == 0.01
    assert rate[id(network.get_parameter("blocks.13.conv1.weight"))] == 0.005
    assert rate[id(network.get_parameter("stem.0.weight"))] == pytest.approx(0.01 / 2**6)
    vit = build_model("vit", input_size=32, depth=2)
    rates = build_optimizer(vit, config).param_groups
    assert sum(len(group["params"]) for group in rates) == len(list(vit.parameters()))


def test_only_networks_with_groups_have_layer_decay(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="layer_decay: se_resnet"):
        fine_tune(tmp_path, model="se_resnet", layer_decay=0.5)


def test_training_starts_from_face_recognition_and_says_so(tmp_path: Path) -> None:
    options = {"model": "face_resnet", "model_args": {"last_strides": [1, 1]}, "epochs": 1}
    _, random = fine_tune(tmp_path, **options, lr=1e-6)
    before, after = fine_tune(tmp_path, **options, pretrained="dlib", lr=1e-6)
    layer = "blocks.3.conv1.weight"
    assert (
        (before[layer] - after[layer]).abs().max()
        < 1e-3
        < (random[layer] - after[layer]).abs().max()
    )
    training = load_checkpoint(tmp_path / "best_model.pth").training
    assert training["pretrained"] == "dlib"
    assert training["initial_weights"]["licence"] == "CC0-1.0"
    next_options = options | {"pretrained": str(tmp_path / "best_model.pth")}
    fine_tune(tmp_path, **next_options)
    training = load_checkpoint(tmp_path / "best_model.pth").training
    assert (training["epochs_before"], training["initial_weights"]["licence"]) == (1, "CC0-1.0")


def test_only_fine_tuned_architectures_freeze(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unfreeze_every: se_resnet"):
        fine_tune(tmp_path, model="se_resnet", unfreeze_every=2)
