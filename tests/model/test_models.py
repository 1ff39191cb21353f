"""Every architecture of the registry: shapes, gradients, arguments, the layer for Grad-CAM."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from programs import run_program
from torch import nn

import utils.model
from utils.errors import ConfigError
from utils.model.architectures import (
    EmotionNetwork,
    FineTunable,
    PooledLinearNetwork,
    TokenNetwork,
    build_model,
    count_multiply_adds,
    count_parameters,
    get_architecture,
    list_models,
)
from utils.model.architectures.layers.attention import CBAM, SpatialAttention
from utils.training.network import train_last_groups

# ViT-B/16 has 86 M parameters; two of its blocks show the same. FaceResNet needs larger images with
# the strides of its default.
ARGS: dict[str, dict[str, Any]] = {"vit": {"depth": 2}, "face_resnet": {"last_strides": [1, 1]}}


FULLY_CONVOLUTIONAL = [n for n in list_models() if get_architecture(n).fully_convolutional]
FINE_TUNABLE = [n for n in list_models() if issubclass(get_architecture(n), FineTunable)]
POOLED_LINEAR = [n for n in list_models() if issubclass(get_architecture(n), PooledLinearNetwork)]


def build(name: str, **args: Any) -> EmotionNetwork:
    return build_model(name, **ARGS.get(name, {}), **args)


def test_each_class_says_what_it_offers() -> None:
    assert FULLY_CONVOLUTIONAL == [
        "cbam_cnn",
        "efficientnet_lite0",
        "face_resnet",
        "kernel_cnn",
        "mini_xception",
        "mobilenet_v3_large",
        "se_resnet",
        "simple_resnet",
        "vgg_cnn",
    ]
    assert FINE_TUNABLE == ["efficientnet_lite0", "face_resnet", "mobilenet_v3_large", "vit"]
    assert POOLED_LINEAR == ["efficientnet_lite0", "face_resnet", "se_resnet", "simple_resnet"]
    tokens = [n for n in list_models() if issubclass(get_architecture(n), TokenNetwork)]
    assert tokens == ["small_vit", "vit"]


@pytest.mark.parametrize("name", POOLED_LINEAR)
def test_the_pooled_feature_map_and_the_last_layer_give_the_logits(name: str) -> None:
    torch.manual_seed(0)
    model = build(name, num_classes=5).eval()
    assert isinstance(model, PooledLinearNetwork)
    maps: list[torch.Tensor] = []
    model.get_submodule(model.last_conv).register_forward_hook(lambda _, __, out: maps.append(out))
    x = torch.randn(2, 1, 48, 48)
    features = model.forward_features(x)
    side = 2 if name in ("efficientnet_lite0", "face_resnet") else 6
    assert features.shape == (2, model.fc.in_features, side, side)
    assert torch.equal(features, maps[0])
    assert torch.equal(model.fc(features.mean((2, 3))), model(x))


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize(("channels", "outputs", "size"), [(1, 14, 48), (3, 4, 64)])
def test_forward_and_backward(name: str, channels: int, outputs: int, size: int) -> None:
    torch.manual_seed(0)
    model = build(name, num_classes=outputs, input_size=size, in_channels=channels)
    logits = model(torch.randn(3, channels, size, size))
    assert logits.shape == (3, outputs)
    # Raw logits: an untrained softmax would already sum to one.
    assert not torch.allclose(logits.sum(1), torch.ones(3))
    logits.square().sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    assert isinstance(model.get_submodule(model.last_conv), nn.Module)
    assert model.eval()(torch.randn(1, channels, size, size)).shape == (1, outputs)


@pytest.mark.parametrize("name", FULLY_CONVOLUTIONAL)
def test_fully_convolutional_networks_take_other_sizes(name: str) -> None:
    model = build(name, input_size=64).eval()
    assert model(torch.zeros(1, 1, 32, 32)).shape == (1, 7)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("baseline_cnn", 3.4e6, 3.8e6),
        ("mini_xception", 0.7e6, 1.0e6),
        ("vgg_cnn", 5.2e6, 5.8e6),
        ("simple_resnet", 0.5e6, 1.5e6),
        ("se_resnet", 2.5e6, 3.0e6),
        ("small_vit", 2.5e6, 3.5e6),
        ("mobilenet_v3_large", 4.0e6, 5.5e6),
        ("efficientnet_lite0", 3.3e6, 3.5e6),
    ],
)
def test_sizes_are_as_described(name: str, low: float, high: float) -> None:
    assert low < count_parameters(build_model(name)) < high


@pytest.mark.parametrize(
    ("last_strides", "smallest"), [([2, 2], 103), ([2, 1], 55), ([1, 2], 55), ([1, 1], 31)]
)
def test_face_resnet_names_the_smallest_input(last_strides: list[int], smallest: int) -> None:
    model = build_model("face_resnet", input_size=smallest, last_strides=last_strides).eval()
    assert model(torch.zeros(1, 1, smallest, smallest)).shape == (1, 7)
    with pytest.raises(ConfigError, match=f"at least {smallest}"):
        build_model("face_resnet", input_size=smallest - 1, last_strides=last_strides)
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 1, smallest - 1, smallest - 1))


def test_attention_costs_next_to_nothing() -> None:
    plain = count_parameters(build_model("baseline_cnn"))
    assert plain < count_parameters(build_model("attention_cnn")) < plain * 1.01
    plain = count_parameters(build_model("kernel_cnn"))
    assert plain < count_parameters(build_model("cbam_cnn")) < plain * 1.03


def test_multiply_adds_are_those_of_the_convolutions() -> None:
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 4, 1))
    assert count_multiply_adds(model, 10, in_channels=1) == 100 * (9 * 8 + 8 * 4)


@pytest.mark.parametrize("module", [SpatialAttention, partial(CBAM, 16)])
def test_attention_weakens_places_by_a_map(module: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    attention = module().eval()
    maps: list[torch.Tensor] = []
    for part in attention.modules():
        if isinstance(part, SpatialAttention):
            part.gate.register_forward_hook(lambda _, __, out: maps.append(out))
    x = torch.randn(2, 16, 6, 6)
    out = attention(x)
    assert [m.shape for m in maps] == [(2, 1, 6, 6)]
    assert ((maps[0] > 0) & (maps[0] < 1)).all()
    assert (out.abs() <= x.abs()).all()


@pytest.mark.parametrize("name", ["kernel_cnn", "cbam_cnn"])
def test_fixed_filters_are_never_trained(name: str) -> None:
    torch.manual_seed(0)
    model = build_model(name)
    kernels = model.kernels.kernels
    assert kernels.abs().sum((1, 2, 3)).min() > 0
    assert torch.allclose(kernels.sum((1, 2, 3)), torch.zeros(len(kernels)), atol=1e-5)
    assert torch.allclose(kernels.square().sum((1, 2, 3)), torch.ones(len(kernels)), atol=1e-5)
    flat = kernels.flatten(1)
    similarity = (flat @ flat.T).abs() - torch.eye(len(flat))
    assert similarity.max() < 0.999, "two filters are equal"
    before = kernels.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(torch.randn(4, 1, 48, 48)).square().sum().backward()
    optimizer.step()
    assert torch.equal(kernels, before)
    assert "kernels.kernels" in model.state_dict()


@pytest.mark.parametrize("name", FINE_TUNABLE)
def test_groups_of_layers_unfreeze_from_the_last_one_back(name: str) -> None:
    model = build(name, input_size=64)

    def trainable() -> set[str]:
        return {n for n, p in model.named_parameters() if p.requires_grad}

    everything = trainable()
    train_last_groups(model, 0)
    head = trainable()
    assert 0 < len(head) <= 4
    train_last_groups(model, 1)
    assert head < trainable() < everything
    train_last_groups(model, 99)
    assert trainable() == everything


@pytest.mark.parametrize("name", ["mobilenet_v3_large", "vit"])
def test_weights_that_cannot_be_downloaded_are_explained(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match="ImageNet weights can't be downloaded"):
        build_model(name, pretrained=True, input_size=224)


def test_the_registry_imports_no_torchvision() -> None:
    code = "import sys, utils.model.architectures; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_room_exports_its_names_without_importing_torch() -> None:
    code = (
        "import sys; from utils.model import EmotionClassifier, Preprocessing; "
        "assert 'torch' not in sys.modules; "
        "from utils.model import EmotionCNN, build_model, list_models, load_checkpoint; "
        "assert isinstance(build_model('emotion_cnn', input_size=32), EmotionCNN)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert all(hasattr(utils.model, name) for name in utils.model.__all__)
    with pytest.raises(AttributeError, match="attribute Nothing"):
        _ = utils.model.Nothing


def test_the_programs_table_names_every_model() -> None:
    done = run_program("train", "--list-models")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert set(rows) == set(list_models())
    assert "2,803,159" in rows["se_resnet"]
    assert " 227 M" in rows["se_resnet"]


def test_emotion_cnn_is_as_published() -> None:
    model = build_model("emotion_cnn")
    assert model.features(torch.zeros(1, 1, 224, 224)).flatten(1).shape == (1, 100_352)
    convolutions = [m.out_channels for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert convolutions == [32, 64, 128]
    linear = [(m.in_features, m.out_features) for m in model.modules() if hasattr(m, "in_features")]
    assert linear == [(100_352, 128), (128, 7)]
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == [0.5]


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="efficientnet_lite0, emotion_cnn, face_resnet"):
        build_model("resnet9000")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("emotion_cnn", {"input_size": 50}),
        ("se_resnet", {"input_size": 8}),
        ("se_resnet", {"x": 1}),
        ("baseline_cnn", {"input_size": 40}),
        ("vgg_cnn", {"input_size": 8}),
        ("small_vit", {"input_size": 50}),
        ("vit", {"input_size": 100}),
        ("vit", {"input_size": 96, "pretrained": True}),
        ("mobilenet_v3_large", {"input_size": 16}),
        ("efficientnet_lite0", {"input_size": 16}),
    ],
)
def test_impossible_arguments_are_refused(name: str, args: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=name):
        build_model(name, **args)
