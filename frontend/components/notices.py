"""Texts for the user: what the page estimates, how things stand."""

from html import escape

import streamlit as st

from frontend.text import visible

SUMMARY = "AI estimates of expressions, not of feelings"
NOTICE = (
    "<p>This page estimates <b>apparent facial expressions</b>: what a face looks like, not what "
    "a person feels. An AI model on this page's server does the work. Pictures are discarded after "
    "analysis, nothing is sent anywhere else, and nothing is kept unless you ask for it. The "
    "estimates are often wrong: don't use them to judge people, least of all pupils or "
    "employees.</p>"
    "<p class='law'>Emotion recognition under the EU AI Act: prohibited at work and in schools, "
    "except for medical or safety reasons (Article 5(1)(f)); where permitted, the people concerned "
    "must be informed (Article 50(3)), and the use is high-risk, with obligations from 2 December "
    "2027 (Annex III, point 1(c)).</p>"
)


def notice() -> None:
    """Say what is estimated, where, what is kept, and what the law demands.

    The first page that a viewer opens shows all of it, the others one line that unfolds.
    """
    page = st.context.url
    if page != st.session_state.setdefault("notice_page", page):
        st.session_state["notice_read"] = True
    unfolded = "" if st.session_state.get("notice_read") else " open"
    st.html(f"<details class='notice'{unfolded}><summary>{SUMMARY}</summary>{NOTICE}</details>")


def status_line(sentence: str, hint: str = "") -> None:
    """Show a state in one sentence that screen readers announce.

    Args:
        sentence: The state.
        hint: What the user can do about it, in smaller type below.
    """
    below = f"<p class='hint'>{escape(visible(hint))}</p>" if hint else ""
    st.html(f"<p class='status' role='status'>{escape(visible(sentence))}</p>{below}")
