"""Typed settings from ``EMOTION_…`` environment variables, read when asked for."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from utils.defaults import CHART_TAU, INTERVAL, MAX_STREAMS, TAU
from utils.errors import ConfigError
from utils.paths import PROJECT

ENV_PREFIX = "EMOTION_"
DEFAULT_DATABASE = f"sqlite:///{PROJECT / 'recordings.sqlite'}"
AnySettings = TypeVar("AnySettings", bound=BaseSettings)


class IceServer(BaseModel):
    """A STUN or TURN server, named as in the browser's ``RTCIceServer``."""

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


class Settings(BaseSettings):
    """What a deployment may set.

    Attributes:
        model: Checkpoint to use; None takes the bundled ``model/best_model.pth``.
        detector: Name of the face detector that live video starts with.
        detector_weights: Model file of that detector, for those that need one (yunet, ssd).
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: Cores that inference may use; None takes half of them, so that coding the video
            keeps the others.
        ice_servers: STUN and TURN servers as a JSON list, e.g.
            ``[{"urls": "turn:turn.example.org", "username": "u", "credential": "c"}]``. None are
            needed on localhost.
        interval: Live video reads the faces of every N-th frame.
        tau: Time constant in seconds of the smoothed probabilities.
        chart_tau: Time constant in seconds of the timeline.
        batch_folder: A folder on the server whose pictures viewers may have analysed; None: none.
        database_url: Where recordings are kept, as SQLAlchemy writes it: ``sqlite:///FILE`` or
            ``postgresql+psycopg://user:password@host/name``.
        retention_days: Older recordings are deleted; None keeps them.
        max_streams: Live videos that the server analyses at once; further ones are told to wait.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, protected_namespaces=(), extra="ignore", frozen=True
    )

    model: Path | None = None
    detector: str = "mtcnn"
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

    def rtc_configuration(self) -> dict[str, list[dict[str, Any]]]:
        """Return the ``RTCConfiguration`` that browser and server share.

        Without servers the list is empty instead of missing: a missing one would make the WebRTC
        libraries ask a public STUN server on the internet.
        """
        return {"iceServers": [server.model_dump(exclude_none=True) for server in self.ice_servers]}


def get_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigError: A variable has an impossible value; the message names it.
    """
    return read_settings(Settings, ENV_PREFIX)


def read_settings(kind: type[AnySettings], prefix: str) -> AnySettings:
    """Read settings of a kind from the environment.

    Args:
        kind: The class of settings.
        prefix: How the names of its variables begin.

    Raises:
        ConfigError: A variable has an impossible value; the message names it.
    """
    try:
        return kind()
    except SettingsError as error:
        raise ConfigError(
            f"A setting is not valid JSON ({error}); lists are written such as "
            f'{ENV_PREFIX}ICE_SERVERS=\'[{{"urls": "stun:stun.example.org"}}]\'.'
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{prefix}{'.'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
            for item in error.errors()
        )
        raise ConfigError(f"Settings can't be used: {problems}.") from error
