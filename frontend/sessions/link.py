"""Links to the Sessions page."""

import streamlit as st

_PARAMETER = "session"


def link_to(session_id: int, text: str) -> str:
    """Return a Markdown link that opens the Sessions page with a session selected."""
    return f"[{text}](sessions?{_PARAMETER}={session_id:d})"


def linked_sessions() -> list[int]:
    """Return the number of the session that the page's address selects, if any."""
    number = st.query_params.get(_PARAMETER, "")
    return [int(number)] if number.isdecimal() else []
