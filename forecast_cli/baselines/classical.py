"""Classical methods, by statsforecast: exponential smoothing, Theta and ARIMA, chosen by rule."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from ..core.errors import UsageError
from ..core.windows import Floats, Ints

Method = Literal["ets", "theta", "arima"]
METHODS: tuple[Method, ...] = ("ets", "theta", "arima")


def require_classical(name: str) -> None:
    """Refuse a classical method where the library for it is not installed.

    Raises:
        UsageError: It is not.
    """
    if find_spec("statsforecast") is None:
        raise UsageError(
            f"{name} needs statsforecast, which is not installed.",
            "Install it: pip install 'forecast-cli[classical]'; or leave it out of --models.",
        )


@dataclass(frozen=True)
class Classical:
    """Forecasts of a classical method, original units.

    Args:
        point: Shape `(samples, horizon, targets)`.
        ends: Shape `(2, samples, horizon, targets, levels)`: the lower and upper ends of intervals.
        replaced: How many forecasts are the last value, for want of rows.
    """

    point: Floats
    ends: Floats
    replaced: int


def forecast_classically(
    values: Floats,
    origins: Ints,
    firsts: Ints,
    *,
    method: Method,
    horizon: int,
    season_length: int,
    level: tuple[float, ...],
) -> Classical:
    """Fit a method to the rows before each origin, and forecast with it.

    Args:
        values: Shape `(n_rows, targets)`, without gaps.
        origins: Shape `(samples,)`: the rows from which to forecast.
        firsts: Shape `(samples,)`: the first row that each forecast may read.
        method: Which one.
        horizon: Steps ahead.
        season_length: Steps in a season.
        level: Of the intervals, in percent.
    """
    fit = _methods()[method]
    shape = (len(origins), horizon, values.shape[1])
    # The last value without any ends, where the series is too short for the method.
    point = np.repeat(values[origins - 1][:, None], horizon, axis=1)
    ends, short = np.full((2, *shape, len(level)), np.nan), np.zeros(len(point), bool)
    for sample, (first, origin) in enumerate(zip(firsts, origins, strict=True)):
        for target, known in enumerate(values[first:origin].T):
            # statsforecast sees a season only where it comes at least twice.
            season = season_length if len(known) >= 2 * season_length else 1
            said = _forecast(fit(season_length=season), known, horizon, level)
            if said is None:
                short[sample] = True
            else:
                point[sample, :, target], ends[:, sample, :, target] = said[0], said[1:]
    return Classical(point, ends, int(short.sum()))


def _methods() -> dict[Method, Callable[..., Any]]:
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

    return {"ets": AutoETS, "theta": AutoTheta, "arima": AutoARIMA}


def _forecast(
    model: Any, values: Floats, horizon: int, level: tuple[float, ...]
) -> tuple[Floats, Floats, Floats] | None:
    """The forecast of one series, and its lower and upper ends, shape `(horizon, levels)` each.

    None where the series is too short for the method.
    """
    values = np.ascontiguousarray(values, np.float64)
    try:
        with np.errstate(all="ignore"):
            said = model.forecast(y=values, h=horizon, level=list(level))
    except (NotImplementedError, IndexError, ValueError, ZeroDivisionError):
        # What statsforecast raises for "tiny datasets".
        return None
    mean: Floats = said["mean"]
    if not np.isfinite(mean).all():
        return None
    lower, upper = (
        np.stack([said[f"{side}-{each}"] for each in level], axis=-1) for side in ("lo", "hi")
    )
    return mean, lower, upper
