"""The newest-frame worker as a thread: starting, stopping, a slow detector, load."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from live_streams import wait_for, workers
from numpy.typing import NDArray

import utils.inference.live
from utils.concurrency import FairLock, StreamLimit
from utils.faces import Detections, build_detector
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.live import LiveAnalyzer, LiveOptions

Picture = NDArray[np.uint8]


def test_start_and_stop_may_be_repeated_and_leave_no_thread(
    live: LiveAnalyzer, face: Picture
) -> None:
    for _ in range(20):
        live.start()
        live.start()
        assert len(workers()) == 1
        live.submit(face, 0.0)
        live.stop()
        live.stop()
        assert workers() == []
    assert not live.snapshot().running
    live.submit(face, 0.0)
    assert workers() == [], "a late frame must not start a new stream"
    live.start()
    live.submit(face, 0.0)
    snapshot = wait_for(live, lambda s: s.result)
    assert snapshot.result is not None
    assert snapshot.result.faces[0].track_id == 1


def test_a_stream_without_frames_ends_by_itself(
    live: LiveAnalyzer, face: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils.inference.live, "IDLE_SECONDS", 0.1)
    live.submit(face, 0.0)
    snapshot = wait_for(live, lambda s: not s.running)
    assert len(snapshot.history) == 1
    assert snapshot.result is None
    assert workers() == []


class HeldDetector:
    """The real detector, which detects only while allowed; counts its detections."""

    name = "haar"

    def __init__(self) -> None:
        self.calls, self.free, self._real = 0, threading.Event(), build_detector("haar")

    def detect(self, image: Picture) -> Detections:
        self.calls += 1
        self.free.wait()
        return self._real.detect(image)


@pytest.fixture
def held(analyzer: EmotionAnalyzer) -> Iterator[tuple[LiveAnalyzer, HeldDetector]]:
    detector = HeldDetector()
    slow = EmotionAnalyzer(analyzer.classifier, detector)
    live = LiveAnalyzer(slow, LiveOptions(interval=1, detector="haar"))
    yield live, detector
    detector.free.set()
    live.stop()


def test_a_slow_detector_never_holds_up_the_video(
    held: tuple[LiveAnalyzer, HeldDetector], face: Picture
) -> None:
    live, detector = held
    live.process(face, 0.0)
    wait_for(live, lambda s: detector.calls)
    for number in range(1, 60):  # if the detection were waited for, this would never end
        live.process(face, number / 30)
    assert live.snapshot().result is None
    detector.free.set()
    newest = wait_for(live, lambda s: s.history and s.history[-1].time == pytest.approx(59 / 30))
    assert newest.stats.dropped == 58


def test_still_faces_are_classified_more_often_than_detected(
    held: tuple[LiveAnalyzer, HeldDetector], face: Picture
) -> None:
    live, detector = held
    detector.free.set()
    for number in range(30):
        live.submit(face, number / 15)
        wait_for(live, lambda s, n=number: s.history and s.history[-1].time == n / 15)
    assert len(live.snapshot().history) == 30
    assert 2 <= detector.calls <= 12


def test_a_stream_beyond_the_limit_starts_when_another_one_ends(
    analyzer: EmotionAnalyzer, face: Picture
) -> None:
    limit, options = StreamLimit(max_streams=1), LiveOptions(interval=1, detector="haar")
    first, second = (LiveAnalyzer(analyzer, options, limit=limit) for _ in range(2))
    first.submit(face, 0.0)
    wait_for(first, lambda s: s.result)
    assert (second.process(face, 0.0) == face).all()
    assert "limit of live videos" in str(second.snapshot().error)
    assert not second.snapshot().running
    first.stop()
    second.submit(face, 0.1)
    assert wait_for(second, lambda s: s.result).error is None
    second.stop()
    assert limit.running == 0


def test_stop_under_load_ends_cleanly(analyzer: EmotionAnalyzer, face: Picture) -> None:
    lock, limit = FairLock(), StreamLimit()
    options = LiveOptions(interval=1, detector="haar")
    streams = [LiveAnalyzer(analyzer, options, lock=lock, limit=limit) for _ in range(3)]
    for number in range(40):
        for live in streams:
            live.process(face, number / 30)
    for live in streams:
        live.stop()
    assert (workers(), limit.running, lock.waiting) == ([], 0, 0)
    assert all(live.snapshot().result is None for live in streams)
