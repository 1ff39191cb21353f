"""The live page's video track: the newest frame wins, however slow the encoder is."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from frontend.live.newest_frame import NewestFrameTrack, VideoDelay


class Camera(MediaStreamTrack):
    """Gives numbered frames, as fast as they are read."""

    kind = "video"

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.shown, self._frames = 0, frames

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0)
        if self.shown == self._frames:
            self.stop()
            raise MediaStreamError
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        frame.pts, frame.time_base = self.shown, Fraction(1, 30)
        self.shown += 1
        return frame


async def let_pass(camera: Camera, frames: int) -> None:
    last = camera.shown + frames
    while camera.shown < last:
        await asyncio.sleep(0)


def test_a_slow_encoder_gets_the_newest_frame_and_only_that_is_drawn() -> None:
    drawn: list[int] = []
    ends: list[bool] = []
    delay = VideoDelay()

    def draw(frame: av.VideoFrame) -> av.VideoFrame:
        drawn.append(frame.pts)
        return frame

    async def encode_slowly() -> None:
        camera = Camera(1_000_000)
        track = NewestFrameTrack(draw, delay, lambda: ends.append(True))
        assert not track.hasTrack()
        track.addTrack(camera)
        track.start()
        times = []
        for count in range(1, 5):
            await let_pass(camera, 20)
            newest = camera.shown - 1
            times.append((await track.recv()).pts)
            assert len(drawn) == count
            assert drawn[-1] >= newest
        assert times == sorted(set(times))
        track.stop()
        track.stop()
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(encode_slowly())
    assert ends == [True]
    milliseconds = delay.milliseconds()
    assert milliseconds is not None
    assert milliseconds > 0


def test_no_frame_is_given_twice_and_the_end_of_the_camera_ends_the_video() -> None:
    drawn: list[int] = []
    ends: list[bool] = []

    def draw(frame: av.VideoFrame) -> av.VideoFrame:
        drawn.append(frame.pts)
        return frame

    async def read_all() -> None:
        track = NewestFrameTrack(draw, VideoDelay(), lambda: ends.append(True))
        track.addTrack(Camera(50))
        track.start()
        while True:
            await track.recv()

    with pytest.raises(MediaStreamError):
        asyncio.run(asyncio.wait_for(read_all(), 60))
    assert drawn
    assert drawn == sorted(set(drawn))
    assert ends == [True]


def test_stopping_before_the_first_frame_releases_the_reader() -> None:
    class Dark(Camera):
        async def recv(self) -> av.VideoFrame:
            await asyncio.Event().wait()
            raise AssertionError

    async def stop_early() -> None:
        track = NewestFrameTrack(lambda frame: frame, VideoDelay(), lambda: None)
        track.addTrack(Dark(1))
        track.start()
        reader = asyncio.ensure_future(track.recv())
        await asyncio.sleep(0)
        await asyncio.to_thread(track.stop)
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(reader, 30)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(stop_early())
