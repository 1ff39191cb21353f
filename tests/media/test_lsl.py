"""The Lab Streaming Layer, with real inlets on the loopback interface."""

import math
import os
import time as clock
import uuid
from typing import Any

import pytest
from frames import frame
from receivers import lsl_inlet
from threads import wait_until

from utils.emotions import EMOTIONS
from utils.errors import ConfigError, MissingExtraError
from utils.media.live_outputs.lsl import LslOutlets
from utils.media.live_outputs.messages import StreamDescription
from utils.media.live_outputs.outputs import LiveOutputs
from utils.results import FaceProblem, FrameResult

pylsl = pytest.importorskip("pylsl")
STREAM = StreamDescription(model="m", revision="abc", classes=EMOTIONS, threshold=0.5)
LABELS = ["track_id", *(f"p_{name}" for name in EMOTIONS), "confidence", "uncertain"]
PATIENCE = 20.0


@pytest.fixture
def name() -> str:
    return f"test-{os.getpid()}-{uuid.uuid4().hex}"


def pull(inlet: Any) -> tuple[list[Any], float]:
    sample, stamp = inlet.pull_sample(timeout=PATIENCE)
    assert sample is not None
    return sample, stamp


def test_each_face_is_a_sample_with_the_time_of_capture(name: str) -> None:
    live = LiveOutputs([LslOutlets(name, STREAM)], STREAM, report=pytest.fail)
    with lsl_inlet(name) as inlet:
        arrived = clock.monotonic() - 3.0
        live.write(frame(0.0, 0.4, faces=2), arrived=arrived)
        (first, stamp), (second, other) = pull(inlet), pull(inlet)
        by_label = dict(zip(LABELS, first, strict=True))
        assert by_label["track_id"] == 1
        assert by_label["p_happy"] == by_label["confidence"] == pytest.approx(0.4)
        assert by_label["p_sad"] == pytest.approx(0.1)
        assert by_label["uncertain"] == 1
        assert second[0] == 2
        age = pylsl.local_clock() - stamp
        assert other == stamp
        assert age == pytest.approx(clock.monotonic() - arrived, abs=0.05)
        live.close()


def test_what_is_missing_is_not_a_number(name: str) -> None:
    live = LiveOutputs([LslOutlets(name, STREAM)], STREAM, report=pytest.fail)
    (face,) = frame(0.1).faces
    turned = face.model_copy(update={"problem": FaceProblem.TURNED_AWAY, "uncertain": True})
    with lsl_inlet(name) as inlet:
        live.write(frame(0.0, faces=0))
        live.write(FrameResult(model="m", width=9, height=9, faces=(turned,), time=0.1))
        empty, _ = pull(inlet)
        assert all(math.isnan(value) for value in empty)
        turned_away, _ = pull(inlet)
        assert (turned_away[0], turned_away[-1]) == (1, 1)
        assert all(math.isnan(value) for value in turned_away[1:-1])
        live.close()


def test_events_are_markers(name: str) -> None:
    live = LiveOutputs([LslOutlets(name, STREAM)], STREAM, report=pytest.fail)
    with lsl_inlet(f"{name}-markers") as inlet:
        live.write(frame(0.0), arrived=clock.monotonic())
        before = pylsl.local_clock()
        live.mark("film starts – Ä")
        after = pylsl.local_clock()
        live.write(frame(0.1, faces=0), arrived=clock.monotonic())
        live.close()
        received = [pull(inlet) for _ in range(5)]
    assert [sample[0] for sample, _ in received] == [
        "start", "face 1 appears", "film starts – Ä", "face 1 leaves", "stop"
    ]  # fmt: skip
    assert before - 0.05 <= received[2][1] <= after + 0.05


def test_the_streams_describe_themselves(name: str) -> None:
    output = LslOutlets(name, STREAM)
    with lsl_inlet(name) as inlet:
        info = inlet.info(PATIENCE)
        assert (info.type(), info.nominal_srate()) == ("Expression", pylsl.IRREGULAR_RATE)
        assert info.get_channel_labels() == LABELS
        model = info.desc().child("model")
        assert model.child_value("name") == "m"
        assert model.child_value("revision") == "abc"
        assert model.child_value("threshold") == "0.5000"
        item, classes = model.child("classes").first_child(), []
        while not item.empty():
            classes.append(item.child_value())
            item = item.next_sibling()
        assert tuple(classes) == EMOTIONS
    with lsl_inlet(f"{name}-markers") as inlet:
        info = inlet.info(PATIENCE)
        assert (info.type(), info.channel_count()) == ("Markers", 1)
        assert info.channel_format() == pylsl.cf_string
    output.close()


def test_a_closed_stream_is_gone(name: str) -> None:
    output = LslOutlets(name, STREAM)
    assert pylsl.resolve_byprop("name", name, timeout=PATIENCE)
    output.close()
    wait_until(lambda: not pylsl.resolve_byprop("name", name, timeout=0.2))


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="can't be the name of a stream"):
        LslOutlets(name, STREAM)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emotion-detection\[lsl\]'"):
        LslOutlets("emotion", STREAM)
