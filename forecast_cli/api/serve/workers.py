"""Forecasts in threads, with a queue of bounded length."""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .limits import Limits
from .problems import overloaded

Result = TypeVar("Result")
# Seconds after which a thread lets another one go on: small requests wait for no large one.
TURN = 0.001


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
