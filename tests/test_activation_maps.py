"""Class activation maps: without torch, the picture that Grad-CAM gives."""

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

from utils.emotions import EMOTIONS
from utils.evaluation.grad_cam import Explainer
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.classifier import EmotionClassifier
from utils.model.preprocessing import Preprocessing
from utils.paths import BUNDLED_MODEL, BUNDLED_ONNX

INT8 = BUNDLED_MODEL.with_name("best_model_int8.onnx")
POOLED_LINEAR = ("se_resnet", "simple_resnet")
HEADS = ("perceived", "fer2013")


@pytest.fixture(scope="module")
def faces(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """29 real faces, RGB uint8 (29, 48, 48, 3): 24 people and an astronaut in five positions."""
    small = (skimage.data.lfw_subset()[:96:4] * 255).astype(np.uint8)
    moved = [astronaut[40 + d : 220 + d, 130 + d : 310 + d] for d in (-12, -6, 0, 6, 12)]
    to_crops = Preprocessing(48, "rgb").to_network_size
    people = to_crops(np.repeat(small[..., None], 3, 3))
    return np.concatenate([people, to_crops(np.stack(moved))]).transpose(0, 2, 3, 1)


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return load_checkpoint()


def untrained(name: str) -> Checkpoint:
    torch.manual_seed(0)
    size = 64 if name in ("vit", "mobilenet_v3_large") else 48
    args = {"num_classes": 14, "input_size": size, **({"depth": 2} if name == "vit" else {})}
    return Checkpoint(
        model=name,
        model_args=args | {"num_classes": 7},
        classes=EMOTIONS,
        preprocessing=Preprocessing(input_size=size),
        state_dict=build_model(name, **args | {"num_classes": 7}).state_dict(),
    )


def correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("target", [*EMOTIONS, None])
def test_the_bundled_models_map_is_that_of_grad_cam(
    bundled: Checkpoint, faces: NDArray[np.uint8], head: str, target: str | None
) -> None:
    expected = Explainer(bundled, head).explain(faces, target).maps[:, 0]
    maps = EmotionClassifier.load(BUNDLED_ONNX, head=head).activation_maps(faces, target)
    assert maps.dtype == np.float32
    assert np.abs(maps - expected).max() < 1e-3
    small = EmotionClassifier.load(INT8, head=head).activation_maps(faces, target)
    print(
        head,
        target,
        np.abs(maps - expected).max(),
        correlation(small, expected),
        min(correlation(a, b) for a, b in zip(small, expected)),
    )
