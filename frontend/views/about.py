"""What happens to the pictures, what the law wants, and what the method can't do."""

from pathlib import Path

import streamlit as st

from frontend import components
from utils.settings import get_settings

TEXT = Path(__file__).parents[1] / "about.md"


def main() -> None:
    """Draw the page."""
    st.title("About and privacy")
    components.notice()
    st.markdown(TEXT.read_text(encoding="utf-8"))
    settings = get_settings()
    st.subheader("This server")
    st.markdown(
        f"- At most {settings.max_streams} live videos are analysed at once.\n"
        f"- Face detector: {settings.detector}; model: {settings.model or 'the bundled one'}.\n"
        f"- Pictures of a folder on the server: {settings.batch_folder or 'not offered'}."
    )


main()
