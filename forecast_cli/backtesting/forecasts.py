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
        ends: Shape `(2, samples, horizon, targets, levels)`: the lower and upper ends of intervals,
            NaN where a forecast has none; None where there are none at all.
        replaced: How many forecasts are the last value, for want of rows.
        notes: What else to say of them, in sentences.
    """

    point: Floats
    ends: Floats | None = None
    replaced: int = 0
    notes: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What somebody who reads the scores should know of the forecasts, in sentences."""
        total, said = f"of {len(self.point):,} forecasts", []
        if self.replaced:
            which = f"{self.replaced:,} {total}"
            said.append(f"the last value stands in for {which}: the rows before are too few")
        if self._unbounded:
            which = f"{self._unbounded:,} {total}"
            said.append(f"{which} without an interval: coverage and width are of the others")
        return (*said, *self.notes)

    @property
    def _unbounded(self) -> int:
        """How many forecasts lack an end, where others have some."""
        if self.ends is None:
            return 0
        return int(np.isnan(self.ends).any(axis=(0, 2, 3, 4)).sum())


def join(parts: Sequence[tuple[Ints, Said]], count: int) -> Said:
    """The forecasts of all folds, each at its place.

    Args:
        parts: Which samples each fold is of, and what was said of them; together all of them.
        count: How many samples there are.
    """
    points = np.empty((count, *parts[0][1].point.shape[1:]))
    for places, said in parts:
        points[places] = said.point
    replaced = sum(said.replaced for _, said in parts)
    # Folds say much the same, with other numbers; they come in any order.
    noted = [(int(places[0]), said.notes) for places, said in parts if said.notes]
    notes = min(noted)[1] if noted else ()
    if any(said.ends is None for _, said in parts):
        return Said(points, None, replaced, notes)
    known = [(places, said.ends) for places, said in parts if said.ends is not None]
    ends = np.empty((2, count, *known[0][1].shape[2:]))
    for places, each in known:
        ends[:, places] = each
    return Said(points, ends, replaced, notes)
