"""Optional features: which extra of the package brings the modules they import."""

from collections.abc import Mapping
from importlib.util import find_spec

from utils.errors import MissingExtraError

# Every module that code outside the base imports, by the extra that is the shortest way to it.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "app": ("streamlit", "streamlit_webrtc", "altair", "pandas", "sqlalchemy", "alembic"),
    "api": ("fastapi", "fastapi_offline", "uvicorn", "websockets", "prometheus_client"),
    "train": (
        "torch", "torchvision", "pytorch_grad_cam", "onnx", "onnxscript", "sklearn", "scipy",
        "matplotlib", "yaml",
    ),
    "parquet": ("pyarrow",),
    "lsl": ("pylsl",),
    "test": ("facenet_pytorch",),
}  # fmt: skip
_MOST_NAMES = 3


def require(extra: str, *, feature: str, modules: tuple[str, ...] = ()) -> None:
    """Check, without importing anything, that the modules of an optional feature are installed.

    Call it before the feature's own imports.

    Args:
        extra: The extra that brings them, a key of ``EXTRAS``.
        feature: What needs them, to begin a sentence with: ``Training``.
        modules: The modules that the feature imports; all of the extra if empty.

    Raises:
        MissingExtraError: One is missing; the message says what to install.
    """
    missing = [name for name in modules or EXTRAS[extra] if find_spec(name) is None]
    if missing:
        names = ", ".join(missing[:_MOST_NAMES]) + (", …" if len(missing) > _MOST_NAMES else "")
        raise MissingExtraError(
            f"{feature} needs packages that are not installed ({names}); install them with: "
            f"pip install 'emotion-detection[{extra}]'"
        )
