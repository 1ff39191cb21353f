"""Every architecture of the registry: shapes, gradients, arguments, the layer for Grad-CAM."""

import pytest
import torch

from utils.errors import ConfigError
from utils.models import build_model, count_parameters, list_models


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize(("channels", "classes", "size"), [(1, 7, 48), (3, 4, 64)])
def test_forward_and_backward(name: str, channels: int, classes: int, size: int) -> None:
    torch.manual_seed(0)
    model = build_model(name, num_classes=classes, input_size=size, in_channels=channels)
    logits = model(torch.randn(3, channels, size, size))
    assert logits.shape == (3, classes)
    # Raw logits: an untrained softmax would already sum to one.
    assert not torch.allclose(logits.sum(1), torch.ones(3))
    logits.square().sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    assert isinstance(model.get_submodule(model.last_conv), torch.nn.Module)
    assert model.eval()(torch.randn(1, channels, size, size)).shape == (1, classes)


def test_emotion_cnn_is_as_published() -> None:
    model = build_model("emotion_cnn")
    assert model.features(torch.zeros(1, 1, 224, 224)).flatten(1).shape == (1, 100_352)
    convolutions = [m.out_channels for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    assert convolutions == [32, 64, 128]
    linear = [(m.in_features, m.out_features) for m in model.modules() if hasattr(m, "in_features")]
    assert linear == [(100_352, 128), (128, 7)]
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == [0.5]


def test_the_default_is_compact() -> None:
    assert 2.5e6 < count_parameters(build_model("se_resnet")) < 3e6


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="emotion_cnn, se_resnet"):
        build_model("resnet9000")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("emotion_cnn", {"input_size": 50}),
        ("se_resnet", {"input_size": 8}),
        ("se_resnet", {"x": 1}),
    ],
)
def test_impossible_arguments_are_refused(name: str, args: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=name):
        build_model(name, **args)
