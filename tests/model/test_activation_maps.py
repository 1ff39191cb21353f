"""Class activation maps: equal to Grad-CAM, without torch, where the network allows it."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from paths import REPO
from threads import run_at_once

from utils.emotions import EMOTIONS
from utils.errors import CheckpointError, ConfigError
from utils.evaluation.grad_cam import Explainer
from utils.model.architectures import build_model, list_models
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from utils.model.class_activation import find_pooled_linear
from utils.model.classifier import EmotionClassifier
from utils.model.export import PRECISIONS, export_onnx
from utils.model.heat_maps import class_activation_maps
from utils.model.onnx_runtime import CLASS_WEIGHTS_KEY, FEATURES, OnnxRuntime
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head
from utils.paths import BUNDLED_INT8, BUNDLED_MODEL, BUNDLED_ONNX

# pytorch-grad-cam sums in another order; 7e-6 was measured on 29 faces.
SAME = 1e-4


@pytest.fixture(scope="module")
def faces(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Twelve real faces, RGB uint8 (12, 48, 48, 3): nine people, an astronaut in three places."""
    small = (skimage.data.lfw_subset()[:100:12] * 255).astype(np.uint8)
    large = [astronaut[40 + d : 220 + d, 130 + d : 310 + d] for d in (-12, 0, 12)]
    resize = Preprocessing(48, "rgb").to_network_size
    crops = [resize(np.repeat(small[..., None], 3, 3)), resize(np.stack(large))]
    return np.ascontiguousarray(np.concatenate(crops).transpose(0, 2, 3, 1))


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return load_checkpoint()


def untrained(name: str, **args: object) -> Checkpoint:
    torch.manual_seed(0)
    size = 64 if name in ("vit", "mobilenet_v3_large") else 48
    args = {"num_classes": 14, "input_size": size, **args}
    return Checkpoint(
        model=name,
        model_args=args,
        classes=EMOTIONS,
        preprocessing=Preprocessing(input_size=size),
        heads=(Head("perceived"), Head("fer2013")),
        state_dict=build_model(name, **args).state_dict(),
    )


def small_network() -> Checkpoint:
    return untrained("se_resnet", stem=8, channels=[8, 16], blocks=1)


def correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("head", ["perceived", "fer2013"])
@pytest.mark.parametrize("target", ["happy", "fear", "neutral", None])
def test_maps_of_the_bundled_model_equal_grad_cam(
    bundled: Checkpoint, faces: NDArray[np.uint8], head: str, target: str | None
) -> None:
    expected = Explainer(bundled, head).explain(faces, target).maps[:, 0]
    maps = EmotionClassifier.load(BUNDLED_ONNX, head=head).activation_maps(faces, target)
    assert maps.shape == (12, 48, 48)
    assert maps.dtype == np.float32
    assert expected.max() > 0.99, "nothing is explained"
    assert np.abs(maps - expected).max() < SAME


@pytest.mark.parametrize("head", ["perceived", "fer2013"])
def test_int8_maps_of_the_predicted_class_are_nearly_the_same(
    faces: NDArray[np.uint8], head: str
) -> None:
    original = EmotionClassifier.load(BUNDLED_ONNX, head=head)
    target = original.predict(faces).argmax(1).tolist()
    expected = original.activation_maps(faces, target)
    maps = EmotionClassifier.load(BUNDLED_INT8, head=head).activation_maps(faces, target)
    assert correlation(maps, expected) > 0.98


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_has_a_map(
    precision: str, faces: NDArray[np.uint8], tmp_path: Path
) -> None:
    checkpoint = small_network()
    calibration = checkpoint.preprocessing(faces)
    path = tmp_path / "tiny.onnx"
    export_onnx(checkpoint, path, precision=precision, calibration=calibration)
    logits, features = OnnxRuntime(path).run_with_features(calibration[:3])
    assert (logits.shape, logits.dtype) == ((3, 14), np.float32)
    assert (features.shape, features.dtype) == ((3, 16, 12, 12), np.float32)
    np.testing.assert_array_equal(OnnxRuntime(path)(calibration[:3]), logits)
    expected = Explainer(checkpoint, "fer2013").explain(faces, "sad").maps[:, 0]
    maps = EmotionClassifier.load(path, head="fer2013").activation_maps(faces, "sad")
    if precision == "fp32":
        assert np.abs(maps - expected).max() < SAME
    assert correlation(maps, expected) > 0.98


@pytest.mark.parametrize("name", list_models())
def test_the_ending_of_a_network_is_detected(name: str) -> None:
    args: dict[str, dict[str, object]] = {
        "vit": {"depth": 2},
        "face_resnet": {"last_strides": [1, 1]},
    }
    checkpoint = untrained(name, **args.get(name, {}))
    ending = find_pooled_linear(checkpoint)
    if name not in ("efficientnet_lite0", "face_resnet", "se_resnet", "simple_resnet"):
        assert ending is None
        return
    assert ending is not None
    network = checkpoint.build()
    assert np.array_equal(ending.weights, network.fc.weight.detach().numpy())
    kept = []
    network.get_submodule(ending.module).register_forward_hook(lambda *call: kept.append(call[2]))
    with torch.no_grad():
        logits = network(torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(1)))
        pooled = kept[0].mean((2, 3)) @ torch.from_numpy(ending.weights).T + network.fc.bias
    assert kept[0].shape == (2, *ending.shape)
    torch.testing.assert_close(pooled, logits, rtol=1e-4, atol=1e-4)


