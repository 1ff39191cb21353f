"""Under which host names the service may be reached, and which web pages may call it.

A web page that somebody opens elsewhere must not use the service on their computer: neither across
origins, nor under a name of its own that it points to this computer (DNS rebinding).
"""

import re
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers

from backend.service.errors import ForeignOriginError, UnknownHostError
from backend.service.settings import API_PREFIX

# A name or IPv4 address, or an IPv6 address in brackets, perhaps with a port.
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9a-z:.%]+\])(:\d*)?", re.ASCII)


class HostCheck:
    """Refuses requests by their ``Host`` and ``Origin`` headers.

    IP addresses are always accepted as hosts: rebinding needs a name.

    Args:
        host: The name or address that the service listens on.
        allowed_hosts: Further names; ``*.example.org`` is every subdomain, ``*`` any name.
        origins: Origins of other web pages that may call; ``*`` is any.
    """

    def __init__(
        self, host: str, *, allowed_hosts: Sequence[str] = (), origins: Sequence[str] = ()
    ) -> None:
        own = socket.gethostname()
        names = ("localhost", host, own, f"{own}.local", *allowed_hosts)
        self._names = {name.lower().rstrip(".") for name in names}
        self._origins = {origin.lower() for origin in origins}

    def check(self, headers: Headers) -> None:
        """Refuse a request to another host, or from a web page of another origin.

        Programs send no origin; those of HTTP/1.0 need not send a host either.

        Raises:
            ForeignOriginError: A web page of another origin sent it.
            UnknownHostError: The host is not one under which the service may be reached.
        """
        host, origin = headers.get("host"), headers.get("origin")
        if host is not None and not self._is_known(_name_of(host)):
            raise UnknownHostError(
                f"The service may not be reached as {host!a}; if it should, add the name to "
                f"{API_PREFIX}ALLOWED_HOSTS."
            )
        if origin is None or self._origins & {"*", origin.lower()}:
            return
        if origin.lower().partition("://")[2] != (host or "").lower():
            raise ForeignOriginError(
                f"Web pages of {origin!a} may not use the service; if they should, add the origin "
                f"to {API_PREFIX}CORS_ORIGINS."
            )

    def _is_known(self, name: str) -> bool:
        if _is_address(name) or self._names & {"*", name}:
            return True
        parents = name.split(".")[1:]
        return any(f"*.{'.'.join(parents[i:])}" in self._names for i in range(len(parents)))


def _name_of(host: str) -> str:
    """Return the name or address of a ``Host`` header, in lower case; empty if it is malformed."""
    found = _HOST.fullmatch(host.lower())
    return found["name"].strip("[]").rstrip(".") if found else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
