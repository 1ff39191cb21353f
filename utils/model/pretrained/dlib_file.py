"""The weights of dlib's face recognition network, read from its own file.

The file is dlib's serialisation of a network: between the names and settings of the layers stand
the tensors, each as a version number, four dimensions and little-endian float32.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from utils.errors import ConfigError
from utils.model.pretrained.package_file import find_package_file

PACKAGE = "face_recognition_models"
_FILE = "models/dlib_face_recognition_resnet_model_v1.dat"
_TENSOR_VERSION = 2
_DESCRIPTOR = (256, 128)


class AffineConvolution(NamedTuple):
    """A convolution and the affine layer after it.

    Attributes:
        weight: float32 ``(C_out, C_in, k, k)``.
        bias: float32 ``(C_out,)``.
        gamma: float32 ``(C_out,)``, the affine layer's factor.
        beta: float32 ``(C_out,)``, the affine layer's summand.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]


def find_file() -> Path:
    """Return the file in the installed package ``face-recognition-models`` (CC0).

    Raises:
        ConfigError: The package is not installed.
    """
    return find_package_file(PACKAGE, _FILE, weights="dlib's weights")


def read_layers(
    path: Path, shapes: Sequence[tuple[int, ...]]
) -> tuple[list[AffineConvolution], NDArray[np.float32]]:
    """Read convolutions in the order of the network, and the layer that makes descriptors.

    Args:
        path: The file.
        shapes: ``(C_out, C_in, k, k)`` of each convolution.

    Returns:
        The convolutions, and float32 ``(256, 128)`` that maps pooled features to descriptors.

    Raises:
        ConfigError: The file can't be read, or does not hold these tensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror})") from error
    reader = _TensorReader(content, path)
    layers = []
    for shape in shapes:
        channels = shape[0]
        values = reader.read((int(np.prod(shape)) + channels, 1, 1, 1))
        gamma, beta = np.split(reader.read((2 * channels, 1, 1, 1)), 2)
        layers.append(
            AffineConvolution(
                values[:-channels].reshape(shape), values[-channels:], gamma=gamma, beta=beta
            )
        )
    return layers, reader.read((*_DESCRIPTOR, 1, 1)).reshape(_DESCRIPTOR)


class _TensorReader:
    """Finds one tensor after another by the bytes that precede its values."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content, self._path, self._position = content, path, 0

    def read(self, dimensions: tuple[int, int, int, int]) -> NDArray[np.float32]:
        """Return the values ``(N,)`` of the next tensor with these dimensions."""
        header = b"".join(map(_serialized, (_TENSOR_VERSION, *dimensions)))
        found = self._content.find(header, self._position)
        count, start = int(np.prod(dimensions)), found + len(header)
        self._position = start + 4 * count
        if found < 0 or self._position > len(self._content):
            raise ConfigError(f"{self._path}: not dlib's face recognition network, or damaged")
        return np.frombuffer(self._content, "<f4", count, start).astype(np.float32)


def _serialized(value: int) -> bytes:
    """Return a positive number as dlib writes it: its number of bytes, then these."""
    length = (value.bit_length() + 7) // 8
    return bytes([length]) + value.to_bytes(length, "little")
