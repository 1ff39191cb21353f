"""Recordings kept in a database: SQLite in a file, or PostgreSQL."""

from utils.sessions.recorder import Recorder
from utils.sessions.store import Marker, SessionInfo, SessionStore

__all__ = ["Marker", "Recorder", "SessionInfo", "SessionStore"]
