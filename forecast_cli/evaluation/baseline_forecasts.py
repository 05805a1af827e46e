"""The simple forecasts that stand beside every network, for the rows of a dataset."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..baselines.naive import (
    DRIFT,
    LAST_VALUE,
    SEASONAL_NAIVE,
    drift,
    naive,
    naive2,
    seasonal_naive,
)
from ..core.padding import owner_series
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..data.missing import last_known

# From origins, shape (samples,), to forecasts, shape (samples, horizon, targets), original units.
Forecaster = Callable[[Ints], Floats]
# So large a share of the origins must have the history that a simple forecast needs; where one of
# several series is too short for it, the last value stands in.
MOST = 0.9
NAIVE2 = "naive2"


def baselines(dataset: Dataset, origins: Ints) -> dict[str, Forecaster]:
    """The simple forecasts for which there are enough rows before the first origin."""
    values = last_known(dataset.filled[:, dataset.targets], dataset.panel.indptr)
    indptr, horizon, season = dataset.panel.indptr, dataset.horizon, dataset.season_length
    last = partial(naive, values, horizon=horizon)

    def history(rows: Ints) -> Ints:
        return rows - indptr[owner_series(indptr, rows)]

    def seasonal(rows: Ints) -> Floats:
        return seasonal_naive(values, rows, horizon=horizon, season_length=season)

    def line(rows: Ints) -> Floats:
        return drift(values, rows, rows - history(rows), horizon=horizon)

    simple: dict[str, Forecaster] = {LAST_VALUE: last}
    for name, needed, forecaster in ((SEASONAL_NAIVE, season, seasonal), (DRIFT, 2, line)):
        if needed > 1 and np.mean(history(origins) >= needed) >= MOST:
            simple[name] = partial(_or_else, forecaster, last, partial(_enough, history, needed))
    return simple


def adjusted(dataset: Dataset, origins: Ints) -> Forecaster:
    """M4's Naive2, of the rows before each origin."""
    values = last_known(dataset.filled[:, dataset.targets], dataset.panel.indptr)
    horizon, season = dataset.horizon, dataset.season_length

    def forecast(rows: Ints) -> Floats:
        first = dataset.panel.indptr[owner_series(dataset.panel.indptr, rows)]
        return naive2(values, rows, first, horizon=horizon, season_length=season)

    return forecast


def _enough(history: Callable[[Ints], Ints], needed: int, origins: Ints) -> Any:
    return history(origins) >= needed


def _or_else(
    forecaster: Forecaster, other: Forecaster, enough: Callable[[Ints], Any], origins: Ints
) -> Floats:
    """The forecasts where there is enough history, those of the other where there is not."""
    fits = enough(origins)
    if fits.all():
        return forecaster(origins)
    forecast = other(origins)
    forecast[fits] = forecaster(origins[fits])
    return forecast
