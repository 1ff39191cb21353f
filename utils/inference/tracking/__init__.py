"""Faces followed from frame to frame: tracks, their boxes, when to detect, smoothing over time."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
