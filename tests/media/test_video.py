"""Video files: true times, upright images, one identity per person, sound kept, damage reported."""

from pathlib import Path

import av
import numpy as np
import pytest
from clips import FPS, write_clip
from numpy.typing import NDArray

from utils.errors import ConfigError, OutputError, VideoError
from utils.inference.analyzer import EmotionAnalyzer
from utils.inference.video import analyze_video
from utils.media.drawing import annotate
from utils.media.video import VideoFrame, VideoReader
from utils.media.video_writer import VideoWriter
from utils.results import Status


def read(path: Path) -> list[VideoFrame]:
    with VideoReader(path) as video:
        return list(video)


@pytest.fixture(scope="module")
def analyzer() -> EmotionAnalyzer:
    return EmotionAnalyzer.load(device="cpu", min_face=40)


@pytest.fixture(scope="module")
def images(astronaut: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The face wanders by two pixels per frame; the fourth to sixth are black."""
    found = [np.ascontiguousarray(np.roll(astronaut[:300, 80:400], 2 * i, 1)) for i in range(20)]
    for i in (3, 4, 5):
        found[i] = np.zeros_like(found[i])
    return found


def test_a_face_is_followed_with_the_files_own_times(
    analyzer: EmotionAnalyzer, images: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    times = [round(0.1 * i + 0.03 * (i % 3), 3) for i in range(20)]
    path = write_clip(tmp_path / "clip.mp4", images, times)
    with VideoReader(path) as video:
        assert video.duration == pytest.approx(2.0, abs=0.2)
        results = [result for _, result in analyze_video(analyzer, video)]
        assert video.problem is None
    assert [r.time for r in results] == pytest.approx(times, abs=0.002)
    statuses = [r.status for r in results]
    assert statuses[3:6] == [Status.CAMERA_OFF] * 3
    assert statuses[:3] + statuses[6:] == [Status.OK] * 17
    assert {face.track_id for r in results for face in r.faces} == {1}
    assert {face.emotion for r in results for face in r.faces} == {"happy"}
    assert {r.image for r in results} == {str(path)}


def test_frames_between_the_analysed_ones_are_marked_as_skipped(
    analyzer: EmotionAnalyzer, images: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    path = write_clip(tmp_path / "clip.mp4", images[6:], [i / FPS for i in range(14)])
    with VideoReader(path) as video:
        results = [result for _, result in analyze_video(analyzer, video, every=4)]
    assert [i for i, r in enumerate(results) if r.status is not Status.SKIPPED] == [0, 4, 8, 12]
    assert all(len(r.faces) == 1 for r in results)
    lefts = [r.faces[0].box[0] for r in results]
    assert lefts[8] - lefts[4] == pytest.approx(8, abs=4)
    with VideoReader(path) as video, pytest.raises(ConfigError, match="every"):
        next(analyze_video(analyzer, video, every=0))


def two_people(astronaut: NDArray[np.uint8], second: float) -> NDArray[np.uint8]:
    """Two faces that walk past each other in four seconds; the first passes in front."""
    room = np.full((240, 480, 3), 110, np.uint8)
    head = astronaut[60:200, 170:280]
    other = np.clip(head[:, ::-1] * 0.75, 0, 255).astype(np.uint8)
    for image, x in ((other, 360 - 90 * second), (head, 10 + 90 * second)):
        left = round(x)
        room[50:190, left : left + 110] = image
    return room


def test_two_people_who_cross_keep_their_identities(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    times = [i / 30 for i in range(115)]
    path = write_clip(tmp_path / "cross.mp4", [two_people(astronaut, t) for t in times], times)
    with VideoReader(path) as video:
        results = [result for _, result in analyze_video(analyzer, video)]
    assert {face.track_id for result in results for face in result.faces} == {1, 2}
    hidden, begin = 0, None
    for result in results:
        expected = {"first": 65 + 90 * (result.time or 0), "second": 415 - 90 * (result.time or 0)}
        if abs(expected["first"] - expected["second"]) < 100:
            hidden += 1
            continue
        places = {face.track_id: (face.box[0] + face.box[2]) / 2 for face in result.faces}
        if len(places) == 2:
            nearest = {
                who: min(places, key=lambda i, x=x: abs(places[i] - x))
                for who, x in expected.items()
            }
            begin = begin or nearest
            assert nearest == begin, result.time
    assert hidden > 20
    assert len(results[-1].faces) == 2


def test_a_face_hidden_for_a_second_keeps_its_identity(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    face = np.ascontiguousarray(astronaut[:300, 80:400])
    covered = face.copy()
    covered[60:220, 80:220] = 128
    images = [covered if 15 <= i < 46 else face for i in range(60)]
    times = [i / 30 for i in range(60)]
    with VideoReader(write_clip(tmp_path / "hidden.mp4", images, times)) as video:
        results = [result for _, result in analyze_video(analyzer, video)]
    assert results[45].faces == ()
    assert [face.track_id for face in results[-1].faces] == [1]


def test_an_annotated_copy_keeps_times_and_sound(
    analyzer: EmotionAnalyzer, images: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    times = [0.0, 0.1, 0.25, 0.3, 0.8, 0.9, 1.0, 1.5]
    source = write_clip(tmp_path / "clip.mp4", images[6:14], times, sound=True)
    out = tmp_path / "out.mp4"
    with VideoReader(source) as video, VideoWriter(out, video.fps, source=source) as writer:
        for frame, result in analyze_video(analyzer, video):
            writer.write(annotate(frame.image, result), frame.time)
    frames = read(out)
    assert [f.time for f in frames] == pytest.approx(times, abs=0.002)
    assert np.abs(frames[0].image.astype(int) - images[6]).max() > 100, "a box is drawn"
    with av.open(str(out)) as container:
        (sound,) = container.streams.audio
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(sound))
    assert seconds == pytest.approx(2.0, abs=0.1)


def test_odd_sides_are_written(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "odd.mp4") as writer:
        for i in range(3):
            writer.write(np.full((101, 75, 3), 60 * i, np.uint8), i / 10)
    assert [f.image.shape for f in read(tmp_path / "odd.mp4")] == [(100, 74, 3)] * 3


def test_a_face_in_a_4k_video_is_found(
    analyzer: EmotionAnalyzer, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    wide = np.full((2160, 3840, 3), 120, np.uint8)
    wide[300:812, 2000:2512] = astronaut
    path = write_clip(tmp_path / "4k.mp4", [wide] * 3, [0.0, 0.1, 0.2])
    with VideoReader(path) as video:
        results = [result for _, result in analyze_video(analyzer, video)]
    for result in results:
        (face,) = result.faces
        assert (result.width, result.height) == (3840, 2160)
        assert face.box == pytest.approx((2170, 360, 2275, 500), abs=30)


def test_a_rotated_video_is_turned_upright(
    images: list[NDArray[np.uint8]], tmp_path: Path, analyzer: EmotionAnalyzer
) -> None:
    lying = [np.ascontiguousarray(np.rot90(p, -1)) for p in images[6:10]]
    path = write_clip(tmp_path / "lying.mp4", lying, [0, 0.1, 0.2, 0.3])
    turned = tmp_path / "turned.mp4"
    with av.open(str(path)) as source, av.open(str(turned), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    _write_rotation(turned)
    with VideoReader(turned) as video:
        (frame, result), *_ = analyze_video(analyzer, video)
    assert frame.image.shape == images[6].shape
    assert result.faces[0].emotion == "happy"


def _write_rotation(path: Path) -> None:
    """Put "show me turned by 90 degrees" into the track header's display matrix."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + (52 if data[at] else 40)
    one = (1 << 16).to_bytes(4, "big")
    minus = (-(1 << 16) & 0xFFFFFFFF).to_bytes(4, "big")
    zero = bytes(4)
    data[matrix : matrix + 20] = zero + minus + zero + one + zero
    path.write_bytes(bytes(data))


def test_a_file_that_breaks_off_gives_what_it_has(
    images: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    path = tmp_path / "clip.mkv"
    noise = np.random.default_rng(0).integers(0, 256, (40, 120, 160, 3), np.uint8)
    write_clip(path, list(noise), [i / FPS for i in range(40)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5 < len(read(path)) < 40


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "sound only", "no frames"])
def test_a_file_that_is_no_video_is_reported(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    if kind == "text":
        path.write_text("no video at all")
    elif kind == "empty":
        path.touch()
    elif kind == "sound only":
        with av.open(str(path), "w") as container:
            audio = container.add_stream("aac", rate=44100)
            audio.layout = "mono"
            tone = np.zeros((1, 44100), np.float32)
            beep = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            beep.sample_rate = 44100
            container.mux(audio.encode(beep))
            container.mux(audio.encode())
    elif kind == "no frames":
        write_clip(path, [np.zeros((64, 64, 3), np.uint8)], [0.0])
        data = bytearray(path.read_bytes())
        start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
        data[start:end] = bytes(end - start)
        path.write_bytes(bytes(data))
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        read(path)


def test_an_output_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4")
