"""From crops to calibrated probabilities, with an untrained network."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from threads import run_at_once

from utils.emotions import EMOTIONS
from utils.errors import ConfigError
from utils.model.checkpoint import load_checkpoint
from utils.model.classifier import EmotionClassifier


@pytest.fixture
def classifier(tiny_checkpoint: Path) -> EmotionClassifier:
    return EmotionClassifier.load(tiny_checkpoint)


def random_crops(count: int, side: int = 48) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def test_it_is_what_the_checkpoint_says(
    classifier: EmotionClassifier, tiny_checkpoint: Path
) -> None:
    checkpoint = load_checkpoint(tiny_checkpoint)
    assert classifier.classes == EMOTIONS
    assert classifier.threshold == 0.4
    assert classifier.model_name == "se_resnet"
    assert classifier.preprocessing == checkpoint.preprocessing


def test_probabilities_are_softmax_of_logits_by_temperature(
    classifier: EmotionClassifier, tiny_checkpoint: Path
) -> None:
    checkpoint, crops = load_checkpoint(tiny_checkpoint), random_crops(3)
    assert checkpoint.heads[0].temperature == 1.5
    with torch.inference_mode():
        logits = checkpoint.build()(torch.from_numpy(checkpoint.preprocessing(crops))).numpy()
    scores = np.exp(logits / 1.5)
    np.testing.assert_allclose(
        classifier.predict(crops), scores / scores.sum(1, keepdims=True), atol=1e-5
    )


# 64 crops go through the network at once.
@pytest.mark.parametrize("count", [0, 1, 64, 65])
def test_any_number_of_crops_gives_a_row_each(classifier: EmotionClassifier, count: int) -> None:
    crops = random_crops(count)
    found = classifier.predict(crops)
    assert found.shape == (count, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    if count:
        np.testing.assert_allclose(classifier.predict(crops[-1:])[0], found[-1], atol=1e-5)


def test_crops_of_other_sizes_are_scaled(classifier: EmotionClassifier) -> None:
    small = random_crops(2)
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_allclose(classifier.predict(large), classifier.predict(small), atol=1e-3)


def test_threads_get_the_same_answers(classifier: EmotionClassifier) -> None:
    crops = random_crops(8)
    expected = classifier.predict(crops)
    found = run_at_once([partial(classifier.predict, crops)] * 8)
    assert len(found) == 8
    for answer in found:
        np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_warming_up_changes_no_answer(classifier: EmotionClassifier) -> None:
    before = classifier.predict(random_crops(2))
    classifier.warm_up()
    np.testing.assert_array_equal(classifier.predict(random_crops(2)), before)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_there_is_used_and_another_refused(
    tiny_checkpoint: Path, device: str
) -> None:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}[device]
    if there:
        found = EmotionClassifier.load(tiny_checkpoint, device).predict(random_crops(2))
        expected = EmotionClassifier.load(tiny_checkpoint, "cpu").predict(random_crops(2))
        np.testing.assert_allclose(found, expected, atol=1e-3)
    else:
        with pytest.raises(ConfigError, match=device):
            EmotionClassifier.load(tiny_checkpoint, device)
