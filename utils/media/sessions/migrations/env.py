"""Run by Alembic: migrates a database to the newest schema."""

from alembic import context

from utils.media.sessions.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
