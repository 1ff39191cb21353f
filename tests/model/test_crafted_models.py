"""Model files made to break what opens them: each is refused with a sentence that names it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_files import (
    ARGS,
    PREPROCESSING,
    checkpoint_bytes,
    make_checkpoint,
    onnx_bytes,
    spec_text,
)
from programs import infer

from utils.errors import CheckpointError
from utils.model.architectures import build_model, list_models
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.classifier import EmotionClassifier
from utils.model.onnx_runtime import CLASS_WEIGHTS_KEY, SPEC_KEY, OnnxRuntime, encode_class_weights
from utils.model.plain_file import load_plain
from utils.model.preprocessing import Preprocessing


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def preprocessing(**changes: object) -> dict[str, object]:
    return {"preprocessing": PREPROCESSING.to_dict() | changes}


def head(**changes: object) -> dict[str, object]:
    (plain,) = make_checkpoint().to_dict()["heads"]
    return {"heads": [plain | changes]}


def arguments(**changes: object) -> dict[str, object]:
    return {"model_args": ARGS | changes}


def weights(name: str, value: object) -> dict[str, object]:
    return {"state_dict": make_checkpoint().state_dict | {name: value}}


METADATA = {
    "no text in classes": {"classes": [1, 2, 3]},
    "text for classes": {"classes": "abc"},
    "an empty class": {"classes": ["a", "b", ""]},
    "a long class": {"classes": ["a", "b", "c" * 101]},
    "escape codes in a class": {"classes": ["a", "b", "\x1b[2J"]},
    "input of no size": preprocessing(input_size=0),
    "input of negative size": preprocessing(input_size=-5),
    "input of enormous size": preprocessing(input_size=10**6),
    "size in words": preprocessing(input_size="large"),
    "unknown colour": preprocessing(color="green"),
    "no spread": preprocessing(std=[0.0]),
    "infinite spread": preprocessing(std=[math.inf]),
    "mean NaN": preprocessing(mean=[math.nan]),
    "mean of three channels": preprocessing(mean=[0.1, 0.2, 0.3]),
    "enormous crop": preprocessing(geometry={"haar": {"scale": 1e9}}),
    "crops in a list": preprocessing(geometry=[1]),
    "temperature of nothing": head(temperature=1e-300),
    "temperature NaN": head(temperature=math.nan),
    "threshold as text": head(threshold="0.5"),
    "a path for a head": head(name="../../home"),
    "unknown key of a head": head(colour="red"),
    "model is a number": {"model": 5},
    "enormous layers": arguments(stem=10**9),
    "endless layers": arguments(blocks=10**9),
    "infinite dropout": arguments(dropout=math.inf),
    "metrics in a list": {"metrics": [1]},
    "deep data": {"data": {"x": nested(300)}},
    "versions are numbers": {"versions": {"torch": 2}},
    "revision is a number": {"revision": 7},
}
NETWORK = {
    "channels": preprocessing(color="rgb", mean=[0.1] * 3, std=[0.1] * 3),
    "channels of the network": arguments(in_channels=3),
    "channels as text": arguments(in_channels="many"),
    "negative layers": arguments(stem=-4),
    "no layers": arguments(channels=[]),
    "an unknown argument": arguments(colour="red"),
    "another size of weights": weights("fc.weight", torch.zeros(3, 9)),
    "surplus weights": weights("more", torch.zeros(3)),
    "an unknown network": {"model": "future_net"},
}
WEIGHTS = {
    "NaN": weights("fc.weight", torch.full((3, 8), math.nan)),
    "infinite": weights("fc.bias", torch.full((3,), math.inf)),
    "sparse": weights("fc.weight", torch.eye(3).to_sparse()),
    "repeated": weights("fc.weight", torch.zeros(1).expand(10**6, 10**6)),
    "no tensor": weights("fc.weight", [1, 2]),
    "without a name": {"state_dict": {5: torch.zeros(1)}},
    "a list": {"state_dict": [1]},
}


def saved(path: Path, changes: dict[str, object]) -> Path:
    path.write_bytes(checkpoint_bytes(changes))
    return path


def make_onnx(path: Path, metadata: dict[str, str], **changes: Any) -> Path:
    path.write_bytes(onnx_bytes(metadata, **changes))
    return path


@pytest.mark.parametrize("changes", METADATA.values(), ids=METADATA.keys())
def test_metadata_in_a_checkpoint(tmp_path: Path, changes: dict[str, object]) -> None:
    path = saved(tmp_path / "model.pth", changes)
    with pytest.raises(CheckpointError, match=r"model\.pth: its metadata is wrong") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", WEIGHTS.values(), ids=WEIGHTS.keys())
def test_weights_in_a_checkpoint(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"model\.pth.*(weights|state_dict)"):
        load_checkpoint(saved(tmp_path / "model.pth", changes))


@pytest.mark.parametrize("changes", NETWORK.values(), ids=NETWORK.keys())
def test_a_network_that_metadata_and_weights_do_not_make(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    path = saved(tmp_path / "model.pth", changes)
    with pytest.raises(CheckpointError, match=r"network|weights") as caught:
        EmotionClassifier.load(path, "cpu")
    assert "\n" not in str(caught.value)


def test_metadata_that_nothing_is_wrong_with(tmp_path: Path) -> None:
    loaded = EmotionClassifier.load(saved(tmp_path / "model.pth", {}), "cpu")
    assert loaded.predict(np.zeros((1, 9, 9, 3), np.uint8)).sum() == pytest.approx(1)


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pth", {"training": {"lr": [0.1, {"a": None}], "seed": True}})
    content = load_plain(path)
    checkpoint = load_checkpoint(path)
    assert checkpoint.to_dict() == {name: content[name] for name in checkpoint.to_dict()}


@pytest.mark.parametrize("name", list_models())
def test_every_architecture_is_built_from_its_checkpoint(name: str) -> None:
    args: dict[str, Any] = {"num_classes": 3, "input_size": 48, "in_channels": 1}
    args |= {"vit": {"depth": 1}, "face_resnet": {"last_strides": [1, 1]}}.get(name, {})
    network = build_model(name, **args).eval()
    checkpoint = Checkpoint(
        model=name,
        model_args=args,
        classes=("a", "b", "c"),
        preprocessing=Preprocessing(),
        state_dict=network.state_dict(),
    )
    images = torch.randn(2, 1, 48, 48)
    assert torch.equal(checkpoint.build()(images), network(images))


def test_the_graph_of_these_tests_is_accepted(tmp_path: Path) -> None:
    path = make_onnx(tmp_path / "model.onnx", {SPEC_KEY: spec_text()})
    loaded = EmotionClassifier.load(path)
    assert loaded.predict(np.zeros((1, 9, 9, 3), np.uint8)).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (1, 48)},
        {"shape": (3, 32)},
        {"image": "picture"},
        {"logits": "scores"},
        {"weights": np.ones((1, 4))},
        {"weights": [[1.0, math.nan, 1.0]]},
    ],
    ids=["size", "channels", "input's name", "output's name", "classes", "NaN"],
)
def test_a_graph_that_is_not_what_its_metadata_says(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = make_onnx(tmp_path / "model.onnx", {SPEC_KEY: spec_text()}, **changes)
    with pytest.raises(CheckpointError, match=r"model\.onnx: does not"):
        OnnxRuntime(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"model": ' + "[" * 100_000,
        '{"model": ' + "9" * 10_000 + "}",
        '{"model": "\\ud800"}',
        spec_text(classes=["a", "b", 3]),
        spec_text(**preprocessing(std=[0])),
        spec_text(data={"x": nested(300)}),
        json.dumps({"model": "x"}),
    ],
    ids=["empty", "list", "cut", "deep", "digits", "surrogate", "class", "std", "data", "few"],
)
def test_metadata_in_an_onnx_file(tmp_path: Path, text: str) -> None:
    path = make_onnx(tmp_path / "model.onnx", {SPEC_KEY: text})
    with pytest.raises(CheckpointError, match=r"model\.onnx: its metadata is (wrong|incomplete)"):
        OnnxRuntime(path)


def test_metadata_that_is_no_text(tmp_path: Path) -> None:
    path = make_onnx(tmp_path / "model.onnx", {SPEC_KEY: spec_text(), "note": "MARK"})
    path.write_bytes(path.read_bytes().replace(b"MARK", b"\xff\xfe\xc3\x28"))
    with pytest.raises(CheckpointError, match=r"model\.onnx: .*(UTF-8|damaged)"):
        OnnxRuntime(path)


def test_class_weights_without_a_feature_map(tmp_path: Path) -> None:
    metadata = {
        SPEC_KEY: spec_text(),
        CLASS_WEIGHTS_KEY: encode_class_weights(np.ones((3, 8), np.float32)),
    }
    with pytest.raises(CheckpointError, match=r"model\.onnx: does not"):
        OnnxRuntime(make_onnx(tmp_path / "model.onnx", metadata))


@pytest.mark.parametrize("name", ["model.pth", "model.onnx"])
def test_a_program_says_it_in_one_sentence(tmp_path: Path, astronaut_jpg: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".pth":
        saved(path, preprocessing(std=[0.0]))
    else:
        make_onnx(path, {SPEC_KEY: spec_text()}, logits="scores")
    done = infer(astronaut_jpg, "--model", path)
    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
