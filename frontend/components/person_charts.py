"""The charts of a recording, as the Video and the Sessions page show them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
import streamlit as st

from frontend.components.recording_figure import draw_figure, draw_html
from frontend.text import plain
from utils.media.figures import people
from utils.media.figures.timeline import legend
from utils.media.sessions import Marker
from utils.media.sessions.info import MAX_NAME, face_name
from utils.media.timeseries import face_series, group_series, track_ids

MAX_PEOPLE = 8
PORTRAIT_WIDTH = 72


@dataclass(frozen=True)
class Recording:
    """What is drawn.

    Attributes:
        key: Distinguishes the widgets of this recording from those of others.
        table: The recording, with the columns of ``utils.media.tables.rows``.
        classes: Names of the classes.
        markers: Ordered by time.
        names: What users call faces, by ``track_id``.
        portraits: A picture of each face, by ``track_id``; none in a session.
        player: CSS selector of the video on the page; None without one.
    """

    key: str
    table: pd.DataFrame
    classes: Sequence[str]
    markers: Sequence[Marker] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    portraits: Mapping[int, bytes] = field(default_factory=dict)
    player: str | None = None


def people_in(table: pd.DataFrame) -> list[int]:
    """Return the ``track_id`` of each face that gets charts, in order."""
    return track_ids(table)[:MAX_PEOPLE]


def recording_charts(
    recording: Recording, *, stacked: bool, on_name: Callable[[int, str], None]
) -> None:
    """Draw all faces together and each of them: timeline, shares and largest changes.

    Args:
        recording: What is drawn.
        stacked: Draw areas on top of each other; else lines.
        on_name: Called with the ``track_id`` of a face and what the user called it.
    """
    table, classes, tracks = recording.table, recording.classes, track_ids(recording.table)
    axis = people.time_axis(table, [(marker.time, marker.label) for marker in recording.markers])
    draw = partial(draw_figure, end=axis.end, player=recording.player)
    draw_html(legend(classes, axis), key=f"legend-{recording.key}")
    if len(tracks) > 1:
        st.subheader("All faces")
        html = people.group_figure(table, classes, axis=axis, stacked=stacked)
        draw(html, group_series(table), key=f"group-{recording.key}")
    for track_id in people_in(table):
        _heading(recording, track_id, on_name=on_name)
        html = people.person_figure(table, track_id, classes, axis=axis, stacked=stacked)
        draw(html, face_series(table, track_id), key=f"face-{recording.key}-{track_id}")
    if len(tracks) > MAX_PEOPLE:
        st.caption(f"Charts of the first {MAX_PEOPLE} of {len(tracks):d} faces.")


def _heading(recording: Recording, track_id: int, *, on_name: Callable[[int, str], None]) -> None:
    """Draw a face's picture and name, and the field for another name."""
    key = f"name-{recording.key}-{track_id}"

    def named() -> None:
        on_name(track_id, st.session_state[key].strip())

    with st.container(horizontal=True, vertical_alignment="center"):
        if portrait := recording.portraits.get(track_id):
            st.image(portrait, width=PORTRAIT_WIDTH, alt=f"Face {track_id:d}")
        st.subheader(plain(face_name(recording.names, track_id)), width="content")
        st.text_input(
            f"Name of face {track_id:d}",
            recording.names.get(track_id, ""),
            placeholder="Name, such as Anna",
            label_visibility="collapsed",
            max_chars=MAX_NAME,
            key=key,
            on_change=named,
            width=220,
        )
