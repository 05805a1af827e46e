"""Days that resemble another day of the week, as holidays often do a Sunday."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.ragged import Flags, known_means
from ..core.windows import Floats, Ints
from .effects import Cycle, Instead, SeriesSteps

# The cycle whose phase is the day, and how many days it has.
WEEK, DAYS = "dayofweek", 7
# Special rows are at most this share of all, and a covariate that marks them has at most so many
# values. The error of the profile of another day is at most this share of that of their own day.
RARE, FEW, BETTER = 0.2, 12, 0.9
# Covariates that are returned at most.
MOST = 3


@dataclass(frozen=True, eq=False)
class _Week:
    """What is usual at each time of a week.

    Args:
        left: Shape `(n_rows,)`: the target less the level of the week around; NaN where missing.
        day: Shape `(n_rows,)`: the day of the week, from 0.
        clock: Shape `(n_rows,)`: the time of the day, from 0.
    """

    left: Floats
    day: Ints
    clock: Ints

    def profiles(self, usual: Ints) -> Floats:
        """Return the mean of some rows by day and time, `(days, times)`; NaN without any."""
        shape = (self.day.max() + 1, self.clock.max() + 1)
        rows = usual[np.isfinite(self.left[usual])]
        slot = self.day[rows] * shape[1] + self.clock[rows]
        size = shape[0] * shape[1]
        counts = np.bincount(slot, minlength=size)
        totals = np.bincount(slot, self.left[rows], minlength=size)
        means: Floats = np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
        return means.reshape(shape)


def find_special_days(
    target: Floats,
    known: Floats,
    indptr: Ints,
    cycles: Sequence[Cycle],
    covariates: Iterable[tuple[int, str]],
) -> list[Cycle]:
    """Return the cycle of the week with another day in its place, for some covariates.

    Args:
        target: Shape `(n_rows,)`: training rows of series end to end; NaN where missing.
        known: Shape `(n_rows, n_ahead)`: what is known ahead; NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        cycles: Of the calendar, the fastest one first.
        covariates: Positions and names of those that may mark special days.
    """
    own = next((each for each in cycles if each.name == WEEK), None)
    if own is None:
        return []
    day = _phases(known, own)
    clock = np.zeros_like(day) if cycles[0] is own else _phases(known, cycles[0])
    left = _without_level(target, indptr, DAYS * (int(clock.max()) + 1))
    week, found = _Week(left, day, clock), []
    for place, name in covariates:
        if (bounds := _usual_value(known[:, place])) is None:
            continue
        special = np.abs(known[:, place] - bounds[0]) > bounds[1]
        if (like := _nearest_day(week, special)) is None:
            continue
        ratio, row = like
        instead = Instead(
            place=place, usual=bounds[0], within=bounds[1],
            cos=float(known[row, own.cos]), sin=float(known[row, own.sin]),
        )  # fmt: skip
        changed = own.changed(name=f"{own.name} x {name}", instead=instead)
        found.append((ratio, changed))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])[:MOST]]


def _phases(known: Floats, cycle: Cycle) -> Ints:
    """Return the number of the phase of each row, from 0, shape `(n_rows,)`."""
    angle = np.arctan2(known[:, cycle.sin], known[:, cycle.cos]) % (2 * np.pi)
    turns = np.round(angle / (2 * np.pi), 6) % 1.0
    return np.unique(turns, return_inverse=True)[1]


def _without_level(target: Floats, indptr: Ints, count: int) -> Floats:
    """Return values less the mean of so many steps around each, shape `(n_rows,)`."""
    steps, present = SeriesSteps(indptr), np.isfinite(target)
    total = steps.mean(np.where(present, target, 0.0), count)
    share = steps.mean(present.astype(np.float64), count)
    level = np.where(share > 0, total / np.maximum(share, 1e-12), np.nan)
    left: Floats = target - steps.shift(level, -(count // 2))
    return left


def _usual_value(values: Floats) -> tuple[float, float] | None:
    """Return the most frequent of a few values and half the distance to the next; else None.

    `values` has shape `(n_rows,)`; None too where others are frequent.
    """
    present = values[np.isfinite(values)]
    distinct, counts = np.unique(present[: 10 * FEW], return_counts=True)
    if len(distinct) > FEW:
        return None
    distinct, counts = np.unique(present, return_counts=True)
    if not 1 < len(distinct) <= FEW or counts.max() < (1.0 - RARE) * len(present):
        return None
    usual = distinct[counts.argmax()]
    away = np.abs(distinct - usual)
    return float(usual), float(away[away > 0].min() / 2)


def _nearest_day(week: _Week, special: Flags) -> tuple[float, int] | None:
    """Return how far special rows are from the profile of the nearest day, and a row of that day.

    As a share of their distance from their own day; None where that is hardly less. `special` has
    shape `(n_rows,)`.
    """
    rows = np.flatnonzero(special & np.isfinite(week.left))
    if not len(rows):
        return None
    profiles = week.profiles(np.flatnonzero(~special))
    own = known_means(np.abs(week.left[rows] - profiles[week.day[rows], week.clock[rows]]), -1)
    errors = known_means(np.abs(week.left[rows] - profiles[:, week.clock[rows]]), -1)
    best = int(np.where(np.isnan(errors), np.inf, errors).argmin())
    if not errors[best] < BETTER * own:
        return None
    return float(errors[best] / own), int(np.flatnonzero(week.day == best)[0])
