"""The server as a process: its socket, its signals, and connections that send nothing."""

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from types import FrameType
from typing import Any

import uvicorn

from ...core.errors import UsageError
from .app import Service, make_app
from .log import Messages

# Seconds after which a connection without a request is closed.
KEEP_ALIVE = 5
# Times as many connections as are answered are opened, so that the others are refused by an answer.
REFUSED = 2
BACKLOG = 512
LAST_PORT = 65535


class Server(uvicorn.Server):
    """The server; SIGINT, SIGTERM and SIGHUP end it once the requests at work are answered."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals for as long as the server runs; they are not raised again after it."""
        names = ("SIGINT", "SIGTERM", "SIGHUP")
        caught = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {
            each: signal.signal(each, self.handle_exit)
            for each in caught
            if signal.getsignal(each) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End gracefully; at once the second time."""
        self.force_exit = self.should_exit
        self.should_exit = True


class Connections:
    """The open connections: those that send no request are closed after a while.

    Args:
        server: That has them.
        seconds: How long a request may take to arrive.
        most: Connections that are answered.
    """

    def __init__(self, server: uvicorn.Server, seconds: float, most: int) -> None:
        self.open = server.server_state.connections
        self.seconds, self.most = seconds, most
        self.idle: dict[int, tuple[int, float]] = {}

    def count(self) -> int:
        """Return how many there are."""
        return len(self.open)

    def sweep(self) -> None:
        """Close those that have waited for a request too long, and those beyond any answer."""
        now, idle = time.monotonic(), {}
        every: list[Any] = list(self.open)
        for each in every:
            cycle = getattr(each, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                continue
            number, since = self.idle.get(id(each), (id(cycle), now))
            since = since if number == id(cycle) else now
            idle[id(each)] = id(cycle), since
            if now - since > self.seconds + KEEP_ALIVE or len(every) > REFUSED * self.most:
                each.transport.abort()
        self.idle = idle


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UsageError: The address cannot be used.
    """
    if port > LAST_PORT:
        raise UsageError(f"Invalid `port` {port}: must be at most {LAST_PORT}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{host} port {port}"
        raise UsageError(
            f"The server cannot listen on {where}: {error.strerror or error}.",
            "Choose another with `port`, or 0 for any that is free; `host` must be an address of "
            "this machine.",
        ) from None


def run(service: Service, opened: socket.socket, started: Callable[[], None]) -> None:
    """Serve on an open socket until a signal comes; call `started` before the first request."""
    gate, limits = make_app(service), service.limits
    config = uvicorn.Config(
        gate,
        http="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=ceil(limits.seconds),
    )
    messages = Messages(service.log)
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [messages], False
    server = Server(config)
    connections = Connections(server, limits.seconds, limits.connections)
    gate.connections, service.each_look = connections.count, connections.sweep
    started()
    server.run([opened])
