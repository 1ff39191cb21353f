"""What users call the faces of a session."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; it is empty for older sessions, whose faces have numbers only."""
    op.add_column("session", sa.Column("names", sa.JSON))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("session", "names")
