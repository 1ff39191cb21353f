"""Recordings in a database: SQLite in a file, or PostgreSQL."""

from utils.extras import require

require("app", feature="Recording sessions", modules=("alembic", "pandas", "sqlalchemy"))

from utils.media.sessions.info import DamagedSession, Marker, SessionInfo
from utils.media.sessions.recorder import Recorder
from utils.media.sessions.store import SessionStore

__all__ = ["DamagedSession", "Marker", "Recorder", "SessionInfo", "SessionStore"]
