"""The simple forecasts that every network is measured against.

Each takes all series end to end and the rows where the forecasts begin, so that thousands of
origins cost one call. An origin is the row of the first target; the history is what precedes it.
"""

import numpy as np

from .windows import Floats, Ints


def naive(values: Floats, origins: Ints, *, horizon: int) -> Floats:
    """The last value, again and again.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`, each with at least one row of its series before it.
        horizon: Steps ahead.

    Returns:
        Shape `(samples, horizon, targets)`, like those of the other forecasts here.
    """
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def seasonal_naive(values: Floats, origins: Ints, *, horizon: int, season_length: int) -> Floats:
    """The value of the same phase in the last season before the origin.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`, each with `season_length` rows of its series before it.
        horizon: Steps ahead.
        season_length: Steps in a season.
    """
    phases = np.arange(horizon) % season_length - season_length
    forecast: Floats = values[origins[:, None] + phases]
    return forecast


def drift(values: Floats, origins: Ints, first: Ints, *, horizon: int) -> Floats:
    """The line from the first value of the series through the last before the origin, drawn on.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`, each with at least two rows of its series before it.
        first: Shape `(samples,)`: the first row of the series of each origin.
        horizon: Steps ahead.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2.
    """
    last = values[origins - 1]
    slope = (last - values[first]) / (origins - 1 - first)[:, None]
    return last[:, None] + slope[:, None] * np.arange(1, horizon + 1)[:, None]
