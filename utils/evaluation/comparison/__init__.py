"""Models compared: two of them, all architectures, all changes of a training recipe."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
