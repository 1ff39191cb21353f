"""Results as text for a terminal."""

import os
from dataclasses import dataclass
from typing import TextIO

from utils.emotions import color_of
from utils.media.video_summary import Person, VideoSummary
from utils.results import Face, FrameResult

_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Style:
    """What a terminal can show.

    Attributes:
        color: ANSI colours.
        blocks: Unicode blocks for bars; else plain ASCII.
    """

    color: bool = False
    blocks: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> "Style":
        """Return what a stream can show: colour on a terminal unless ``NO_COLOR`` is set."""
        encoding = stream.encoding or "ascii"
        try:
            _EIGHTHS.encode(encoding)
            blocks = True
        except (UnicodeEncodeError, LookupError):
            blocks = False
        return cls(stream.isatty() and "NO_COLOR" not in os.environ, blocks)


def describe(result: FrameResult, style: Style) -> str:
    """Return a picture's faces as lines of text, each with a bar for every class."""
    count = len(result.faces)
    found = f"{count} face{'s' if count > 1 else ''}" if count else "no face found"
    lines = [f"{result.image} ({result.width} x {result.height}): {found}"]
    for number, face in enumerate(result.faces, 1):
        lines += _face(number, face, style)
    return "\n".join(lines)


def describe_frame(result: FrameResult) -> str:
    """Return a camera's frame as one line."""
    faces = [f"face {face.track_id} {_answer(face)}" for face in result.faces]
    return (
        f"{result.time or 0.0:8.2f} s  {', '.join(faces) or result.status.value.replace('_', ' ')}"
    )


def describe_video(name: str, video: VideoSummary, style: Style) -> str:
    """Return a video's faces as lines of text: when each was seen, and with which expressions."""
    width, height = video.size or (0, 0)
    people = video.people
    found = f"{len(people)} face{'s' if len(people) > 1 else ''}" if people else "no face found"
    lines = [f"{name} ({width} x {height}, {video.time:.1f} s, {video.frames} frames): {found}"]
    for person in people:
        lines += _person(person, style)
    return "\n".join(lines)


def _person(person: Person, style: Style) -> list[str]:
    shares = person.shares | ({"uncertain": person.uncertain} if person.uncertain else {})
    lines = [f"  face {person.track_id}: {person.first:.1f} s to {person.last:.1f} s"]
    return lines + _bars(shares, style)


def _face(number: int, face: Face, style: Style) -> list[str]:
    x1, y1, x2, y2 = (round(v) for v in face.box)
    head = f"  face {number}: {_answer(face)}"
    lines = [f"{head}  (box {x1}, {y1} to {x2}, {y2}; score {face.score:.2f})"]
    return lines + _bars(face.probabilities, style)


def _answer(face: Face) -> str:
    if face.problem:
        return f"can't tell, it is {face.problem}"
    return f"{face.emotion} {face.confidence:.0%}{', but uncertain' if face.uncertain else ''}"


def _bars(shares: dict[str, float], style: Style) -> list[str]:
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
