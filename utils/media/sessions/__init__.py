"""Recordings in a database: SQLite in a file, or PostgreSQL."""

from utils.extras import require

require("app", feature="Recording sessions", modules=("alembic", "pandas", "sqlalchemy"))

from utils.media.sessions.recorder import Recorder
from utils.media.sessions.store import Marker, SessionInfo, SessionStore

__all__ = ["Marker", "Recorder", "SessionInfo", "SessionStore"]
