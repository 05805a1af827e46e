"""Forecast intervals from the errors of true multi-step forecasts: split conformal prediction.

All of it is in scaled units, in which a transform of the values has its effect already: errors of a
network that forecasts logarithms are shares.

Source: Lei et al. (2018), Distribution-Free Predictive Inference for Regression.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...core.forecast import Forecast
from ...core.ragged import Flags, known_means
from ...core.windows import Floats, Ints

# From so many errors on a step of the horizon stands for itself; below, all steps help each other.
ENOUGH = 100
# A step whose errors are all 0 has a size all the same.
LEAST_SIZE = 1e-12
# So many origins count as much as what is known without them: that no factor is needed.
PRIOR_ORIGINS = 10.0
# The least and the largest factor.
LEAST, MOST = 0.5, 3.0


def needed(level: float) -> int:
    """How many errors an interval of a level, in percent, needs at least.

    >>> needed(80), needed(95)
    (4, 19)
    """
    share = level / 100.0
    return math.ceil(share / (1.0 - share) - 1e-9)


def radius(scores: Floats, level: float, sizes: Floats) -> Floats:
    """How far from the forecast an interval reaches, for each step.

    The order statistic with the correction for finite samples, so that the interval holds at least
    its level where what comes is exchangeable with the scores. Where there are fewer than 100, the
    scores of all steps are put together, each in units of its step's size; the correction still
    counts the forecasts, since those of one origin are alike. Where there are too few for the
    level, it is the largest score.

    Args:
        scores: Shape `(samples, horizon, targets)`: how far an actual value was outside of where
            the forecast was; NaN where there is none.
        level: In percent.
        sizes: Shape `(horizon, targets)`: as `step_sizes` gives them.

    Returns:
        Shape `(horizon, targets)`.
    """
    share = level / 100.0
    counts = np.sum(np.isfinite(scores), axis=0)
    own = _ordered(scores, share, counts)
    if (counts >= ENOUGH).all():
        return own
    samples, horizon, targets = scores.shape
    together = (scores / sizes).reshape(samples * horizon, 1, targets)
    pooled = _ordered(together, share, counts.max(axis=0, keepdims=True)) * sizes
    return np.where(counts >= ENOUGH, own, pooled)


def _ordered(scores: Floats, share: float, counts: Ints) -> Floats:
    """The score below which a share of those to come lies, along the first axis.

    Scores have shape `(samples, steps, targets)`, NaN where there is none; `counts`, shape
    `(steps, targets)`, are how many forecasts they are of.
    """
    held = np.sum(np.isfinite(scores), axis=0)
    corrected = np.ceil((counts + 1) * share - 1e-9) / np.maximum(counts, 1)
    place = np.ceil(np.minimum(corrected, 1.0) * held - 1e-9).astype(np.int64)
    ordered = np.sort(scores, axis=0)
    places = np.clip(place - 1, 0, len(scores) - 1)[None]
    scores_there: Floats = np.take_along_axis(ordered, places, axis=0)[0]
    return scores_there


def step_sizes(errors: Floats) -> Floats:
    """How large errors are at each step, a power of the step that fits the mean absolute ones.

    Args:
        errors: Shape `(samples, horizon, targets)`, NaN where there is none.

    Returns:
        Shape `(horizon, targets)`, above 0, never falling.
    """
    means = np.maximum(np.nan_to_num(known_means(np.abs(errors), axis=0)), LEAST_SIZE)
    steps = np.log(np.arange(1, errors.shape[1] + 1))[:, None]
    middle, logs = steps.mean(), np.log(means)
    spread = np.sum((steps - middle) ** 2)
    slope = np.sum((steps - middle) * logs, axis=0) / spread if spread > 0 else 0.0 * logs[0]
    fitted: Floats = np.exp(logs.mean(axis=0) + np.clip(slope, 0.0, 1.0) * (steps - middle))
    return fitted


def grown(values: Floats, steps: int) -> Floats:
    """Widths, or anything else that stands for each step, for any number of steps.

    Beyond the horizon they go on from the last one with the root of the step, as the errors of a
    sum of independent changes do.

    Args:
        values: Shape `(horizon, ...)`.
        steps: How many are wanted.

    >>> grown(np.array([1.0, 2.0]), 8)[-1]
    np.float64(4.0)
    """
    horizon = len(values)
    if steps <= horizon:
        return values[:steps]
    more = np.sqrt(np.arange(horizon + 1, steps + 1) / horizon)
    return np.concatenate([values, values[-1] * more.reshape(-1, *[1] * (values.ndim - 1))])


def sample_paths(
    errors: Floats,
    count: int,
    *,
    samples: int,
    steps: int,
    draw: np.random.Generator,
    mirrored: bool = True,
) -> Floats:
    """Paths that errors may take: whole ones that were seen, so that steps go together as they did.

    Each is one of the errors, or its mirror image where these count. Beyond the horizon the next
    one begins where the last one ended, so that they grow as `grown` says.

    Args:
        errors: Shape `(origins, horizon, targets)`; paths with a missing value are left out.
        count: How many forecasts.
        samples: Paths for each.
        steps: Of each path.
        draw: Where chance comes from.
        mirrored: Whether mirror images count: not where errors are much larger above than below.

    Returns:
        Shape `(count, samples, steps, targets)`.
    """
    whole = errors[np.isfinite(errors).all(axis=(1, 2))]
    parts: list[Floats] = []
    before: Floats = np.zeros((count, samples, 1, errors.shape[2]))
    for _ in range(-(-steps // errors.shape[1])):
        chosen = draw.integers(0, len(whole), (count, samples))
        sides = draw.choice([-1.0 if mirrored else 1.0, 1.0], (count, samples, 1, 1))
        parts.append(before + whole[chosen] * sides)
        before = parts[-1][:, :, -1:]
    return np.concatenate(parts, axis=2)[:, :, :steps]


def learn_factors(
    made: Forecast, actual: Floats, level: Sequence[float], *, origins: int
) -> Floats:
    """Return by what the half-widths of intervals are to be multiplied.

    Of each actual value it is known by what its interval would have to be multiplied to end there.
    The factor of a level is the quantile of these numbers at that level, of all steps together; its
    logarithm counts as `origins / (origins + PRIOR_ORIGINS)`, so that little evidence changes
    little.

    Args:
        made: Forecasts with intervals.
        actual: Shape `(samples, steps, targets)`, NaN where missing.
        level: In percent, ascending.
        origins: From how many rows or times the forecasts were made.

    Returns:
        Shape `(targets, levels)`, ascending with the level relative to 1 where widths allow it.
    """
    factors = np.ones((actual.shape[2], len(level)))
    if made.ends is None:
        return factors
    away = (actual - made.point)[..., None]
    sides = made.ends - made.point[..., None]
    wide = np.where(away > 0, sides[1], -sides[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.abs(away) / wide
    share = origins / (origins + PRIOR_ORIGINS)
    for target, place in np.ndindex(factors.shape):
        known = needed[:, :, target, place]
        known = known[np.isfinite(known)]
        if len(known):
            found = np.clip(np.quantile(known, level[place] / 100.0), 1e-9, None)
            factors[target, place] = np.clip(found**share, LEAST, MOST)
    return factors


def stretch(made: Forecast, factors: Floats, bounded: Flags) -> Forecast:
    """Return forecasts whose intervals are stretched around their points, the wider levels outside.

    Args:
        made: Forecasts with intervals.
        factors: Shape `(targets, levels)`, as `learn_factors` returns them.
        bounded: Shape `(samples, targets)`: whether no end is below 0.
    """
    if made.ends is None:
        return made
    point = made.point[..., None]
    below, above = (
        np.maximum.accumulate(np.abs(end - point) * factors, axis=-1) for end in made.ends
    )
    ends = np.stack([point - below, point + above])
    floor = np.where(bounded, 0.0, -np.inf)[:, None, :, None]
    return replace(made, ends=np.maximum(ends, floor))
