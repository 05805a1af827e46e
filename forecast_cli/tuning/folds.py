"""The folds that trials are scored on: forecasts after cutoffs before the test split."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..backtesting.folds import Fold, forecast_by_network
from ..baselines.naive import BaselineInput
from ..baselines.registry import forecast_baseline, usable
from ..config.registries import METRICS, Metric
from ..config.schema import Config
from ..core.errors import DataError, TrainingError, counted
from ..core.events import Listener
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.missing import fill_panel, last_known
from ..data.panel import Panel
from ..data.splits import Splits
from ..evaluation.metrics.point import ErrorSums
from ..evaluation.verdicts import average_by_time

# The baselines that a search is compared with.
COMPARED = ("naive", "seasonal-naive")


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
        targets = panel.values[:, list(panel.columns.target_places)]
        firsts = panel.indptr[owner_series(panel.indptr, origins)]
        begins = panel.indptr[:-1]
        return Fold(panel, targets, begins, self.ends[number], origins, firsts, self.horizon)

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
        panel, origins = self.panel, self.origins[number]
        targets = panel.values[:, list(panel.columns.target_places)]
        naive_error, naive_squared = self.naive[number]
        sums = ErrorSums(naive_error, naive_squared, self.horizon)
        actual = targets[origins[:, None] + np.arange(self.horizon)]
        sums.add(actual, forecast, owner_series(panel.indptr, origins))
        error = float(np.mean(sums.overall()[self.metric]))
        if not np.isfinite(error):
            raise DataError(
                f"{panel.source}: {self.metric} is not defined after cutoff {number + 1}.",
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
        targets = panel.values[:, list(panel.columns.target_places)]
        actual = targets[origins[:, None] + np.arange(self.horizon)]
        power = 2 if self.metric == "rmse" else 1
        unit = self.naive[number][power - 1][owner_series(panel.indptr, origins)][:, None]
        errors = np.abs(actual - forecast) ** power
        if self.naive[number][0].size > 1:
            errors = np.divide(errors, unit, out=np.full_like(errors, np.nan), where=unit > 0)
        known = np.isfinite(errors)
        count, total = known.sum(axis=(1, 2)), np.where(known, errors, 0.0).sum(axis=(1, 2))
        means = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
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


def score_fold(
    folds: TrialFolds,
    number: int,
    config: Config,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool] = bool,
) -> FoldScore:
    """Train on the known rows of a fold, and score the forecasts after them.

    Args:
        folds: All of them.
        number: Of the fold.
        config: With the settings of the trial.
        on_event: Notified of each epoch.
        should_stop: Called after each epoch.
    """
    own = config.changed(training={"refit": False}, data=folds.panel.data)
    made = forecast_by_network(folds.fold(number), on_event, should_stop, config=own)
    return FoldScore(folds.error(number, made.point), folds.losses(number, made.point))
