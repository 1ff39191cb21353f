"""Why the browser provides no camera."""

from pathlib import Path

import streamlit as st

_CAMERA_PROBLEM_CSS = """
p {
  margin: 0; padding: 0.7rem 0.9rem; border-radius: 10px;
  color: var(--st-text-color);
  background: color-mix(in srgb, var(--st-red-color, #c0392b) 16%, transparent);
}
p[hidden] { display: none; }
"""
_camera_problem = st.components.v2.component(
    "camera_problem",
    html="<p role='alert' hidden></p>",
    css=_CAMERA_PROBLEM_CSS,
    js=Path(__file__).with_name("camera_problem.js").read_text(encoding="utf-8"),
)


def camera_problem() -> None:
    """Explain why the browser provides no camera, as soon as that is known."""
    _camera_problem(key="camera-problem")
