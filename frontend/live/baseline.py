"""How each face looks at rest, from which its changes are measured."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from frontend.text import plain
from utils.inference.live import LiveAnalyzer
from utils.inference.timeline import LiveSnapshot, TimelineRow

BASELINE_SECONDS = 10.0
REFRESH_SECONDS = 0.5
# A single prediction may be noise.
FEWEST_PREDICTIONS = 3
_BASELINE, _PROBLEM = "baseline", "baseline-problem"

Values = Mapping[str, float]


@dataclass
class Baseline:
    """How the faces look at rest.

    Attributes:
        began: Media time in seconds at which the measurement began.
        values: For each face, by its ``track_id``, the mean probability of each class; None until
            measured.
    """

    began: float
    values: Mapping[int, Values] | None = None


def controls(live: LiveAnalyzer, *, playing: bool) -> None:
    """Draw the button that measures how the faces look at rest, or forgets it.

    Args:
        live: The stream.
        playing: Whether the camera is on. When it is switched off, the measurement is forgotten:
            faces get new numbers.
    """
    baseline: Baseline | None = st.session_state.get(_BASELINE)
    if baseline is not None and not playing:
        measuring = baseline.values is None
        _forget("The camera was switched off. Try again." if measuring else None)
        baseline = None
    if baseline is None:
        st.button(
            "Set neutral face",
            icon=":material/self_improvement:",
            disabled=not playing,
            help="Look neutral for ten seconds. The bars of each face that was in view then show "
            "the change from that.",
            on_click=_begin,
            args=(live,),
        )
    elif baseline.values is None:
        st.fragment(_measure, run_every=REFRESH_SECONDS)(live, baseline)
    else:
        st.button("Forget neutral face", icon=":material/undo:", on_click=_forget)


def problem() -> None:
    """Say why the last measurement failed, if it did."""
    if text := st.session_state.get(_PROBLEM):
        st.caption(plain(text))


def values() -> Mapping[int, Values]:
    """Return the mean probabilities of each neutral face by its ``track_id``."""
    baseline: Baseline | None = st.session_state.get(_BASELINE)
    return (baseline.values or {}) if baseline else {}


def neutral_faces(
    rows: Sequence[TimelineRow], classes: Sequence[str]
) -> dict[int, dict[str, float]]:
    """Return the mean probabilities of each face that was classified often enough.

    Args:
        rows: The timeline of the measurement.
        classes: Names of the classes.

    Returns:
        ``track_id`` to class to mean probability.
    """
    predictions = defaultdict(list)
    for row in rows:
        if row.track_id is not None and row.smoothed is not None:
            predictions[row.track_id].append(row.smoothed)
    return {
        track_id: dict(zip(classes, np.mean(found, axis=0).tolist(), strict=True))
        for track_id, found in predictions.items()
        if len(found) >= FEWEST_PREDICTIONS
    }


def why_unmeasured(rows: Sequence[TimelineRow]) -> str:
    """Return why no face was classified often enough, as a sentence.

    Args:
        rows: The timeline of the measurement.
    """
    faces = [row for row in rows if row.track_id is not None]
    problems = Counter(row.problem for row in faces if row.problem)
    if len({row.time for row in rows}) < FEWEST_PREDICTIONS:
        return "This server is too busy: hardly any picture was analysed in ten seconds. Try later."
    if not faces:
        return "No face was in view. Face the camera and try again."
    if problems:
        (reason, _), *_ = problems.most_common(1)
        return f"The face could not be classified, as it was {reason}. Change that and try again."
    return "No face stayed in view long enough. Face the camera and try again."


def _begin(live: LiveAnalyzer) -> None:
    st.session_state[_BASELINE] = Baseline(_now(live.snapshot()))
    st.session_state.pop(_PROBLEM, None)


def _forget(reason: str | None = None) -> None:
    st.session_state.pop(_BASELINE, None)
    if reason:
        st.session_state[_PROBLEM] = reason


def _now(snapshot: LiveSnapshot) -> float:
    """Return the media time in seconds of the newest frame, whether it was analysed or not."""
    newest = snapshot.result.time if snapshot.result else None
    if newest is None:
        return snapshot.history[-1].time if snapshot.history else 0.0
    return newest


def _measure(live: LiveAnalyzer, baseline: Baseline) -> None:
    snapshot = live.snapshot()
    elapsed = _now(snapshot) - baseline.began
    if 0 <= elapsed < BASELINE_SECONDS:
        st.progress(elapsed / BASELINE_SECONDS, "Look neutral, towards the camera…")
        return
    rows = [row for row in snapshot.history if row.time >= baseline.began]
    if found := neutral_faces(rows, snapshot.classes):
        baseline.values = found
    else:
        _forget(why_unmeasured(rows))
    st.rerun()
