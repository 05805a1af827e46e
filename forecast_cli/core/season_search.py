"""The search for seasons that series show by themselves, without regard to a frequency."""

import math

import numpy as np

from .seasonality import LEAST_SEASONS, SHARE, find_seasons, phase_means, some_series
from .windows import Floats, Ints

# Values a season apart differ less than values at lags around it by at least this share, or by so
# many standard errors where the rows are few.
LEAST_DEPTH, DEPTH_ERRORS = 0.2, 4.0
# The shortest lag with this share of the greatest depth is the first season; another one is
# stronger from this ratio of squared differences on. The lags of one dip are within this ratio.
FIRST_DEPTH, STRONGER, DIP = 0.6, 0.9, 1.3
# How far from a lag a season is looked for, as a share, and by how many harmonics.
REACH, HARMONICS = 0.12, 6
# Seasons explain as much where log-likelihoods differ by no more, or where they are nearer than
# this part of the width of a peak of a periodogram.
NOISE, BROAD = 4.0, 10.0
# Odd harmonics of twice a season that explain so much more than noise, and this share of what even
# ones do, make that the season.
HALF_RATIO, HALF_SHARE = 6.0, 0.1
# Steps in usual seasons, of which one is taken where noise does not tell it from others.
USUAL = (4, 7, 12, 24, 48, 52, 96, 144, 168, 288, 336, 365, 672, 1440)


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
    return _own_seasons(values, indptr, *_lag_differences(values, indptr))


def _own_seasons(
    values: Floats, indptr: Ints | None, squared: Floats, depth: Floats, rows: int
) -> tuple[int, ...]:
    """Return the seasons of `own_seasons`; the other arguments as of `_lag_differences`."""
    # Lags at which values clearly differ less than around them.
    inner = np.arange(2, len(depth) - 1)
    lowest = (squared[inner] < squared[inner - 1]) & (squared[inner] <= squared[inner + 1])
    enough = max(LEAST_DEPTH, DEPTH_ERRORS / math.sqrt(max(rows, 1)))
    lags: Ints = inner[lowest & (depth[inner] > enough)]
    if not len(lags):
        return ()
    # What repeats few times shows less surely.
    sure = depth[lags] * (1.0 - lags / (LEAST_SEASONS * len(depth)))
    first = lags[sure >= FIRST_DEPTH * sure.max()][0]
    strongest = lags[STRONGER * squared[lags] <= squared[lags].min()][0]
    # Noise makes many lowest lags in the dip of a long season: the deepest counts.
    dips = [lags[(lags >= each) & (lags <= DIP * each)] for each in (first, strongest)]
    lag, longer = (int(each[np.argmax(depth[each])]) for each in dips)
    day = week = refine_season(values, indptr, lag)
    if longer > DIP * day:
        week = refine_season(values, indptr, longer, day)
        # A day with two peaks repeats by halves, but not as well as by days.
        day = week if week == 2 * day else day
    return find_seasons(values, indptr, usual=(day, week))


def refine_season(values: Floats, indptr: Ints | None, lag: int, day: int | None = None) -> int:
    """Return the steps in a season near a lag, by which its harmonics explain most.

    They are measured over all repetitions at once, so that a long season is not a few steps off.
    Among seasons that explain as much within noise, a whole number of shorter ones is taken, or
    a usual one.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        lag: About the season.
        day: A shorter season, whose effect is removed first; None to look for the season of which
            `lag` is a half too.
    """
    shares, rows = _mean_correlations(values, indptr, day)
    season = _best_near(shares, rows, lag, day)
    if day is None and _is_half(shares, rows, season):
        return _best_near(shares, rows, 2 * season, None)
    return season


