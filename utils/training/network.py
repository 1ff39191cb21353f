"""The network at the start of training, what it can do, and which of its layers train when."""

from typing import Any

import numpy as np
import torch
from torch import nn

from utils.errors import ConfigError, DataError
from utils.model.architectures import EmotionNetwork, FineTunable, build_model, get_architecture
from utils.model.pretrained import DLIB, adapt_batch_norm, build_with_weights
from utils.processing.dataset import FaceDataset
from utils.training.config import NetworkConfig, TrainConfig

_STATISTICS_IMAGES = 256


def check_options(config: TrainConfig, *, images: int) -> None:
    """Check that a configuration suits its architecture and the number of labelled images.

    Raises:
        ConfigError: The architecture is unknown, or can't do what an option asks for.
        DataError: There are fewer images than a batch needs.
    """
    architecture, batch_size = get_architecture(config.network.model), config.schedule.batch_size
    if images < batch_size:
        raise DataError(
            f"{images} training images are fewer than one batch of {batch_size}; choose a smaller "
            "--batch-size"
        )
    if config.network.unfreeze_every and not issubclass(architecture, FineTunable):
        raise ConfigError(
            f"unfreeze_every: {config.network.model} has no groups of layers to freeze; set it to 0"
        )
    if config.schedule.layer_decay != 1 and not issubclass(architecture, FineTunable):
        raise ConfigError(
            f"layer_decay: {config.network.model} has no groups of layers; set it to 1"
        )
    if config.augmentation.progressive_epochs and not architecture.fully_convolutional:
        raise ConfigError(
            f"progressive_epochs: {config.network.model} accepts one input size only; set it to 0"
        )


def build_network(
    config: NetworkConfig, outputs: int, *, faces: FaceDataset, device: torch.device
) -> tuple[EmotionNetwork, dict[str, Any]]:
    """Build a network, with the weights it starts from if there are any.

    Args:
        config: Architecture, its arguments and the initial weights.
        outputs: Number of logits, H * K.
        faces: Training images.
        device: Device of the network.

    Returns:
        The network, and for its checkpoint ``epochs_before`` and the origin of its weights.

    Raises:
        CheckpointError: The initial checkpoint can't be read, or less than half of its weights fit.
        ConfigError: The architecture does not accept its arguments, or the weights are missing.
    """
    args = config.build_args(outputs)
    network: EmotionNetwork
    if config.pretrained:
        network, started = build_with_weights(
            config.model, args, source=config.pretrained, preprocessing=faces.preprocessing
        )
    else:
        network, started = build_model(config.model, **args), {"epochs_before": 0}
    if config.pretrained == DLIB:
        adapt_batch_norm(network, _sample(faces))
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, started


def _sample(faces: FaceDataset) -> torch.Tensor:
    """Return some of the training images, normalised float32 ``(N, C, S, S)``."""
    order = np.random.default_rng(0).permutation(len(faces))
    pixels = faces.batch(order[:_STATISTICS_IMAGES])
    return torch.from_numpy(faces.preprocessing.normalize(pixels))


def unfreeze_layers(network: nn.Module, config: NetworkConfig, *, epoch: int) -> None:
    """Train one more group of a pretrained network's layers every few epochs.

    Args:
        network: The network; one without groups of layers is not changed.
        config: Epochs per group and number of groups.
        epoch: Number of the epoch, counted from 1.
    """
    if config.unfreeze_every and isinstance(network, FineTunable):
        groups = (epoch - 1) // config.unfreeze_every
        most = config.unfreeze_groups
        train_last_groups(network, groups if most is None else min(groups, most))


def train_last_groups(network: nn.Module, trainable_groups: int) -> None:
    """Freeze a network except for its last layer and the last groups of layers before it.

    Frozen BatchNorm layers still update their statistics in training mode, which adapts them to the
    new images.

    Args:
        network: A ``FineTunable`` network.
        trainable_groups: Number of groups before the last layer; a number beyond all groups trains
            the whole network.

    Raises:
        ConfigError: The network has no groups of layers.
    """
    if not isinstance(network, FineTunable):
        raise ConfigError(f"{type(network).__name__} has no groups of layers")
    *groups, last_layer = network.layer_groups()
    network.requires_grad_(trainable_groups >= len(groups))
    first = max(0, len(groups) - trainable_groups)
    for module in (*last_layer, *(layer for group in groups[first:] for layer in group)):
        module.requires_grad_(True)
