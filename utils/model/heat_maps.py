"""Class activation maps: where in a face the evidence for a class lies. Torch-free.

After Zhou et al., 2016 (https://arxiv.org/abs/1512.04150). In a network that ends in global average
pooling and one linear layer, the map equals Grad-CAM (Selvaraju et al., 2017,
https://arxiv.org/abs/1610.02391) of the last feature map, and needs no gradients.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

# What pytorch-grad-cam adds to a divisor that may be 0.
_EPSILON = 1e-7


def class_activation_maps(
    features: NDArray[np.float32], weights: NDArray[np.float32], *, size: int
) -> NDArray[np.float32]:
    """Return one map for each feature map, scaled and resized as pytorch-grad-cam does it.

    Args:
        features: float32 ``(N, C, h, w)``, what the global average pooling receives.
        weights: float32 ``(N, C)``, for each image the linear layer's row of the class to explain.
        size: Side S of the maps in pixels.

    Returns:
        float32 ``(N, S, S)`` in 0..1; 1 is the strongest evidence for the class, and all zeros
        mean that nothing in the image is evidence for it.
    """
    places = features.shape[2] * features.shape[3]
    evidence = np.einsum("nc,nchw->nhw", weights / np.float32(places), features)
    maps = np.empty((len(features), size, size), np.float32)
    for index, values in enumerate(np.maximum(evidence, 0)):
        resized = cv2.resize(_scaled(values), (size, size), interpolation=cv2.INTER_LINEAR)
        maps[index] = _scaled(np.asarray(resized, np.float32))
    return maps


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch the values to 0..1."""
    shifted = values - values.min()
    return np.asarray(shifted / (_EPSILON + shifted.max()), np.float32)