def _best_near(shares: Floats, rows: int, lag: int, day: int | None) -> int:
    """Return the season near a lag; arguments as of `refine_season` and `_explained`."""
    if len(shares) <= 2 * lag:
        return lag
    reach = max(1, math.ceil(REACH * lag))
    # Not denser than a peak of the periodogram is broad.
    dense = range(max(2, lag - reach), lag + reach + 1, max(1, lag**2 // len(shares) // 8))
    near = np.array(sorted({*dense, lag, *(each for each in USUAL if abs(each - lag) <= reach)}))
    left = 1.0 - np.array([_explained(shares, each, lag)[0] for each in near.tolist()])
    loss = rows / 2 * np.log(np.maximum(left, 1e-6) / max(float(left.min()), 1e-6))
    best = int(near[np.argmin(loss)])
    alike = (loss <= NOISE) | (np.abs(near - best) * BROAD * len(shares) <= best**2)
    found: dict[int, float] = dict(zip(near[alike].tolist(), loss[alike].tolist(), strict=True))
    whole = [each for each in found if day and each % day == 0]
    return min(whole or [each for each in found if each in USUAL] or [best], key=found.__getitem__)


def _explained(shares: Floats, season: int, about: int) -> tuple[float, Floats]:
    """Return the share of the variance that the harmonics of a season explain, and each its own.

    `shares`, `(lags,)`, are those of `_mean_correlations`. As many harmonics are taken as a season
    of `about` steps has, at most `HARMONICS`.
    """
    harmonics = np.arange(1, max(1, min(HARMONICS, about // 2)) + 1)
    waves = np.cos(2 * np.pi * harmonics[:, None] / season * np.arange(1, len(shares)))
    each = 2.0 * (1.0 + 2.0 * waves @ shares[1:]) / len(shares)
    return float(each.sum()), each


def _is_half(shares: Floats, rows: int, season: int) -> bool:
    """Whether twice the season explains clearly more than the season: its odd harmonics do."""
    if len(shares) < LEAST_SEASONS * 2 * season:
        return False
    total, each = _explained(shares, 2 * season, 2 * season)
    if len(each) < 3:
        return False
    # The first one may be that of a trend.
    odd = float(each[2::2].sum())
    ratio = odd / len(each[2::2]) / 2 * max(rows - 12, 1) / max(1.0 - total, 1e-6)
    return ratio > HALF_RATIO and odd > HALF_SHARE * float(each[1::2].sum())


def _mean_correlations(values: Floats, indptr: Ints | None, day: int | None) -> tuple[Floats, int]:
    """Return the autocorrelations at all lags, as a mean over the series, and their rows in all.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        day: A season whose means are removed first, besides a trend; None for none.

    Returns:
        Shape `(rows of the longest series,)`, 1 at lag 0; sums of products, not means.
    """
    found, rows = [], 0
    for series in some_series(values, indptr):
        places = np.linspace(-1.0, 1.0, len(series))
        own = series - np.polyval(np.polyfit(places, series, 2), places)
        products = _products(own - phase_means(own, day) if day else own)
        if products[0] > 0:
            found.append(products / products[0])
            rows += len(series)
    mean = np.zeros(max([len(each) for each in found], default=1))
    for products in found:
        mean[: len(products)] += products / len(found)
    return mean, rows


def _products(values: Floats) -> Floats:
    """Return the sums of products of values at each lag, shape `(n,)` as of `values`."""
    size = 1 << (2 * len(values) - 1).bit_length()
    return np.fft.irfft(np.abs(np.fft.rfft(values, size)) ** 2, size)[: len(values)]


def stronger_season(values: Floats, indptr: Ints | None, season: int) -> int | None:
    """Return a season with much smaller differences than another one; None where there is none.

    Args:
        values: Shape `(n_rows,)`, all series end to end; NaN where missing.
        indptr: Shape `(n_series + 1,)`; None for one series.
        season: Steps in the other season; 1 for none.
    """
    squared, depth, rows = _lag_differences(values, indptr)
    found = _own_seasons(values, indptr, squared, depth, rows)
    if not found or found[-1] == season:
        return None
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
    products = _products(values)
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
