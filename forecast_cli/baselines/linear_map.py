"""Forecasts that are linear in a window: a matrix `(timesteps, horizon)`, and its parameters.

The forecast of a window is `window @ matrix`, so that a network's graph can hold one beside its
layers. Where the columns of a matrix sum to 1, the forecast moves with the level of the window. In
logarithms a sum is a product: an additive season there is a multiplicative one outside.
"""

from collections.abc import Callable
from dataclasses import dataclass

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


# How many windows, and how many steps of the horizon, parameters are fitted to at most.
WINDOWS, STEPS = 240, 48
# How far parameters may lie from usual ones, and when the search is fine enough, in spreads.
FARTHEST, FINEST = 5.0, 0.15
# What a forecast that does not overlap another says: as much as so many independent values.
WORTH = 2.0


@dataclass(frozen=True, eq=False)
class Sample:
    """Windows of training rows and what followed them.

    Args:
        before: Shape `(samples, timesteps)`.
        after: Shape `(samples, horizon)`.
        distinct: How many of the forecasts do not overlap.
    """

    before: Floats
    after: Floats
    distinct: float

    @property
    def timesteps(self) -> int:
        """The lookback."""
        return int(self.before.shape[1])

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return int(self.after.shape[1])

    def loss(self, matrix: Floats) -> float:
        """The logarithm of the mean absolute error over all steps of the horizon."""
        if not len(self.before):
            return 0.0
        error = float(np.abs(self.after - self.before @ matrix).mean())
        return float(np.log(error + 1e-12))


def sample_windows(values: Floats, origins: Ints, *, timesteps: int, horizon: int) -> Sample:
    """Windows at some of the origins, at most `WINDOWS` of them, spread evenly.

    Args:
        values: Shape `(n_rows,)`, all series end to end; windows with missing values are left out.
        origins: Shape `(samples,)`, ascending: rows of the first target, whose `timesteps` rows
            before and `horizon` rows from there on belong to the training rows of one series.
        timesteps: The lookback.
        horizon: Steps ahead.
    """
    some = np.unique(np.linspace(0, len(origins) - 1, min(WINDOWS, len(origins))).astype(int))
    rows = np.asarray(origins)[some] if len(origins) else np.zeros(0, np.int64)
    before = gather(values, rows - timesteps, timesteps=timesteps)
    after = gather(values, rows, timesteps=horizon)
    known = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    return Sample(before[known], after[known], count_distinct(origins, horizon))


def count_distinct(origins: Ints, horizon: int) -> float:
    """How many forecasts from these origins do not overlap, counted in horizons.

    >>> count_distinct(np.arange(10, 35), 12)
    3.0
    """
    apart = np.diff(origins, prepend=origins[0] - horizon) if len(origins) else np.zeros(0)
    return float(np.clip(apart, 0, horizon).sum() / horizon) if len(origins) > 1 else len(origins)


def descend(
    loss: Callable[[Floats], float], usual: Floats, spread: Floats, sample: Sample, steps: int = 120
) -> Floats:
    """Minimise a loss by changing one parameter after another.

    The squared distance from the usual parameters, in spreads, is added as a penalty, the larger
    the fewer forecasts the loss is taken from. SciPy's Nelder-Mead method with as many evaluations
    takes about twice as long, and its in-sample errors are from 0.5 % lower to 3 % higher.

    Args:
        loss: The logarithm of an error.
        usual: Shape `(parameters,)`.
        spread: Shape `(parameters,)`, above 0.
        sample: What the loss is taken from.
        steps: How often the loss is asked for, about.
    """
    pull = 0.5 / (WORTH * max(1.0, sample.distinct))

    def drawn(raw: Floats) -> float:
        apart = (raw - usual) / spread
        if np.abs(apart).max() > FARTHEST:
            return np.inf
        value = loss(raw)
        return value + pull * float(apart @ apart) if np.isfinite(value) else np.inf

    best, least, asked = usual.copy(), drawn(usual), 1
    width = spread.copy()
    while len(sample.before) and asked < steps and (width / spread).max() > FINEST:
        for place in range(len(best)):
            for sign in (1.0, -1.0):
                other = best.copy()
                other[place] += sign * width[place]
                value, asked = drawn(other), asked + 1
                if value < least - 1e-5:
                    best, least = other, value
                    width[place] *= 1.2
                    break
            else:
                width[place] *= 0.5
    return best


def logistic(raw: Floats) -> Floats:
    """From any number to one between 0 and 1."""
    return 1.0 / (1.0 + np.exp(-raw))
