"""Classical methods, by statsforecast: exponential smoothing, Theta and ARIMA, chosen by rule."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..core.forecast import Forecast
from ..core.windows import Floats
from .naive import BaselineInput

# With more rows or a longer season ARIMA models are compared by an approximation, as by R's
# auto.arima: it takes a twentieth of the time.
MANY_ROWS, LONG_SEASON = 150, 12


def _method(name: str, season_length: int, rows: int) -> Any:
    """Return a model of statsforecast for a series of so many rows."""
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

    approximation = rows > MANY_ROWS or season_length > LONG_SEASON
    methods: dict[str, Callable[..., Any]] = {
        "ets": AutoETS,
        "theta": AutoTheta,
        "arima": partial(AutoARIMA, approximation=approximation),
    }
    return methods[name](season_length=season_length)


def forecast_classically(given: BaselineInput, name: str) -> Forecast:
    """Fit a method to the rows before each origin, without gaps, and forecast with it."""
    shape = len(given.origins), given.horizon, given.values.shape[1]
    # The naive forecast without intervals, where the series is too short for the method.
    point = np.repeat(given.values[given.origins - 1][:, None], given.horizon, axis=1)
    ends, short = np.full((2, *shape, len(given.level)), np.nan), np.zeros(len(point), bool)
    for sample, (first, origin) in enumerate(zip(given.first, given.origins, strict=True)):
        for target, known in enumerate(given.values[first:origin].T):
            # statsforecast sees a season only where it comes at least twice.
            season = given.season_length if len(known) >= 2 * given.season_length else 1
            model = _method(name, season, len(known))
            made = _forecast(model, known, given.horizon, given.level)
            if made is None:
                short[sample] = True
            else:
                point[sample, :, target], ends[:, sample, :, target] = made[0], made[1:]
    return Forecast(point, ends=ends, replaced=int(short.sum()))


# By the names of `forecast_cli.config.registries.BASELINES`.
FORECASTERS: dict[str, Callable[[BaselineInput], Forecast]] = {
    name: partial(forecast_classically, name=name) for name in ("ets", "theta", "arima")
}


def _forecast(
    model: Any, values: Floats, horizon: int, level: tuple[float, ...]
) -> tuple[Floats, Floats, Floats] | None:
    """Forecast one series, shape `(rows,)`, by a model of statsforecast, with intervals in percent.

    The forecast has the shape `(horizon,)`, its lower and upper ends `(horizon, levels)` each; None
    where the series is too short for the method.
    """
    values = np.ascontiguousarray(values, np.float64)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            # Of fits that did not converge, which are only compared.
            made = model.forecast(y=values, h=horizon, level=list(level))
    except (NotImplementedError, IndexError, ValueError, ZeroDivisionError):
        # What statsforecast raises for "tiny datasets".
        return None
    mean: Floats = made["mean"]
    if not np.isfinite(mean).all():
        return None
    lower, upper = (
        np.stack([made[f"{side}-{each}"] for each in level], axis=-1) for side in ("lo", "hi")
    )
    return mean, lower, upper
