"""The network: architectures, how a model must be used, checkpoints, runtimes and export."""
