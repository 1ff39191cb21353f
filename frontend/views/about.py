"""The about page: what happens to pictures, what the law demands, what the method can't do."""

from pathlib import Path

import streamlit as st

from frontend.components import notices
from frontend.text import plain
from utils.settings import get_settings

TEXT = Path(__file__).parents[1] / "about.md"


def main() -> None:
    """Draw the page."""
    st.title("About and privacy")
    notices.notice()
    st.markdown(TEXT.read_text(encoding="utf-8"))
    settings = get_settings()
    st.header("This server")
    model = settings.model or "the bundled one"
    st.markdown(
        f"- Live videos analysed at the same time: {settings.max_streams:d} at most.\n"
        f"- Face detector: {plain(settings.detector)}. Model: {plain(model)}.\n"
        f"- Folder on the server offered for analysis: {plain(settings.batch_folder or 'none')}."
    )


main()
