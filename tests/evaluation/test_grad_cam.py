"""Explanations depend on the weights, on the class and on the face, and find what matters."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from faces_data import make_face_folder
from numpy.typing import NDArray
from PIL import Image
from programs import run_program
from scipy.stats import spearmanr

from utils.emotions import EMOTIONS
from utils.errors import ConfigError
from utils.evaluation.grad_cam import METHODS, Explainer
from utils.model.architectures import build_model, list_models
from utils.model.checkpoint import Checkpoint, load_checkpoint
from utils.model.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def faces(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The astronaut's face, and the same moved and mirrored."""
    moved = [astronaut[40 + d : 220 + d, 130 + d : 310 + d] for d in (-12, -6, 0, 6, 12)]
    return np.stack([*moved, *(face[:, ::-1] for face in moved)])


@pytest.fixture(scope="module")
def bundled() -> Checkpoint:
    return load_checkpoint()


def untrained(name: str, size: int = 48) -> Checkpoint:
    torch.manual_seed(0)
    args = {"num_classes": 7, "input_size": size, **({"depth": 2} if name == "vit" else {})}
    return Checkpoint(
        model=name,
        model_args=args,
        classes=EMOTIONS,
        preprocessing=Preprocessing(input_size=size),
        state_dict=build_model(name, **args).state_dict(),
    )


def explain(*args: object) -> subprocess.CompletedProcess[str]:
    return run_program("explain", *args)


@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_explanations_depend_on_the_weights(bundled: Checkpoint, faces: NDArray[np.uint8]) -> None:
    """The model-randomisation test of Adebayo et al., 2018 (https://arxiv.org/abs/1810.03292)."""
    noisy = np.clip(faces + np.random.default_rng(0).normal(0, 3, faces.shape), 0, 255)
    torch.manual_seed(0)
    random = build_model(bundled.model, **bundled.model_args).state_dict()
    trained = Explainer(bundled).explain(faces, "happy").maps[:, 0]
    again = Explainer(bundled).explain(noisy.astype(np.uint8), "happy").maps[:, 0]
    other = Explainer(replace(bundled, state_dict=random)).explain(faces, "happy").maps[:, 0]

    def similarity(maps: NDArray[np.float32]) -> float:
        pairs = zip(trained, maps, strict=True)
        found = [spearmanr(a.ravel(), b.ravel())[0] for a, b in pairs]
        return float(np.mean(np.nan_to_num(found)))  # a map without contrast is like no other

    assert similarity(again) > 0.9
    assert similarity(other) < 0.5


def test_classes_are_explained_by_different_places(
    bundled: Checkpoint, faces: NDArray[np.uint8]
) -> None:
    explainer = Explainer(bundled)
    happy, angry = (explainer.explain(faces, name).maps for name in ("happy", "angry"))
    assert np.abs(happy - angry).mean() > 0.05
    own = explainer.explain(faces)
    assert {EMOTIONS[i] for i in own.targets} == {"happy"}
    np.testing.assert_allclose(own.maps, happy, atol=1e-5)
    assert own.probabilities.shape == (10, 7)


def test_what_matters_most_matters_more_than_what_matters_least(
    bundled: Checkpoint, faces: NDArray[np.uint8]
) -> None:
    explainer = Explainer(bundled, layers=("stages.3",))
    explanation = explainer.explain(faces, "happy")
    seen = bundled.preprocessing.to_network_size(faces)[:, 0]
    most, least = seen.copy(), seen.copy()
    for i, influence in enumerate(explanation.maps[:, 0]):
        order = np.argsort(influence.ravel(), kind="stable")
        share = len(order) // 5
        grey = int(seen[i].mean())
        most[i].ravel()[order[-share:]] = grey
        least[i].ravel()[order[:share]] = grey

    def confidence(images: NDArray[np.uint8]) -> float:
        rgb = np.repeat(images[..., None], 3, 3)
        return float(explainer.explain(rgb, "happy").probabilities[:, 3].mean())

    assert confidence(most) < confidence(least)


@pytest.mark.parametrize("name", list_models())
def test_every_architecture_can_be_explained(name: str, faces: NDArray[np.uint8]) -> None:
    size = {"vit": 64, "mobilenet_v3_large": 64, "face_resnet": 112}.get(name, 48)
    explainer = Explainer(untrained(name, size), layers=("all",))
    explanation = explainer.explain(faces[:2], "fear")
    assert explanation.maps.shape == (2, len(explainer.layers), size, size)
    assert np.isfinite(explanation.maps).all()
    assert explanation.maps.min() >= 0
    assert explanation.maps.max() <= 1
    attention = {"attention_cnn": 4, "cbam_cnn": 3}.get(name, 0)
    assert explanation.attention.shape == (2, attention, size, size)
    if attention:
        assert 0 < explanation.attention.min() <= explanation.attention.max() < 1
    assert Explainer(untrained(name, size)).explain(faces[:1]).maps.shape == (1, 1, size, size)


@pytest.mark.parametrize("method", METHODS)
def test_methods(method: str, bundled: Checkpoint, faces: NDArray[np.uint8]) -> None:
    maps = Explainer(bundled, method=method).explain(faces[:2]).maps
    assert maps.max() > 0.5


def test_unknown_names_list_the_known(bundled: Checkpoint, faces: NDArray[np.uint8]) -> None:
    with pytest.raises(ConfigError, match=r"no layer 'nose'.*stages\.1"):
        Explainer(bundled, layers=("nose",))
    with pytest.raises(ConfigError, match=r"'bored'.*angry"):
        Explainer(bundled).explain(faces, "bored")
    with pytest.raises(ConfigError, match="unknown method"):
        Explainer(bundled, method="guess")


def test_pictures_are_drawn_and_broken_files_named(astronaut_jpg: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_text("no picture")
    Image.new("RGB", (200, 150), "grey").save(tmp_path / "wall.png")
    files = [tmp_path / "broken.jpg", tmp_path / "wall.png", astronaut_jpg]
    done = explain(*files, "--layers", "all", "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert "broken.jpg" in done.stderr
    assert "wall.png: no face found" in done.stdout
    with Image.open(tmp_path / "out" / "astronaut_explained.png") as image:
        assert image.size[0] > image.size[1] > 200
        assert len(image.convert("RGB").getcolors(1 << 24)) > 500


def test_mean_maps_are_drawn_for_each_class(tmp_path: Path) -> None:
    drawn = {name: "happy" for name in EMOTIONS}
    data = make_face_folder(tmp_path / "data", drawn, {"validation": 3})
    done = explain("--data", data, "--samples", 2, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    pictures = [Path(line) for line in done.stdout.split()]
    assert pictures
    for picture in pictures:
        with Image.open(picture) as image:
            assert min(image.size) > 200


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "either pictures or --data"),
        (["x.jpg", "--data", "images"], "either pictures or --data"),
        (["x.jpg", "--target", "bored"], "bored"),
        (["x.jpg", "--layers", "nose"], "nose"),
        (["x.jpg", "--head", "truth"], "truth"),
        (["--data", "/nowhere"], "/nowhere"),
    ],
)
def test_a_users_mistake_is_named(args: list[str], words: str) -> None:
    done = explain(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
