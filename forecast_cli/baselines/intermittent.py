"""Forecasts of intermittent demand, most of whose values are 0: Croston, SBA and TSB.

The size of a demand (a value other than 0) and how often there is one are smoothed apart. Each
forecast is of the mean demand in a step, the same for all steps ahead.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..core.ragged import Flags
from ..core.windows import Floats
from .naive import BaselineInput, group_by_length

# The smoothing parameter of sizes, intervals and probabilities, as in the literature; and how many
# values are smoothed at once.
ALPHA, BLOCK = 0.1, 64


def croston(values: Floats) -> Floats:
    """The mean size of a demand over the mean interval between two demands.

    Args:
        values: Shape `(series, steps)`; NaN where missing: such a step does not count.

    Returns:
        Of the same shape: the forecast after each step, as of the other methods here; 0 before the
        first demand, NaN before the first value.

    Source: Croston (1972), Forecasting and Stock Control for Intermittent Demands.
    """
    known, demand = _demands(values)
    counted = np.cumsum(known, axis=1)
    before = np.maximum.accumulate(np.where(demand, counted, 0), axis=1)
    intervals = counted - np.pad(before[:, :-1], ((0, 0), (1, 0)))
    size, interval = _smoothed(values, demand), _smoothed(intervals.astype(np.float64), demand)
    # Before the first demand both are 0.
    return _where_known(known, size / np.maximum(interval, 1.0))


def sba(values: Floats) -> Floats:
    """Croston's forecast, less its bias; as in `croston`.

    Source: Syntetos and Boylan (2005), The accuracy of intermittent demand estimates.
    """
    return (1.0 - ALPHA / 2.0) * croston(values)


def tsb(values: Floats) -> Floats:
    """The mean size of a demand times its probability, which falls while there is none.

    As in `croston`. Source: Teunter, Syntetos and Babai (2011), Intermittent demand: linking
    forecasting to inventory obsolescence.
    """
    known, demand = _demands(values)
    share = _smoothed(demand.astype(np.float64), known)
    return _where_known(known, _smoothed(values, demand) * share)


def _demands(values: Floats) -> tuple[Flags, Flags]:
    """Where a value is known, and where it is not 0 either, shape `(series, steps)` each."""
    known = np.isfinite(values)
    return known, known & (values != 0.0)


def _where_known(known: Flags, forecast: Floats) -> Floats:
    """The forecasts, shape `(series, steps)`; NaN where no value is known so far."""
    return np.where(np.logical_or.accumulate(known, axis=1), forecast, np.nan)


def _smoothed(values: Floats, chosen: Flags) -> Floats:
    """Simple exponential smoothing of the chosen values, begun with the first of them.

    Values, which of them are chosen, and the level after each step, which is 0 before the first
    chosen value and stays where none is: all have the shape `(series, steps)`.
    """
    order = np.argsort(~chosen, axis=1, kind="stable")
    packed = np.where(
        np.take_along_axis(chosen, order, axis=1), np.take_along_axis(values, order, axis=1), 0.0
    )
    powers = np.arange(BLOCK)
    back = powers[:, None] - powers
    weights = np.where(back >= 0, ALPHA * (1.0 - ALPHA) ** np.maximum(back, 0), 0.0)
    decay = (1.0 - ALPHA) ** (powers + 1.0)
    levels, last = np.zeros_like(packed), packed[:, 0]
    for begin in range(0, packed.shape[1], BLOCK):
        part = packed[:, begin : begin + BLOCK]
        count = part.shape[1]
        level = part @ weights[:count, :count].T + last[:, None] * decay[:count]
        levels[:, begin : begin + count], last = level, level[:, -1]
    counted = np.cumsum(chosen, axis=1)
    there = np.take_along_axis(levels, np.maximum(counted - 1, 0), axis=1)
    return np.where(counted > 0, there, 0.0)


def _forecast(given: BaselineInput, method: Callable[[Floats], Floats]) -> Floats:
    """Forecasts from origins by one of the methods, shape `(samples, horizon, targets)`."""
    forecast = np.empty((len(given.origins), given.horizon, given.values.shape[1]))
    # Each series is smoothed once, however many origins it has.
    for places, rows, which in group_by_length(given.origins, given.first):
        ends = given.history[places] - 1
        for target in range(forecast.shape[2]):
            after = method(given.values[rows, target])
            forecast[places, :, target] = after[which, ends][:, None]
    return forecast


# By the names of `forecast_cli.config.registries.BASELINES`.
FORECASTERS: dict[str, Callable[[BaselineInput], Floats]] = {
    name: partial(_forecast, method=method)
    for name, method in {"croston": croston, "sba": sba, "tsb": tsb}.items()
}
