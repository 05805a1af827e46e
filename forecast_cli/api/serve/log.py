"""The log of the server: a JSON object a line, of requests and of what happens besides."""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

# Lines that wait to be written; more are dropped, so that a reader that stops holds nothing up.
MOST_LINES = 10_000
# Seconds between two writes: several lines are written at once.
PAUSE = 0.05


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
