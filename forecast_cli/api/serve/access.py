"""Who may ask: tokens, and the names by which a server without one is called."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping

from .problems import Problem

# Names of this machine.
LOCAL = ("localhost", "127.0.0.1", "::1")
# A shorter token can be guessed.
SHORTEST = 16


def is_local(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Access:
    """Who may ask for forecasts.

    Args:
        token: What clients send as `Authorization: Bearer TOKEN`; None where anyone may.
        names: The names that clients may call the server by; None for any. Without a token a
            page of another site could otherwise have its own name point to this machine.
    """

    def __init__(self, token: str | None, names: tuple[str, ...] | None) -> None:
        self.digest = None if token is None else _digest(token.encode())
        self.names = names

    def check(self, headers: Mapping[bytes, bytes], *, free: bool) -> None:
        """Refuse a request that may not be answered.

        Args:
            headers: Of the request, by lower-case names.
            free: Whether what it asks for needs no token.

        Raises:
            Problem: It may not.
        """
        if self.names is not None and _host(headers.get(b"host", b"")) not in self.names:
            raise Problem(
                421,
                "unknown-host",
                "The server is not called by that name.",
                "Call it by its address; behind a proxy start it with `token` or `no_auth`.",
            )
        if free or self.digest is None:
            return
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        # Digests have one length, so that the time tells nothing of the token.
        fits = hmac.compare_digest(_digest(given.strip()), self.digest)
        if scheme.lower() != b"bearer" or not fits:
            raise Problem(
                401,
                "unauthorized",
                "The request has no valid token." if given else "The request has no token.",
                "Send the header Authorization: Bearer TOKEN.",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _host(header: bytes) -> str:
    """Return the name in a Host header, without its port.

    >>> _host(b"[::1]:8000"), _host(b"localhost:80"), _host(b"127.0.0.1")
    ('::1', 'localhost', '127.0.0.1')
    """
    text = header.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
