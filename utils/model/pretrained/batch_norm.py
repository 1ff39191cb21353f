"""BatchNorm statistics for other images, without a change of what the network computes."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def adapt_batch_norm(network: nn.Module, images: Tensor) -> None:
    """Measure BatchNorm statistics on images; weights and biases change so as to make up for it.

    In evaluation mode the network computes what it did. In training mode, where a BatchNorm layer
    uses the statistics of the batch, it begins with nearly the same.

    Args:
        network: Changed in place.
        images: Normalised float32 ``(N, C, S, S)``; some hundreds suffice.
    """
    statistics: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def measure(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
        statistics[norm] = mean, variance

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    training = network.training
    try:
        network.eval()(images)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    for norm, (mean, variance) in statistics.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        norm.bias.add_(factor * (mean - norm.running_mean))
        norm.weight.copy_(factor * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
