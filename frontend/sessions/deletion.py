"""Deletes sessions for good, after a question."""

from collections.abc import Callable

import streamlit as st

from frontend.text import plain
from utils.errors import DatabaseError
from utils.media.sessions import SessionStore

_PROBLEM = "deletion_problem"


def delete_button(store: SessionStore, session_id: int, *, name: str) -> None:
    """Draw the button that asks whether a session shall be deleted."""
    if st.button("Delete…", icon=":material/delete:", key=f"delete-{session_id}"):
        _ask(store, session_id, name)


def delete_all_button(store: SessionStore) -> None:
    """Draw the button that asks whether all sessions shall be deleted."""
    if st.button("Delete everything…", icon=":material/delete_forever:", key="delete-all"):
        _ask_for_all(store)


def deletion_problem() -> None:
    """Say why the last deletion failed, once."""
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))


@st.dialog("Delete this session?")
def _ask(store: SessionStore, session_id: int, name: str) -> None:
    st.write(f"“{plain(name)}” and its markers are deleted permanently.")
    _answers("Delete the session", lambda: store.delete([session_id]))


@st.dialog("Delete all sessions?")
def _ask_for_all(store: SessionStore) -> None:
    st.write("All sessions on this server, everyone's, are deleted permanently.")
    sure = st.checkbox("I am sure", key="sure")
    _answers("Delete all sessions", store.delete_all, disabled=not sure)


def _answers(label: str, act: Callable[[], None], *, disabled: bool = False) -> None:
    with st.container(horizontal=True):
        cancelled = st.button("Cancel", key="cancel")
        # A dialog runs apart from the page, which would not see its errors.
        confirmed = st.button(
            plain(label),
            type="primary",
            disabled=disabled,
            key="confirm",
            on_click=_try,
            args=(act,),
        )
    if cancelled or confirmed:
        st.rerun()


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except DatabaseError as error:
        st.session_state[_PROBLEM] = str(error)
