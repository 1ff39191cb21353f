"""A network's logits for faces of which a share is corrupted, as pictures outside a dataset are."""

import numpy as np
import torch
from torch import Tensor, nn

from utils.evaluation.predict import predict_logits
from utils.processing.corruptions import as_rgb, corrupt_at_random
from utils.processing.dataset import FaceDataset

_SEED = 0
_CHUNK = 256


def mix_corrupted(
    network: nn.Module, dataset: FaceDataset, *, clean: Tensor, share: float
) -> Tensor:
    """Return the logits where a share of the faces is corrupted at random.

    The faces and their corruptions are the same every time, and a larger share contains those of a
    smaller one.

    Args:
        network: Maps normalised images to logits, on the CPU.
        dataset: The N faces.
        clean: The network's logits ``(N, H * K)`` for the faces as they are.
        share: Share of the faces that are corrupted, 0..1.

    Returns:
        float32 ``(N, H * K)``, in the order of the faces.
    """
    order = np.random.default_rng(_SEED).permutation(len(dataset))[: round(share * len(dataset))]
    mixed = clean.clone()
    for start in range(0, len(order), _CHUNK):
        indices = order[start : start + _CHUNK]
        corrupted = [
            corrupt_at_random(image, np.random.default_rng((_SEED, index)))
            for image, index in zip(as_rgb(dataset.batch(indices)), indices, strict=True)
        ]
        pixels = dataset.preprocessing.to_network_size(np.stack(corrupted))
        shown = dataset.with_pixels(indices, pixels)
        mixed[indices] = predict_logits(network, shown, device=torch.device("cpu"))
    return mixed
