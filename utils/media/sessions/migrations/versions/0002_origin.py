"""What made a session: the program's version and the revision of the model."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; they are empty for older sessions, of which it is not known."""
    op.add_column("session", sa.Column("version", sa.String(50)))
    op.add_column("session", sa.Column("model_revision", sa.String(100)))


def downgrade() -> None:
    """Drop the columns."""
    for column in ("model_revision", "version"):
        op.drop_column("session", column)
