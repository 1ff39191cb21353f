"""Smoothing: calm on a still face, quick on a change, the same at every frame rate."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from utils.inference.tracking.smoothing import ChangeDetection, Prediction, Smoother, Smoothing

HAPPY = np.array([0.9, 0.05, 0.05], dtype=np.float32)
SAD = np.array([0.05, 0.9, 0.05], dtype=np.float32)


def run(smoothing: Smoothing, raws: list[NDArray[np.float32]], fps: float) -> list[Prediction]:
    """Return what is known after each of a stream's raw predictions."""
    predictions = [smoothing.start(raws[0])]
    for i, raw in enumerate(raws[1:], 1):
        predictions.append(smoothing.smooth(predictions[-1], raw, time=i / fps, elapsed=1 / fps))
    return predictions


def noisy(
    center: NDArray[np.float32], count: int, seed: int = 0, noise: float = 0.7
) -> list[NDArray[np.float32]]:
    """Draw probabilities whose logits jitter as a still face's do."""
    logits = np.log(center) + np.random.default_rng(seed).normal(0, noise, (count, len(center)))
    shares = np.exp(logits)
    return list((shares / shares.sum(1, keepdims=True)).astype(np.float32))


@pytest.mark.parametrize("fps", [5, 10, 60])
def test_smoothing_depends_on_time_and_not_on_the_frame_rate(fps: int) -> None:
    smoother = Smoother(0.5)
    value = np.zeros(1, dtype=np.float32)
    for _ in range(fps):
        value = smoother.step(value, np.ones(1, dtype=np.float32), elapsed=1 / fps)
    assert value[0] == pytest.approx(1 - math.exp(-1 / 0.5), abs=1e-4)


def test_the_classic_weights_at_ten_analyses_a_second() -> None:
    one, zero = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    assert Smoother(0.28).step(one, zero, elapsed=0.1)[0] == pytest.approx(0.70, abs=0.005)
    assert Smoother(0.62).step(one, zero, elapsed=0.1)[0] == pytest.approx(0.85, abs=0.005)


def test_no_time_constant_means_no_smoothing_and_nonsense_is_refused() -> None:
    one, zero = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    assert Smoother(0.0).step(one, zero, elapsed=0.001)[0] == 0
    with pytest.raises(ValueError, match="tau"):
        Smoother(-1)


@pytest.mark.parametrize("fps", [8, 12, 15, 30, 60])
def test_a_change_of_expression_shows_within_300_milliseconds(fps: int) -> None:
    before, after = noisy(HAPPY, 2 * fps), noisy(SAD, fps, seed=1)
    found = run(Smoothing(), before + after, fps)
    assert {prediction.label for prediction in found[: len(before)]} == {0}
    delay = next(i for i, a in enumerate(found[len(before) :]) if a.label == 1) / fps
    assert delay <= 0.3 - 1 / fps
    assert {prediction.label for prediction in found[len(before) + math.ceil(0.3 * fps) :]} == {1}
    slow = run(Smoothing(change=None), before + after, fps)
    at = len(before) + math.ceil(0.25 * fps)
    assert found[at].smoothed[1] > slow[at].smoothed[1]


@pytest.mark.parametrize("fps", [12, 30])
def test_one_strange_prediction_changes_nothing(fps: int) -> None:
    raws = noisy(HAPPY, 4 * fps)
    raws[2 * fps] = SAD
    assert {prediction.label for prediction in run(Smoothing(), raws, fps)} == {0}


@pytest.mark.parametrize("fps", [12, 30])
def test_an_undecided_face_keeps_its_label(fps: int) -> None:
    """Two classes in balance: the raw prediction flips many times, the label hardly ever."""
    balance = np.array([0.46, 0.44, 0.1], dtype=np.float32)
    raws = noisy(balance, 10 * fps, noise=0.4)
    raw = [int(a.argmax()) for a in raws]
    assert np.count_nonzero(np.diff(raw)) > 20
    labels = [prediction.label for prediction in run(Smoothing(), raws, fps)]
    assert np.count_nonzero(np.diff(labels)) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_the_label_is_the_most_probable_of_what_is_shown(seed: int) -> None:
    balance = np.array([0.3, 0.28, 0.27, 0.15], dtype=np.float32)
    found = run(Smoothing(), noisy(balance, 300, seed=seed), 15)
    level = 0
    for prediction in found:
        shown, smoothed = prediction.shown, prediction.smoothed
        assert shown[prediction.label] == shown.max()
        assert shown.sum() == pytest.approx(1, abs=1e-5)
        assert np.abs(shown - smoothed).max() <= Smoothing().hysteresis
        level += smoothed.argmax() != prediction.label
        if smoothed.argmax() == prediction.label:
            assert (shown == smoothed).all()
    assert level, "a label that was held against the smoothed probabilities"


def test_probabilities_stay_probabilities() -> None:
    raws = noisy(HAPPY, 30) + noisy(SAD, 30, seed=2)
    for prediction in run(Smoothing(), raws, 15):
        assert prediction.smoothed.sum() == pytest.approx(1, abs=1e-5)
        assert prediction.smoothed.min() >= 0
        assert not prediction.smoothed.flags.writeable


def test_no_smoothing_asked_for_is_no_smoothing() -> None:
    off = Smoothing(Smoother(0.0), Smoother(0.0), change=ChangeDetection(), hysteresis=0.0)
    found = run(off, [HAPPY, SAD, HAPPY], 10)
    assert [prediction.label for prediction in found] == [0, 1, 0]
    assert found[1].smoothed.tolist() == SAD.tolist()
