"""Fine-tuning of pretrained architectures, here with random weights: nothing is downloaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from faces_data import make_face_folder

from utils.errors import ConfigError
from utils.model.preprocessing import Preprocessing
from utils.processing.dataset import load_split
from utils.training.config import TrainConfig
from utils.training.data import Splits
from utils.training.trainer import Trainer

# Architecture to its arguments, its first layer, a layer of its last group, its last layer.
ARCHITECTURES = {
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
        tmp_path, model=name, model_args=args, epochs=7, patience=0, unfreeze_every=1
    )
    assert not torch.equal(before[first], after[first])


def test_only_fine_tuned_architectures_freeze(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unfreeze_every: se_resnet"):
        fine_tune(tmp_path, model="se_resnet", unfreeze_every=2)
