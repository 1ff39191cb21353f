"""The address of a database: which ones are accepted, and how they are named without a password."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from utils.errors import DatabaseError

FORMS = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
_WRITE = f"Write {FORMS} into EMOTION_DATABASE_URL."
_PREFIX = "The address of the database of sessions"


def parse_address(address: str) -> URL:
    """Return an address in parts.

    Raises:
        DatabaseError: It is malformed, or of neither SQLite nor PostgreSQL. The message leaves out
            the address, which may hold a password.
    """
    if address.partition("?")[0].count("@") > 1:
        # The rest of the password would be taken for the host, and printed.
        raise DatabaseError(f"{_PREFIX} has more than one @. Write one in a password as %40.")
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # Not "from error": its text may quote the address.
        raise DatabaseError(f"{_PREFIX} is malformed. {_WRITE}") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        kind = url.get_backend_name()
        raise DatabaseError(f"{_PREFIX} names a database of the kind {kind!r}. {_WRITE}")
    if url.get_backend_name() == "sqlite" and (url.host or url.database in (None, "", ":memory:")):
        raise DatabaseError(f"{_PREFIX} names no file: sqlite has three slashes. {_WRITE}")
    return url


def name_of(url: URL) -> str:
    """Return what users recognise a database by: its file, or its name and server."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"{url.database or url.username} on {url.host or 'this computer'}{port}"
