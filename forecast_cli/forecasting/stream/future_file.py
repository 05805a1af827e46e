"""A file of future covariates that is read again when it changes."""

import os
import time
from collections.abc import Callable, Mapping

import numpy as np

from ...core.errors import ForecastError
from ...core.events import ignore
from ...data.future_table import with_future
from .clock import Clock
from .live_model import LiveModel
from .row_reader import Key
from .series_forecaster import SeriesForecaster, one_row_each

# Seconds from one look at the file to the next.
PAUSE = 1.0


class FutureFile:
    """Keeps the future covariates of all series up to date.

    Args:
        path: The table.
        model: The model.
        clock: Of its times; None where rows are steps.
        now: Returns seconds.
    """

    def __init__(
        self,
        path: str,
        model: LiveModel,
        clock: Clock | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.model, self.clock, self.now = path, model, clock, now
        self.seen: tuple[int, ...] | None = None
        self.looked = -PAUSE
        # Whether a series has restarted since the file was read.
        self.stale = True

    def refresh(self, series: Mapping[Key, SeriesForecaster]) -> str:
        """Read the file where it has changed; return what is wrong with it, empty for nothing."""
        if not self.stale and self.now() - self.looked < PAUSE:
            return ""
        self.looked, stamp = self.now(), self._stamp()
        if stamp == self.seen and not self.stale:
            return ""
        self.seen, self.stale = stamp, False
        begun = {key: each for key, each in series.items() if each.inputs.window.count}
        if not begun:
            self.stale = True
            return ""
        try:
            self._read(begun)
        except (ForecastError, OSError) as error:
            return str(error)
        return ""

    def _read(self, series: Mapping[Key, SeriesForecaster]) -> None:
        """Read the file and hand to each series what it knows of its steps."""
        rows = np.array([each.inputs.window.rows[-1] for each in series.values()])
        lasts = [each.last for each in series.values()]
        panel = one_row_each(self.model, self.clock, list(series), rows, lasts)
        ahead = with_future(panel, self.path, self.model.data, on_event=ignore).ahead
        for own, known in zip(series.values(), ahead, strict=True):
            for step, row in enumerate(known, start=1):
                if np.isfinite(row).any():
                    own.known.put(step, row)
            own.fresh = False

    def _stamp(self) -> tuple[int, ...] | None:
        """Return what changes when the file does; None where there is none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
