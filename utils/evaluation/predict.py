"""A network's logits for every image of a dataset."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.errors import ConfigError
from utils.processing.face_images import FaceImages

TEST_TIME_AVERAGES = ("none", "flip", "ten-crop")
_BATCH = 64
_CROP = 11 / 12


@torch.inference_mode()
def predict_logits(
    network: nn.Module, dataset: FaceImages, *, device: torch.device, average: str = "none"
) -> Tensor:
    """Return float32 logits ``(N, H * K)`` on the CPU for every image of a dataset, in order.

    Args:
        network: Maps normalised images to logits.
        dataset: The images.
        device: The network's device.
        average: Average the logits over views of each image: ``flip`` is the image and its mirror
            image, ``ten-crop`` its centre and corners, cropped to 11/12 of the side and resized to
            the full side, each with its mirror image (Krizhevsky et al., 2012).

    Raises:
        ConfigError: ``average`` is unknown.
    """
    network.eval()
    rows = []
    for start in range(0, len(dataset), _BATCH):
        indices = np.arange(start, min(start + _BATCH, len(dataset)))
        pixels = dataset.preprocessing.normalize(dataset.batch(indices))
        batch = torch.from_numpy(pixels).to(device)
        views = [
            network(view.contiguous(memory_format=torch.channels_last)).float()
            for view in _views(batch, average)
        ]
        rows.append(torch.stack(views).mean(0).cpu())
    return torch.cat(rows)


def _views(batch: Tensor, average: str) -> list[Tensor]:
    if average == "none":
        return [batch]
    if average == "flip":
        return [batch, batch.flip(3)]
    if average != "ten-crop":
        known = ", ".join(TEST_TIME_AVERAGES)
        raise ConfigError(f"unknown test-time average {average!r}; known: {known}")
    side = batch.shape[-1]
    crop = round(side * _CROP)
    margin, middle = side - crop, (side - crop) // 2
    corners = [(0, 0), (0, margin), (margin, 0), (margin, margin), (middle, middle)]
    crops = [
        F.interpolate(
            batch[..., y : y + crop, x : x + crop], size=side, mode="bilinear", align_corners=False
        )
        for y, x in corners
    ]
    return crops + [view.flip(3) for view in crops]
