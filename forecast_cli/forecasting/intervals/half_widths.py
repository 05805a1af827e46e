"""Intervals made wider or narrower by what forecasts from earlier origins showed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...core.forecast import Forecast
from ...core.ragged import Flags
from ...core.windows import Floats

# So many origins count as much as what is known without them: that no factor is needed.
PRIOR_ORIGINS = 10.0
# The least and the largest factor.
LEAST, MOST = 0.5, 3.0


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
