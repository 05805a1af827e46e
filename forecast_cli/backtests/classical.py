"""Classical methods, by statsforecast: exponential smoothing, Theta and ARIMA, chosen by rule."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from ..core.windows import Floats
from ..errors import UsageError
from ..events import Listener, ignore
from .folds import Fold

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
) -> Floats:
    """Fit a method to the rows before each origin, and forecast with it.

    Args:
        fold: What may be known.
        listen: Told of nothing.
        stop: Asked nothing.
        method: Which one.
        season_length: Steps in a season.

    Returns:
        Shape `(samples, horizon, targets)`, original units.
    """
    fit = _methods()[method]
    forecasts = np.empty((len(fold.origins), fold.horizon, fold.known.shape[1]))
    for sample, (first, origin) in enumerate(zip(fold.firsts, fold.origins, strict=True)):
        for target, values in enumerate(fold.known[first:origin].T):
            # statsforecast sees a season only where it comes at least twice.
            season = season_length if len(values) >= 2 * season_length else 1
            forecasts[sample, :, target] = _forecast(fit(season_length=season), values, fold)
    return forecasts


def _methods() -> dict[Method, Callable[..., Any]]:
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta

    return {"ets": AutoETS, "theta": AutoTheta, "arima": AutoARIMA}


def _forecast(model: Any, values: Floats, fold: Fold) -> Floats:
    """The forecast of one series; of one that is too short for the method, its last value."""
    values = np.ascontiguousarray(values, np.float64)
    try:
        with np.errstate(all="ignore"):
            mean: Floats = model.forecast(y=values, h=fold.horizon)["mean"]
    except (NotImplementedError, IndexError, ValueError, ZeroDivisionError):
        # What statsforecast raises for "tiny datasets".
        return np.full(fold.horizon, values[-1])
    return np.where(np.isfinite(mean), mean, values[-1])
