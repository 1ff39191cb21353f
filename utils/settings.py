"""Typed settings from ``EMOTION_…`` environment variables, read on request, never on import."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from utils.defaults import CHART_TAU, DETECTOR, INTERVAL, MAX_STREAMS, TAU
from utils.errors import ConfigError
from utils.paths import DATA_FOLDER

ENV_PREFIX = "EMOTION_"
DEFAULT_DATABASE = f"sqlite:///{DATA_FOLDER / 'recordings.sqlite'}"
AnySettings = TypeVar("AnySettings", bound=BaseSettings)


class IceServer(BaseModel):
    """A STUN or TURN server, with the fields of the browser's ``RTCIceServer``.

    Attributes:
        urls: Its address or addresses, such as ``turn:turn.example.org``.
        username: User name of a TURN server.
        credential: Password of a TURN server.
    """

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


class Settings(BaseSettings):
    """What a deployment can set.

    Attributes:
        model: Model file to use; None is the bundled ``model/best_model.pth`` (or its ONNX file).
        detector: Name of the face detector that live video starts with.
        detector_weights: Model file of that detector, for those that need one (yunet, ssd).
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: Cores that inference may use; None is half of them, which leaves the others to
            encoding the video.
        ice_servers: STUN and TURN servers as a JSON list, e.g.
            ``[{"urls": "turn:turn.example.org", "username": "u", "credential": "c"}]``. None are
            needed on localhost.
        interval: Live video analyses every N-th frame.
        tau: Time constant of the smoothed probabilities in seconds.
        chart_tau: Time constant of the chart's lines in seconds.
        batch_folder: Folder on the server whose images viewers may have analysed; None offers none.
        database_url: Database of recorded sessions as an SQLAlchemy URL: ``sqlite:///FILE`` or
            ``postgresql+psycopg://user:password@host/name``.
        retention_days: Recorded sessions older than this are deleted; None keeps them.
        max_streams: Live streams that the server analyses at once; further ones have to wait.
        webhook: URL to which the live page can post results.
        webhook_interval: Least seconds between two of these posts.
        broadcast: Port of the WebSocket on this computer to which the live page can send results.
        lsl: Name of the Lab Streaming Layer stream to which the live page can send results.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        protected_namespaces=(),
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
    )

    model: Path | None = None
    detector: str = DETECTOR
    detector_weights: Path | None = None
    device: str = "auto"
    threads: int | None = Field(default=None, ge=1, le=256)
    ice_servers: list[IceServer] = []
    interval: int = Field(default=INTERVAL, ge=1, le=30)
    tau: float = Field(default=TAU, ge=0.0, le=10.0)
    chart_tau: float = Field(default=CHART_TAU, ge=0.0, le=10.0)
    batch_folder: Path | None = None
    database_url: str = DEFAULT_DATABASE
    retention_days: float | None = Field(default=None, gt=0)
    max_streams: int = Field(default=MAX_STREAMS, ge=1, le=1000)
    webhook: str | None = None
    webhook_interval: float = Field(default=0.0, ge=0.0, le=3600.0)
    broadcast: int | None = Field(default=None, ge=1, le=65535)
    lsl: str | None = None

    def rtc_configuration(self) -> dict[str, list[dict[str, Any]]]:
        """Return the ``RTCConfiguration`` that browser and server share.

        Without servers the list is empty rather than missing: without a list the WebRTC libraries
        contact a public STUN server on the internet.
        """
        return {"iceServers": [server.model_dump(exclude_none=True) for server in self.ice_servers]}


def get_settings() -> Settings:
    """Read the settings of the app and the service from the environment.

    Raises:
        ConfigError: A variable has an invalid value; the message names it.
    """
    return read_settings(Settings, ENV_PREFIX)


def read_settings(kind: type[AnySettings], prefix: str) -> AnySettings:
    """Read a class of settings from the environment.

    Args:
        kind: The class.
        prefix: What the names of its variables begin with.

    Raises:
        ConfigError: A variable has an invalid value; the message names it.
    """
    try:
        return kind()
    except SettingsError as error:
        raise ConfigError(
            f"A setting is not valid JSON ({error}); write lists like "
            f'{ENV_PREFIX}ICE_SERVERS=\'[{{"urls": "stun:stun.example.org"}}]\'.'
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{prefix}{'.'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors()
        )
        raise ConfigError(f"Invalid settings: {problems}.") from error
