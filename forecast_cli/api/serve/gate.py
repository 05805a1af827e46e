"""What every request passes: who may ask, how long it may take, and what is counted and logged."""

import asyncio
import hashlib
import hmac
import ipaddress
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from .limits import Limits
from .log import Log, Metrics
from .problems import MEDIA, Problem, Spell, overloaded

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# What anyone may ask for: whether the server runs, and pages that hold no data.
FREE = {"/health": "health", "/ready": "ready", "/": "page", "/docs": "docs"}
FREE |= {"/openapi.json": "openapi"}
KEY = "forecast"
# Characters of a path in the log.
LONGEST = 500
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
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


@dataclass
class Visit:
    """What is known of a request while it is answered.

    Args:
        route: For the counters.
        model: The name of the model; empty for none.
        status: Of the response; 0 before it begins.
        code: Of the problem.
        received: Bytes of the body.
        sent: Bytes of the answer.
        whole: Whether all of the body was received.
        rows: Of the forecast.
        began: Seconds of a clock.
    """

    route: str = "other"
    model: str = ""
    status: int = 0
    code: str = ""
    received: int = 0
    sent: int = 0
    whole: bool = False
    rows: int = 0
    began: float = field(default_factory=time.perf_counter)


class Gate:
    """The server around its routes.

    Args:
        app: The routes.
        access: Who may ask.
        limits: Of the server.
        metrics: What is counted.
        log: Where each request is a line.
        spell: Spells the settings of messages.
    """

    def __init__(
        self,
        app: App,
        access: Access,
        limits: Limits,
        metrics: Metrics,
        log: Log,
        spell: Spell = str,
    ) -> None:
        self.app, self.access, self.limits = app, access, limits
        self.metrics, self.log, self.spell = metrics, log, spell
        # How many connections are open; the server knows.
        self.connections: Callable[[], int] = int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = scope[KEY] = Visit(FREE.get(scope["path"], "other"))
        told = self._counting(visit, receive), self._counting_sent(visit, send)
        try:
            async with asyncio.timeout(self.limits.seconds):
                await self._answer(scope, *told)
        except TimeoutError:
            await self._refuse(visit, self._too_late(visit), told[1])
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            self.log.tell("fault", failed=True, path=scope["path"], traceback=text)
            text = "The server failed. Its log says how: please report it."
            await self._refuse(visit, Problem(500, "error", text), told[1])
        finally:
            self._note(scope, visit)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or let it pass."""
        visit: Visit = scope[KEY]
        free = scope["path"] in FREE
        headers = dict(scope["headers"])
        try:
            self.access.check(headers, free=free)
            if not free and self.connections() > self.limits.connections:
                raise overloaded(f"{self.connections()} connections are open.")
            stated = headers.get(b"content-length", b"")
            if stated.isdigit() and int(stated) > self.limits.body:
                raise too_long(self.limits)
        except Problem as problem:
            await self._refuse(visit, problem, send)
            return
        await self.app(scope, receive, send)

    def _too_late(self, visit: Visit) -> Problem:
        """Return the problem of a request that took too long."""
        seconds = f"{self.limits.seconds:g} seconds"
        if not visit.whole:
            return Problem(
                408, "body-too-slow", f"The request was not there after {seconds}.",
                "Send fewer rows, or start the server with a larger `timeout`.",
            )  # fmt: skip
        return Problem(
            504, "too-slow", f"The forecast was not there after {seconds}.",
            "Send fewer rows or ask for fewer steps or series, or start the server with a larger "
            "`timeout`.",
        )  # fmt: skip

    async def _refuse(self, visit: Visit, problem: Problem, send: Send) -> None:
        """Send a problem, unless an answer has begun; then the connection is closed."""
        if visit.status:
            return
        visit.code = problem.code
        body = problem.body(self.spell)
        headers = {"content-type": MEDIA, "content-length": str(len(body)), **problem.headers}
        if not visit.whole:
            # What the client still sends is not read.
            headers["connection"] = "close"
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": problem.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    def _counting(self, visit: Visit, receive: Receive) -> Receive:
        """Return what receives, and counts the bytes of the body."""

        async def counted() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                visit.received += len(message.get("body", b""))
                visit.whole = visit.whole or not message.get("more_body", False)
            return message

        return counted

    def _counting_sent(self, visit: Visit, send: Send) -> Send:
        """Return what sends, adds headers, and counts the bytes of the answer."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                message["headers"] = [*message.get("headers", []), *HEADERS]
            else:
                visit.sent += len(message.get("body", b""))
            await send(message)

        return counted

    def _note(self, scope: Scope, visit: Visit) -> None:
        """Count and log a request that ended."""
        seconds = time.perf_counter() - visit.began
        status = visit.status or 500
        self.metrics.requests.labels(visit.route, visit.model, str(status)).inc()
        self.metrics.seconds.labels(visit.route).observe(seconds)
        client = scope.get("client") or ("",)
        facts: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"][:LONGEST],
            "status": status,
            "ms": round(1000 * seconds, 2),
            "received": visit.received,
            "sent": visit.sent,
            "client": client[0],
        }
        facts |= {"code": visit.code} if visit.code else {}
        facts |= {"rows": visit.rows} if visit.rows else {}
        self.log.tell("request", failed=status >= 500, **facts)


def too_long(limits: Limits) -> Problem:
    """Return the problem of a body that is too long."""
    return Problem(
        413,
        "body-too-long",
        f"The body is larger than {limits.body:,} bytes, the limit of this server.",
        "Send the latest rows alone, or start the server with a larger `max_body`.",
    )
