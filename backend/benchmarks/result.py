"""What every benchmark returns."""

from abc import ABC, abstractmethod
from typing import Any


class BenchmarkResult(ABC):
    """Measurements that can be printed as JSON or as text."""

    @abstractmethod
    def to_document(self) -> dict[str, Any]:
        """Return the measurements as a JSON document."""

    def problems(self) -> list[str]:
        """Return what the benchmark found to be wrong; the program then exits with 1."""
        return []

    def to_text(self) -> str:
        """Return a line for each entry of the document: its name and its value."""
        document = self.to_document()
        width = max(map(len, document))
        return "\n".join(f"{name:>{width}}  {value}" for name, value in document.items())
