"""The baselines that every network is compared with.

Each takes all series end to end and the rows where the forecasts begin, so that thousands of
origins cost one call. An origin is the row of the first target; the history is what precedes it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..core.ragged import Flags, sums_between
from ..core.windows import Floats, Ints

# The quantile of the normal distribution with which M4 tests for a season: 90 %, two-sided.
NORMAL_90 = 1.645
# How many values are worked on at once, so that memory does not grow with the origins.
CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class BaselineInput:
    """What a baseline forecasts from.

    Args:
        values: Shape `(n_rows, targets)`, all series end to end, original units.
        origins: Shape `(samples,)`: the rows of the first forecast values.
        first: Shape `(samples,)`: the first row that each forecast may read.
        horizon: Steps ahead.
        season_length: Steps in a season; 1 for none.
        window: Rows of the window mean.
        level: Of the intervals of methods that have some, in percent.
    """

    values: Floats
    origins: Ints
    first: Ints
    horizon: int
    season_length: int = 1
    window: int = 1
    level: tuple[float, ...] = ()

    @property
    def history(self) -> Ints:
        """The rows before each origin, shape `(samples,)`."""
        return self.origins - self.first

    def only(self, some: Flags) -> "BaselineInput":
        """Return the same for some of the origins, `some` of shape `(samples,)`."""
        return replace(self, origins=self.origins[some], first=self.first[some])


def naive(given: BaselineInput) -> Floats:
    """The last value at every step.

    The other baselines too have the shape `(samples, horizon, targets)`.
    """
    return np.repeat(given.values[given.origins - 1][:, None], given.horizon, axis=1)


def seasonal_naive(given: BaselineInput) -> Floats:
    """The value of the same phase in the last season, of which each origin needs all rows."""
    season = given.season_length
    phases = np.arange(given.horizon) % season - season
    forecast: Floats = given.values[given.origins[:, None] + phases]
    return forecast


def drift(given: BaselineInput) -> Floats:
    """The line from the first value of the series through the last before the origin, drawn on.

    Each origin needs at least two rows of its series before it.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2.
    """
    last = given.values[given.origins - 1]
    slope = (last - given.values[given.first]) / (given.history - 1)[:, None]
    return last[:, None] + slope[:, None] * np.arange(1, given.horizon + 1)[:, None]


def mean(given: BaselineInput) -> Floats:
    """The mean of all values before the origin, at every step.

    Missing values do not count; the forecast is NaN where no value is known.
    """
    rows, places = np.unique(given.origins, return_inverse=True)
    starts = np.empty_like(rows)
    starts[places] = given.first
    known = np.isfinite(given.values)
    total = _sums_before(np.where(known, given.values, 0.0), rows, starts)
    level = _divide(total, _sums_before(known.astype(np.float64), rows, starts))
    return np.repeat(level[places][:, None], given.horizon, axis=1)


def window_mean(given: BaselineInput) -> Floats:
    """The mean of the last `window` values before the origin, or all there are, at every step.

    Missing values do not count; the forecast is NaN where no value is known.
    """
    values, origins = given.values, given.origins
    total, count = np.zeros((2, len(origins), values.shape[1]))
    for back in range(1, given.window + 1):
        last = values[np.maximum(origins - back, 0)]
        counts = np.isfinite(last) & (origins - back >= given.first)[:, None]
        total += np.where(counts, last, 0.0)
        count += counts
    return np.repeat(_divide(total, count)[:, None], given.horizon, axis=1)


def naive2(given: BaselineInput) -> Floats:
    """The last value without its season, with the season of each step: Naive2 of M4.

    Where the autocorrelation at the lag of a season passes a test at 90 %, the season is taken
    out by the classical multiplicative decomposition. The last value as it is stands wherever
    that cannot be: no season, fewer than three of them before the origin, a value that is not
    above 0 or is missing.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), M4, and the R code of its organisers
    (`SeasonalityTest` and `decompose`).
    """
    forecast, season = naive(given), given.season_length
    long = np.flatnonzero(given.history >= 3 * season)
    if season == 1 or not len(long):
        return forecast
    # Each series is gone through once, however many origins it has.
    for places, rows, which in group_by_length(given.origins[long], given.first[long]):
        samples = long[places]
        lengths = given.history[samples]
        for target in range(given.values.shape[1]):
            history = given.values[rows, target]
            seasonal = _is_seasonal(history, which, lengths, season)
            forecast[samples[seasonal], :, target] *= _season_ahead(
                history, which[seasonal], lengths[seasonal], season, given.horizon
            )
    return forecast


def group_by_length(origins: Ints, first: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Origins by the rows that their series have before the last of them.

    Yields:
        Places of origins; the rows of their series, `(series, length)`; of which each origin is.
    """
    begins, owner = np.unique(first, return_inverse=True)
    lengths = np.zeros(len(begins), np.int64)
    np.maximum.at(lengths, owner, origins - first)
    order = np.argsort(lengths, kind="stable")
    ranks = np.argsort(order)[owner]
    samples = np.argsort(ranks, kind="stable")
    ends = np.cumsum(np.unique(lengths, return_counts=True)[1])
    ranks = ranks[samples]
    for alike in np.split(np.arange(len(order)), ends[:-1]):
        length = int(lengths[order[alike[0]]])
        pieces = min(len(alike), len(alike) * length // CELLS + 1)
        for part in np.array_split(alike, pieces):
            own = slice(*np.searchsorted(ranks, (part[0], part[-1] + 1)))
            yield samples[own], begins[order[part], None] + np.arange(length), ranks[own] - part[0]


def _sums_before(values: Floats, rows: Ints, starts: Ints) -> Floats:
    """The sums of the values from the start of a series to before each row, `(origins, targets)`.

    No sum reads another series, so that a huge or a later value there changes not one bit of it.
    `values` has the shape `(n_rows, targets)`, finite; `rows` and the first rows of their series,
    `starts`, `(origins,)`, ascending.
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


def _divide(total: Floats, count: Floats) -> Floats:
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _is_seasonal(history: Floats, which: Ints, lengths: Ints, season: int) -> Flags:
    """Which origins have a season before them that can be taken out, shape `(samples,)`.

    `history` is of shape `(series, length)`; each origin stands `lengths` rows, shape `(samples,)`,
    after the beginning of the series `which`, shape `(samples,)`.
    """
    # NaN is not above 0 either.
    positive = np.logical_and.accumulate((history > 0) & (history < np.inf), axis=1)
    with np.errstate(all="ignore"):
        # The level of large values would be lost in rounding.
        apart = np.where(positive, history / history[:, :1] - 1.0, 0.0)
        sums = _summed(apart)
        mean = sums[which, lengths] / lengths
        own = _summed(apart**2)[which, lengths] - lengths * mean**2
        squares, share = np.zeros_like(own), np.zeros_like(own)
        for lag in range(1, season + 1):
            squares += share**2
            pairs, both = lengths - lag, _summed(apart[:, lag:] * apart[:, :-lag])
            ends = sums[which, pairs] + sums[which, lengths] - sums[which, lag]
            share = both[which, pairs] + pairs * mean**2 - mean * ends
            share /= np.where(own > 0, own, 1.0)
        limit = NORMAL_90 * np.sqrt((1.0 + 2.0 * squares) / lengths)
        seasonal: Flags = positive[which, lengths - 1] & (np.abs(share) > limit)
    return seasonal


def _summed(values: Floats) -> Floats:
    """Return the sums of the first 0, 1, 2 ... values of each row, shape `(rows, values + 1)`."""
    return np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))


def _season_ahead(history: Floats, which: Ints, lengths: Ints, season: int, horizon: int) -> Floats:
    """The factors of the season at each step relative to the last value's, `(samples, horizon)`.

    The arguments are those of `_is_seasonal`; the history before each origin is above 0.
    """
    half = season // 2
    # An even season is centred by half weights at both ends.
    weights = np.ones(2 * half + 1)
    weights[[0, -1]] = 1.0 if season % 2 else 0.5
    middle = history[:, half : history.shape[1] - half]
    level = np.zeros_like(middle)
    with np.errstate(all="ignore"):
        for place, weight in enumerate(weights):
            level += weight / season * history[:, place : place + middle.shape[1]]
        # The first ratio is that of the phase `half`; each column becomes one phase.
        ratios = np.pad(middle / level, ((0, 0), (0, -middle.shape[1] % season)))
        sums = np.cumsum(ratios.reshape(len(ratios), -1, season), axis=1)
    phases = (lengths[:, None] + np.arange(-1, horizon) - half) % season
    count = (lengths[:, None] - 2 * half - phases + season - 1) // season
    factors = sums[which[:, None], count - 1, phases] / count
    relative: Floats = factors[:, 1:] / factors[:, :1]
    return relative


# By the names of `forecast_cli.config.registries.BASELINES`.
FORECASTERS: dict[str, Callable[[BaselineInput], Floats]] = {
    "naive": naive,
    "seasonal-naive": seasonal_naive,
    "drift": drift,
    "mean": mean,
    "window-mean": window_mean,
    "naive2": naive2,
}
