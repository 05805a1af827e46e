"""Where the folds of trials begin: cutoffs in the rows before the test split."""

import numpy as np

from ..backtesting.cutoffs import find_cutoffs
from ..backtesting.folds import rows_between
from ..backtesting.plan import Plan
from ..config.registries import Metric
from ..config.schema import Config
from ..core.error_scale import seasonal_pair
from ..core.errors import DataError, counted
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.windows import Ints
from ..data.panel import Panel
from ..data.splits import all_training, rows_needed, split_rows
from ..training.resolution import resolve_horizon
from .folds import TrialFolds, describe_forecasts

DEFAULT_WINDOWS = 3
# The share of the rows that is forecast after each cutoff, and the share before the first one.
LENGTH, BEFORE = 0.1, 0.5
# The least steps after a cutoff in horizons, where they fit: one forecast is too few.
LONGER = 1.5
# Forecasts of a fold at most: more of them cost time, and add little precision.
MOST = 2000
# Rows of a series before a forecast at least.
LEAST = 2


def make_folds(
    panel: Panel, config: Config, *, metric: Metric, n_windows: int | None, on_event: Listener
) -> TrialFolds:
    """Leave the test split out, and choose cutoffs in the remaining rows.

    Args:
        panel: The whole table.
        config: How it is read and split.
        metric: By which trials are compared.
        n_windows: Number of cutoffs; None: 3, fewer where the table is short.
        on_event: Notified of the choice.

    Raises:
        DataError: So many do not fit.
    """
    resolved, season = resolve_horizon(panel, config, on_event=on_event)
    horizon = resolved.window.horizon or 1
    config = config.changed(window={"horizon": horizon}, data=panel.data)
    test = split_rows(panel, config.split, horizon=horizon).validation_end
    rest = rows_between(panel, panel.indptr[:-1], test)
    least = _least(rest, config, horizon)
    count, stretch = _cut(rest, n_windows, horizon=horizon, least=least)
    plan = Plan(n_windows=count, step_size=stretch)
    cutoffs = find_cutoffs(rest, plan, horizon=stretch, least=least, on_event=on_event)
    ends = tuple(cutoffs.ends)
    origins = _origins_after(rest, ends, horizon)
    targets = rest.values[:, list(rest.columns.target_places)]
    pairs = [seasonal_pair(targets, rest.indptr, each, season_length=season) for each in ends]
    made = TrialFolds(rest, config, ends, origins, tuple(pairs), season, metric)
    on_event(
        Note(
            f"each trial is trained at {counted(count, 'cutoff')} in the {len(rest.values):,} rows "
            f"before the test split, and scored on {describe_forecasts(made)}, horizon {horizon}"
        )
    )
    return made


def _least(panel: Panel, config: Config, horizon: int) -> int:
    """Return the least number of rows before the first cutoff."""
    timesteps = config.window.timesteps or config.network.segment or 1
    steps = 1 if config.window.mode == "many-to-one" else horizon
    split = config.split.changed(test=0)
    return rows_needed(split, all_training(panel), window=timesteps + steps, horizon=horizon)


def _cut(panel: Panel, n_windows: int | None, *, horizon: int, least: int) -> tuple[int, int]:
    """Return the number of cutoffs and the steps from one to the next; refuse too many."""
    steps = panel.timeline.times.nunique() if panel.timeline else int(panel.lengths.max())
    stretch = max(round(LONGER * horizon), round(LENGTH * steps))
    counts = range(DEFAULT_WINDOWS, 0, -1) if n_windows is None else (n_windows,)
    for before in (max(least, round(BEFORE * steps)), least):
        for count in counts:
            for each in (stretch, horizon):
                if steps - count * each >= before:
                    return count, each
    count = counts[-1]
    raise DataError(
        f"{panel.source} has {steps:,} steps before the test split; {counted(count, 'cutoff')} "
        f"with {horizon} steps after each need {least + count * horizon:,}: {least} of them to "
        "train on.",
        "Lower `n_windows`, `horizon`, `timesteps`, `validation` or `test`.",
    )


def _origins_after(panel: Panel, ends: tuple[Ints, ...], horizon: int) -> tuple[Ints, ...]:
    """Return the origins after each cutoff, shape `(samples,)`; refuse a cutoff without any.

    They end before the next cutoff, their forecasts reach beyond it.
    """
    stops = (*ends[1:], panel.indptr[1:])
    pairs = zip(ends, stops, strict=True)
    origins = tuple(_origins(panel, begin, stop, horizon) for begin, stop in pairs)
    if not all(map(len, origins)):
        raise DataError(
            f"{panel.source}: no forecast of {horizon} steps after a cutoff can be scored.",
            "Lower `horizon`, or choose another `n_windows`.",
        )
    return origins


def _origins(panel: Panel, begins: Ints, stops: Ints, horizon: int) -> Ints:
    """Return the forecast origins of series that have rows to train on, shape `(samples,)`."""
    first = np.maximum(begins, panel.indptr[:-1] + LEAST)
    last = np.minimum(stops, panel.indptr[1:] - horizon + 1)
    rows = np.flatnonzero(panel.between(first, last))
    rows = rows[(begins > panel.indptr[:-1])[owner_series(panel.indptr, rows)]]
    if panel.data.missing != "mask":
        # A gap right before an origin was filled with the values after it.
        rows = rows[~panel.missing_rows[rows - 1]]
    return rows[:: 1 + (len(rows) - 1) // MOST] if len(rows) else rows
