"""The newest-frame worker, with the real detector and the bundled model."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from live_streams import wait_for
from numpy.typing import NDArray

from utils.concurrency import FairLock
from utils.errors import ConfigError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions
from utils.inference.timeline import LiveSnapshot
from utils.results import Status

Picture = NDArray[np.uint8]


def test_a_face_is_found_in_the_background_and_drawn(live: LiveAnalyzer, face: Picture) -> None:
    before = face.copy()
    live.process(face, 0.0)
    snapshot = wait_for(live, lambda s: s.result)
    assert snapshot.result is not None
    (found,) = snapshot.result.faces
    assert found.track_id == 1
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-3)
    drawn = live.process(face, 0.03)
    assert drawn.shape == face.shape
    assert drawn.dtype == np.uint8
    assert (drawn != face).any()
    assert (face == before).all()


def test_the_live_result_equals_that_of_a_single_image(
    analyzer: EmotionAnalyzer, live: LiveAnalyzer, face: Picture
) -> None:
    live.submit(face, 0.0)
    snapshot = wait_for(live, lambda s: s.result)
    assert snapshot.result is not None
    (expected,) = analyzer.analyze(face).faces
    (found,) = snapshot.result.faces
    assert found.box == pytest.approx(expected.box, abs=0.01)
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)


def test_offering_frames_never_waits_and_stale_frames_are_dropped_and_counted(
    analyzer: EmotionAnalyzer, face: Picture
) -> None:
    lock = FairLock()
    live = LiveAnalyzer(analyzer, LiveOptions(interval=1, detector="haar"), lock=lock)
    with lock:  # Inference is held up; were it waited for, the loop would never end.
        for number in range(50):
            live.process(face, number / 30)
    newest = wait_for(live, lambda s: s.history and s.history[-1].time == pytest.approx(49 / 30))
    # The first frame was taken before inference was held up, or dropped like the others.
    assert 47 <= newest.stats.dropped <= 49
    assert len(newest.history) == 50 - newest.stats.dropped
    live.stop()


def test_only_every_nth_frame_is_analysed(live: LiveAnalyzer, face: Picture) -> None:
    live.set_options(LiveOptions(interval=4, detector="haar"))
    for number in range(12):
        live.submit(face, float(number))
        if number % 4 == 0:
            wait_for(live, lambda s, n=number: s.history and s.history[-1].time == n)
    assert [row.time for row in live.snapshot().history] == [0, 4, 8]


def test_options_change_while_running(live: LiveAnalyzer, face: Picture) -> None:
    live.set_options(LiveOptions(interval=1, detector="haar", tau=10.0, chart_tau=0.0))
    dark = np.ascontiguousarray(face[:, ::-1])
    live.submit(face, 0.0)
    wait_for(live, lambda s: s.history)
    live.submit(dark, 0.1)
    row = wait_for(live, lambda s: len(s.history) == 2).history[-1]
    assert row.raw is not None
    assert row.smoothed is not None
    assert row.chart is not None
    assert (row.chart == row.raw).all()
    live.set_options(LiveOptions(interval=1, detector="mtcnn", tau=0.0))
    live.submit(face, 0.2)
    snapshot = wait_for(live, lambda s: len(s.history) == 3)
    assert snapshot.error is None
    assert snapshot.result is not None
    assert snapshot.result.faces[0].landmarks is not None  # Haar gives none


def test_frames_without_a_face_and_black_ones_stay_in_the_timeline(
    live: LiveAnalyzer, face: Picture
) -> None:
    empty = np.full_like(face, 127)
    for number, image in enumerate((face, empty, np.zeros_like(face))):
        # So far apart that a detection is due each time, however slow the machine.
        live.submit(image, 10.0 * number)
        wait_for(live, lambda s, n=number: len(s.history) == n + 1)
    rows = live.snapshot().history
    assert rows[0].status in (Status.OK, Status.UNCERTAIN)
    assert [row.status for row in rows[1:]] == [Status.NO_FACE, Status.CAMERA_OFF]
    assert rows[1].track_id is None
    result = live.snapshot().result
    assert result is not None
    assert (result.status, result.faces) == (Status.CAMERA_OFF, ())


def test_an_unusable_detector_is_reported_and_the_stream_recovers(
    live: LiveAnalyzer, face: Picture
) -> None:
    live.set_options(LiveOptions(interval=1, detector="eagle"))
    drawn = live.process(face, 0.0)
    assert (drawn == face).all()
    snapshot = wait_for(live, lambda s: s.error)
    assert "eagle" in str(snapshot.error)
    live.set_options(LiveOptions(interval=1, detector="haar"))
    live.submit(face, 0.1)
    assert wait_for(live, lambda s: s.result).error is None


def test_frames_that_keep_failing_end_the_analysis_but_not_the_video(
    live: LiveAnalyzer, face: Picture
) -> None:
    live.set_options(LiveOptions(interval=1, detector="eagle"))

    def feed(snapshot: LiveSnapshot) -> bool:
        live.submit(face, 0.0)
        return not snapshot.running and snapshot.error is not None

    stopped = wait_for(live, feed)
    assert "stopped" in str(stopped.error)
    assert (live.process(face, 9.0) == face).all()
    assert not live.snapshot().running
    live.stop()
    live.set_options(LiveOptions(interval=1, detector="haar"))
    live.start()
    live.submit(face, 0.0)
    assert wait_for(live, lambda s: s.result).error is None


def test_a_frame_that_cannot_be_drawn_on_is_passed_through(live: LiveAnalyzer) -> None:
    odd = np.full((480, 640), 200, dtype=np.uint8)
    assert live.process(odd, 0.0) is odd
    assert wait_for(live, lambda s: s.error).error


def test_a_snapshot_never_changes(live: LiveAnalyzer, face: Picture) -> None:
    live.submit(face, 0.0)
    before = wait_for(live, lambda s: s.history)
    copy = (len(before.history), before.result and before.result.model_dump_json())
    live.submit(np.ascontiguousarray(face[:, ::-1]), 0.5)
    wait_for(live, lambda s: len(s.history) == 2)
    assert (len(before.history), before.result and before.result.model_dump_json()) == copy
    with pytest.raises(FrozenInstanceError):
        before.error = "changed"  # type: ignore[misc]
    assert before.history[0].raw is not None
    with pytest.raises(ValueError, match="read-only"):
        before.history[0].raw[0] = 1.0


@pytest.mark.parametrize("wrong", [{"interval": 0}, {"tau": -1.0}, {"chart_tau": float("nan")}])
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        LiveOptions(**wrong)  # type: ignore[arg-type]
