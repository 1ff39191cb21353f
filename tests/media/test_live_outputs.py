"""Live outputs: the messages that follow from results, in real receivers."""

import time as clock
from datetime import datetime, timezone

import pytest
from frames import frame

from utils.emotions import EMOTIONS
from utils.errors import ConfigError, ImageError
from utils.media.live_outputs.config import LiveOutputConfig
from utils.media.live_outputs.messages import EventKind, StreamDescription, StreamMessage
from utils.media.live_outputs.outputs import LiveOutputs
from utils.results import Failure, FrameResult, Status, to_document

STREAM = StreamDescription(model="m", revision="abc", classes=EMOTIONS, threshold=0.5)


class Collected:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[StreamMessage, float]] = []
        self.closed = 0

    def send(self, message: StreamMessage, captured: float) -> None:
        self.sent.append((message, captured))

    def close(self) -> None:
        self.closed += 1

    @property
    def messages(self) -> list[StreamMessage]:
        return [message for message, _ in self.sent]

    @property
    def texts(self) -> list[str]:
        """Each event's text, and ``frame N`` for each result."""
        return [m.event.text if m.event else f"frame {m.frame}" for m in self.messages]


class Broken(Collected):
    """Fails at the second message."""

    def send(self, message: StreamMessage, captured: float) -> None:
        if self.sent:
            raise ValueError("broken")
        super().send(message, captured)


@pytest.fixture
def output() -> Collected:
    return Collected()


@pytest.fixture
def live(output: Collected) -> LiveOutputs:
    return LiveOutputs([output], STREAM, report=pytest.fail)


def at(result: FrameResult, image: str) -> FrameResult:
    return result.model_copy(update={"image": image})


def test_events_follow_from_the_faces(live: LiveOutputs, output: Collected) -> None:
    for result in (frame(0.0, faces=0), frame(0.1), frame(0.2, faces=2), frame(0.3, faces=0)):
        live.write(result)
    live.close()
    assert output.texts == [
        "start", "frame 1", "face 1 appears", "frame 2", "face 2 appears", "frame 3",
        "face 1 leaves", "face 2 leaves", "frame 4", "stop",
    ]  # fmt: skip
    assert output.closed == 1


def test_the_start_says_what_the_results_mean(live: LiveOutputs, output: Collected) -> None:
    live.write(frame(0.0))
    start = output.messages[0].event
    assert start is not None
    assert (start.kind, start.stream) == (EventKind.START, STREAM)
    assert start.at.tzinfo == timezone.utc
    assert abs((datetime.now(timezone.utc) - start.at).total_seconds()) < 60


def test_a_live_frame_has_the_time_and_age_of_its_arrival(
    live: LiveOutputs, output: Collected
) -> None:
    arrived = clock.monotonic() - 2.0
    live.write(frame(7.0), arrived=arrived)
    message, captured = output.sent[-1]
    assert captured == arrived
    assert message.age_ms is not None
    assert message.age_ms >= 2000
    live.mark("film starts")
    marker, pressed = output.sent[-1]
    assert marker.event is not None
    assert (marker.event.kind, marker.event.text) == (EventKind.MARKER, "film starts")
    assert marker.event.time == pytest.approx(7.0 + pressed - arrived, abs=1e-3)


def test_frames_of_a_file_have_the_distances_of_their_media_times(
    live: LiveOutputs, output: Collected
) -> None:
    live.write(at(frame(0.0, faces=0), "a.mp4"))
    live.write(at(frame(40.0, faces=0), "a.mp4"))
    (_, first), (message, second) = output.sent[-2:]
    assert second - first == pytest.approx(40.0)
    assert message.age_ms is None


def test_a_new_source_has_new_faces(live: LiveOutputs, output: Collected) -> None:
    live.write(at(frame(3.0), "a.mp4"))
    live.write(at(frame(0.0), "b.mp4"))
    assert output.texts[-3:] == ["face 1 leaves", "face 1 appears", "frame 2"]


def test_frames_that_were_not_analysed_are_left_out(live: LiveOutputs, output: Collected) -> None:
    live.write(frame(0.0).model_copy(update={"status": Status.SKIPPED}))
    live.close()
    assert not output.sent


def test_a_failure_is_an_error(live: LiveOutputs, output: Collected) -> None:
    live.write(Failure.of("a.jpg", ImageError("a.jpg: is empty")))
    error = output.messages[-1].error
    assert error is not None
    assert (error.code, error.message) == ("bad_image", "a.jpg: is empty")


def test_a_result_is_the_document_of_all_outputs(live: LiveOutputs, output: Collected) -> None:
    live.write(frame(0.0))
    message = output.messages[-1]
    assert message.model_dump(mode="json", exclude_none=True)["result"] == to_document(frame(0.0))


def test_an_output_that_fails_is_reported_once_and_the_others_go_on(output: Collected) -> None:
    problems: list[str] = []
    broken = Broken()
    live = LiveOutputs([broken, output], STREAM, report=problems.append)
    live.write(frame(0.0))
    live.write(frame(0.1))
    live.close()
    assert output.texts == ["start", "face 1 appears", "frame 1", "frame 2", "stop"]
    assert problems == ["Broken: stopped (broken); the analysis goes on"]
    assert broken.closed == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"webhook_interval": -1.0}, "0 to 3600 seconds, not -1"),
        ({"webhook_interval": float("nan")}, "0 to 3600 seconds, not nan"),
        ({"broadcast": 0}, "1 to 65535, not 0"),
        ({"broadcast": 70000}, "1 to 65535, not 70000"),
    ],
)
def test_impossible_values_are_refused(values: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        LiveOutputConfig(**values)  # type: ignore[arg-type]
