"""Databases of sessions: SQLite in a file, and a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import Postgres, postgres

from utils.media.sessions import SessionStore


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SessionStore]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'new' / 'sessions.sqlite'}"
    else:
        url = request.getfixturevalue("server").address
    store = SessionStore(url)
    yield store
    store.delete_all()
    store.close()
