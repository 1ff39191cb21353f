"""Temperature, class-prior correction and threshold, fitted on the validation split."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from utils.evaluation.metrics import (
    compute_metrics,
    confidence_threshold,
    expected_calibration_error,
)
from utils.evaluation.mixture import mix_corrupted
from utils.evaluation.predict import predict_logits
from utils.evaluation.results import PriorRow, ScalingMetrics, ScalingRow
from utils.evaluation.split import SplitPredictions, label_sets
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head, LabelSet
from utils.processing.dataset import FaceDataset

PRIOR_COST = 0.005
_STRENGTHS: tuple[float, ...] = tuple(np.round(np.arange(0.0, 1.01, 0.1), 1).tolist())
_FOLDS = 5
# Perfect or random predictions have no best temperature; real ones are far inside these bounds.
_TEMPERATURES = (0.05, 20.0)

Samples = tuple[Tensor, Tensor]


def calibrate(checkpoint: Checkpoint, validation: FaceDataset, *, mixture: float = 0.0) -> None:
    """Set each head's temperature, prior correction and threshold on the validation split.

    A dataset's own faces make a network more confident than other pictures justify. The temperature
    is therefore fitted where a share of the faces is corrupted; prior correction and threshold are
    chosen on the faces as they are. The checkpoint's ``data`` says how, as ``calibration``.

    Args:
        checkpoint: Changed in place.
        validation: The faces.
        mixture: Share of the faces that are corrupted, 0..1.
    """
    network = checkpoint.build()
    outputs = predict_logits(network, validation, device=torch.device("cpu"))
    mixed = mix_corrupted(network, validation, clean=outputs, share=mixture)
    available = label_sets(validation)
    heads = []
    for index, head in enumerate(checkpoint.heads):
        labels = available[head.role.target_label_set(available)]
        columns = checkpoint.head_columns(head)
        logits = outputs[:, columns]
        temperature = fit_temperature(mixed[:, columns], torch.from_numpy(labels))
        fitted = replace(head, temperature=temperature)
        if index == 0:
            fitted = correct_prior(fitted, logits.numpy(), labels=labels)
        probabilities = fitted.probabilities(logits.numpy())
        heads.append(replace(fitted, threshold=confidence_threshold(probabilities)))
    checkpoint.heads = tuple(heads)
    checkpoint.data["calibration"] = {"faces": len(validation), "mixture": mixture}


def correct_prior(head: Head, logits: NDArray[np.float32], *, labels: NDArray[np.int64]) -> Head:
    """Choose the strongest class-prior correction that costs at most half a point of accuracy.

    On data with the same prior the correction can only cost accuracy; it gains recall of the rarer
    classes, there and on images from elsewhere.

    Args:
        head: Calibrated head.
        logits: ``(N, K)`` on the validation split.
        labels: ``(N,)``; negative ones are left out.
    """
    kept = labels >= 0

    def accuracy(candidate: Head) -> float:
        predictions = candidate.probabilities(logits[kept]).argmax(1)
        return float((predictions == labels[kept]).mean())

    minimum = accuracy(replace(head, prior_correction=0.0)) - PRIOR_COST
    allowed = [x for x in _STRENGTHS if accuracy(replace(head, prior_correction=x)) >= minimum]
    return replace(head, prior_correction=max(allowed))


def prior_table(head: Head, predictions: SplitPredictions) -> tuple[PriorRow, ...]:
    """Return a head's metrics at every strength of the prior correction: 0, 0.1 … 1.

    They are measured against the labels that the head was trained to predict.
    """
    labels = predictions.target_labels(head)
    rows = []
    for strength in _STRENGTHS:
        changed = replace(head, prior_correction=strength)
        probabilities = changed.probabilities(predictions.logits[head.name])
        metrics = compute_metrics(probabilities, labels, classes=predictions.classes)
        rows.append(
            PriorRow(
                prior_correction=strength,
                accuracy=metrics.accuracy,
                balanced_accuracy=metrics.balanced_accuracy,
                macro_f1=metrics.macro_f1,
            )
        )
    return tuple(rows)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Return the temperature that minimises the negative log-likelihood of ``logits / T``.

    Temperature scaling after Guo et al., 2017 (https://arxiv.org/abs/1706.04599).

    Args:
        logits: Float ``(N, K)``.
        labels: int64 ``(N,)``; rows with a negative label are left out.
    """
    logits, labels = logits[labels >= 0], labels[labels >= 0]
    log_temperature = torch.zeros(1, requires_grad=True)
    _minimise(lambda: F.cross_entropy(logits / log_temperature.exp(), labels), [log_temperature])
    return float(log_temperature.detach().exp().clamp(*_TEMPERATURES))


