"""Seasons of series, found in training rows, and forecasts as sums of level, trend and seasons.

A season is looked for in differences between the means of equal parts of it: means remove the noise
of long seasons, differences remove the level and most of the trend.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .distributions import upper_f
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
    shares = autocorrelations(steps, parts)
    limit = NORMAL_99 * math.sqrt((1.0 + 2.0 * float(shares[:-1] @ shares[:-1])) / len(steps))
    # What is high at all lags is no season.
    apart = shares[-1] > np.median(shares) and (parts < 4 or shares[-1] > shares[parts // 2 - 1])
    if not apart or shares[-1] < LEAST_SHARE:
        return False
    return bool(shares[-1] > limit or _phase_p_value(steps, parts) < UNLIKELY)


def _phase_p_value(steps: Floats, parts: int) -> float:
    """Return the p-value of an analysis of variance of the phases; `steps` has shape `(n,)`."""
    around = phase_means(steps, parts)
    between, own = float(around @ around), steps - steps.mean() - around
    within, left = float(own @ own), len(steps) - parts
    if left < 1 or within <= 0:
        return 0.0 if between > 0 else 1.0
    return upper_f(between / (parts - 1) / (within / left), parts - 1, left)


def peaks(series: Floats) -> list[int]:
    """Return the periods of the peaks in the periodogram of the differences, ascending.

    The series has the shape `(n,)`, without gaps.
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


def autocorrelations(steps: Floats, lags: int) -> Floats:
    """Return the autocorrelations at lags 1 to `lags`, shape `(lags,)`.

    >>> autocorrelations(np.array([1.0, -1, 1, -1, 1, -1]), 2).round(2).tolist()
    [-0.83, 0.67]
    """
    apart = steps - steps.mean()
    own = float(apart @ apart) or 1.0
    return np.array([apart[lag:] @ apart[:-lag] / own for lag in range(1, lags + 1)])


def phase_means(series: Floats, season: int) -> Floats:
    """Return the mean of each phase less the mean of all, at each row, shape `(n,)`."""
    phase = np.arange(len(series)) % season
    means = np.bincount(phase, series) / np.bincount(phase)
    around: Floats = means[phase] - means.mean()
    return around


class Decomposition(NamedTuple):
    """The additive parts of a forecast, original units.

    Args:
        level: The mean of the last season before it.
        trend: Shape `(steps,)`: how far its smoothed course is from the level.
        seasons: By steps in a season, shape `(steps,)` each.
    """

    level: float
    trend: Floats
    seasons: dict[int, Floats]


def decompose(before: Floats, forecast: Floats, seasons: Sequence[int]) -> Decomposition:
    """Split a forecast into parts whose sum it is.

    Args:
        before: Shape `(rows,)`: the actual values before it, without gaps.
        forecast: Shape `(steps,)`.
        seasons: Steps in each season; those with more steps than there are rows are left out.

    Source: the classical additive decomposition by moving averages over whole seasons (Hyndman and
    Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 3.4), here along the
    forecast, of the longest season first. A forecast of less than a season is continued by the
    last one before it. What moves from one season to the next is measured by the median of
    differences a season apart, and removed while averaging, so that ends are not flattened.

    >>> whole = decompose(np.array([1.0, 3, 2, 4]), np.array([3.0, 5]), [2])
    >>> whole.level, whole.trend.tolist(), whole.seasons[2].tolist()
    (3.0, [0.75, 1.25], [-0.75, 0.75])
    """
    known = sorted((each for each in set(seasons) if 1 < each <= len(before)), reverse=True)
    longest, steps = (known or [1])[0], len(forecast)
    level = float(before[-longest:].mean())
    if not known:
        return Decomposition(level, forecast - level, {})
    last, shared = before[-longest:], min(steps, longest)
    shift = float(np.mean(forecast[:shared] - last[:shared]))
    whole = np.concatenate([forecast, last[shared:] + shift])
    course = np.concatenate([before, forecast])
    slope = float(np.median(course[longest:] - course[:-longest])) / longest
    line = slope * np.arange(len(whole))
    smooth = season_means(whole - line, longest) + line
    rest, parts = whole - smooth, {}
    for season, shorter in zip(known, [*known[1:], None], strict=True):
        part = rest if shorter is None else season_means(rest, shorter)
        parts[season], rest = part[:steps], rest - part
    return Decomposition(level, smooth[:steps] - level, dict(sorted(parts.items())))


def season_means(values: Floats, season: int) -> Floats:
    """Return means over a whole season around each value, shape `(n,)`; at the ends shifted."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    begins = np.clip(np.arange(len(values)) - season // 2, 0, len(values) - season)
    means: Floats = (sums[begins + season] - sums[begins]) / season
    return means
