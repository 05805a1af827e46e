"""Classical methods, by statsforecast: exponential smoothing, Theta and ARIMA, chosen by rule."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from ..core.windows import Floats
from ..errors import UsageError
from ..events import Listener, ignore
from .folds import Fold
from .said import Said

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


def forecast_classically(
    fold: Fold,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    *,
    method: Method,
    season_length: int,
    level: tuple[float, ...],
) -> Said:
    """Fit a method to the rows before each origin, and forecast with it.

    Args:
        fold: What may be known.
        listen: Told of nothing.
        stop: Asked nothing.
        method: Which one.
        season_length: Steps in a season.
        level: Of the intervals, in percent.
    """
    fit = _methods()[method]
    shape = (len(fold.origins), fold.horizon, fold.known.shape[1])
    # The last value without any ends, where the series is too short for the method.
    point = np.repeat(fold.known[fold.origins - 1][:, None], fold.horizon, axis=1)
    ends, short = np.full((2, *shape, len(level)), np.nan), np.zeros(len(point), bool)
    for sample, (first, origin) in enumerate(zip(fold.firsts, fold.origins, strict=True)):
        for target, values in enumerate(fold.known[first:origin].T):
            # statsforecast sees a season only where it comes at least twice.
            season = season_length if len(values) >= 2 * season_length else 1
            said = _forecast(fit(season_length=season), values, fold.horizon, level)
            if said is None:
                short[sample] = True
            else:
                point[sample, :, target], ends[:, sample, :, target] = said[0], said[1:]
    return Said(point, ends, int(short.sum()))


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
