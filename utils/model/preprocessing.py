"""Face crops to network input, as described in the checkpoint.

Torch-free, so that every runtime prepares its input with this one function.
"""

from dataclasses import asdict, field
from typing import Annotated, Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from utils.faces.crop import DEFAULT_GEOMETRY, CropGeometry
from utils.validation import Number

Color = Literal["grey", "rgb"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Preprocessing:
    """How a crop becomes network input.

    Attributes:
        input_size: Side S of the square input in pixels, 1 to 1024.
        color: ``grey`` (one channel, ITU-R BT.601 luma) or ``rgb``.
        mean: Mean of each channel, for values in 0..1; one value counts for all.
        std: Standard deviation of each channel, for values in 0..1; one value counts for all.
        geometry: Detector name to the crop that frames its faces as in training.

    Raises:
        ValueError: A value is of the wrong type, outside its range or does not fit the colour.
    """

    input_size: Annotated[int, Field(strict=True, ge=1, le=1024)] = 48
    color: Color = "grey"
    mean: tuple[Annotated[Number, Field(ge=-1e3, le=1e3)], ...] = (0.5,)
    # Training rounds it to four digits.
    std: tuple[Annotated[Number, Field(ge=1e-4, le=1e3)], ...] = (0.25,)
    geometry: dict[str, CropGeometry] = field(default_factory=lambda: dict(DEFAULT_GEOMETRY))

    @model_validator(mode="after")
    def _fit_the_channels(self) -> "Preprocessing":
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(
                    f"{name} must have one value, or {self.channels} for {self.color}, not "
                    f"{len(values)}"
                )
        return self

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return 1 if self.color == "grey" else 3

    def __call__(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn RGB uint8 crops ``(N, H, W, 3)`` into normalised float32 ``(N, C, S, S)``."""
        return self.normalize(self.to_network_size(crops))

    def to_network_size(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn RGB uint8 crops ``(N, H, W, 3)`` into uint8 ``(N, C, S, S)``."""
        side = self.input_size
        out = np.empty((len(crops), self.channels, side, side), dtype=np.uint8)
        for i, crop in enumerate(crops):
            resized = self._resize(crop)
            if self.color == "grey":
                out[i, 0] = cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY)
            else:
                out[i] = resized.transpose(2, 0, 1)
        return out

    def _resize(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size = (self.input_size, self.input_size)
        if crop.shape[:2] == size:
            return crop
        interpolation = cv2.INTER_AREA if crop.shape[0] > self.input_size else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(crop, size, interpolation=interpolation), np.uint8)

    def normalize(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn uint8 ``(N, C, S, S)`` into float32 of about zero mean and unit variance."""
        mean = np.asarray(self.mean, np.float32)[:, None, None]
        std = np.asarray(self.std, np.float32)[:, None, None]
        values: NDArray[np.float32] = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return plain types for a checkpoint or JSON."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}
