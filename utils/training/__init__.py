"""Training: configuration, targets, losses, optimisation, the loop and its report."""
