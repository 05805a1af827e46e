"""Forecasters that read covariates known ahead, as others make them: for the suite `covariates`.

Each is fitted once, on all rows before the test split, and then forecasts from every origin with
the rows before it and the covariates of the steps ahead.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import HERE

Array = np.ndarray
# AutoARIMA is fitted to, and forecasts from, so many rows before the test split or an origin.
ARIMA_ROWS = 600
# AutoARIMA forecasts from at most so many origins, evenly: each takes it a tenth of a second.
ARIMA_ORIGINS = 200
CALENDAR = ("hour", "dayofweek", "day", "month")
ARIMAX = "AutoARIMA, covariates"
BOOSTING = "HistGradientBoosting, MSE"
BOOSTING_MAE = "HistGradientBoosting, MAE"
REGRESSION = "regression by hand"


@dataclass(frozen=True)
class Problem:
    """Rows of series end to end, and what is forecast from them.

    Args:
        values: Shape `(rows,)`: the target, without gaps.
        known: Shape `(rows, covariates)`: what is known ahead, without gaps.
        times: Of the rows.
        series: Shape `(rows,)`: the number of the series of each.
        test: Shape `(series,)`: the first row of each that is not learned from.
        origins: Shape `(samples,)`: the first rows of the forecasts.
        horizon: Steps ahead.
        seasons: Steps in a season, the shortest first.
    """

    values: Array
    known: Array
    times: pd.DatetimeIndex
    series: Array
    test: Array
    origins: Array
    horizon: int
    seasons: tuple[int, ...]

    @cached_property
    def begins(self) -> Array:
        """The first row of each series."""
        return np.searchsorted(self.series, np.arange(len(self.test)))

    @property
    def learned(self) -> Array:
        """Shape `(rows,)`: whether a row is before the test split."""
        learned: Array = np.arange(len(self.values)) < self.test[self.series]
        return learned

    @property
    def steps(self) -> Array:
        """The rows of each forecast, shape `(samples, horizon)`."""
        return self.origins[:, None] + np.arange(self.horizon)

    def calendar(self) -> Array:
        """The parts of the times that vary within the learned rows, shape `(rows, parts)`."""
        each = [np.asarray(getattr(self.times, part)) for part in CALENDAR]
        parts: Array = np.stack(each, axis=1)
        return parts[:, np.ptp(parts[self.learned], axis=0) > 0]


def arimax(problem: Problem) -> Array:
    """AutoARIMA of statsforecast with the covariates as regressors, each series by itself.

    NaN from origins that are left out.
    """
    paths = sys.path[:]
    # Beside the benchmarks, numba would take `coverage.py` there for the library of that name.
    sys.path[:] = [each for each in paths if Path(each).resolve() != HERE]
    try:
        from statsforecast.models import AutoARIMA
    finally:
        sys.path[:] = paths
    forecasts = np.full((len(problem.origins), problem.horizon), np.nan)
    some = np.linspace(0, len(forecasts) - 1, min(ARIMA_ORIGINS, len(forecasts))).astype(int)
    owners = problem.series[problem.origins]
    for series in np.unique(owners):
        begin, end = problem.begins[series], problem.test[series]
        rows = np.arange(max(begin, end - ARIMA_ROWS), end)
        columns = _independent(problem.known[rows])
        model: Any = AutoARIMA(season_length=problem.seasons[0], approximation=True)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model.fit(problem.values[rows], problem.known[rows][:, columns] if columns else None)
            for place in some[owners[some] == series]:
                origin = problem.origins[place]
                past = np.arange(max(begin, origin - ARIMA_ROWS), origin)
                ahead = problem.steps[place]
                regressors = [problem.known[each][:, columns] for each in (past, ahead)]
                made = model.forward(
                    problem.values[past], problem.horizon, *(regressors if columns else ())
                )
                forecasts[place] = made["mean"]
    return forecasts


def _independent(known: Array) -> list[int]:
    """The columns, shape `(rows, covariates)`, that neither a constant nor those before give."""
    kept: list[int] = []
    basis = [np.ones(len(known))]
    for place, column in enumerate(known.T):
        matrix = np.stack([*basis, column], axis=1)
        if np.linalg.matrix_rank(matrix / np.maximum(np.abs(matrix).max(axis=0), 1e-12)) > len(
            basis
        ):
            kept.append(place)
            basis.append(column)
    return kept


def boosting(problem: Problem, loss: str) -> Array:
    """scikit-learn's boosted trees on lags, calendar and covariates, fed their own forecasts.

    As skforecast and mlforecast do by default: one model of the next step for all series, scaled by
    the mean of each.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    lags = _lags(problem.seasons)
    means = [
        np.abs(problem.values[begin:end]).mean() or 1.0
        for begin, end in zip(problem.begins, problem.test, strict=True)
    ]
    scale = np.array(means)[problem.series]
    scaled = problem.values / scale
    late = problem.begins[problem.series] + lags.max()
    rows = np.flatnonzero(problem.learned & (np.arange(len(scaled)) >= late))
    fixed = np.column_stack([problem.known, problem.calendar(), problem.series])
    model = HistGradientBoostingRegressor(loss=loss, random_state=0)
    # Its threads wait for each other where other work has the cores.
    with threadpool_limits(limits=1):
        model.fit(np.hstack([scaled[rows[:, None] - lags], fixed[rows]]), scaled[rows])
    reach = problem.origins[:, None] - np.arange(lags.max(), 0, -1)
    path = scaled[np.maximum(reach, 0)]
    for step in range(problem.horizon):
        features = np.hstack([path[:, path.shape[1] - lags], fixed[problem.origins + step]])
        path = np.column_stack([path, model.predict(features)])
    forecasts: Array = path[:, -problem.horizon :] * scale[problem.origins][:, None]
    return forecasts


def _lags(seasons: tuple[int, ...]) -> Array:
    """The steps of the first season, and one and two of each."""
    lags = {*range(1, seasons[0] + 1), *(2 * each for each in seasons), *seasons}
    return np.array(sorted(lags))


def regression(problem: Problem) -> Array:
    """The regression that one writes for the sample energy: calendar, weather, AR(1) residual."""
    temperature, holiday = problem.known.T
    hours = np.asarray(problem.times.hour + 24 * problem.times.dayofweek)
    year = 2 * np.pi * np.asarray(problem.times.dayofyear)[:, None] * np.arange(1, 3) / 365.25
    free = np.where((holiday > 0) & (hours < 120), 1 + hours % 24, 0)
    columns = [np.eye(168)[hours], np.eye(25)[free][:, 1:], np.cos(year), np.sin(year)]
    columns += [
        (temperature[:, None] / 10) ** np.arange(1, 4),
        np.arange(len(hours))[:, None] / 1e4,
    ]
    design, learned = np.hstack(columns), problem.learned
    weights = np.linalg.lstsq(design[learned], problem.values[learned], rcond=None)[0]
    rest = problem.values - design @ weights
    before, now = rest[learned][:-1], rest[learned][1:]
    decay = (before @ now / (before @ before)) ** np.arange(1, problem.horizon + 1)
    forecasts: Array = (design @ weights)[problem.steps] + rest[problem.origins - 1, None] * decay
    return forecasts


def rivals(*, by_hand: bool) -> Iterator[tuple[str, Callable[[Problem], Array]]]:
    """Those who take part, by name; `by_hand` where the regression suits the table."""
    yield ARIMAX, arimax
    yield BOOSTING, lambda problem: boosting(problem, "squared_error")
    yield BOOSTING_MAE, lambda problem: boosting(problem, "absolute_error")
    if by_hand:
        yield REGRESSION, regression
