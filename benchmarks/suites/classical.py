"""The automatic classical methods of statsforecast, and the simple forecasts beside them."""

import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from common import HERE

Array = np.ndarray
# The search of AutoARIMA takes minutes on longer series, and on those with long seasons.
ARIMA_ROWS, LONG_SEASON, LONG_SEASON_ROWS = 600, 24, 416
METHODS = ("AutoETS", "AutoTheta", "AutoARIMA")
ARIMA_NOTE = (
    f"AutoARIMA sees the last {ARIMA_ROWS} rows ({LONG_SEASON_ROWS} where a season is above "
    f"{LONG_SEASON}), searching by approximation where R does (above 150 rows or a season of 12)"
)
TOO_SHORT = (NotImplementedError, IndexError, ValueError, ZeroDivisionError)


def last_value(history: Array, horizon: int, season: int) -> Array:
    return np.repeat(history[-1:], horizon)


def seasonal_naive(history: Array, horizon: int, season: int) -> Array:
    return np.resize(history[-season:], horizon)


SIMPLE: dict[str, Callable[[Array, int, int], Array]] = {
    "seasonal-naive": seasonal_naive,
    "naive": last_value,
}


def classical(method: str, history: Array, horizon: int, season: int) -> Array:
    """Fit one to a series, and forecast.

    Args:
        method: One of `METHODS`.
        history: Shape `(rows,)`, without gaps.
        horizon: Steps ahead.
        season: Steps in a season.

    Returns:
        Shape `(horizon,)`; the last value where the method cannot cope with the series.
    """
    return classical_intervals(method, history, horizon, season, ())[0]


def classical_intervals(
    method: str, history: Array, horizon: int, season: int, levels: Sequence[float]
) -> tuple[Array, Array]:
    """Fit one to a series, and forecast with intervals.

    Args:
        method: One of `METHODS`.
        history: Shape `(rows,)`, without gaps.
        horizon: Steps ahead.
        season: Steps in a season.
        levels: In percent.

    Returns:
        The forecast, `(horizon,)`, and the ends, `(levels, 2, horizon)`; the last value with ends
        that are NaN where the method cannot cope with the series.
    """
    most = LONG_SEASON_ROWS if season > LONG_SEASON else ARIMA_ROWS
    rows = history[-most:] if method == "AutoARIMA" else history
    # A season is seen only where it comes at least twice.
    season = season if len(rows) >= 2 * season else 1
    rough = len(rows) > 150 or season > 12
    more = {"approximation": rough} if method == "AutoARIMA" else {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            made = _kinds()[method](season_length=season, **more).forecast(
                y=rows, h=horizon, level=list(levels) or None
            )
        except TOO_SHORT:
            made = {"mean": np.full(horizon, np.nan)}
    if not np.isfinite(made["mean"]).all():
        return last_value(history, horizon, season), np.full((len(levels), 2, horizon), np.nan)
    names = [[f"{side}-{each}" for side in ("lo", "hi")] for each in levels]
    return made["mean"], np.array([[made[name] for name in pair] for pair in names])


@cache
def _kinds() -> dict[str, Callable[..., Any]]:
    """The methods by name."""
    paths = sys.path[:]
    # Beside the benchmarks, numba would take `coverage.py` there for the library of that name.
    sys.path[:] = [each for each in paths if Path(each).resolve() != HERE]
    try:
        from statsforecast.models import AutoARIMA, AutoETS, AutoTheta
    finally:
        sys.path[:] = paths
    return {"AutoETS": AutoETS, "AutoTheta": AutoTheta, "AutoARIMA": AutoARIMA}
