"""The classic trap: a network whose forecast is the last value that it was given."""

from dataclasses import dataclass

import numpy as np

from ..core.ragged import FEWEST, ROUNDING
from ..core.windows import Floats, Ints

# A forecast copies where it is twice as near to the last value as to the actual one. `1 - r` is
# half the mean squared distance of two columns in units of their spread, so that this is 2 squared.
NEARER = 4.0
# And where it moves with the last value one to one, but for this. The best forecast of a series
# that returns to its mean goes with the last value too, yet moves less; one that moves 0.9 times
# as much gains at most 5 % of the squared error over the last value itself.
SLACK = 0.1


@dataclass(frozen=True)
class Copy:
    """Forecasts that are little else than the last value before them.

    Args:
        step: Of the horizon, from 1.
        with_last: The correlation of the forecasts with the last values that were known.
        with_actual: Their correlation with the actual values.
    """

    step: int
    with_last: float
    with_actual: float


def find_copy(
    forecast: Floats, before: Floats, actual: Floats, groups: Ints, *, fewest: int = FEWEST
) -> Copy | None:
    """Tell whether forecasts copy the last value known, judged at the last step of the horizon.

    The forecast of a time is correlated with the series at that time, one step earlier, and so on
    back to the first value in `before`. It copies where it goes best with the last
    value known, clearly better than with the actual values, and moves with it one to one. The
    forecast of the first step must go best with that value too, of those known: one that repeats
    the last season goes with an earlier one.

    That is no blame: of a random walk the last value is the best forecast.

    Args:
        forecast: Shape `(samples, horizon)`: of one target, original units.
        before: Shape `(samples, horizon)`: the values before each origin in time order, the last
            one known at the end; NaN where there is none.
        actual: Shape `(samples, horizon)`: actual values; missing ones (NaN) do not count.
        groups: Shape `(samples,)`: the series of each sample, which is taken from its own mean
            and in units of its own spread.
        fewest: Samples, less one for each series, from which anything is concluded.

    Returns:
        None where the forecasts do not copy, or there are too few to tell.
    """
    horizon = forecast.shape[1]
    last = horizon - 1
    counts = np.isfinite(actual[:, last])
    forecast, before, actual = forecast[counts], before[counts], actual[counts]
    _, places = np.unique(groups[counts], return_inverse=True)
    spread = _spread(before[:, last], places)[:, None]
    forecast, series = forecast / spread, np.concatenate([before, actual], axis=1) / spread
    first, _ = _fits(forecast[:, 0], series[:, :horizon], places, fewest)
    shifts, slopes = _fits(forecast[:, last], series, places, fewest)
    if np.argmax(first) != last or np.argmax(shifts) != last or not np.isfinite(shifts[-1]):
        return None
    with_last, with_actual = float(shifts[last]), float(shifts[-1])
    nearer = 1.0 - with_actual > NEARER * (1.0 - with_last) + ROUNDING
    copies = nearer and abs(slopes[last] - 1.0) < SLACK
    return Copy(horizon, with_last, with_actual) if copies else None


def _fits(forecast: Floats, columns: Floats, places: Ints, fewest: int) -> tuple[Floats, Floats]:
    """Return correlations of forecasts with columns, and how much they move when these move by 1.

    Shapes `(samples,)`, `(samples, columns)`, `(samples,)` (the series) to `(columns,)` each; minus
    infinity where fewer than `fewest` samples are known, one less for each series.
    """
    correlations, slopes = np.full((2, columns.shape[1]), -np.inf)
    for place, column in enumerate(columns.T):
        known = np.isfinite(forecast) & np.isfinite(column)
        owners = places[known]
        one, other = _centred(forecast[known], owners), _centred(column[known], owners)
        sizes = one @ one, other @ other
        free = len(owners) - np.count_nonzero(np.bincount(owners))
        if min(sizes) > 0 and free >= fewest:
            together = one @ other
            correlations[place] = together / np.sqrt(sizes[0] * sizes[1])
            slopes[place] = together / sizes[1]
    return correlations, slopes


def _centred(values: Floats, places: Ints) -> Floats:
    """Return the values minus the mean of their series, all of shape `(values,)`."""
    counts = np.maximum(np.bincount(places), 1)
    # The level of large values would be lost in rounding.
    apart = values - values[:1]
    centred: Floats = apart - (np.bincount(places, weights=apart) / counts)[places]
    return centred


def _spread(values: Floats, places: Ints) -> Floats:
    """Return the standard deviation of each value's series, shape `(values,)`; 1 for constants."""
    known = np.isfinite(values)
    owners, size = places[known], int(places.max(initial=-1)) + 1
    squares = np.bincount(owners, weights=_centred(values[known], owners) ** 2, minlength=size)
    deviation = np.sqrt(squares / np.maximum(np.bincount(owners, minlength=size), 1))
    return np.where(deviation > 0, deviation, 1.0)[places]
