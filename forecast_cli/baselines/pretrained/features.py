"""What a network sees of a series: what members forecast, and how wrong they have been."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.windows import Floats, Ints
from .members import COUNT as ON_ONE_SCALE
from .members import Forecasts, forecast_by_members, members_of

# Names of members: on the values, then on their logarithms.
NAMES = 2 * ON_ONE_SCALE
# How many past origins are looked at, and parts of the past in which one-step errors are averaged.
ORIGINS = 12
# Steps of a series in which one-step errors and those of past horizons count the same.
HALF = 150.0
# Features of a past origin: for each member of short, middle and long leads the mean absolute and
# the mean signed error, then its one-step error; for the series its level, spread and steps.
OF_MEMBER, OF_SERIES = 7, 8


@dataclass(frozen=True, eq=False)
class Features:
    """A batch of series as a network sees it; values are less their level, in units of `scale`.

    Args:
        members: Shape `(series, ORIGINS, members, OF_MEMBER)`.
        series: Shape `(series, ORIGINS, OF_SERIES)`.
        sizes: Logarithms of the mean squared errors, of one step and of past horizons; those of
            horizons count the more the longer the series is; shape `(series, members)`.
        names: Numbers of the members, shape `(members,)`.
        past: The errors from past origins, shape `(series, ORIGINS, members, horizon)`.
        known: Which of them are known, shape `(ORIGINS, horizon)`.
        ahead: The forecasts, shape `(series, members, horizon)`.
        level: Shape `(series,)`.
        scale: Shape `(series,)`.
    """

    members: Floats
    series: Floats
    sizes: Floats
    names: Ints
    past: Floats
    known: Floats
    ahead: Floats
    level: Floats
    scale: Floats


def look(values: Floats, horizon: int, seasons: Sequence[float]) -> Features:
    """Describe a batch of series.

    Args:
        values: Shape `(series, steps)`, without gaps; at least a season and two steps.
        horizon: Steps ahead.
        seasons: Steps in each season, the shortest first, at most two; empty for none. Those of a
            year of weeks need not be whole.
    """
    season = int(seasons[0]) if seasons else 1
    names = members_of(seasons)
    level, scale = values[:, -season:].mean(axis=1), unit_of(values, season)
    scaled = (values - level[:, None]) / scale[:, None]
    origins = past_origins(values.shape[1], horizon, season)
    every = [*origins, values.shape[1]]
    found = _both_scales(values, scaled, level, scale, every, horizon, seasons)
    rows = np.asarray(origins)[:, None] + np.arange(horizon)
    known = rows < values.shape[1]
    actual = scaled[:, np.minimum(rows, values.shape[1] - 1)]
    past = (actual[:, :, None] - found.ahead[:, :-1]) * known[None, :, None]
    missing = ORIGINS - len(origins)
    return Features(
        _behind(_of_members(past, known, found.errors, origins), missing),
        _behind(_of_series(scaled, origins, horizon, season), missing),
        _sizes(found.errors[:, season:], past, known),
        np.array([*names, *(ON_ONE_SCALE + each for each in names)]),
        _behind(past, missing),
        np.concatenate([np.zeros((missing, horizon)), known]),
        found.ahead[:, -1],
        level,
        scale,
    )


def _sizes(errors: Floats, past: Floats, known: Floats) -> Floats:
    """`Features.sizes`, of one-step errors `(series, steps, members)` and of past horizons."""
    one_step = np.log((errors**2).mean(axis=1) + 1e-6)
    whole = 2.0 * np.log(np.abs(past).sum(axis=(1, 3)) / known.sum() + 1e-3)
    share = errors.shape[1] / (errors.shape[1] + HALF)
    sizes: Floats = (1.0 - share) * one_step + share * whole
    return sizes


def unit_of(values: Floats, season: int) -> Floats:
    """The mean absolute error of the seasonal naive forecast, shape `(series,)`, above zero."""
    steps = np.abs(np.diff(values)).mean(axis=1)
    if values.shape[1] > season + 1:
        seasonal = np.abs(values[:, season:] - values[:, :-season]).mean(axis=1)
        steps = np.where(seasonal > 0, seasonal, steps)
    size = np.abs(values).mean(axis=1)
    unit: Floats = np.where(steps > 1e-9 * size, steps, 1e-3 * size + 1e-9)
    return unit


def past_origins(steps: int, horizon: int, season: int) -> list[int]:
    """The rows of the first steps of past forecasts, ascending: from a third of the series on."""
    last = max(3, steps - max(1, horizon // 4))
    first = min(max(steps // 3, min(2 * season + 1, steps - 3), 3), last)
    return sorted({round(each) for each in np.linspace(first, last, ORIGINS)})


def _both_scales(
    values: Floats,
    scaled: Floats,
    level: Floats,
    scale: Floats,
    origins: list[int],
    horizon: int,
    seasons: Sequence[float],
) -> Forecasts:
    """The forecasts on the values, then on logarithms where all values are positive."""
    plain = forecast_by_members(scaled, origins, horizon, seasons=seasons)
    positive = values.min(axis=1) > 0
    logs = np.log(np.where(positive[:, None], values, 1.0))
    grown = forecast_by_members(logs, origins, horizon, seasons=seasons)
    low, high = logs.min(axis=1), logs.max(axis=1)
    room = 2.0 * (high - low) + 0.2
    at = np.clip(grown.ahead, *(_wide(each) for each in (low - room, high + room)))
    ahead = (np.exp(at) - _wide(level)) / _wide(scale)
    # Errors of logarithms, in the unit of the values at their geometric mean.
    errors = grown.errors * (np.exp(logs.mean(axis=1)) / scale)[:, None, None]
    bound = _wide(3.0 * np.abs(scaled).max(axis=1) + 10.0)
    ahead = np.where(_wide(positive), ahead, plain.ahead)
    errors = np.where(positive[:, None, None], errors, plain.errors)
    return Forecasts(
        np.clip(np.concatenate([plain.ahead, ahead], axis=2), -bound, bound),
        np.concatenate([plain.errors, errors], axis=2),
    )


def _wide(numbers: NDArray[Any]) -> NDArray[Any]:
    return numbers[:, None, None, None]


def _of_members(past: Floats, known: Floats, errors: Floats, origins: list[int]) -> Floats:
    """Shape `(series, origins, members, OF_MEMBER)`."""
    horizon, parts = past.shape[-1], []
    edges = [0, max(1, horizon // 4), max(2, horizon // 2), max(3, horizon)]
    for first, end in pairwise(edges):
        count = np.maximum(known[:, first:end].sum(axis=1), 1)[None, :, None]
        some = past[..., first:end]
        parts += [np.abs(some).sum(axis=-1) / count, some.sum(axis=-1) / count]
    begin = [0, *origins[:-1]]
    one = [np.abs(errors[:, a:b]).mean(axis=1) for a, b in zip(begin, origins, strict=True)]
    return np.stack([*parts, np.stack(one, axis=1)], axis=-1)


def _of_series(scaled: Floats, origins: list[int], horizon: int, season: int) -> Floats:
    """Shape `(series, origins, OF_SERIES)`."""
    wide, found = max(season, 4), []
    for origin in origins:
        last, before = scaled[:, max(0, origin - wide) : origin], scaled[:, : max(1, origin - wide)]
        steps = np.diff(scaled[:, max(0, origin - 2 * wide) : origin])
        alike = (steps[:, 1:] * steps[:, :-1]).mean(axis=1) / ((steps**2).mean(axis=1) + 1e-9)
        own = [last.mean(axis=1), last.std(axis=1), before[:, -wide:].mean(axis=1)]
        own += [np.abs(steps).mean(axis=1), alike]
        common = np.log([season, scaled.shape[1], horizon])
        own += [np.full(len(scaled), each) for each in common]
        found.append(np.stack(own, axis=-1))
    return np.stack(found, axis=1)


def _behind(values: Floats, missing: int) -> Floats:
    """Put so many zeros in front of the origins, axis 1."""
    zeros = np.zeros((len(values), missing, *values.shape[2:]))
    return np.concatenate([zeros, values], axis=1)
