"""What a deployment of the service may configure, by ``EMOTION_API_…`` environment variables."""

import re
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from utils.devices import image_workers
from utils.settings import ENV_PREFIX, read_settings

API_PREFIX = f"{ENV_PREFIX}API_"
_BODIES = ("max_body_mb", "max_batch_mb", "max_video_mb")


_Seconds = Annotated[float, Field(gt=0, le=86_400)]
_Megabytes = Annotated[float, Field(gt=0, le=1e6)]


class ServiceSettings(BaseSettings):
    """Limits and access. The model and the detector are set by ``utils.settings.Settings``."""

    model_config = SettingsConfigDict(
        env_prefix=API_PREFIX, extra="ignore", frozen=True, allow_inf_nan=False
    )

    max_body_mb: _Megabytes = Field(20, description="largest image, in megabytes")
    max_batch_mb: _Megabytes = Field(
        100, description="largest body of /predict_batch, in megabytes"
    )
    max_video_mb: _Megabytes = Field(100, description="largest clip, in megabytes")
    max_memory_mb: _Megabytes = Field(
        1000,
        description="most memory of what is being received or analysed, in megabytes: half for "
        "bodies, half for decoded images; beyond it the service returns 503",
    )
    max_megapixels: float = Field(
        40, gt=0, le=10_000, description="largest image or frame, in megapixels"
    )
    max_batch: int = Field(
        100, ge=1, le=100_000, description="most images in one /predict_batch request"
    )
    max_video_seconds: _Seconds = Field(60, description="longest clip, in seconds")
    max_video_frames: int = Field(3600, ge=1, le=10**7, description="most frames of a clip")
    video_analysis_seconds: _Seconds = Field(
        60, description="longest time that the analysis of a clip may take, in seconds"
    )
    max_sockets: int = Field(8, ge=1, le=10_000, description="WebSockets open at the same time")
    max_queue: int = Field(
        64,
        ge=1,
        le=100_000,
        description="queued requests; when the queue is full, the service returns 503",
    )
    deadline_seconds: _Seconds = Field(
        5, description="seconds that a request may be queued before the service returns 503"
    )
    upload_seconds: _Seconds = Field(
        30, description="time that a client has to send its body, in seconds"
    )
    rate: float = Field(
        0, ge=0, le=1e6, description="requests per second and client; 0 is no limit"
    )
    key: SecretStr | None = Field(
        None,
        description="if set, required as X-API-Key header or Bearer token; printable ASCII",
    )
    allowed_hosts: list[str] = Field(
        [],
        description="host names under which clients may reach the service besides localhost, the "
        "name of this computer and IP addresses, as a JSON list; *.example.org is every subdomain",
    )
    cors_origins: list[str] = Field(
        [], description="origins of other web pages that may call the service, as a JSON list"
    )
    workers: int = Field(
        default_factory=image_workers,
        ge=1,
        le=64,
        description="threads that analyse images; by default one per core, at most 8",
    )

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        # Clients encode other characters of a header differently, and strip spaces around it.
        if key is not None and not re.fullmatch("[!-~]([ -~]*[!-~])?", key.get_secret_value()):
            raise PydanticCustomError(
                "api_key",
                "the key must be printable ASCII (letters, digits, punctuation), at least one "
                "character, without spaces at its ends",
            )
        return key

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, hosts: list[str]) -> list[str]:
        return _check_all(hosts, r"\*|(\*\.)?[\w.-]+", "a host name without scheme and port")

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: list[str]) -> list[str]:
        return _check_all(
            origins, r"\*|null|[a-z][a-z0-9+.-]*://[^/\s]+", "an origin like https://example.org"
        )

    @field_validator("max_memory_mb")
    @classmethod
    def _check_memory(cls, megabytes: float, info: ValidationInfo) -> float:
        least = 2 * max(info.data.get(name, 0.0) for name in _BODIES)
        if megabytes < least:
            words = "must be at least {least}, twice the largest body"
            raise PydanticCustomError("memory", words, {"least": f"{least:g}"})
        return megabytes

    @property
    def half_memory(self) -> int:
        """Bytes that bodies may hold, and bytes that decoded images may hold."""
        return int(self.max_memory_mb * 1e6 / 2)

    @property
    def max_pixels(self) -> int:
        """Pixels of the largest image or frame."""
        return int(self.max_megapixels * 1e6)

    def public(self) -> dict[str, Any]:
        """Return every limit by name; of the key, only whether one is required."""
        values = self.model_dump(mode="json", exclude={"key"})
        return values | {"key_required": self.key is not None}

    @classmethod
    def table(cls) -> str:
        """Return the variables with their defaults as a Markdown table."""
        lines = ["| variable | default | |", "|---|---|---|"]
        for name, field in cls.model_fields.items():
            default = "" if field.default in (None, PydanticUndefined) else field.default
            lines.append(f"| `{API_PREFIX}{name.upper()}` | {default} | {field.description} |")
        return "\n".join(lines)


def _check_all(values: list[str], pattern: str, meaning: str) -> list[str]:
    wrong = [value for value in values if not re.fullmatch(pattern, value)]
    if wrong:
        raise PydanticCustomError("value", f"{wrong[0]!r} must be {meaning}")
    return values


def get_service_settings() -> ServiceSettings:
    """Read the settings from the environment.

    Raises:
        ConfigError: A variable has an impossible value; the message names it.
    """
    return read_settings(ServiceSettings, API_PREFIX)
