"""Scores of the intervals, quantiles and sample paths in a table of forecasts."""

from collections.abc import Mapping

import numpy as np

from ...core.events import Listener, Note
from ...core.windows import Floats
from ..metrics.interval import (
    PINBALL_LEVELS,
    IntervalSums,
    QuantileSums,
    quantile_levels,
    sample_crps,
)
from .forecast_tables import Forecasts


def take_quantiles(paths: Floats, levels: tuple[float, ...]) -> Floats:
    """Return quantiles of sample paths.

    Args:
        paths: Shape `(samples, horizon, targets, paths)`, original units.
        levels: Between 0 and 1.

    Returns:
        Shape `(samples, horizon, targets, quantiles)`, original units.
    """
    return np.moveaxis(np.quantile(paths, levels, axis=-1), 0, -1)


def score_distributions(
    given: Forecasts,
    points: Mapping[str, Floats],
    levels: Mapping[str, tuple[float, ...]],
    series: int,
    on_event: Listener,
) -> tuple[dict[str, IntervalSums], dict[str, QuantileSums]]:
    """Return the sums of intervals and of quantiles, for each forecaster that has some.

    Args:
        given: The forecasts.
        points: The point forecasts, or the medians of sample paths, by forecaster, each of shape
            `(samples, horizon, targets)`, original units.
        levels: The levels of the intervals of each forecaster, in percent, ascending.
        series: How many series the table of actual values has.
        on_event: Notified of intervals that are crossed or incomplete.
    """
    shape = (series, given.actual.shape[1], given.actual.shape[2])
    intervals: dict[str, IntervalSums] = {}
    quantiles: dict[str, QuantileSums] = {}
    for name, values in given.values.items():
        if not given.paths and name not in given.lower:
            continue
        level, actual = levels[name], given.actual
        asked = quantile_levels(level)
        quantile_sums = QuantileSums(*shape, PINBALL_LEVELS if given.paths else asked)
        if given.paths:
            at = take_quantiles(values, asked)
            bounds = at[..., len(level) - 1 :: -1], at[..., len(level) + 1 :]
            found = take_quantiles(values, PINBALL_LEVELS)
            quantile_sums.add(actual, found, given.series, crps=sample_crps(actual, values))
        else:
            bounds = given.lower[name], given.upper[name]
            actual = _with_intervals(actual, bounds, name, on_event)
            several = [bounds[0][..., ::-1], points[name][..., None], bounds[1]]
            quantile_sums.add(actual, np.concatenate(several, axis=-1), given.series)
        quantiles[name] = quantile_sums
        intervals[name] = interval_sums = IntervalSums(*shape, level)
        interval_sums.add(actual, *bounds, given.series)
    return intervals, quantiles


def _with_intervals(
    actual: Floats, bounds: tuple[Floats, Floats], name: str, on_event: Listener
) -> Floats:
    """Return the actual values that have an interval at each level, NaN for the others.

    Shapes `(samples, horizon, targets)`, and with an axis of levels for both ends, original units.
    """
    lower, upper = bounds
    complete = (np.isfinite(lower) & np.isfinite(upper)).all(axis=-1)
    known = np.isfinite(actual)
    crossed = int((known[..., None] & (lower > upper)).any(axis=-1).sum())
    if crossed:
        text = f"{crossed:,} intervals of {name} have a lower end above the upper one"
        on_event(Note(text, warning=True))
    lost = int((known & ~complete).sum())
    if lost:
        text = f"{lost:,} of {known.sum():,} forecasts of {name} have no interval"
        on_event(Note(f"{text}: coverage and width leave them out", warning=True))
    return np.where(complete, actual, np.nan)
