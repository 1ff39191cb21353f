"""The tables of the database of sessions."""

from datetime import datetime, timezone

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(timezone.utc)


class Base(DeclarativeBase):
    """Base of all tables."""


class SessionRow(Base):
    """One recording: of the camera, or a saved video."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[str] = mapped_column(String(20))
    model: Mapped[str] = mapped_column(String(100))
    classes: Mapped[list[str]] = mapped_column(JSON)
    started: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    # Unknown for sessions of 0.1.0.
    version: Mapped[str | None] = mapped_column(String(50))
    model_revision: Mapped[str | None] = mapped_column(String(100))
    # Track number, as text, to what users call this face.
    names: Mapped[dict[str, str] | None] = mapped_column(JSON)


class PointRow(Base):
    """One face of one analysed frame, or a frame without any.

    ``shown`` holds the smoothed probabilities, ``raw`` those of the frame alone: little-endian
    float32, in the order of the session's classes.
    """

    __tablename__ = "point"
    __table_args__ = (Index("ix_point_session_time", "session_id", "time"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    time: Mapped[float] = mapped_column(Float)
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(200))
    width: Mapped[int]
    height: Mapped[int]
    face: Mapped[int | None]
    track_id: Mapped[int | None]
    x1: Mapped[float | None]
    y1: Mapped[float | None]
    x2: Mapped[float | None]
    y2: Mapped[float | None]
    score: Mapped[float | None]
    emotion: Mapped[str | None] = mapped_column(String(100))
    confidence: Mapped[float | None]
    uncertain: Mapped[bool | None]
    shown: Mapped[bytes | None] = mapped_column(LargeBinary)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)


class MarkerRow(Base):
    """A labelled moment of a session."""

    __tablename__ = "marker"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), index=True
    )
    time: Mapped[float] = mapped_column(Float)
    label: Mapped[str] = mapped_column("words", String(200))
