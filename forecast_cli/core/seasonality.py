"""Seasons of series, found in training rows.

A season is looked for in differences between the means of equal parts of it: means remove the noise
of long seasons, differences remove the level and most of the trend.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from .ragged import cumulate
from .windows import Floats, Ints

# Into how many parts a season is cut at most, and the least number of seasons in a series.
PARTS, LEAST_SEASONS = 14, 2.5
# The autocorrelation a season apart must pass a one-sided test at 99 %, and have a least size.
NORMAL_99, LEAST_SHARE = 2.326, 0.1
# At this p-value the means of phases differ, even where the autocorrelation is small.
UNLIKELY = 0.001
# How many series, and how many of the last rows of each, are looked at.
SERIES, ROWS = 100, 20_000
# The share of series that must have a season.
SHARE = 0.5
# Peaks of a periodogram that are tried where the frequency has no season.
PEAKS = 5
# Values a season apart differ less than values at lags around it by at least this share, or by so
# many standard errors where the rows are few.
LEAST_DEPTH, DEPTH_ERRORS = 0.2, 4.0
# The shortest lag with this share of the greatest depth is the first season; another one is
# stronger from this ratio of squared differences on. The lags of one dip are within this ratio.
FIRST_DEPTH, STRONGER, DIP = 0.6, 0.9, 1.3
# A longer season that differs from a multiple of the first one by this share is that multiple.
NESTED = 0.02


def find_seasons(
    values: Floats, indptr: Ints | None = None, *, usual: Sequence[int] = ()
) -> tuple[int, ...]:
    """Return the seasons that most series have.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        usual: Steps of the seasons of the frequency. Peaks of the periodogram are tried where
            there are none.

    Returns:
        Steps, ascending; none where nothing is seasonal.
    """
    votes: dict[int, list[bool]] = {}
    for series in some_series(values, indptr):
        left = series
        for season in sorted({each for each in usual if each > 1}) or peaks(series):
            if len(series) >= LEAST_SEASONS * season:
                found = has_season(left, season)
                votes.setdefault(season, []).append(found)
                # A longer season must show in what a shorter one does not explain.
                left = left - phase_means(left, season) if found else left
    return tuple(sorted(each for each, found in votes.items() if np.mean(found) >= SHARE))


def own_seasons(values: Floats, indptr: Ints | None = None) -> tuple[int, ...]:
    """Return the seasons that series show by themselves, without regard to a frequency.

    A season is a lag at which values differ less than at the lags around it. The shortest that is
    nearly as distinct as any is returned, and the one with the least differences, if both pass the
    test of `has_season`.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.

    Returns:
        Steps, ascending; none where nothing is seasonal.

    Source: the difference function of de Cheveigne and Kawahara (2002), YIN.
    """
    squared, depth, rows = _lag_differences(values, indptr)
    inner = np.arange(2, len(depth) - 1)
    if not len(inner):
        return ()
    lowest = (squared[inner] < squared[inner - 1]) & (squared[inner] <= squared[inner + 1])
    lags = inner[lowest & (depth[inner] > max(LEAST_DEPTH, DEPTH_ERRORS / math.sqrt(rows)))]
    if not len(lags):
        return ()
    first = lags[depth[lags] >= FIRST_DEPTH * depth[lags].max()][0]
    strongest = lags[STRONGER * squared[lags] <= squared[lags].min()][0]
    # Noise makes many lowest lags in the dip of a long season: the deepest counts.
    dips = [lags[(lags >= each) & (lags <= DIP * each)] for each in (first, strongest)]
    day, week = (int(each[np.argmax(depth[each])]) for each in dips)
    # Few rows may show a week a step too short or too long: it is a number of whole days.
    whole = day * round(week / day)
    week = whole if abs(week - whole) <= NESTED * week and whole < len(squared) else week
    return find_seasons(values, indptr, usual=(day, week))


def stronger_season(values: Floats, indptr: Ints | None, season: int) -> int | None:
    """Return a season with much smaller differences than another one; None where there is none.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        season: Steps in the other season; 1 for none.
    """
    found = own_seasons(values, indptr)
    if not found or found[-1] == season:
        return None
    squared, _, _ = _lag_differences(values, indptr)
    known = season < len(squared)
    return found[-1] if not known or squared[found[-1]] < STRONGER * squared[season] else None


def _lag_differences(values: Floats, indptr: Ints | None) -> tuple[Floats, Floats, int]:
    """Return how much values differ at each lag, as a mean over the series that are long enough.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.

    Returns:
        The mean squared differences at lags 0, 1, 2 ..., relative to their mean; by which share
        each is below the mean of the lags from half to one and a half of it; shape `(lags,)` each;
        and how many rows there are.
    """
    pairs = [_differences(series) for series in some_series(values, indptr)]
    longest = max([len(squared) for squared, _ in pairs], default=0)
    count, total = np.zeros(longest), np.zeros((2, longest))
    for squared, depth in pairs:
        count[: len(squared)] += 1
        total[:, : len(squared)] += squared, depth
    enough = (count > 0) & (count >= SHARE * len(pairs))
    squared, depth = total[:, enough] / count[enough]
    return squared, depth, int(LEAST_SEASONS * sum(len(each) for each, _ in pairs))


def _differences(series: Floats) -> tuple[Floats, Floats]:
    """Return both measures of `_lag_differences` of a series, shape `(n,)`, without gaps."""
    rows, values = len(series), series - series.mean()
    size = 1 << (2 * rows - 1).bit_length()
    products = np.fft.irfft(np.abs(np.fft.rfft(values, size)) ** 2, size)[:rows]
    squares, lags = np.concatenate([[0.0], np.cumsum(values * values)]), np.arange(rows)
    total = squares[rows] - squares[lags] + squares[rows - lags] - 2.0 * products
    squared = np.maximum(total, 0.0) / (rows - lags)
    lags = lags[: int(rows / LEAST_SEASONS) + 1]
    low, high = lags - lags // 2, np.minimum(lags + lags // 2, rows // 2)
    sums = np.concatenate([[0.0], np.cumsum(squared)])
    around = (sums[high + 1] - sums[low] - squared[lags]) / np.maximum(high - low, 1)
    squared = squared[lags]
    depth = 1.0 - np.divide(squared, around, out=np.ones_like(squared), where=around > 0)
    level = float(squared.mean()) or 1.0
    return squared / level, depth


def has_season(series: Floats, season: int) -> bool:
    """Whether differences between parts of a season are correlated with those one season before.

    Args:
        series: Shape `(n,)`, without gaps.
        season: Steps in a season, at least 2.

    Source: the seasonality test of the M4 competition (its R code, `SeasonalityTest`), on steps
    between means.
    """
    parts = _parts(season)
    rows = np.arange(len(series) * parts // season * season // parts)
    place = rows * parts // season
    steps = np.diff(np.bincount(place, series[rows]) / np.maximum(np.bincount(place), 1))
    if len(steps) < 1.5 * parts:
        return False
    # A few large steps must not outweigh all others.
    centre = float(np.median(steps))
    reach = 5.0 * float(np.median(np.abs(steps - centre))) or float(np.abs(steps - centre).max())
    steps = np.clip(steps, centre - reach, centre + reach)
    shares = _autocorrelations(steps, parts)
    limit = NORMAL_99 * math.sqrt((1.0 + 2.0 * float(shares[:-1] @ shares[:-1])) / len(steps))
    # What is high at all lags is no season.
    apart = shares[-1] > np.median(shares) and (parts < 4 or shares[-1] > shares[parts // 2 - 1])
    if not apart or shares[-1] < LEAST_SHARE:
        return False
    return bool(shares[-1] > limit or _phase_p_value(steps, parts) < UNLIKELY)


def _phase_p_value(steps: Floats, parts: int) -> float:
    """Return the p-value of an analysis of variance of the phases; `steps` has shape `(n,)`."""
    # SciPy is only loaded where something is tested.
    from scipy.special import fdtrc

    around = phase_means(steps, parts)
    between, own = float(around @ around), steps - steps.mean() - around
    within, left = float(own @ own), len(steps) - parts
    if left < 1 or within <= 0:
        return 0.0 if between > 0 else 1.0
    return float(fdtrc(parts - 1, left, between / (parts - 1) / (within / left)))


def peaks(series: Floats) -> list[int]:
    """Return the periods of the peaks in the periodogram of the differences, ascending.

    Args:
        series: Shape `(n,)`, without gaps.
    """
    steps = np.diff(series)
    if len(steps) < 16 or np.ptp(steps) == 0:
        return []
    power = np.abs(np.fft.rfft((steps - steps.mean()) * np.hanning(len(steps)))) ** 2
    # A step is small where a period is long; the level's own power does not hide it.
    frequency = np.arange(len(power)) / len(steps)
    power = power / np.maximum(2.0 - 2.0 * np.cos(2 * np.pi * frequency), 1e-12) ** 0.5
    power[: max(2, int(LEAST_SEASONS) + 1)] = 0.0
    periods: list[int] = []
    for place in np.argsort(power)[::-1][: 4 * PEAKS]:
        period = round(len(steps) / max(place, 1))
        if 2 < period <= len(series) / LEAST_SEASONS and all(
            abs(period - each) > 0.1 * each for each in periods
        ):
            periods.append(period)
    return sorted(periods[:PEAKS])


def some_series(values: Floats, indptr: Ints | None) -> Iterator[Floats]:
    """Yield some of the series, shape `(n,)` each: their last rows, gaps interpolated."""
    bounds = cumulate(np.array([len(values)])) if indptr is None else indptr
    count = len(bounds) - 1
    for which in np.unique(np.linspace(0, count - 1, min(count, SERIES)).astype(int)):
        series = np.asarray(values[bounds[which] : bounds[which + 1]][-ROWS:], np.float64)
        known = np.isfinite(series)
        if known.sum() > 3:
            yield np.interp(np.arange(len(series)), np.flatnonzero(known), series[known])


def _parts(season: int) -> int:
    """Return into how many parts a season is cut, as equal as possible."""
    return next(
        (each for each in range(min(season, PARTS), 6, -1) if season % each == 0), 0
    ) or min(season, PARTS - 2)


def _autocorrelations(steps: Floats, lags: int) -> Floats:
    """Return the autocorrelations at lags 1 to `lags`, shape `(lags,)`."""
    apart = steps - steps.mean()
    own = float(apart @ apart) or 1.0
    return np.array([apart[lag:] @ apart[:-lag] / own for lag in range(1, lags + 1)])


def phase_means(series: Floats, season: int) -> Floats:
    """Return the mean of each phase less the mean of all, at each row, shape `(n,)`."""
    phase = np.arange(len(series)) % season
    means = np.bincount(phase, series) / np.bincount(phase)
    around: Floats = means[phase] - means.mean()
    return around
