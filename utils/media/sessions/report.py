"""A session as a report to read, print or send: one HTML file that loads nothing."""

from collections.abc import Sequence
from datetime import timezone, tzinfo
from pathlib import Path

import pandas as pd

from utils.media.figures import people
from utils.media.figures.timecode import timecode
from utils.media.figures.timeline import TimeAxis, legend, percent, safe
from utils.media.sessions.info import Marker, SessionInfo
from utils.media.timeseries import emotion_shares, track_ids
from utils.media.video_summary import UNCERTAIN
from utils.results import Status
from utils.text import counted

_STYLES = (Path(people.__file__).with_name("figures.css"), Path(__file__).with_name("report.css"))
_LIMITS = (
    "It estimates apparent facial expressions: what a face looks like, not what a person feels.",
    "The estimates of the AI model are often wrong, more often in bad light, on small or turned "
    "faces, and for some groups of people. One moment says little.",
    "“Uncertain” counts the time in which no expression was probable enough, or the face could not "
    "be classified. Grey spans were not classified at all.",
    "Faces are followed by their place in the picture, nobody is recognised. Who leaves and comes "
    "back gets a new number; names were typed by a person.",
    "Don't use it to judge people, least of all pupils or employees. Emotion recognition at work "
    "and in schools is prohibited in the European Union (EU AI Act, Article 5(1)(f)).",
)


def as_html(
    session: SessionInfo,
    markers: Sequence[Marker],
    table: pd.DataFrame,
    *,
    zone: tzinfo = timezone.utc,
) -> str:
    """Return a session as a report: one HTML document that loads nothing and can be printed.

    Args:
        session: The session.
        markers: Ordered by time.
        table: Of ``SessionStore.table``.
        zone: Whose clock tells when the session began.
    """
    axis = people.time_axis(table, [(marker.time, marker.label) for marker in markers])
    tracks = track_ids(table)
    style = "\n".join(path.read_text(encoding="utf-8") for path in _STYLES)
    content = [
        f"<h1>{safe(session.name)}</h1>",
        _note(session),
        _about(session, table, zone),
        _summary(session, table, tracks),
        legend(session.classes, axis) if tracks else "<p>No face in this session.</p>",
        *_figures(session, table, tracks, axis=axis),
        _markers(markers),
        f"<h2>What this can't say</h2><ul>{_items(_LIMITS)}</ul>",
    ]
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{safe(session.name)}</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(content)}\n</main></body></html>\n"
    )


def _note(session: SessionInfo) -> str:
    lines = [safe(line) for line in session.note.splitlines()]
    return f"<p class='note'>{'<br>'.join(lines)}</p>" if session.note.strip() else ""


def _about(session: SessionInfo, table: pd.DataFrame, zone: tzinfo) -> str:
    began = session.started.astimezone(zone)
    analysed = "Analysed" if session.kind == "video" else "Recorded"
    facts = {
        analysed: f"{began:%d %B %Y, %H:%M} ({began.tzname()})",
        "Length": timecode(session.seconds),
        "Frames": f"{table['time'].nunique():,}",
        "Model": f"{session.model}, revision {session.model_revision or 'unknown'}",
        "Program": f"version {session.version or '0.1.0'}",
    }
    pairs = "".join(
        f"<div><dt>{name}</dt><dd>{safe(text)}</dd></div>" for name, text in facts.items()
    )
    return f"<dl>{pairs}</dl>"


def _summary(session: SessionInfo, table: pd.DataFrame, tracks: Sequence[int]) -> str:
    seen = table.loc[table["status"].isin([Status.OK.value, Status.UNCERTAIN.value]), "time"]
    frames = table["time"].nunique()
    classified = seen.nunique() / frames if frames else 0.0
    count = counted(len(tracks), "face") if tracks else "No face"
    sentences = [f"{count}. A face was classified in {percent(classified)} of the frames."]
    for track in tracks:
        shares = emotion_shares(table, track)
        uncertain = percent(shares.pop(UNCERTAIN, 0.0))
        often = [f"most often {name} ({percent(share)})" for name, share in shares.items()][:1]
        parts = ", ".join([*often, f"uncertain {uncertain}"])
        sentences.append(f"{session.name_of(track)}: {parts} of the time in view.")
    return f"<h2>Summary</h2><ul>{_items(sentences)}</ul>"


def _figures(
    session: SessionInfo, table: pd.DataFrame, tracks: Sequence[int], *, axis: TimeAxis
) -> list[str]:
    figures = []
    if len(tracks) > 1:
        drawn = people.group_figure(table, session.classes, axis=axis, stacked=True)
        figures.append(f"<section><h2>All faces</h2>{drawn}</section>")
    for track in tracks:
        drawn = people.person_figure(table, track, session.classes, axis=axis, stacked=True)
        figures.append(f"<section><h2>{safe(session.name_of(track))}</h2>{drawn}</section>")
    return figures


def _markers(markers: Sequence[Marker]) -> str:
    if not markers:
        return ""
    rows = "".join(
        f"<tr><td>{timecode(marker.time, tenths=True)}</td><td>{safe(marker.label)}</td></tr>"
        for marker in markers
    )
    head = "<tr><th scope='col'>Time</th><th scope='col'>Marker</th></tr>"
    return f"<section><h2>Markers</h2><table class='markers'>{head}{rows}</table></section>"


def _items(sentences: Sequence[str]) -> str:
    return "".join(f"<li>{safe(sentence)}</li>" for sentence in sentences)
