"""An HTTP server that receives JSON, and why it did not."""

import base64
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from utils.errors import ConfigError, reason_of
from utils.version import __version__

# A server that does not answer for this long counts as away.
TIMEOUT_SECONDS = 10.0
# Too early, too many requests, and a server that is starting: the same POST may work later.
_TEMPORARY = {408, 425, 429}


@dataclass(frozen=True)
class Refusal:
    """Why a POST was not accepted.

    Attributes:
        reason: In words that fit into a sentence.
        final: Whether the server will not accept the same POST later either.
    """

    reason: str
    final: bool


class HttpReceiver:
    """Posts JSON documents to one URL.

    Args:
        url: ``http://`` or ``https://``, with ``user:password@`` if the server asks for them.

    Attributes:
        name: The server, without what may be secret in the URL.

    Raises:
        ConfigError: The URL can't be used.
    """

    def __init__(self, url: str) -> None:
        _check(url)
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.name = f"{parts.scheme}://{host}"
        self._url = parts._replace(netloc=host, fragment="").geturl()
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"emotion-detection/{__version__}",
        }
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post(self, body: bytes) -> Refusal | None:
        """Send a JSON document; return why the server did not accept it, None if it did."""
        request = urllib.request.Request(self._url, body, self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS):
                return None
        except HTTPError as error:
            final = error.code < 500 and error.code not in _TEMPORARY
            error.close()
            return Refusal(f"it answered {error.code} {error.reason}".strip(), final)
        except URLError as error:
            cause = error.reason
            reason = reason_of(cause) if isinstance(cause, Exception) else str(cause)
            return Refusal(reason, final=False)
        except (OSError, HTTPException) as error:
            return Refusal(reason_of(error), final=False)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a POST that follows one arrives as a GET, without its document."""

    def redirect_request(self, *request: Any) -> None:
        return None


def _check(url: str) -> None:
    usable = url.isascii() and url.isprintable() and " " not in url
    try:
        parts = urlsplit(url)
        usable &= parts.scheme in ("http", "https") and bool(parts.hostname)
        usable &= parts.port != 0  # reading the port raises if it is no number
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"webhook {url!a}: is no address that results can be sent to; write one like "
            "http://localhost:5000/results"
        )
