"""Colours of the viewer's theme for charts, which can't follow it by themselves."""

import streamlit as st

from utils.emotions import color_on


def is_dark() -> bool:
    """Return whether the viewer's theme is dark."""
    return st.context.theme.type == "dark"


def chart_color(emotion: str) -> str:
    """Return the ``#RRGGBB`` colour of an emotion in a chart."""
    return color_on(emotion, dark=is_dark())


def text_color() -> str:
    """Return the colour of texts and rules inside a chart: Streamlit colours its axes only."""
    return _option("textColor", light="#000000", dark="#ffffff")


def accent_color() -> str:
    """Return the colour of marks that stand for no emotion."""
    return _option("primaryColor", light="#2f6077", dark="#86b8cf")


def _option(name: str, *, light: str, dark: str) -> str:
    # A page that was not started by app.py has no configuration of ours.
    kind, default = ("dark", dark) if is_dark() else ("light", light)
    return str(st.get_option(f"theme.{kind}.{name}") or default)