def test_checkpoints_that_torch_runs_have_the_same_maps(
    bundled: Checkpoint, faces: NDArray[np.uint8]
) -> None:
    by_torch = EmotionClassifier.load(BUNDLED_MODEL, "cpu")
    by_onnx = EmotionClassifier.load(BUNDLED_ONNX)
    expected = by_onnx.activation_maps(faces[::3], "happy")
    for maps in run_at_once([partial(by_torch.activation_maps, faces[::3], "happy")] * 3):
        np.testing.assert_allclose(maps, expected, atol=1e-3)


def test_another_ending_says_what_explains_it(tmp_path: Path, faces: NDArray[np.uint8]) -> None:
    checkpoint = untrained("mini_xception")
    save_checkpoint(checkpoint, tmp_path / "x.pth")
    pixels = checkpoint.preprocessing(faces[:2])
    export_onnx(checkpoint, tmp_path / "x.onnx", precision="fp32", calibration=pixels)
    graph = onnx.load(tmp_path / "x.onnx").graph
    assert [output.name for output in graph.output] == ["logits"]
    for name in ("x.pth", "x.onnx"):
        classifier = EmotionClassifier.load(tmp_path / name, "cpu")
        assert classifier.predict(faces[:2]).shape == (2, 7)
        for check in (
            classifier.check_activation_maps,
            lambda c=classifier: c.activation_maps(faces[:2]),
        ):
            with pytest.raises(ConfigError, match=r"mini_xception has no .*explain\.py.*\[train\]"):
                check()


def test_a_target_is_a_name_an_index_for_each_face_or_the_prediction(
    faces: NDArray[np.uint8],
) -> None:
    classifier = EmotionClassifier.load(BUNDLED_ONNX)
    classifier.check_activation_maps()
    predicted = classifier.predict(faces).argmax(1).tolist()
    own = classifier.activation_maps(faces)
    np.testing.assert_array_equal(classifier.activation_maps(faces, predicted), own)
    first = classifier.activation_maps(faces[:1], EMOTIONS[predicted[0]])
    np.testing.assert_allclose(first[0], own[0], atol=SAME)
    many = classifier.activation_maps(np.concatenate([faces] * 6), predicted * 6)
    np.testing.assert_allclose(many[-12:], own, atol=SAME)  # in two batches
    assert classifier.activation_maps(faces[:0], "happy").shape == (0, 48, 48)
    with pytest.raises(ConfigError, match=r"'bored'.*angry"):
        classifier.activation_maps(faces, "bored")
    for wrong in ([0], [7] * 12, [-1] * 12):
        with pytest.raises(ConfigError, match="12 class indices from 0 to 6"):
            classifier.activation_maps(faces, wrong)


def test_a_map_is_the_weighted_sum_of_the_feature_maps() -> None:
    features = np.zeros((2, 2, 3, 3), np.float32)
    features[:, 0, 0, 0], features[:, 1, 2, 2] = 2.0, 5.0
    maps = class_activation_maps(features, np.array([[1, -1], [-1, -1]], np.float32), size=9)
    assert maps[0, 0, 0] == pytest.approx(1)
    assert maps[0, -3:, -3:].max() == 0, "evidence against the class is not shown"
    assert not maps[1].any(), "nothing speaks for the class"


def test_files_without_feature_maps_still_predict_and_damaged_weights_are_named(
    faces: NDArray[np.uint8], tmp_path: Path
) -> None:
    path, model = tmp_path / "old.onnx", onnx.load(BUNDLED_ONNX)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, metadata | {CLASS_WEIGHTS_KEY: "AAAA"})
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match=r"old\.onnx: its class weights are damaged"):
        OnnxRuntime(path)
    del metadata[CLASS_WEIGHTS_KEY]
    onnx.helper.set_model_props(model, metadata)
    del model.graph.output[1]
    model.graph.node.remove(next(node for node in model.graph.node if FEATURES in node.output))
    onnx.save(model, path)
    expected = EmotionClassifier.load(BUNDLED_ONNX).predict(faces)
    old = EmotionClassifier.load(path)
    np.testing.assert_array_equal(old.predict(faces), expected)
    with pytest.raises(ConfigError, match=r"earlier version.*backend/export\.py"):
        old.activation_maps(faces)


# Importing torch fails, as it does where it is not installed.
WITHOUT_TORCH = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
"""


def run_without_torch(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH + code], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_a_heat_map_needs_no_torch(astronaut_jpg: Path) -> None:
    run_without_torch(
        "from utils.inference.analyzer import EmotionAnalyzer\n"
        "from utils.media.images import load_image\n"
        "analyzer = EmotionAnalyzer.load(device='cpu')\n"
        f"image = load_image({str(astronaut_jpg)!r})\n"
        "crops = analyzer.crops(image, analyzer.detect(image).boxes)\n"
        "maps = analyzer.classifier.activation_maps(crops, 'happy')\n"
        "assert maps.shape == (1, 48, 48) and maps.max() > 0.99\n"
    )


def test_the_heat_map_of_the_photo_page_needs_no_torch() -> None:
    page = REPO / "frontend" / "views" / "photo.py"
    run_without_torch(
        "from streamlit.testing.v1 import AppTest\n"
        f"page = AppTest.from_file({str(page)!r}, default_timeout=120).run()\n"
        "page.segmented_control[0].set_value('Samples').run()\n"
        "page.toggle(key='heat').set_value(True).run()\n"
        "page.selectbox[0].set_value('fear').run()\n"
        "assert not page.exception and not page.warning and not page.error\n"
        "assert any('class activation map' in caption.value for caption in page.caption)\n"
    )
