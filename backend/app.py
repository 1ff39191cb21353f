"""Start the app; further arguments go to ``streamlit run``.

Example: emotion app --server.port 8600
"""

from backend.console.requirements import ensure

ensure("app", "The app")

import sys

from streamlit.web import cli

from utils.memory import limit_heaps
from utils.paths import APP


def main() -> int:
    """Run the app until it is interrupted, and return the exit code."""
    limit_heaps()
    cli.main(["run", str(APP), *sys.argv[1:]], prog_name="streamlit")
    return 0


if __name__ == "__main__":
    from backend.console.cli import run

    run(main)