def fit_vector_scaling(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return a scale and a bias for each class that minimise the negative log-likelihood.

    Vector scaling after Guo et al., 2017 (https://arxiv.org/abs/1706.04599).

    Args:
        logits: Float ``(N, K)``.
        labels: int64 ``(N,)``; rows with a negative label are left out.

    Returns:
        Float ``(K,)`` each: the calibrated logits are ``scale * logits + bias``.
    """
    logits, labels = logits[labels >= 0], labels[labels >= 0]
    scale = torch.ones(logits.shape[1], requires_grad=True)
    bias = torch.zeros(logits.shape[1], requires_grad=True)
    _minimise(lambda: F.cross_entropy(scale * logits + bias, labels), [scale, bias])
    return scale.detach(), bias.detach()


def scaling_table(
    head: Head, *, validation: SplitPredictions, test: SplitPredictions
) -> tuple[ScalingRow, ...]:
    """Compare temperature and vector scaling of a head's logits.

    The labels are those that the head was trained to predict, if both splits have them.

    Args:
        head: Its own temperature and prior correction are ignored.
        validation: The predictions that scalings are fitted on.
        test: The predictions that they are measured on.
    """
    common = [name for name in LabelSet if validation.has(name) and test.has(name)]
    label_set = head.role.target_label_set(common)
    fitted, measured = (
        (torch.from_numpy(p.logits[head.name]), torch.from_numpy(p.labels[label_set]))
        for p in (validation, test)
    )
    return compare_scalings(fitted, measured, label_set=label_set)


def compare_scalings(
    validation: Samples, test: Samples, *, label_set: LabelSet
) -> tuple[ScalingRow, ...]:
    """Fit temperature and vector scaling on validation samples and measure both.

    On the validation split, each fifth is measured with what was fitted on the other four, so that
    the method with more parameters has no advantage.

    Args:
        validation: Float logits ``(N, K)`` and int64 labels ``(N,)``; rows with a negative label
            are left out.
        test: The same of another split.
        label_set: What the labels are.
    """
    logits, labels = (values[validation[1] >= 0] for values in validation)
    test_logits, test_labels = (values[test[1] >= 0] for values in test)
    fold = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)) % _FOLDS)
    rows = []
    for name, scale in (("temperature", _scale_by_temperature), ("vector", _scale_by_vector)):
        crossed = torch.empty_like(logits)
        for number in range(_FOLDS):
            held_out = fold == number
            crossed[held_out] = scale(logits[~held_out], labels[~held_out], logits[held_out])
        rows.append(
            ScalingRow(
                scaling=name,
                validation=_scaling_metrics(crossed, labels),
                test=_scaling_metrics(scale(logits, labels, test_logits), test_labels),
                label_set=label_set,
            )
        )
    return tuple(rows)


def _scale_by_temperature(logits: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    return others / fit_temperature(logits, labels)


def _scale_by_vector(logits: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    scale, bias = fit_vector_scaling(logits, labels)
    return scale * others + bias


def _scaling_metrics(logits: Tensor, labels: Tensor) -> ScalingMetrics:
    return ScalingMetrics(
        accuracy=float((logits.argmax(1) == labels).double().mean()),
        nll=float(F.cross_entropy(logits, labels)),
        ece=expected_calibration_error(logits.softmax(1).numpy(), labels.numpy()),
    )


def _minimise(loss_of: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = loss_of()
        torch.autograd.backward(value)
        return value

    optimizer.step(loss)  # type: ignore[arg-type, no-untyped-call, unused-ignore]
