"""What the server counts, for Prometheus; and its log: a JSON object a line."""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Upper ends of the buckets of durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Lines that wait to be written; more are dropped, so that a reader that stops holds nothing up.
MOST_LINES = 10_000
# Seconds between two writes: several lines are written at once.
PAUSE = 0.05


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "model", "status")
        self.requests = Counter(
            "forecast_requests", "Requests that ended.", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "forecast_request_seconds",
            "Seconds from the first byte of a request to the last of its answer.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.rows = Counter(
            "forecast_rows", "Rows of forecasts.", ("model",), registry=self.registry
        )
        self.busy = Gauge(
            "forecast_busy", "Forecasts that are computed or wait.", registry=self.registry
        )
        self.replaced = Counter(
            "forecast_models_replaced",
            "Model files that were replaced, by whether the new one is served.",
            ("model", "served"),
            registry=self.registry,
        )

    def count_replaced(self, model: str, served: bool) -> None:
        """Count a file that was replaced, and whether the new one is served."""
        self.replaced.labels(model, "yes" if served else "no").inc()

    def render(self) -> bytes:
        """Return all of them in the format of Prometheus."""
        return generate_latest(self.registry)


class Log:
    """Writes lines from a thread of its own.

    Args:
        write: Writes a text, where the log goes; it may wait.
        quiet: Whether only errors are written.
    """

    def __init__(self, write: Callable[[str], Any], *, quiet: bool = False) -> None:
        self.write, self.quiet, self.dropped = write, quiet, 0
        self.lines: queue.Queue[str | None] = queue.Queue(MOST_LINES)
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def tell(self, event: str, *, failed: bool = False, **facts: Any) -> None:
        """Add a line.

        Args:
            event: What happened.
            failed: Whether it is an error.
            **facts: More of the object.
        """
        if self.quiet and not failed:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self.lines.put_nowait(json.dumps({"time": now, "event": event, **facts}) + "\n")
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, unless the log is not read."""
        try:
            self.lines.put(None, timeout=1)
        except queue.Full:
            return
        self.thread.join(timeout=1)

    def _write(self) -> None:
        """Write lines until the end."""
        ended = False
        while not ended:
            found = [self.lines.get()]
            time.sleep(0 if found[0] is None else PAUSE)
            while not self.lines.empty():
                found.append(self.lines.get())
            ended = None in found
            texts = [each for each in found if each is not None]
            if self.dropped:
                texts.append(json.dumps({"event": "lines dropped", "lines": self.dropped}) + "\n")
                self.dropped = 0
            self.write("".join(texts))


class Messages(logging.Handler):
    """Messages of libraries, as lines of the log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self.log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Add a message."""
        failed = record.levelno >= logging.ERROR
        self.log.tell("message", failed=failed, source=record.name, text=record.getMessage())
