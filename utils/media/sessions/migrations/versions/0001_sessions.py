"""Sessions, their points and their markers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "session",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("classes", sa.JSON, nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("ix_session_started", "session", ["started"])
    session = sa.ForeignKey("session.id", ondelete="CASCADE")
    op.create_table(
        "point",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.Integer, session, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer) for name in ("face", "track_id")),
        *(sa.Column(name, sa.Float) for name in ("x1", "y1", "x2", "y2", "score")),
        sa.Column("emotion", sa.String(100)),
        sa.Column("confidence", sa.Float),
        sa.Column("uncertain", sa.Boolean),
        *(sa.Column(name, sa.LargeBinary) for name in ("shown", "raw")),
    )
    op.create_index("ix_point_session_time", "point", ["session_id", "time"])
    session = sa.ForeignKey("session.id", ondelete="CASCADE")
    op.create_table(
        "marker",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.Integer, session, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
    )
    op.create_index("ix_marker_session_id", "marker", ["session_id"])


def downgrade() -> None:
    """Drop the tables and all that is in them."""
    for table in ("marker", "point", "session"):
        op.drop_table(table)
