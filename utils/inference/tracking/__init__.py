"""Faces followed from frame to frame: tracks, their boxes, when to detect, smoothing over time."""
