"""A network's answers for every image of a split."""

import torch
from torch import Tensor, nn

from utils.processing import FaceFolder

_EVALUATION_BATCH = 256


@torch.inference_mode()
def predict_logits(
    network: nn.Module, folder: FaceFolder, device: torch.device, mirrored: bool = False
) -> Tensor:
    """Return float32 logits ``(N, H * K)`` on the CPU for every image of a split, in order.

    Args:
        network: Maps normalised images to logits.
        folder: The images.
        device: Where the network is.
        mirrored: Show the network each image's mirror image.
    """
    network.eval()
    rows = []
    for indices in torch.arange(len(folder)).split(_EVALUATION_BATCH):
        pixels = folder.preprocessing.normalize(folder.batch(indices).numpy())
        batch = torch.from_numpy(pixels).to(device, memory_format=torch.channels_last)
        batch = batch.flip(3) if mirrored else batch
        rows.append(network(batch).float().cpu())
    return torch.cat(rows)
