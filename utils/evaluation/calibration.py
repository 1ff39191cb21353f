"""Calibration: what is fitted on the validation split so that probabilities mean what they say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from utils.evaluation.metrics import confidence_threshold, expected_calibration_error
from utils.evaluation.predict import predict_logits
from utils.model.checkpoint import Checkpoint
from utils.model.spec import Head
from utils.processing.dataset import FaceDataset

PRIOR_COST = 0.005
_FOLDS = 5


def calibrate(checkpoint: Checkpoint, validation: FaceDataset) -> None:
    """Set each head's temperature, prior correction and threshold by the validation split."""
    logits = predict_logits(checkpoint.build(), validation, torch.device("cpu"))
    majority = validation.ferplus_majority()
    heads = []
    for index, head in enumerate(checkpoint.heads):
        labels = torch.from_numpy(validation.labels)
        if majority is not None and head.name == "perceived":
            labels = torch.from_numpy(majority)
        own = logits[:, checkpoint.head_columns(head)]
        head = replace(head, temperature=fit_temperature(own, labels))
        if index == 0:
            head = correct_prior(head, own.numpy(), labels.numpy())
        probabilities = head.probabilities(own.numpy())
        heads.append(replace(head, threshold=confidence_threshold(probabilities)))
    checkpoint.heads = tuple(heads)


def correct_prior(head: Head, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Head:
    """Correct the class prior as far as it costs no more than half a point of accuracy.

    Accuracy on data with the same prior can only pay for the correction; what it buys is recall of
    the rarer classes, there and on pictures from elsewhere.

    Args:
        head: Calibrated head.
        logits: ``(N, K)`` on the validation split.
        labels: ``(N,)``; negative ones are left out.
    """
    kept = labels >= 0

    def accuracy(candidate: Head) -> float:
        answers = candidate.probabilities(logits[kept]).argmax(1)
        return float((answers == labels[kept]).mean())

    least = accuracy(replace(head, prior_correction=0.0)) - PRIOR_COST
    strengths = np.round(np.arange(0.0, 1.01, 0.1), 1).tolist()
    good = [x for x in strengths if accuracy(replace(head, prior_correction=x)) >= least]
    return replace(head, prior_correction=max(good))


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
    # Perfect or random answers have no best temperature; these bounds are far outside of use.
    return float(log_temperature.detach().exp().clamp(0.05, 20.0))


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


def compare_scalings(
    validation: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> list[dict[str, Any]]:
    """Hold vector scaling against temperature scaling.

    On the validation split each fifth is judged by what the other four gave, so that the method
    with more numbers to fit has no advantage.

    Args:
        validation: Float logits ``(N, K)`` and int64 labels ``(N,)``; rows with a negative label
            are left out.
        test: The same of another split.

    Returns:
        For each method ``scaling``, and for ``validation`` and ``test`` ``accuracy``, ``nll`` (the
        negative log-likelihood) and ``ece``.
    """
    logits, labels = (values[validation[1] >= 0] for values in validation)
    seen, truth = (values[test[1] >= 0] for values in test)
    fold = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)) % _FOLDS)
    rows = []
    for name, scaled in (("temperature", _by_temperature), ("vector", _by_vector)):
        crossed = torch.empty_like(logits)
        for number in range(_FOLDS):
            own = fold == number
            crossed[own] = scaled(logits[~own], labels[~own], logits[own])
        rows.append(
            {
                "scaling": name,
                "validation": _figures(crossed, labels),
                "test": _figures(scaled(logits, labels, seen), truth),
            }
        )
    return rows


def _by_temperature(logits: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    return others / fit_temperature(logits, labels)


def _by_vector(logits: Tensor, labels: Tensor, others: Tensor) -> Tensor:
    scale, bias = fit_vector_scaling(logits, labels)
    return scale * others + bias


def _figures(logits: Tensor, labels: Tensor) -> dict[str, float]:
    probabilities = logits.softmax(1).numpy()
    return {
        "accuracy": float((logits.argmax(1) == labels).double().mean()),
        "nll": float(F.cross_entropy(logits, labels)),
        "ece": expected_calibration_error(probabilities, labels.numpy()),
    }


def _minimise(loss_of: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = loss_of()
        value.backward()
        return value

    optimizer.step(loss)  # type: ignore[arg-type, unused-ignore]
