"""The neutral face of a viewer, from which changes are measured."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from frontend.text import plain
from utils.inference.timeline import LiveSnapshot

BASELINE_SECONDS = 10.0
# Fewer predictions say too little about how a face looks at rest.
BASELINE_PREDICTIONS = 30


@dataclass
class Baseline:
    """How one face looks at rest.

    Attributes:
        began: Media time in seconds at which the measurement began.
        values: Mean probability of each class; None until measured.
    """

    began: float
    values: dict[str, float] | None = None


def baseline_button(snapshot: LiveSnapshot) -> None:
    """Draw the button that measures how the first face looks at rest, or forgets it."""
    baseline: Baseline | None = st.session_state.get("baseline")
    if baseline is None:
        newest = snapshot.history[-1].time if snapshot.history else 0.0
        st.button(
            "Set my neutral face",
            icon=":material/self_improvement:",
            disabled=not (snapshot.running and snapshot.history),
            help="Look neutral for ten seconds. The bars then show the change from that.",
            on_click=_begin,
            args=(newest,),
        )
        if problem := st.session_state.get("baseline_problem"):
            st.caption(plain(problem))
    elif baseline.values is None:
        _measure(baseline, snapshot)
    else:
        st.button("Forget my neutral face", icon=":material/undo:", on_click=_forget)


def _begin(time: float) -> None:
    st.session_state["baseline"] = Baseline(time)
    st.session_state.pop("baseline_problem", None)


def _forget(problem: str | None = None) -> None:
    st.session_state.pop("baseline", None)
    if problem:
        st.session_state["baseline_problem"] = problem


def _measure(baseline: Baseline, snapshot: LiveSnapshot) -> None:
    rows = [r for r in snapshot.history if r.time >= baseline.began and r.smoothed is not None]
    newest = snapshot.history[-1].time if snapshot.history else baseline.began
    elapsed = newest - baseline.began
    if elapsed < 0 or not snapshot.running:
        _forget("The camera stopped. Try again.")
    elif elapsed < BASELINE_SECONDS:
        st.progress(elapsed / BASELINE_SECONDS, "Look neutral, towards the camera…")
    else:
        first = min((r.track_id for r in rows if r.track_id), default=None)
        values = [r.smoothed for r in rows if r.track_id == first and r.smoothed is not None]
        if len(values) < BASELINE_PREDICTIONS:
            _forget("The face was classified too seldom. Add light, face the camera and retry.")
            return
        mean = np.mean(values, axis=0)
        baseline.values = dict(zip(snapshot.classes, mean.tolist(), strict=True))


def baseline_values() -> dict[str, float] | None:
    """Return the mean probabilities of the neutral face; None until measured."""
    baseline: Baseline | None = st.session_state.get("baseline")
    return baseline.values if baseline else None
