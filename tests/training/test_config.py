"""The configuration: recipe, then file, then flags; mistakes are named."""

from pathlib import Path

import pytest

from utils.errors import ConfigError
from utils.model.architectures import list_models
from utils.paths import RECIPES
from utils.training.config import TrainConfig, list_options
from utils.training.recipes import load_config


def test_flags_win_over_the_file_and_the_file_over_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("model: emotion_cnn\nepochs: 7\nlr: 0.5\n")
    config = load_config(file, {"lr": "0.25"})
    schedule = config.schedule
    assert (schedule.lr, schedule.epochs, schedule.batch_size) == (0.25, 7, 32)
    assert config.network.input_size == 224


def test_emotion_cnn_defaults_to_fifty_epochs_of_batches_of_32() -> None:
    config = load_config(None, {"model": "emotion_cnn"})
    assert (config.schedule.epochs, config.schedule.batch_size) == (50, 32)
    assert config.network.input_size == 224


@pytest.mark.parametrize("model", list_models())
def test_every_architecture_has_a_recipe_of_its_own(model: str) -> None:
    assert (RECIPES / f"{model}.yaml").is_file()
    assert load_config(None, {"model": model}).network.model == model


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning_rate: 0.1", ["learning_rate", "unknown key", "lr"]),
        ("epochs: many", ["epochs", "many"]),
        ("mixup: -1", ["mixup", "-1"]),
        ("optimizer: lion", ["optimizer", "lion", "sgd"]),
        ("model: resnet9000", ["resnet9000", "se_resnet"]),
        ("- a\n- b", ["key: value"]),
        ("a: [1", ["not valid YAML"]),
        ("lr: 2001-99-99", ["not valid YAML", "month"]),
        ("lr: !!timestamp 1", ["not valid YAML"]),
        ("lr: !!bool x", ["not valid YAML"]),
        ("lr: 0x_", ["not valid YAML"]),
        ("lr: " + "9" * 5000, ["not valid YAML", "digits"]),
        ("lr: " + "[" * 5000, ["not valid YAML", "recursion"]),
        ("lr: .inf", ["lr", "finite"]),
        ("model_args: &a {x: *a}", ["model_args"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(file, {})
    for part in expected:
        assert part in str(error.value)


def test_the_document_is_flat_and_in_the_order_of_the_options() -> None:
    document = TrainConfig().to_document()
    # fmt: off
    assert list(document) == [
        "data", "model", "model_args", "pretrained", "unfreeze_every", "unfreeze_groups",
        "input_size", "color", "epochs", "batch_size", "optimizer", "lr", "layer_decay",
        "weight_decay", "schedule", "warmup_epochs", "patience", "keep", "loss", "focal_gamma",
        "noise_q", "label_smoothing", "class_weights", "ferplus_weight",
        "benchmark_head", "benchmark_share", "distill",
        "distill_weight", "unlabelled", "mixup", "cutmix", "augmentation", "progressive_size",
        "progressive_epochs", "ema", "precision", "device", "compile", "cache_gb", "seed",
        "calibration_mixture", "out",
    ]
    # fmt: on
    assert [option.key for option in list_options()] == list(document)


def test_former_keys_are_understood() -> None:
    assert TrainConfig.from_flat({"init": "a.pth"}).network.pretrained == "a.pth"


def test_the_document_comes_back() -> None:
    values = {
        "model_args": {"stem": 8, "channels": [16, 32]},
        "schedule": "cosine",
        "loss": "focal",
        "augmentation": "full",
        "distill": "a.pth,b.pth",
        "out": "runs/x",
        "lr": "0.25",
    }
    config = TrainConfig.from_flat(values)
    assert (config.schedule.lr_schedule, config.loss.kind) == ("cosine", "focal")
    assert config.augmentation.preset == "full"
    assert config.targets.distill == (Path("a.pth"), Path("b.pth"))
    assert TrainConfig.from_flat(config.to_document()) == config
    document = config.to_document()
    assert document["distill"] == ["a.pth", "b.pth"]
    assert (document["out"], document["lr"]) == ("runs/x", 0.25)
    assert config.with_changes(epochs=3).to_document() == document | {"epochs": 3}


def test_every_mistake_is_named_by_its_flat_key() -> None:
    with pytest.raises(ConfigError) as error:
        TrainConfig.from_flat({"schedule": "never", "epochs": 0, "distill": [1]})
    for text in ("schedule = 'never'", "epochs = 0", "distill.0 = 1"):
        assert text in str(error.value)


def test_images_without_labels_need_teachers() -> None:
    with pytest.raises(ConfigError, match=r"unlabelled = 'faces'.*distill"):
        TrainConfig.from_flat({"unlabelled": "faces"})
    config = TrainConfig.from_flat({"unlabelled": "faces", "distill": "a.pth"})
    assert config.targets.unlabelled == Path("faces")


def test_a_binary_file_is_no_configuration(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(file, {})


def test_a_recipe_wants_votes_only_where_there_are_some(tmp_path: Path) -> None:
    def weight(**options: float) -> float:
        return load_config(None, {"data": tmp_path} | options).targets.ferplus_weight

    assert weight() == 0
    assert weight(ferplus_weight=0.5) == 0.5
    (tmp_path / "ferplus.csv").touch()
    assert weight() == 1
