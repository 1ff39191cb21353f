"""Results as text for a terminal."""

import os
from dataclasses import dataclass
from typing import TextIO

from backend.console.messages import printable
from utils.emotions import color_of
from utils.media.video_summary import Person, VideoSummary
from utils.results import Face, FrameResult
from utils.text import counted

_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class TerminalStyle:
    """What a terminal can display.

    Attributes:
        color: Whether it supports ANSI colours.
        blocks: Whether it can print Unicode block characters; bars are plain ASCII otherwise.
    """

    color: bool = False
    blocks: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> "TerminalStyle":
        """Return what a stream supports: colour on a terminal unless ``NO_COLOR`` is set."""
        encoding = stream.encoding or "ascii"
        try:
            _EIGHTHS.encode(encoding)
            blocks = True
        except (UnicodeEncodeError, LookupError):
            blocks = False
        return cls(stream.isatty() and "NO_COLOR" not in os.environ, blocks)


def describe_image(result: FrameResult, style: TerminalStyle) -> str:
    """Return the faces of an image as lines of text, each with a bar for every class."""
    name, size = printable(result.image), f"{result.width} x {result.height}"
    lines = [f"{name} ({size}): {_count(len(result.faces))}"]
    for number, face in enumerate(result.faces, 1):
        lines += _face_lines(number, face, style=style)
    return "\n".join(lines)


def describe_camera_frame(result: FrameResult) -> str:
    """Return the faces of a camera frame as one line."""
    faces = [f"face {face.track_id} {_prediction(face)}" for face in result.faces]
    status = result.status.value.replace("_", " ")
    return f"{result.time or 0.0:8.2f} s  {', '.join(faces) or status}"


def describe_video(name: str, video: VideoSummary, *, style: TerminalStyle) -> str:
    """Return the faces of a video as lines of text: when each was visible, and its expressions."""
    width, height = video.size or (0, 0)
    size = f"{width} x {height}, {video.time:.1f} s, {video.frames} frames"
    lines = [f"{printable(name)} ({size}): {_count(len(video.people))}"]
    for person in video.people:
        lines += _person_lines(person, style)
    return "\n".join(lines)


def _count(faces: int) -> str:
    return counted(faces, "face") if faces else "no face found"


def _person_lines(person: Person, style: TerminalStyle) -> list[str]:
    shares = person.shares | ({"uncertain": person.uncertain} if person.uncertain else {})
    lines = [f"  face {person.track_id}: {person.first:.1f} s to {person.last:.1f} s"]
    return lines + _bars(shares, style)


def _face_lines(number: int, face: Face, *, style: TerminalStyle) -> list[str]:
    x1, y1, x2, y2 = (round(v) for v in face.box)
    title = f"  face {number}: {_prediction(face)}"
    lines = [f"{title}  (box {x1}, {y1} to {x2}, {y2}; score {face.score:.2f})"]
    return lines + _bars(face.probabilities, style)


def _prediction(face: Face) -> str:
    return face.verdict if face.problem else f"{face.verdict} {face.confidence:.0%}"


def _bars(shares: dict[str, float], style: TerminalStyle) -> list[str]:
    width, lines = max(map(len, shares)), []
    for name, share in shares.items():
        bar = _bar(share, style.blocks)
        if style.color:
            bar = f"{_ansi(color_of(name))}{bar}\033[0m"
        lines.append(f"    {name:{width}s} {bar} {share:4.0%}")
    return lines


def _bar(probability: float, blocks: bool) -> str:
    if not blocks:
        return ("#" * round(probability * _WIDTH)).ljust(_WIDTH)
    full, rest = divmod(round(probability * _WIDTH * 8), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_WIDTH)


def _ansi(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"\033[38;2;{red};{green};{blue}m"
