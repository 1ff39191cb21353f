"""Averaged networks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from faces_data import make_face_folder

from backend import soup as program
from utils.errors import ConfigError
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head
from utils.model.weight_averaging import average_weights

CLASSES = ("happy", "sad", "surprise")


def checkpoint(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    args = {"num_classes": 3, "stem": 8, "channels": [8, 16], "blocks": 1, "input_size": 32}
    return Checkpoint(
        model="se_resnet",
        model_args=args,
        classes=CLASSES,
        preprocessing=Preprocessing(input_size=32, mean=(0.4,), std=(0.3,)),
        heads=(Head(),),
        state_dict=build_model("se_resnet", **args).state_dict(),
        training={"epochs": seed, "calibration_mixture": 0.25},
    )


def test_weights_are_averaged_by_their_shares() -> None:
    one, two = checkpoint(1), checkpoint(2)
    made = average_weights([one, two], [3, 1])
    for key, value in made.state_dict.items():
        if value.is_floating_point():
            wanted = 0.75 * one.state_dict[key] + 0.25 * two.state_dict[key]
            torch.testing.assert_close(value, wanted)
    assert [part["training"]["epochs"] for part in made.training["soup"]] == [1, 2]
    assert [part["share"] for part in made.training["soup"]] == [0.75, 0.25]
    assert made.build()(torch.zeros(1, 1, 32, 32)).shape == (1, 3)


def test_what_does_not_belong_together_is_refused() -> None:
    one, two = checkpoint(1), checkpoint(2)
    with pytest.raises(ConfigError, match="at least two"):
        average_weights([one], [1])
    with pytest.raises(ConfigError, match="shares"):
        average_weights([one, two], [1, -1])
    other = replace(two, preprocessing=Preprocessing(input_size=32, mean=(0.1,), std=(0.3,)))
    with pytest.raises(ConfigError, match="preprocessing"):
        average_weights([one, other], [1, 1])
    with pytest.raises(ConfigError, match="heads"):
        average_weights([one, replace(two, heads=(Head("perceived"),))], [1, 1])


def test_the_program_calibrates_and_measures_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_face_folder(tmp_path / "data", sizes={"train": 1, "validation": 6, "test": 4})
    paths = [tmp_path / "1.pth", tmp_path / "2.pth"]
    for seed, path in enumerate(paths):
        save_checkpoint(checkpoint(seed), path)
    out = tmp_path / "soup"
    arguments = ["soup.py", *map(str, paths), "--data", str(data), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    assert program.main() == 0
    made = load_checkpoint(out / "best_model.pth")
    assert made.heads[0].temperature != 1.0
    assert made.data["calibration"] == {"faces": 18, "mixture": 0.25}
    assert made.metrics["validation"]["labels"]["folder"]["images"] == 18
    assert made.metrics["test"]["labels"]["folder"]["images"] == 12
    assert "validation, head labels" in (out / "report.md").read_text()
