"""What the store knows about a session besides its points, and how that is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, ValidationError
from pydantic.dataclasses import dataclass as validated
from sqlalchemy import Select, String, or_, select, type_coerce

from utils.errors import DatabaseError
from utils.media.sessions.tables import MarkerRow, SessionRow

MAX_NAME = 200  # characters, as the columns hold
# SQLite stores dates and JSON as text. They are read as such, one session at a time: a damaged one
# must not make the others unreadable.
_COLUMNS = [
    type_coerce(column, String).label(column.name)
    if column.name in ("started", "classes", "names")
    else column
    for column in SessionRow.__table__.columns
]


class SessionDeletedError(DatabaseError):
    """A session that is written to was deleted."""


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _names_from_json(value: Any) -> Any:
    return _from_json(value) or {}


def _in_utc(moment: datetime) -> datetime:
    """Return a stored moment with its zone, which SQLite doesn't keep."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


@validated(frozen=True)
class SessionInfo:
    """A session without its points.

    Attributes:
        id: Its number in the database.
        name: What users call it.
        note: What users wrote about it.
        kind: ``live`` or ``video``.
        model: Name of the model that made the predictions.
        classes: The model's classes.
        started: When it began, in UTC.
        seconds: Its length.
        version: The program's version that recorded it; None for 0.1.0.
        model_revision: Code revision of the model's training run; None if not known.
        names: What users call faces, by ``track_id``.
    """

    id: int
    name: str
    note: str
    kind: str
    model: str
    classes: Annotated[tuple[str, ...], BeforeValidator(_from_json), Field(min_length=1)]
    started: Annotated[datetime, AfterValidator(_in_utc)]
    seconds: Annotated[FiniteFloat, Field(ge=0)]
    version: str | None = None
    model_revision: str | None = None
    names: Annotated[dict[int, str], BeforeValidator(_names_from_json)] = field(
        default_factory=dict
    )

    def name_of(self, track_id: int) -> str:
        """Return what a face is called: by users, or else its number."""
        return face_name(self.names, track_id)


@dataclass(frozen=True)
class DamagedSession:
    """A session that can only be deleted.

    Attributes:
        id: Its number in the database.
        name: What users called it.
        problem: Which of its values are damaged, as words.
    """

    id: int
    name: str
    problem: str


@dataclass(frozen=True)
class Marker:
    """A labelled moment of a session.

    Attributes:
        id: Its number in the database.
        time: Seconds from the beginning of the session.
        label: What users call it.
    """

    id: int
    time: float
    label: str


def sessions_query(search: str = "") -> Select[Any]:
    """Return the query for the sessions whose name or note contains a text, newest first."""
    query = select(*_COLUMNS).order_by(SessionRow.started.desc())
    if not search:
        return query
    fields = (SessionRow.name, SessionRow.note)
    return query.where(or_(*(field.icontains(search, autoescape=True) for field in fields)))


def markers_query(session_id: int) -> Select[Any]:
    """Return the query for the markers of a session, ordered by time."""
    query = select(*(getattr(MarkerRow, name) for name in ("id", "time", "label")))
    return query.where(MarkerRow.session_id == session_id).order_by(MarkerRow.time)


def read_session(row: Mapping[str, Any]) -> SessionInfo | DamagedSession:
    """Return a stored session.

    Args:
        row: A row of :func:`sessions_query`.
    """
    try:
        return SessionInfo(**row)
    except ValidationError as error:
        names = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        return DamagedSession(row["id"], str(row["name"]), ", ".join(sorted(names)))


def face_name(names: Mapping[int, str], track_id: int) -> str:
    """Return what a face is called: by users, or else its number.

    Args:
        names: What users call faces, by ``track_id``.
        track_id: Which face.
    """
    return names.get(track_id) or f"Face {track_id:d}"


def stored_text(text: str, length: int | None = MAX_NAME) -> str:
    """Return a text as every database can hold it.

    Args:
        text: May contain null characters and bytes that are no UTF-8, as file names do.
        length: Characters to cut it to; None keeps it as long as it is.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:length]
