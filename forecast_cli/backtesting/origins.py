"""The forecast origins of a backtest: the cutoffs of each series that can be scored."""

from dataclasses import dataclass

import numpy as np

from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.ragged import Flags
from ..core.windows import Floats, Ints
from ..data.panel import Panel
from .cutoffs import Cutoffs


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
    values: Floats = panel.values[:, list(panel.columns.target_places)]
    count = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(np.isfinite(values), axis=0, out=count[1:])
    return np.asarray((count[origins] > count[panel.indptr[:-1]]).all(axis=-1))
