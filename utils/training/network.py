"""The network at the start of training, and which of its layers train when."""

import torch
from torch import nn

from utils.model.architectures import EmotionNetwork, FineTunable, build_model
from utils.model.checkpoint import epochs_in_all, load_checkpoint, start_from
from utils.training.config import NetworkConfig


def build_network(
    config: NetworkConfig, outputs: int, *, device: torch.device
) -> tuple[EmotionNetwork, int]:
    """Build a network, with the weights of the initial checkpoint if there is one.

    Args:
        config: Architecture, its arguments and the initial checkpoint.
        outputs: Number of logits, H * K.
        device: Device of the network.

    Returns:
        The network, and the epochs its weights have been trained for already.

    Raises:
        CheckpointError: The initial checkpoint can't be read, or less than half of its weights fit.
        ConfigError: The architecture does not accept its arguments.
    """
    network = build_model(config.model, **config.build_args(outputs))
    epochs_before = 0
    if config.init:
        initial = load_checkpoint(config.init)
        start_from(network, initial, config.init)
        epochs_before = epochs_in_all(initial.training)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, epochs_before


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
        network.freeze_backbone(groups if most is None else min(groups, most))
