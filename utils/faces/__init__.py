"""Face detectors: one protocol, one file each, chosen by name."""
