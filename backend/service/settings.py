"""What a deployment of the service may configure, by ``EMOTION_API_…`` environment variables."""

from typing import Any

from pydantic import Field, SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from utils.devices import image_workers
from utils.settings import ENV_PREFIX, read_settings

API_PREFIX = f"{ENV_PREFIX}API_"


class ServiceSettings(BaseSettings):
    """Limits and access. The model and the detector are set by ``utils.settings.Settings``."""

    model_config = SettingsConfigDict(env_prefix=API_PREFIX, extra="ignore", frozen=True)

    max_body_mb: float = Field(20, gt=0, description="largest image, in megabytes")
    max_batch_mb: float = Field(
        100, gt=0, description="largest body of /predict_batch, in megabytes"
    )
    max_video_mb: float = Field(100, gt=0, description="largest clip, in megabytes")
    max_megapixels: float = Field(40, gt=0, description="largest image or frame, in megapixels")
    max_batch: int = Field(100, ge=1, description="most images in one /predict_batch request")
    max_video_seconds: float = Field(60, gt=0, description="longest clip, in seconds")
    max_sockets: int = Field(8, ge=1, description="WebSockets open at the same time")
    max_queue: int = Field(
        64, ge=1, description="queued requests; when the queue is full, the service returns 503"
    )
    deadline_seconds: float = Field(
        5, gt=0, description="seconds that a request may be queued before the service returns 503"
    )
    upload_seconds: float = Field(
        30, gt=0, description="time that a client has to send its body, in seconds"
    )
    rate: float = Field(0, ge=0, description="requests per second and client; 0 is no limit")
    key: SecretStr | None = Field(
        None, description="if set, required as X-API-Key header or Bearer token"
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


def get_service_settings() -> ServiceSettings:
    """Read the settings from the environment.

    Raises:
        ConfigError: A variable has an impossible value; the message names it.
    """
    return read_settings(ServiceSettings, API_PREFIX)
