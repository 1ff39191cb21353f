"""The version of the project."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("emotion-detection")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0+unknown"
