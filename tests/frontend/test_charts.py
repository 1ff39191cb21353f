"""Charts of the app: one colour scale, and timelines of live and recorded faces."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from frames import frame

from frontend.components.charts import (
    emotion_scale,
    legend,
    probability_chart,
    share_bars,
)
from frontend.components.person_charts import MAX_PEOPLE, people_in
from utils.emotions import COLORS_ON_DARK, COLORS_ON_LIGHT, EMOTIONS, UNKNOWN_COLOR
from utils.inference.history_table import history_table
from utils.inference.timeline import TimelineRow
from utils.media.timeseries import face_series, results_table, track_ids
from utils.media.video_summary import UNCERTAIN
from utils.results import Status

SHARES = np.linspace(0.1, 0.2, len(EMOTIONS)).astype(np.float32)


def seen(time: float, track_id: int = 1) -> TimelineRow:
    return TimelineRow(time, Status.OK, track_id, SHARES, SHARES, SHARES)


def history(*rows: TimelineRow) -> pd.DataFrame:
    return history_table(rows, EMOTIONS, seconds=30.0)


def drawn(table: pd.DataFrame, track_id: int = 1, **options: Any) -> alt.Chart:
    return probability_chart(face_series(table, track_id), EMOTIONS, **options)


def test_every_class_has_its_own_colour_and_uncertain_is_grey() -> None:
    scale = emotion_scale(EMOTIONS).to_dict()
    colors = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colors == COLORS_ON_LIGHT | {UNCERTAIN: UNKNOWN_COLOR}
    assert emotion_scale([UNCERTAIN, "happy"]).to_dict()["domain"] == [UNCERTAIN, "happy"]
    for palette in (COLORS_ON_LIGHT, COLORS_ON_DARK):
        assert all(color in legend(EMOTIONS) for color in palette.values())
    assert "<b>" not in legend(["<b>"])


def test_a_history_without_rows_has_no_faces() -> None:
    table = history()
    assert len(table) == 0
    assert track_ids(table) == []
    assert track_ids(history(TimelineRow(1.0, Status.NO_FACE))) == []


def test_a_history_counts_back_from_the_newest_row_and_forgets_older_ones() -> None:
    table = history(*(seen(float(second)) for second in range(50)))
    assert table["time"].tolist() == [float(second) for second in range(-30, 1)]
    assert table["p_happy"].iloc[0] == pytest.approx(SHARES[EMOTIONS.index("happy")])


def test_a_face_is_charted_from_its_second_row() -> None:
    rows = [seen(i / 10) for i in range(10)] + [seen(1.0, track_id=2)]
    assert track_ids(history(*rows)) == [1]
    assert track_ids(history(*rows, seen(1.1, track_id=2))) == [1, 2]


def test_a_live_line_breaks_where_the_face_is_unclassifiable_or_gone() -> None:
    unclassifiable = TimelineRow(0.5, Status.LOW_QUALITY, 1, SHARES, problem="too dark")
    rows = [
        *(seen(i / 10) for i in range(5)),
        unclassifiable,
        *(seen(0.6 + i / 10) for i in range(4)),
    ]
    rows += [TimelineRow(1.0 + i / 10, Status.NO_FACE) for i in range(25)]
    rows += [seen(3.5 + i / 10) for i in range(5)]
    line = face_series(history(*rows), 1)
    breaks = line["time"][line["p_happy"].isna()].to_numpy() + rows[-1].time
    assert breaks == pytest.approx([0.5, 0.9], abs=0.01)


def test_a_slow_stream_still_has_a_line() -> None:
    line = face_series(history(*(seen(1.5 * i) for i in range(10))), 1)
    assert line["p_happy"].notna().all()


@pytest.mark.parametrize(("stacked", "mark"), [(True, "area"), (False, "line")])
def test_a_face_is_drawn_over_the_given_time(stacked: bool, mark: str) -> None:
    table = results_table([frame(i / 10) for i in range(50)], EMOTIONS)
    chart = drawn(table, span=(0.0, 5.0), stacked=stacked).to_dict()
    assert chart["mark"]["type"] == mark
    assert chart["encoding"]["x"]["scale"]["domain"] == [0.0, 5.0]


def test_charts_can_be_empty() -> None:
    assert share_bars({}).to_dict()


def test_shares_keep_their_order() -> None:
    encoding = share_bars({"sad": 0.7, UNCERTAIN: 0.3}).to_dict()["encoding"]
    assert encoding["y"]["sort"] == ["sad", UNCERTAIN]


def test_only_the_first_faces_are_charted() -> None:
    table = results_table([frame(i / 10, faces=MAX_PEOPLE + 3) for i in range(5)], EMOTIONS)
    assert people_in(table) == list(range(1, MAX_PEOPLE + 1))
