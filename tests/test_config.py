"""The configuration: recipe, then file, then flags; mistakes are named."""

from pathlib import Path

import pytest

from utils.errors import ConfigError
from utils.model.architectures import list_models
from utils.paths import RECIPES
from utils.training.config import load_config


def test_flags_win_over_the_file_and_the_file_over_the_recipe(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("model: emotion_cnn\nepochs: 7\nlr: 0.5\n")
    config = load_config(file, {"lr": "0.25"})
    assert (config.lr, config.epochs, config.batch_size, config.input_size) == (0.25, 7, 32, 224)


def test_emotion_cnn_defaults_to_fifty_epochs_of_batches_of_32() -> None:
    config = load_config(None, {"model": "emotion_cnn"})
    assert (config.epochs, config.batch_size, config.input_size) == (50, 32, 224)


@pytest.mark.parametrize("model", list_models())
def test_every_architecture_has_a_recipe_of_its_own(model: str) -> None:
    assert (RECIPES / f"{model}.yaml").is_file()
    assert load_config(None, {"model": model}).model == model


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_rate: 0.1", ["learning_rate", "unknown key", "lr"]),
        ("epochs: many", ["epochs", "many"]),
        ("mixup: -1", ["mixup", "-1"]),
        ("optimizer: lion", ["optimizer", "lion", "sgd"]),
        ("model: resnet9000", ["resnet9000", "se_resnet"]),
        ("- a\n- b", ["key: value"]),
        ("a: [1", ["not valid YAML"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(file, {})
    for word in words:
        assert word in str(error.value)


def test_a_binary_file_is_no_configuration(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(file, {})


def test_a_recipe_wants_votes_only_where_there_are_some(tmp_path: Path) -> None:
    assert load_config(None, {"data": tmp_path}).ferplus_weight == 0
    assert load_config(None, {"data": tmp_path, "ferplus_weight": 0.5}).ferplus_weight == 0.5
    (tmp_path / "ferplus.csv").touch()
    assert load_config(None, {"data": tmp_path}).ferplus_weight == 1
