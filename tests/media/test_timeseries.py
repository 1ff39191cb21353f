"""Recordings as tables and lines."""

import numpy as np
import pandas as pd
import pytest
from frames import frame

from utils.emotions import EMOTIONS
from utils.media.timeseries import (
    emotion_shares,
    face_series,
    find_gaps,
    gap_limit,
    group_series,
    key_moments,
    results_table,
    track_ids,
)
from utils.media.video_summary import VideoSummary
from utils.results import FaceProblem, FrameResult


def table(frames: list[FrameResult]) -> pd.DataFrame:
    return results_table(frames, EMOTIONS)


def test_a_line_is_thinned_and_keeps_its_mean() -> None:
    whole = table([frame(i / 10, happy=(i % 10) / 10) for i in range(5000)])
    line = face_series(whole, 1, max_rows=500)
    assert len(line) == 500
    assert line["p_happy"].mean() == pytest.approx(0.45, abs=1e-6)
    assert line["time"].is_monotonic_increasing


def test_a_line_breaks_where_the_face_was_away() -> None:
    there = [i / 10 for i in range(20)] + [5 + i / 10 for i in range(20)]
    line = face_series(table([frame(t) for t in there]), 1)
    (hole,) = np.flatnonzero(line["p_happy"].isna())
    assert line["time"][hole] == pytest.approx(1.9, abs=0.01)
    assert len(line) == 41


def test_a_group_is_counted_and_averaged_over_time() -> None:
    one, two = frame(0.0, happy=0.8), frame(0.1, happy=0.4, faces=2)
    mixed = two.model_copy(update={"faces": (one.faces[0], two.faces[1])})
    blurred = two.faces[0].model_copy(update={"problem": FaceProblem.TOO_BLURRED})
    frames = [
        one,
        mixed,
        frame(0.2, faces=0),
        two.model_copy(update={"time": 0.3, "faces": (blurred, two.faces[1])}),
    ]
    group = group_series(table(frames))
    assert group["faces"].tolist() == [1, 2, 0, 2]
    assert group["p_happy"].tolist() == pytest.approx([0.8, 0.6, np.nan, 0.4], nan_ok=True)


def test_a_slow_rate_of_analysis_is_no_gap() -> None:
    assert gap_limit([]) == gap_limit([4.0]) == gap_limit([i / 10 for i in range(9)]) == 1.0
    slow = [2.0 * i for i in range(20)]
    assert gap_limit(slow) == 6.0
    assert not face_series(table([frame(t) for t in slow]), 1)["p_happy"].isna().any()
    away = face_series(table([frame(t) for t in [*slow, 60.0]]), 1)
    assert away["p_happy"].isna().sum() == 1


def test_time_without_a_classified_face_is_a_gap_with_its_reason() -> None:
    frames = [frame(i / 10, faces=int(not 10 <= i < 20)) for i in range(30)]
    (gap,) = find_gaps(table(frames)).to_dict("records")
    assert gap == {"start": 1.0, "end": pytest.approx(1.9), "reason": "no_face"}
    assert find_gaps(table(frames[:5])).empty


def test_shares_and_faces() -> None:
    frames = [frame(i / 10, happy=0.3 if i < 5 else 0.9, faces=1 + (i == 7)) for i in range(20)]
    assert track_ids(table(frames)) == [1]
    assert emotion_shares(table(frames), 1) == {"happy": 0.75, "uncertain": 0.25}


def test_a_table_and_a_summary_count_the_same_faces_and_shares() -> None:
    frames = [frame(i / 10, happy=0.3 if i < 2 else 0.9, faces=1 + (i > 7)) for i in range(10)]
    frames.append(frame(1.0, faces=3))
    summary = VideoSummary()
    for one in frames:
        summary.add(one)
        so_far = table(frames[: summary.frames])
        assert track_ids(so_far) == [person.track_id for person in summary.people]
    first, second = summary.people
    shares = first.shares | {"uncertain": first.uncertain}
    assert emotion_shares(table(frames), 1) == pytest.approx(shares)
    assert (second.shares, second.uncertain) == ({"happy": 1.0}, 0.0)


def test_changes_of_expression_are_found() -> None:
    def sad(time: float) -> FrameResult:
        shares = dict.fromkeys(EMOTIONS, 0.02) | {"sad": 0.88}
        one = frame(time)
        face = one.faces[0].model_copy(update={"emotion": "sad", "probabilities": shares})
        return one.model_copy(update={"faces": (face,)})

    frames = [sad(i / 10) if 30 <= i < 60 else frame(i / 10) for i in range(100)]
    moments = key_moments(table(frames), 1)
    assert [(old, new) for _, old, new in moments] == [("happy", "sad"), ("sad", "happy")]
    assert [time for time, _, _ in moments] == pytest.approx([3.0, 6.0], abs=0.3)
    assert key_moments(table([frame(i / 10) for i in range(100)]), 1) == []
