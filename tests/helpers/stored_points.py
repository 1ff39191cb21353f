"""What a database of sessions holds."""

from sqlalchemy import func, select

from utils.media.sessions import SessionStore
from utils.media.sessions.tables import PointRow


def points_of(store: SessionStore, session_id: int) -> int:
    query = select(func.count()).where(PointRow.session_id == session_id)
    with store._database.transaction() as connection:
        return int(connection.execute(query).scalar_one())
