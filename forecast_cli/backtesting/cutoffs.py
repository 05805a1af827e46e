"""Where the forecasts of a backtest begin: cutoffs in time, the same for all series."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.ragged import Flags, owners
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


def schedule(count: int, refit: Refit) -> list[Ints]:
    """Return the cutoffs of each fold, shape `(cutoffs of it,)`; it trains at the first of them.

    >>> [fold.tolist() for fold in schedule(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    every = count if refit == "never" else 1 if refit == "always" else int(refit)
    return [np.arange(first, min(first + every, count)) for first in range(0, count, every)]


@dataclass(frozen=True)
class Samples:
    """The forecasts that are made, by cutoff and series.

    Args:
        origins: Shape `(samples,)`: the row of the first target of each.
        series: Shape `(samples,)`: its series.
        cutoffs: Shape `(samples,)`: the number of its cutoff.
    """

    origins: Ints
    series: Ints
    cutoffs: Ints

    def only(self, kept: Flags) -> "Samples":
        """Return some of them, `kept` of shape `(samples,)`."""
        return Samples(self.origins[kept], self.series[kept], self.cutoffs[kept])


def find_samples(
    panel: Panel, cutoffs: Cutoffs, *, horizon: int, least: int, fits: Ints, on_event: Listener
) -> Samples:
    """Return the forecasts that can be made and scored, by cutoff and series.

    Args:
        panel: The table.
        cutoffs: Where they begin.
        horizon: Steps ahead, all within the series.
        least: The minimum number of rows of its series before a forecast.
        fits: Shape `(cutoffs,)`: the cutoff at which the forecaster of each was trained; a series
            must have a row before it.
        on_event: Notified of how many cannot.

    Raises:
        DataError: There is none.
    """
    first, stop, origins = panel.indptr[:-1], panel.indptr[1:], cutoffs.ends
    rows = np.clip(origins - 1, 0, None)
    possible = (origins - first >= least) & (origins + horizon <= stop)
    possible &= cutoffs.ends[fits] > first
    # A value that was not known yet cannot replace one that is missing.
    possible &= _known_before(panel, np.minimum(origins, len(panel.values)))
    if panel.data.missing != "mask":
        # A gap that reaches up to a forecast was filled with a look at what comes behind it.
        possible &= ~panel.missing_rows[rows]
    numbers, series = np.nonzero(possible)
    if not len(numbers):
        raise DataError(
            f"{panel.source} has no series with {least} rows before a cutoff and {horizon} after "
            "it.",
            "Lower `horizon` or `timesteps`, or change `n_windows` or `step_size`.",
        )
    _say_left_out(panel, possible, on_event)
    return Samples(origins[numbers, series], series, numbers)


def _say_left_out(panel: Panel, possible: Flags, on_event: Listener) -> None:
    """Note how many forecasts cannot be made; `possible` has shape `(cutoffs, n_series)`."""
    left, never = int((~possible).sum()), int((~possible.any(axis=0)).sum())
    if not left:
        return
    what = f"{left:,} of {possible.size:,} forecasts are left out"
    if never:
        what += f", {never:,} of {panel.count:,} series altogether"
    on_event(Note(f"{what}: too few rows before or after the cutoff, or a gap at the cutoff"))


def _known_before(panel: Panel, origins: Ints) -> Flags:
    """Return whether each target has a value before each origin, shape of `origins`."""
    values = panel.target_values
    count = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(np.isfinite(values), axis=0, out=count[1:])
    return np.asarray((count[origins] > count[panel.indptr[:-1]]).all(axis=-1))
