"""What a request may ask of the server, and the threads that forecast, with a bounded queue."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from .problems import overloaded

Result = TypeVar("Result")
# Seconds after which a thread lets another one go on: small requests wait for no large one.
TURN = 0.001


@dataclass(frozen=True)
class Limits:
    """What a request may ask of the server, and how many are answered at a time.

    Args:
        body: Bytes of a request, and of what a compressed table unpacks to.
        rows: Rows of a table, and of a forecast.
        series: Series of a forecast.
        horizon: Steps ahead.
        seconds: From the first byte of a request to the last of its answer.
        workers: Forecasts that are computed at the same time.
        queue: Requests that wait for a worker; more are refused.
        connections: Open connections; requests on more are refused.
    """

    body: int = 8_000_000
    rows: int = 100_000
    series: int = 1_000
    horizon: int = 1_000
    seconds: float = 10.0
    workers: int = 2
    queue: int = 32
    connections: int = 256


class Workers:
    """Threads that forecast, and how many requests they and their queue hold.

    Args:
        limits: Of the server.
    """

    def __init__(self, limits: Limits) -> None:
        sys.setswitchinterval(TURN)
        self.most = limits.workers + limits.queue
        self.pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="forecast")
        self.busy = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a thread.

        What was cancelled holds its place until it ends: a thread cannot be interrupted.

        Raises:
            Problem: The queue is full.
        """
        if self.busy >= self.most:
            raise overloaded(f"{self.busy} forecasts are computed or wait; more are refused.")
        self.busy += 1
        loop = asyncio.get_running_loop()
        future = self.pool.submit(work)
        future.add_done_callback(lambda done: self._ended(loop, done))
        return await asyncio.wrap_future(future)

    def _ended(self, loop: asyncio.AbstractEventLoop, done: "Future[Result]") -> None:
        """Count a function that ended, in the thread of the server."""
        try:
            loop.call_soon_threadsafe(self._free)
        except RuntimeError:
            # The server has ended before.
            return

    def _free(self) -> None:
        self.busy -= 1

    def close(self) -> None:
        """Take no more work, and leave what has not begun."""
        self.pool.shutdown(wait=False, cancel_futures=True)
