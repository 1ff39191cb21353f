"""ONNX files: the same answers as the checkpoint, the same description, and a clear word if not."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from faces_data import make_face_folder
from numpy.typing import NDArray
from paths import REPO
from PIL import Image
from programs import run_program
from threads import run_at_once

from utils.devices import pick_device, resolves_to_cpu
from utils.emotions import EMOTIONS
from utils.errors import CheckpointError, ConfigError
from utils.model.architectures import build_model
from utils.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, weights_hash
from utils.model.classifier import EmotionClassifier
from utils.model.export import export_onnx
from utils.model.export_check import check_drift, measure_drift
from utils.model.onnx_runtime import SPEC_KEY, WEIGHTS_KEY, OnnxRuntime
from utils.model.preprocessing import Preprocessing
from utils.model.spec import Head
from utils.paths import BUNDLED_INT8, BUNDLED_ONNX


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    """An untrained network with two heads whose answers differ from face to face."""
    torch.manual_seed(0)
    args = {"num_classes": 14, "stem": 8, "channels": [8, 16], "blocks": 1, "input_size": 32}
    network = build_model("se_resnet", **args)
    torch.nn.init.normal_(network.fc.weight, std=30.0)
    return Checkpoint(
        model="se_resnet",
        model_args=args,
        classes=EMOTIONS,
        preprocessing=Preprocessing(input_size=32, mean=(0.4,), std=(0.3,)),
        heads=(Head("perceived", "votes", 1.5, 0.4, (0.1,) * 7, 0.2), Head("fer2013")),
        state_dict=network.state_dict(),
    )


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((48, 1, 32, 32)).astype(np.float32)


@pytest.fixture(scope="module")
def exported(
    checkpoint: Checkpoint, pixels: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    export_onnx(checkpoint, path, precision="fp32", calibration=pixels)
    return path


def export(*args: object) -> subprocess.CompletedProcess[str]:
    return run_program("export", *args)


def test_the_file_describes_itself(checkpoint: Checkpoint, exported: Path) -> None:
    runtime = OnnxRuntime(exported)
    assert runtime.spec.heads == checkpoint.heads
    assert runtime.spec.preprocessing == checkpoint.preprocessing
    assert runtime.spec.classes == EMOTIONS
    assert runtime.metadata[WEIGHTS_KEY] == weights_hash(checkpoint)
    assert json.loads(runtime.metadata[SPEC_KEY])["model"] == "se_resnet"
    assert str(REPO).encode() not in exported.read_bytes()


@pytest.mark.parametrize("head", ["perceived", "fer2013"])
@pytest.mark.parametrize("count", [1, 3, 65])
def test_answers_are_the_checkpoints(
    checkpoint: Checkpoint, exported: Path, tmp_path: Path, head: str, count: int
) -> None:
    save_checkpoint(checkpoint, tmp_path / "tiny.pth")
    crops = np.random.default_rng(1).integers(0, 256, (count, 40, 40, 3), np.uint8)
    expected = EmotionClassifier.load(tmp_path / "tiny.pth", head=head).predict(crops)
    found = EmotionClassifier.load(exported, head=head).predict(crops)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert count == 1 or found.std(0).max() > 1e-3


@pytest.mark.parametrize(
    ("precision", "most"), [("fp16", 0.02), ("int8", 0.2), ("int8-dynamic", 0.2)]
)
def test_smaller_files_answer_nearly_the_same(
    checkpoint: Checkpoint,
    exported: Path,
    pixels: NDArray[np.float32],
    tmp_path: Path,
    precision: str,
    most: float,
) -> None:
    path = tmp_path / "small.onnx"
    export_onnx(checkpoint, path, precision=precision, calibration=pixels)
    drift = measure_drift(checkpoint, path, pixels=pixels)
    assert 0 < drift.max_probability < most
    assert drift.agreement > 0.9
    assert OnnxRuntime(path).spec.heads == checkpoint.heads


def test_a_file_that_drifts_is_refused(
    checkpoint: Checkpoint, exported: Path, pixels: NDArray[np.float32], tmp_path: Path
) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(exported.read_bytes())
    check_drift(path, measure_drift(checkpoint, path, pixels=pixels), precision="fp32")
    torch.manual_seed(5)
    weights = {k: v + 0.05 * torch.randn_like(v.float()) for k, v in checkpoint.state_dict.items()}
    drift = measure_drift(replace(checkpoint, state_dict=weights), path, pixels=pixels)
    with pytest.raises(CheckpointError, match=r"other\.onnx: refused.*probability differs"):
        check_drift(path, drift, precision="fp32")
    worse = replace(drift, max_probability=0.0, accuracy_loss=0.02)
    with pytest.raises(CheckpointError, match=r"loses 2\.00 points"):
        check_drift(path, worse, precision="int8")
    with pytest.raises(CheckpointError, match="differs by nan"):
        check_drift(path, replace(drift, max_probability=float("nan")), precision="fp16")


def test_threads_share_a_session(exported: Path, pixels: NDArray[np.float32]) -> None:
    runtime = OnnxRuntime(exported, threads=2)
    expected = runtime(pixels)
    found = run_at_once([partial(runtime, pixels)] * 8)
    assert len(found) == 8
    for answer in found:
        np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_wrong_files_are_explained(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(CheckpointError, match="no such model file"):
        OnnxRuntime(path)
    for content in (b"", b"not a model", exported.read_bytes()[: exported.stat().st_size // 2]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"model\.onnx.*(damaged|none of this project)"):
            OnnxRuntime(path)
    foreign = onnx.load(exported)
    del foreign.metadata_props[:]
    onnx.save(foreign, path)
    with pytest.raises(CheckpointError, match=r"backend/export\.py"):
        OnnxRuntime(path)
    onnx.helper.set_model_props(foreign, {SPEC_KEY: '{"model": "x"}'})
    onnx.save(foreign, path)
    with pytest.raises(CheckpointError, match="incomplete"):
        OnnxRuntime(path)
    with pytest.raises(ConfigError, match="run on the CPU"):
        EmotionClassifier.load(exported, "cuda")


def test_a_photo_on_the_cpu_needs_no_pytorch(astronaut_jpg: Path) -> None:
    code = (
        "import sys\n"
        "from utils.inference.analyzer import EmotionAnalyzer\n"
        f"found = EmotionAnalyzer.load(device='cpu').analyze({str(astronaut_jpg)!r})\n"
        "assert found.faces[0].emotion == 'happy'\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_cpu_is_recognised_without_pytorch_where_pytorch_would_take_it() -> None:
    for name in ("auto", "cpu"):
        assert resolves_to_cpu(name) == (pick_device(name).type == "cpu")
    assert not resolves_to_cpu("cuda")


def test_the_bundled_files_belong_together() -> None:
    checkpoint = load_checkpoint()
    for name in (BUNDLED_ONNX, BUNDLED_INT8):
        metadata = OnnxRuntime(name).metadata
        assert metadata[WEIGHTS_KEY] == weights_hash(checkpoint), f"{name}: run backend/export.py"
        spec = json.loads(metadata[SPEC_KEY])
        own = json.loads(json.dumps(checkpoint.to_dict()))
        for key in ("classes", "heads", "preprocessing"):
            assert spec[key] == own[key], f"{name}: run backend/export.py"
    assert BUNDLED_INT8.stat().st_size <= 4e6


def test_the_cpu_gets_the_int8_file() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3), np.uint8)
    found = EmotionClassifier.load(device="cpu").predict(crops)
    np.testing.assert_array_equal(found, EmotionClassifier.load(BUNDLED_INT8).predict(crops))
    assert np.abs(found - EmotionClassifier.load(BUNDLED_ONNX).predict(crops)).max() > 0


def test_int8_weights_have_seven_bits() -> None:
    """Products of eight bits overflow on processors without VNNI, which no test here would see."""
    model = onnx.load(BUNDLED_INT8)
    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    sources = {node.output[0]: node.input[0] for node in model.graph.node}
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kernels = [onnx.numpy_helper.to_array(stored[sources[name]]) for name in weights]
    assert len(kernels) > 10
    assert all(kernel.dtype == np.int8 for kernel in kernels)
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) <= 64


@pytest.mark.slow
def test_the_program_writes_checked_files(checkpoint: Checkpoint, tmp_path: Path) -> None:
    drawn = dict.fromkeys(EMOTIONS, "happy")
    data = make_face_folder(tmp_path / "data", drawn, {"train": 1, "validation": 2, "test": 2})
    save_checkpoint(checkpoint, tmp_path / "tiny.pth")
    done = export("--model", tmp_path / "tiny.pth", "--data", data, "--precision", "fp32", "fp16")
    assert done.returncode == 0, done.stderr
    assert "tiny.onnx" in done.stdout
    assert (tmp_path / "tiny_fp16.onnx").stat().st_size < (tmp_path / "tiny.onnx").stat().st_size
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "data", "tiny.onnx", "tiny.pth", "tiny_fp16.onnx",
    ]  # fmt: skip

    options = ["--data", data, "--runs", 5, "--threads", 1, "--json"]
    done = run_program("benchmark", "--model", tmp_path / "tiny.pth", *options)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    forms = ["torch fp32", "torch bf16", "onnx fp32", "onnx fp16"]
    assert [row["form"] for row in rows] == forms
    for row in rows:
        assert row["batch_1"]["p50_ms"] > 0
        assert row["batch_32"]["images_per_second"] > 0
        assert row["peak_memory_mb"] > 10
        assert set(row["accuracy"]) == {"perceived", "fer2013"}


@pytest.mark.slow
def test_a_file_that_answers_otherwise_is_not_written(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """int8 calibrated on black pictures has no range left for faces."""
    save_checkpoint(checkpoint, tmp_path / "tiny.pth")
    drawn = {name: "sad" if name == "sad" else "happy" for name in EMOTIONS}
    data = make_face_folder(tmp_path / "data", drawn, {"train": 1, "validation": 2, "test": 4})
    for path in (data / "validation").rglob("*.png"):
        Image.new("L", (48, 48)).save(path)
    (tmp_path / "tiny_int8.onnx").write_text("the file of before")
    done = export("--model", tmp_path / "tiny.pth", "--data", data, "--precision", "int8", "fp32")
    assert done.returncode == 2, done.stdout
    assert "tiny_int8.onnx: refused and not written" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "tiny_int8.onnx").read_text() == "the file of before"
    assert (tmp_path / "tiny.onnx").is_file()
    assert not list(tmp_path.glob(".*"))


def test_a_users_mistake_is_named(tmp_path: Path) -> None:
    done = export("--model", tmp_path / "none.pth")
    assert done.returncode == 2
    assert "none.pth" in done.stderr
    done = export("--data", tmp_path)
    assert done.returncode == 2
    assert "backend/prepare.py" in done.stderr
