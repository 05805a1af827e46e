"""A forecast as the sum of a level, a trend and seasons."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .windows import Floats


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
