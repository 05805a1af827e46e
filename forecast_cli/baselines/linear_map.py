"""Forecasts that are linear in a window: a matrix `(timesteps, horizon)` each.

The forecast of a window is `window @ matrix`, so that a network's graph can hold one beside its
layers. Where the columns of a matrix sum to 1, the forecast moves with the level of the window. In
logarithms a sum is a product: an additive season there is a multiplicative one outside.
"""

import numpy as np

from ..core.errors import UsageError
from ..core.windows import Floats, Ints, gather

# Values of windows that are worked on at once.
CELLS = 2_000_000


def last_map(timesteps: int, horizon: int) -> Floats:
    """The last value at every step.

    Args:
        timesteps: The lookback, at least 1.
        horizon: Steps ahead, at least 1.

    Returns:
        Shape `(timesteps, horizon)`, float64, like that of every map here.
    """
    return seasonal_map(timesteps, horizon, season=1)


def seasonal_map(timesteps: int, horizon: int, *, season: int) -> Floats:
    """The value of the same phase in the last season: the seasonal naive forecast.

    Args:
        timesteps: The lookback, at least `season`.
        horizon: Steps ahead.
        season: Steps in a season.

    Raises:
        UsageError: The window is shorter than the season.
    """
    require(timesteps, season, f"a season of {season} steps")
    matrix, steps = np.zeros((timesteps, horizon)), np.arange(horizon)
    matrix[timesteps - season + steps % season, steps] = 1.0
    return matrix


def apply_map(values: Floats, origins: Ints, matrix: Floats) -> Floats:
    """The forecasts of a map at many origins.

    Args:
        values: Shape `(n_rows,)`, all series end to end.
        origins: Shape `(samples,)`, each with as many rows of its series before it as the map has.
        matrix: Shape `(timesteps, horizon)`.

    Returns:
        Shape `(samples, horizon)`.
    """
    timesteps, horizon = matrix.shape
    forecast = np.empty((len(origins), horizon))
    most = max(1, CELLS // timesteps)
    for first in range(0, len(origins), most):
        windows = gather(values, origins[first : first + most] - timesteps, timesteps=timesteps)
        forecast[first : first + most] = windows @ matrix
    return forecast


def widened(matrix: Floats, timesteps: int) -> Floats:
    """The same forecast from a longer window, whose first rows do not count.

    Raises:
        UsageError: The window is shorter than that of the map.
    """
    require(timesteps, len(matrix), f"a forecast from {len(matrix)} steps")
    return np.vstack([np.zeros((timesteps - len(matrix), matrix.shape[1])), matrix])


def require(timesteps: int, least: int, what: str) -> None:
    """Refuse a window that is too short for a map.

    Raises:
        UsageError: It is.
    """
    if timesteps < least:
        raise UsageError(
            f"A window of {timesteps} steps is too short for {what}.",
            f"Give at least {least} timesteps.",
        )
