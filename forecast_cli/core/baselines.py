"""The simple forecasts that every network is measured against.

Each takes all series end to end and the rows where the forecasts begin, so that thousands of
origins cost one call. An origin is the row of the first target; the history is what precedes it.
"""

import numpy as np

from .ragged import Flags, sums_between
from .windows import Floats, Ints

# The quantile of the normal distribution with which M4 tests for a season: 90 %, two-sided.
NORMAL_90 = 1.645
# How many values are worked on at once, so that memory does not grow with the origins.
CELLS = 2_000_000


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


def mean(values: Floats, origins: Ints, first: Ints, *, horizon: int) -> Floats:
    """The mean of all values before the origin, again and again.

    Missing values do not count; the forecast is NaN where no value is known.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`, in any order.
        first: Shape `(samples,)`: the first row of the series of each origin.
        horizon: Steps ahead.
    """
    rows, places = np.unique(origins, return_inverse=True)
    starts = np.empty_like(rows)
    starts[places] = first
    known = np.isfinite(values)
    total = _sums_before(np.where(known, values, 0.0), rows, starts)
    level = _mean_of(total, _sums_before(known.astype(np.float64), rows, starts))
    return np.repeat(level[places][:, None], horizon, axis=1)


def window_mean(values: Floats, origins: Ints, first: Ints, *, horizon: int, window: int) -> Floats:
    """The mean of the last values before the origin, again and again.

    Missing values do not count; the forecast is NaN where no value is known.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`.
        first: Shape `(samples,)`: the first row of the series of each origin.
        horizon: Steps ahead.
        window: Rows before the origin; all there are where they are fewer.
    """
    total, count = np.zeros((2, len(origins), values.shape[1]))
    for back in range(1, window + 1):
        last = values[np.maximum(origins - back, 0)]
        counts = np.isfinite(last) & (origins - back >= first)[:, None]
        total += np.where(counts, last, 0.0)
        count += counts
    return np.repeat(_mean_of(total, count)[:, None], horizon, axis=1)


def naive2(
    values: Floats, origins: Ints, first: Ints, *, horizon: int, season_length: int
) -> Floats:
    """The last value without its season, with the season of each step: Naive2 of M4.

    Where the autocorrelation at the lag of a season passes a test at 90 %, the season is taken
    out by the classical multiplicative decomposition. The last value as it is stands wherever
    that cannot be: no season, fewer than three of them before the origin, a value that is not
    above 0 or is missing.

    Args:
        values: Shape `(n_rows, targets)`.
        origins: Shape `(samples,)`, each with at least one row of its series before it.
        first: Shape `(samples,)`: the first row of the series of each origin.
        horizon: Steps ahead.
        season_length: Steps in a season; 1 for none.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), M4, and the R code of its organisers
    (`SeasonalityTest` and `decompose`).
    """
    forecast = naive(values, origins, horizon=horizon)
    lengths = origins - first
    order = np.argsort(lengths, kind="stable")
    long = order[lengths[order] >= 3 * season_length]
    if season_length == 1 or not len(long):
        return forecast
    phases = np.arange(horizon) % season_length
    # Histories of the same length are decomposed together.
    for samples in np.split(long, np.flatnonzero(np.diff(lengths[long])) + 1):
        length = int(lengths[samples[0]])
        for part in np.array_split(samples, len(samples) * length // CELLS + 1):
            rows = first[part][:, None] + np.arange(length)
            for target in range(values.shape[1]):
                history = values[rows, target]
                seasonal = _is_seasonal(history, season_length)
                factors = _season_factors(history[seasonal], season_length)
                ahead = factors[:, (length + phases) % season_length]
                ahead /= factors[:, [(length - 1) % season_length]]
                forecast[part[seasonal], :, target] *= ahead
    return forecast


def _sums_before(values: Floats, rows: Ints, starts: Ints) -> Floats:
    """The sums of the values from the start of a series to before each row.

    No sum reads another series, so that a huge or a later value there changes not one bit of it.

    Args:
        values: Shape `(n_rows, targets)`, finite.
        rows: Shape `(origins,)`, ascending, each once.
        starts: Shape `(origins,)`: the first row of the series of each.

    Returns:
        Shape `(origins, targets)`.
    """
    same = starts[1:] == starts[:-1]
    begins = starts.copy()
    begins[1:][same] = rows[:-1][same]
    sums = np.zeros((len(rows), values.shape[1]))
    full = begins < rows
    sums[full] = sums_between(values, begins[full], rows[full])
    # Sums of 1, 2, 4, 8 ... stretches of the same series.
    step = 1
    while step < len(rows) and (same := starts[step:] == starts[:-step]).any():
        sums[step:] += np.where(same[:, None], sums[:-step], 0.0)
        step *= 2
    return sums


def _mean_of(total: Floats, count: Floats) -> Floats:
    level: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return level


def _is_seasonal(history: Floats, season: int) -> Flags:
    """Which histories have a season that can be taken out, shape `(samples,)`.

    Args:
        history: Shape `(samples, length)`.
        season: Steps in a season.
    """
    # NaN is not above 0 either.
    positive = np.all((history > 0) & (history < np.inf), axis=1)
    apart = np.where(positive[:, None], history, 1.0)
    # The level of large values would be lost in rounding.
    apart = apart / apart[:, :1]
    apart = apart - apart.mean(axis=1, keepdims=True)
    own = np.einsum("ij,ij->i", apart, apart)
    lags = [np.einsum("ij,ij->i", apart[:, k:], apart[:, :-k]) for k in range(1, season + 1)]
    correlation = np.stack(lags) / np.where(own > 0, own, 1.0)
    limit = NORMAL_90 * np.sqrt(
        (1.0 + 2.0 * (correlation[:-1] ** 2).sum(axis=0)) / history.shape[1]
    )
    seasonal: Flags = positive & (np.abs(correlation[-1]) > limit)
    return seasonal


def _season_factors(history: Floats, season: int) -> Floats:
    """The factor of each phase, counted from the first value, of mean 1, `(samples, season)`.

    Args:
        history: Shape `(samples, length)`, above 0, at least two seasons long.
        season: Steps in a season.
    """
    half = season // 2
    # An even season is centred by half weights at both ends.
    weights = np.ones(2 * half + 1)
    weights[[0, -1]] = 1.0 if season % 2 else 0.5
    middle = history[:, half : history.shape[1] - half]
    level = np.zeros_like(middle)
    for place, weight in enumerate(weights):
        level += weight / season * history[:, place : place + middle.shape[1]]
    ratios = middle / level
    # The first ratio is that of the phase `half`.
    factors = np.stack(
        [ratios[:, (phase - half) % season :: season].mean(axis=1) for phase in range(season)],
        axis=1,
    )
    centred: Floats = factors / factors.mean(axis=1, keepdims=True)
    return centred
