"""What a contender says at its cutoffs: forecasts, and intervals where it has some."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.windows import Floats, Ints


@dataclass(frozen=True)
class Said:
    """Forecasts in original units.

    Args:
        point: Shape `(samples, horizon, targets)`.
        ends: Shape `(2, samples, horizon, targets, levels)`: the lower and upper ends of intervals;
            None where there are none.
    """

    point: Floats
    ends: Floats | None = None


def join(parts: Sequence[tuple[Ints, Said]], count: int) -> Said:
    """The forecasts of all folds, each at its place.

    Args:
        parts: Which samples each fold is of, and what was said of them; together all of them.
        count: How many samples there are.
    """
    points = np.empty((count, *parts[0][1].point.shape[1:]))
    for places, said in parts:
        points[places] = said.point
    if any(said.ends is None for _, said in parts):
        return Said(points)
    known = [(places, said.ends) for places, said in parts if said.ends is not None]
    ends = np.empty((2, count, *known[0][1].shape[2:]))
    for places, each in known:
        ends[:, places] = each
    return Said(points, ends)
