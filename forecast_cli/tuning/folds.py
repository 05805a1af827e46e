"""The folds that trials are scored on: forecasts after cutoffs before the test split."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..backtesting.cutoffs import count_steps, find_cutoffs
from ..backtesting.folds import Fold, forecast_by_network, rows_between
from ..backtesting.plan import Plan
from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, usable
from ..config.registries import METRICS, Metric
from ..config.schema import Config
from ..core.error_scale import seasonal_pair
from ..core.errors import DataError, TrainingError, counted
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.ragged import known_means
from ..core.windows import Floats, Ints
from ..data.missing import fill_panel, last_known
from ..data.panel import Panel
from ..data.splits import Splits, all_training, rows_needed, split_rows
from ..evaluation.metrics.point import ErrorSums
from ..evaluation.verdicts import average_by_time
from ..training.resolution import resolve_horizon

# The baselines that a search is compared with.
COMPARED = ("naive", "seasonal-naive")
DEFAULT_WINDOWS = 3
# The share of the rows that is forecast after each cutoff, and the share before the first one.
LENGTH, BEFORE = 0.1, 0.5
# The least steps after a cutoff in horizons, where they fit: one forecast is too few.
LONGER = 1.5
# Forecasts of a fold at most: more of them cost time, and add little precision.
MOST = 2000
# Rows of a series before a forecast at least.
LEAST = 2


class FoldScore(NamedTuple):
    """The score of a trial in a fold.

    Args:
        error: By the metric of the search.
        losses: Of the forecasts from each time, in time order.
    """

    error: float
    losses: list[float]


@dataclass(frozen=True)
class TrialFolds:
    """The cutoffs at which each trial is trained, and the forecasts after each.

    Args:
        panel: The rows before the test split alone.
        config: How the table is read, with the horizon.
        ends: Of each fold, shape `(n_series,)`: the row after the last known one.
        origins: Of each fold, shape `(samples,)`: the rows of the first targets.
        naive: Of each fold, shape `(2, n_series, targets)`: the in-sample mean absolute and squared
            errors of the seasonal naive forecast.
        season_length: Steps in a season.
        metric: By which trials are compared.
    """

    panel: Panel
    config: Config
    ends: tuple[Ints, ...]
    origins: tuple[Ints, ...]
    naive: tuple[Floats, ...]
    season_length: int
    metric: Metric

    @property
    def count(self) -> int:
        """The number of folds."""
        return len(self.ends)

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return self.config.window.horizon or 1

    @property
    def forecasts(self) -> int:
        """The number of forecasts that a trial is scored on."""
        return sum(map(len, self.origins))

    @property
    def lags(self) -> int:
        """How many later forecasts overlap with one."""
        if self.panel.count > 1:
            return self.horizon - 1
        apart = min((int(np.diff(each).min()) for each in self.origins if len(each) > 1), default=1)
        return -(-self.horizon // apart) - 1

    @property
    def distinct(self) -> int:
        """About how many of the forecasts of a series do not overlap."""
        rows = sum(len(each) for each in self.origins) / max(1, self.panel.count)
        return max(1, int(rows / (self.lags + 1)))

    def first(self, count: int) -> "TrialFolds":
        """Return the first folds alone."""
        kept = slice(count)
        return replace(
            self, ends=self.ends[kept], origins=self.origins[kept], naive=self.naive[kept]
        )

    def fold(self, number: int) -> Fold:
        """Return what may be known in a fold, and what is to be forecast."""
        panel, origins = self.panel, self.origins[number]
        firsts, begins = panel.indptr[owner_series(panel.indptr, origins)], panel.indptr[:-1]
        return Fold(panel, self.targets, begins, self.ends[number], origins, firsts, self.horizon)

    @property
    def targets(self) -> Floats:
        """The values of the targets, shape `(n_rows, targets)`."""
        targets: Floats = self.panel.values[:, list(self.panel.columns.target_places)]
        return targets

    def actual(self, number: int) -> Floats:
        """Return the actual values after the origins of a fold, `(samples, horizon, targets)`."""
        actual: Floats = self.targets[self.origins[number][:, None] + np.arange(self.horizon)]
        return actual

    def error(self, number: int, forecast: Floats) -> float:
        """Return the error of forecasts.

        Args:
            number: Of the fold.
            forecast: Shape `(samples, horizon, targets)`, original units.

        Raises:
            TrainingError: A forecast is not finite.
            DataError: The metric is not defined.
        """
        if not np.isfinite(forecast).all():
            raise TrainingError("A forecast is not a finite number.")
        sums = ErrorSums(self.naive[number], self.horizon)
        series = owner_series(self.panel.indptr, self.origins[number])
        sums.add(self.actual(number), forecast, series)
        error = float(np.mean(sums.overall()[self.metric]))
        if not np.isfinite(error):
            raise DataError(
                f"{self.panel.source}: {self.metric} is not defined after cutoff {number + 1}.",
                "Pass `metric=mae`." if METRICS[self.metric].scale_free else "",
            )
        return error

    def losses(self, number: int, forecast: Floats) -> list[float]:
        """Return the mean loss of the forecasts from each time, to test differences by.

        Absolute errors, or squared ones where trials are compared by those; of several series or
        targets each in units of the in-sample error of its seasonal naive forecast.

        Args:
            number: Of the fold.
            forecast: Shape `(samples, horizon, targets)`, original units.
        """
        panel, origins = self.panel, self.origins[number]
        power = 2 if self.metric == "rmse" else 1
        unit = self.naive[number][power - 1][owner_series(panel.indptr, origins)][:, None]
        errors = np.abs(self.actual(number) - forecast) ** power
        if self.naive[number][0].size > 1:
            errors = np.divide(errors, unit, out=np.full_like(errors, np.nan), where=unit > 0)
        means = known_means(errors, axis=(1, 2))
        return [float(f"{each:.7g}") for each in average_by_time(panel, origins, means)]

    def baseline_errors(self) -> dict[str, float]:
        """Return the errors of baselines, mean over the folds."""
        season = self.season_length
        errors: dict[str, list[float]] = {}
        for number, (ends, origins) in enumerate(zip(self.ends, self.origins, strict=True)):
            splits = Splits(self.panel.indptr, ends, ends)
            filled = fill_panel(self.panel, splits, season_length=season)
            places = list(self.panel.columns.target_places)
            values = last_known(filled[:, places], self.panel.indptr)
            first = self.panel.indptr[owner_series(self.panel.indptr, origins)]
            given = BaselineInput(values, origins, first, self.horizon, season)
            for name in usable(given.history, season, names=COMPARED, share=1.0):
                forecast = forecast_baseline(name, given).point
                errors.setdefault(name, []).append(self.error(number, forecast))
        return {
            name: float(np.mean(each)) for name, each in errors.items() if len(each) == self.count
        }


def describe_forecasts(folds: TrialFolds) -> str:
    """Return how many forecasts there are, and how many of them do not overlap."""
    count = counted(folds.forecasts, "forecast")
    if not folds.lags:
        return count
    each = " of each series" if folds.panel.count > 1 else ""
    return f"{count} ({folds.distinct:,}{each} do not overlap)"


def score_fold(folds: TrialFolds, number: int, config: Config, *, on_event: Listener) -> FoldScore:
    """Train by the settings of a trial on the known rows of a fold; score the forecasts after."""
    own = config.changed(training={"refit": False}, data=folds.panel.data)
    made = forecast_by_network(folds.fold(number), on_event, config=own)
    return FoldScore(folds.error(number, made.point), folds.losses(number, made.point))


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
    timesteps = config.window.timesteps or config.network.segment or 1
    window = timesteps + (1 if config.window.mode == "many-to-one" else horizon)
    split = config.split.changed(test=0)
    least = rows_needed(split, all_training(rest), window=window, horizon=horizon)
    count, stretch = _cut(rest, n_windows, horizon=horizon, least=least)
    plan = Plan(n_windows=count, step_size=stretch)
    cutoffs = find_cutoffs(rest, plan, horizon=stretch, least=least, on_event=on_event)
    ends = tuple(cutoffs.ends)
    origins = _origins_after(rest, ends, horizon)
    targets = rest.values[:, list(rest.columns.target_places)]
    pairs = [seasonal_pair(targets, rest.indptr, each, season_length=season) for each in ends]
    made = TrialFolds(rest, config, ends, origins, tuple(pairs), season, metric)
    text = f"each trial is trained at {counted(count, 'cutoff')} in the {len(rest.values):,} rows "
    text += f"before the test split, and scored on {describe_forecasts(made)}, horizon {horizon}"
    on_event(Note(text))
    return made


def _cut(panel: Panel, n_windows: int | None, *, horizon: int, least: int) -> tuple[int, int]:
    """Return the number of cutoffs and the steps from one to the next; refuse too many."""
    steps = count_steps(panel)
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
