"""Lab Streaming Layer: the probabilities of each face, and the events, as two LSL streams.

https://labstreaminglayer.org
"""

import math
import platform
import time as clock
from types import ModuleType
from typing import Any

from utils.errors import ConfigError, OutputError, reason_of
from utils.extras import require
from utils.media.live_outputs.messages import StreamDescription, StreamMessage
from utils.results import Face

MARKERS_SUFFIX = "-markers"
# LSL can't be asked whether it has sent everything; what is left when an outlet closes is lost.
_CLOSE_SECONDS = 0.3


class LslOutlets:
    """Two LSL outlets, which any program of the local network can find and receive.

    The first, of type ``Expression``, has one sample for each face of an analysed frame, with the
    channels ``track_id``, ``p_<class>`` for each class, ``confidence`` and ``uncertain`` (0 or 1).
    A face with a problem has no probabilities, and a frame without faces one sample without any
    values; what is missing is NaN. The second, of type ``Markers``, has a text for each event. All
    time stamps are those of LSL's clock at the moment of capture.

    Args:
        name: Name of the first stream; that of the second one ends with ``-markers``.
        stream: What the probabilities mean.

    Raises:
        ConfigError: The name can't be used.
        MissingExtraError: ``pylsl`` is not installed.
        OutputError: LSL can't be used on this computer.
    """

    def __init__(self, name: str, stream: StreamDescription) -> None:
        require("lsl", feature="Lab Streaming Layer")
        if not (name.strip() and name.isprintable()):
            raise ConfigError(f"LSL: {name!a} can't be the name of a stream; choose another one")
        try:
            import pylsl
        except (RuntimeError, OSError) as error:  # without its binary library
            raise OutputError(
                f"LSL: the library liblsl can't be loaded ({reason_of(error)}); install it for "
                "this system and name its file in PYLSL_LIB"
            ) from error
        self._lsl: ModuleType = pylsl
        self._classes = stream.classes
        try:
            self._faces: Any = pylsl.StreamOutlet(_faces_info(pylsl, name, stream))
            self._markers: Any = pylsl.StreamOutlet(_markers_info(pylsl, name, stream))
        except RuntimeError as error:
            raise OutputError(f"LSL: the streams can't be opened ({reason_of(error)})") from error

    def send(self, message: StreamMessage, captured: float) -> None:
        """Push the samples of a message; LSL sends them in threads of its own."""
        stamp = captured + self._lsl.local_clock() - clock.monotonic()
        if message.event:
            self._markers.push_sample([message.event.text], stamp)
        elif message.result:
            for face in message.result.faces or (None,):
                self._faces.push_sample(self._sample(face), stamp)

    def close(self) -> None:
        """Close the outlets."""
        if self._faces.have_consumers() or self._markers.have_consumers():
            clock.sleep(_CLOSE_SECONDS)
        del self._faces, self._markers

    def _sample(self, face: Face | None) -> list[float]:
        if face is None:
            return [math.nan] * (len(self._classes) + 3)
        track_id = math.nan if face.track_id is None else float(face.track_id)
        if face.problem is not None:
            return [track_id, *[math.nan] * (len(self._classes) + 1), 1.0]
        probabilities = [face.probabilities.get(name, math.nan) for name in self._classes]
        return [track_id, *probabilities, face.confidence, float(face.uncertain)]


def _faces_info(lsl: ModuleType, name: str, stream: StreamDescription) -> Any:
    shares = [f"p_{emotion}" for emotion in stream.classes]
    labels = ["track_id", *shares, "confidence", "uncertain"]
    info = _info(lsl, name, "Expression", count=len(labels), form="float32")
    info.set_channel_labels(labels)
    info.set_channel_types(["Identity", *["Probability"] * (len(shares) + 1), "Flag"])
    info.set_channel_units("none")
    _describe(info, stream)
    return info


def _markers_info(lsl: ModuleType, name: str, stream: StreamDescription) -> Any:
    info = _info(lsl, f"{name}{MARKERS_SUFFIX}", "Markers", count=1, form="string")
    info.set_channel_labels(["marker"])
    _describe(info, stream)
    return info


def _info(lsl: ModuleType, name: str, kind: str, *, count: int, form: str) -> Any:
    # The same after a restart, so that receivers find the stream again.
    source_id = f"emotion-detection:{platform.node()}:{name}"
    return lsl.StreamInfo(name, kind, count, lsl.IRREGULAR_RATE, form, source_id)


def _describe(info: Any, stream: StreamDescription) -> None:
    """Add what the values mean, in the form of XDF's metadata."""
    about = info.desc().append_child("model")
    about.append_child_value("name", stream.model)
    about.append_child_value("revision", stream.revision or "unknown")
    about.append_child_value("threshold", f"{stream.threshold:.4f}")
    classes = about.append_child("classes")
    for name in stream.classes:
        classes.append_child_value("class", name)
    # Frames that newer ones overtake are not analysed.
    synchronization = info.desc().append_child("synchronization")
    synchronization.append_child_value("can_drop_samples", "true")
