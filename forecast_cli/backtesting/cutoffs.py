"""Where the forecasts of a backtest begin: cutoffs in time, the same for all series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.ragged import owners
from ..core.windows import Ints
from ..data.panel import Panel
from .plan import Plan, Refit

DEFAULT_WINDOWS = 10


@dataclass(frozen=True)
class Cutoffs:
    """The last known steps, one for each round of forecasts.

    Args:
        times: Shape `(cutoffs,)`: the last known time; None where rows are steps.
        ends: Shape `(cutoffs, n_series)`: the row after the last known one of each series.
        step_size: Steps from one to the next.
    """

    times: pd.DatetimeIndex | None
    ends: Ints
    step_size: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ends)


def find_cutoffs(
    panel: Panel, plan: Plan, *, horizon: int, least: int, on_event: Listener
) -> Cutoffs:
    """Return the cutoffs of a panel; after the last one the whole horizon is within the table.

    Args:
        panel: The table.
        plan: How many, and how far apart.
        horizon: Steps ahead.
        least: The minimum number of rows before the first cutoff.
        on_event: Notified of what was chosen.

    Raises:
        DataError: The table is too short for them.
    """
    steps = count_steps(panel)
    step_size = plan.step_size or horizon
    known = steps - horizon - step_size * np.arange(_windows(
        panel, plan, step_size=step_size, horizon=horizon, least=least, on_event=on_event
    ))[::-1]  # fmt: skip
    if panel.timeline is None:
        ends = panel.indptr[1:] - (steps - known)[:, None]
        return Cutoffs(None, np.maximum(ends, panel.indptr[:-1]), step_size)
    times = panel.timeline.times.unique().sort_values()[known - 1]
    return Cutoffs(times, ends_at(panel.indptr, panel.timeline.times, times), step_size)


def count_steps(panel: Panel) -> int:
    """Return the number of steps: distinct times, or rows of the longest series."""
    return panel.timeline.times.nunique() if panel.timeline else int(panel.lengths.max())


def _windows(
    panel: Panel, plan: Plan, *, step_size: int, horizon: int, least: int, on_event: Listener
) -> int:
    """Return the number of cutoffs, as specified or the default; refuse too short a table."""
    steps = count_steps(panel)

    def fitting(before: int) -> int:
        return max(0, (steps - horizon - before) // step_size + 1)

    if plan.n_windows is None and fitting(least):
        count = max(1, min(DEFAULT_WINDOWS, fitting(max(least, -(-steps // 2)))))
        if count < DEFAULT_WINDOWS:
            why = f"half of the {steps:,} steps lie before the first (set `n_windows` for another)"
            many = f"{count} cutoffs, {step_size} steps apart," if count > 1 else "1 cutoff,"
            on_event(Note(f"{many} so that {why}"))
        return count
    count = plan.n_windows or 1
    if fitting(least) < count:
        many = "cutoffs" if count > 1 else "cutoff"
        apart = f", {step_size} steps apart," if count > 1 else ""
        raise DataError(
            f"{panel.source} has {steps:,} steps; {count} {many}{apart} and a horizon of {horizon} "
            f"need {least + (count - 1) * step_size + horizon:,}: {least} of them for training. "
            f"At most {fitting(least)} fit.",
            "Lower `n_windows`, `step_size`, `horizon`, `timesteps` or `validation`.",
        )
    return count


def ends_at(indptr: Ints, times: pd.DatetimeIndex, cutoffs: pd.DatetimeIndex) -> Ints:
    """Return the first row of each series after each cutoff, shape `(cutoffs, n_series)`.

    Args:
        indptr: Shape `(n_series + 1,)`.
        times: Shape `(n_rows,)`.
        cutoffs: Shape `(cutoffs,)`, ascending.
    """
    series, count = len(indptr) - 1, len(cutoffs) + 1
    # Each row is known from one cutoff on, and so counts for all after that.
    known_from = np.searchsorted(cutoffs.asi8, times.asi8)
    rows = np.bincount(owners(indptr) * count + known_from, minlength=series * count)
    known = rows.reshape(series, count)[:, :-1].cumsum(axis=1)
    return np.ascontiguousarray((indptr[:-1, None] + known).T, np.int64)


def rows_before(
    panel: Panel, cutoffs: Cutoffs, cutoff: int, sliding: int | None
) -> tuple[Ints, Ints]:
    """Return the training rows of each series at a cutoff: the first, and the one after the last.

    Args:
        panel: The table.
        cutoffs: All cutoffs.
        cutoff: The number of one.
        sliding: How many rows before the cutoff are used; None: all.

    Returns:
        Shape `(n_series,)` each.
    """
    ends = cutoffs.ends[cutoff]
    if sliding is None:
        return panel.indptr[:-1], ends
    begins = np.maximum(panel.indptr[:-1], ends - sliding)
    if panel.data.missing == "mask":
        return begins, ends
    # A stretch that began with a gap would have nothing before it to be filled with.
    rows = np.where(panel.missing_rows, len(panel.values), np.arange(len(panel.values)))
    following = np.minimum.accumulate(rows[::-1])[::-1]
    begins = np.where(ends > begins, following[np.minimum(begins, len(rows) - 1)], begins)
    return np.minimum(begins, ends), ends


def schedule(count: int, refit: Refit) -> list[Ints]:
    """Return the cutoffs of each fold, shape `(cutoffs of it,)`; it trains at the first of them.

    >>> [fold.tolist() for fold in schedule(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    every = count if refit == "never" else 1 if refit == "always" else int(refit)
    return [np.arange(first, min(first + every, count)) for first in range(0, count, every)]
