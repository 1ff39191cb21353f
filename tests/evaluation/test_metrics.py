"""Metrics of cases that can be worked out by hand."""

import numpy as np
import pytest
import torch

from utils.evaluation.calibration import compare_scalings, fit_temperature, fit_vector_scaling
from utils.evaluation.comparison.significance import compare_predictions
from utils.evaluation.metrics import (
    accuracy_at_coverage,
    bootstrap_intervals,
    compute_metrics,
    confidence_threshold,
    expected_calibration_error,
    top_accuracy,
)
from utils.model.spec import LabelSet
from utils.training.losses import SoftTargetLoss, balanced_weights

CLASSES = ("a", "b", "c")


def test_metrics_by_hand() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]])
    metrics = compute_metrics(probabilities, np.array([0, 1, 1, -1]), classes=CLASSES)
    figures = metrics.to_document()
    assert figures["images"] == 3
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["balanced_accuracy"] == pytest.approx(0.75)
    assert figures["per_class"]["a"] == {
        "precision": 0.5,
        "recall": 1.0,
        "f1": pytest.approx(2 / 3),
        "support": 1,
    }
    assert figures["per_class"]["c"]["support"] == 0
    assert figures["macro_f1"] == pytest.approx(2 / 3)
    assert figures["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.tile([0.9, 0.1], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3)
    labels = np.array([0] * 9 + [1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.0, abs=1e-9)


def test_temperature_undoes_overconfidence() -> None:
    torch.manual_seed(0)
    truth = torch.randn(4000, 5) * 2
    labels = torch.distributions.Categorical(logits=truth).sample()
    assert fit_temperature(truth * 3, labels) == pytest.approx(3, rel=0.1)
    labels[:100] = -1
    assert fit_temperature(truth * 3, labels) == pytest.approx(3, rel=0.1)


def test_vector_scaling_undoes_what_differs_by_class() -> None:
    torch.manual_seed(0)
    truth = torch.randn(4000, 3) * 2
    labels = torch.distributions.Categorical(logits=truth).sample()
    wrong = truth * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([0.0, 1.0, -1.0])
    labels[:100] = -1
    scale, bias = fit_vector_scaling(wrong, labels)
    assert scale.tolist() == pytest.approx([0.5, 1.0, 2.0], rel=0.15)
    assert (bias - bias[0]).tolist() == pytest.approx([0.0, -1.0, 2.0], abs=0.2)
    temperature, vector = compare_scalings(
        (wrong[:2000], labels[:2000]), (wrong[2000:], labels[2000:]), label_set=LabelSet.FOLDER
    )
    assert [temperature.scaling, vector.scaling] == ["temperature", "vector"]
    for better, worse in (
        (vector.validation, temperature.validation),
        (vector.test, temperature.test),
    ):
        assert better.nll < worse.nll
        assert better.accuracy > worse.accuracy


def test_threshold_keeps_the_share_asked_for() -> None:
    confidence = np.linspace(0.5, 1, 101)
    probabilities = np.stack([confidence, 1 - confidence], 1)
    threshold = confidence_threshold(probabilities, coverage=0.8)
    assert (probabilities.max(1) >= threshold).mean() == pytest.approx(0.8, abs=0.01)


def test_soft_target_loss_agrees_with_torch() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 4), torch.randint(0, 4, (8,))
    targets = torch.nn.functional.one_hot(labels, 4).float()
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert SoftTargetLoss(4, label_smoothing=0.1)(logits, targets) == pytest.approx(expected.item())
    easy, hard = torch.tensor([[9.0, 0.0]]), torch.tensor([[0.0, 0.0]])
    target = torch.tensor([[1.0, 0.0]])
    plain, focal = SoftTargetLoss(2), SoftTargetLoss(2, focal_gamma=2)
    assert focal(hard, target) == pytest.approx(plain(hard, target).item() * 0.25)
    assert focal(easy, target) < plain(easy, target) * 0.01


def test_balanced_weights_favour_the_rare_and_have_mean_one() -> None:
    targets = torch.eye(2)[torch.tensor([0] * 9 + [1])]
    weights = balanced_weights(targets, 1.0, num_classes=2)
    assert weights[1] / weights[0] == pytest.approx(9)
    assert (weights * targets.mean(0)).sum() == pytest.approx(1)
    assert balanced_weights(targets, 0.5, num_classes=2)[1] < weights[1]
    heads = balanced_weights(torch.cat([targets, targets.flip(1)], 1), 1.0, num_classes=2)
    assert torch.allclose(heads, torch.cat([weights, weights.flip(0)]))


def test_heads_share_the_loss() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(8, 6), torch.rand(8, 6).softmax(1)
    both = SoftTargetLoss(3, (0.75, 0.25))(logits, targets)
    each = [SoftTargetLoss(3)(logits[:, s], targets[:, s]) for s in (slice(0, 3), slice(3, 6))]
    assert both == pytest.approx((0.75 * each[0] + 0.25 * each[1]).item())


def test_generalized_loss_lies_between_cross_entropy_and_absolute_error() -> None:
    logits, target = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
    p = logits.softmax(1)[0, 0].item()
    assert SoftTargetLoss(2, noise_q=1.0)(logits, target) == pytest.approx(1 - p)
    assert SoftTargetLoss(2, noise_q=1e-3)(logits, target) == pytest.approx(-np.log(p), rel=0.01)


def test_coverage_keeps_the_most_confident() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.55, 0.45], [0.52, 0.48]])
    labels = np.array([0, 1, 0, 0, 1])
    assert accuracy_at_coverage(probabilities, labels, coverage=0.4) == 1
    assert accuracy_at_coverage(probabilities, labels, coverage=0.6) == pytest.approx(2 / 3)
    assert accuracy_at_coverage(probabilities, labels, coverage=1) == pytest.approx(3 / 5)


def test_the_second_class_counts_for_the_top_two() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.6, 0.3, 0.1]])
    assert top_accuracy(probabilities, np.array([0, 1, 2]), k=1) == pytest.approx(1 / 3)
    assert top_accuracy(probabilities, np.array([0, 1, 2]), k=2) == pytest.approx(2 / 3)


def test_intervals_are_as_wide_as_chance_makes_them() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random((2000, 2))
    probabilities = scores / scores.sum(1, keepdims=True)
    labels = np.where(rng.random(2000) < 0.8, probabilities.argmax(1), 1 - probabilities.argmax(1))
    low, high = bootstrap_intervals(probabilities, labels).accuracy
    share = (probabilities.argmax(1) == labels).mean()
    # The normal approximation of a binomial share.
    half = 1.96 * np.sqrt(share * (1 - share) / 2000)
    assert low == pytest.approx(share - half, abs=0.004)
    assert high == pytest.approx(share + half, abs=0.004)


def test_mcnemar_counts_the_images_on_which_the_models_differ() -> None:
    labels = np.zeros(100, int)
    a, b = np.zeros(100, int), np.zeros(100, int)
    b[:10] = 1
    found = compare_predictions(a, b, labels=labels)
    assert (found.only_a, found.only_b) == (10, 0)
    assert found.p_value == pytest.approx(2 / 2**10)
    assert "A (100.00%) is significantly better than B" in found.sentence("A", "B")
    a[10:19] = 1
    even = compare_predictions(a, b, labels=labels)
    assert even.p_value > 0.9
    assert "no significant difference" in even.sentence("A", "B")
    assert compare_predictions(a, a, labels=labels).p_value == 1
