"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Migrate the tables to this schema."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Migrate the tables back to the schema before."""
    ${downgrades if downgrades else "pass"}
