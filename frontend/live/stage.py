"""The place of the camera's picture: of a fixed shape, with a text while there is no picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_stage = st.components.v2.component(
    "stage",
    html="<div class='stage'><p role='status'></p><p role='alert' hidden></p></div>",
    css=_HERE.joinpath("stage.css").read_text(encoding="utf-8"),
    js=_HERE.joinpath("stage.js").read_text(encoding="utf-8"),
)


@contextmanager
def stage(*, hidden: bool, was_left: bool) -> Iterator[None]:
    """Lay the stage over what is drawn inside, until it shows a video.

    Args:
        hidden: Keep everything on the page, but out of sight.
        was_left: The camera is off because the viewer went to another page.
    """
    with st.container(key="streamer-hidden" if hidden else "streamer"):
        with st.container(key="stage-place"):
            _stage(key="stage-component", data={"left": was_left})
        with st.container(key="stage-video"):
            yield
