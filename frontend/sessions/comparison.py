"""The comparison of several sessions: one expression over time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import altair as alt
import pandas as pd
import streamlit as st

from frontend.components import notices
from frontend.text import plain
from utils.errors import DatabaseError
from utils.media.sessions import SessionInfo, SessionStore
from utils.media.timeseries import face_series, group_series, track_ids

# As many lines as the scale has colours.
MAX_LINES = 10
_CLOCK = (
    "utcFormat(1000 * datum.value, datum.value < 3600 ? '%-M:%S' : '%-H:%M:%S')"  # Vega's language
)
Line = tuple[str, pd.DataFrame]


def comparison(store: SessionStore, sessions: Sequence[SessionInfo]) -> None:
    """Draw one expression of every face, or the mean over each session's faces."""
    st.header("Comparison")
    classes = list(dict.fromkeys(name for session in sessions for name in session.classes))
    default = "happy" if "happy" in classes else classes[0]
    emotion = st.pills("Expression", classes, default=default, format_func=plain) or default
    mean = st.segmented_control("Lines", ["Faces", "Means"], default="Faces") == "Means"
    found = [_lines(store, session, f"p_{emotion}", mean=mean) for session in sessions]
    # The first face of each session, then the second of each, and so on.
    lines = _told_apart([line for row in zip_longest(*found) for line in row if line is not None])
    if not lines:
        notices.status_line("There is nothing to compare.")
        return
    st.altair_chart(_chart(lines[:MAX_LINES], emotion), width="stretch")
    if left := lines[MAX_LINES:]:
        st.caption(plain(f"Not drawn: {', '.join(name for name, _ in left)}."))


def _chart(lines: Sequence[Line], emotion: str) -> alt.Chart:
    names = [name for name, _ in lines]
    chart: alt.Chart = (
        alt.Chart(pd.concat([line.assign(line=name) for name, line in lines]))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("time:Q", title=None).axis(labelExpr=_CLOCK, tickCount=6),
            y=alt.Y("probability:Q", title=emotion, scale=alt.Scale(domain=[0, 1])).axis(
                format="%"
            ),
            color=alt.Color(
                "line:N",
                scale=alt.Scale(domain=names),
                legend=alt.Legend(orient="bottom", columns=1, labelLimit=400, title=None),
            ),
            tooltip=["line", alt.Tooltip("probability:Q", format=".0%"), "time:Q"],
        )
        .properties(height=320 + 22 * len(lines))  # Streamlit counts the legend in
    )
    return chart


def _lines(store: SessionStore, session: SessionInfo, column: str, *, mean: bool) -> Iterator[Line]:
    """Yield the name of each line of a session, and its times and probabilities."""
    try:
        table = store.table(session)
    except DatabaseError as error:
        st.error(plain(error))
        return
    tracks = track_ids(table) if column in table else []
    if mean and tracks:
        yield session.name, _line(group_series(table), column)
        return
    for track in tracks:
        yield f"{session.name}, {session.name_of(track)}", _line(face_series(table, track), column)


def _told_apart(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with different names: equal ones get numbers."""
    seen: Counter[str] = Counter()
    named = []
    for name, line in lines:
        seen[name] += 1
        named.append((f"{name} ({seen[name]})" if seen[name] > 1 else name, line))
    return named


def _line(series: pd.DataFrame, column: str) -> pd.DataFrame:
    return series[["time", column]].set_axis(["time", "probability"], axis=1)
