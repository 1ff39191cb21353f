"""Facial emotion detection: an image goes in, faces come out, each with calibrated probabilities.

The names in ``__all__`` are the library's front door. Each is imported when it is first used, so
that ``import utils`` costs nothing and only what needs PyTorch loads it.

Example:
    >>> from utils import EmotionAnalyzer, load_image
    >>> analyzer = EmotionAnalyzer.load()
    >>> result = analyzer.analyze(load_image("photo.jpg"))
    >>> [(face.emotion, face.confidence) for face in result.faces]
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
