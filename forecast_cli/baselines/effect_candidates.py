"""The terms that effects may be made of: what each covariate and the calendar could do."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..core.windows import Floats
from .effects import Block, Cycle, Levels, Product, Signal

# Knots of a number with many values, and values of one that has a knot at each.
KNOTS, FEW = 7, 12
# A number is read as at most so much of its range beyond it.
BEYOND = 0.25
# Harmonics of a cycle that the weights of a covariate change with, unless it has two values.
PHASES = 3
# Covariates whose cycles and products, and whose lags are tried, at most.
MOST_SEEN, MOST_LATER = 12, 40


@dataclass(frozen=True)
class Candidate:
    """A term without weights."""

    block: Block
    by: Cycle | None = None

    @property
    def block_width(self) -> int:
        """Columns of the block."""
        block = self.block
        if isinstance(block, Cycle):
            return 2 * block.harmonics
        if isinstance(block, Levels):
            return block.count
        return 1 if isinstance(block, Product) else 1 + len(block.knots)

    @property
    def width(self) -> int:
        """Columns in all."""
        return self.block_width * (1 if self.by is None else 2 * self.by.harmonics)


def first_candidates(
    known: Floats,
    names: Sequence[str],
    categories: dict[int, int],
    cycles: Sequence[Cycle],
    special: Sequence[Cycle] = (),
) -> list[Candidate]:
    """Return each covariate and cycle by itself, and the fastest cycle by the others.

    Args:
        known: Shape `(n_rows, n_ahead)`: what is known ahead in training rows, scaled.
        names: Of its columns.
        categories: How many categories there are, by position.
        cycles: The calendar features with a phase, the fastest one first.
        special: Those that have another phase on special days.
    """
    found = [Candidate(cycle) for cycle in (*cycles, *special)]
    slower = [cycle for cycle in (*cycles, *special) if cycle.name != cycles[0].name]
    found += [Candidate(slow, cycles[0]) for slow in slower if slow.harmonics <= PHASES]
    phases = {place for cycle in cycles for place in (cycle.cos, cycle.sin)}
    for place, name in enumerate(names):
        if place in phases:
            continue
        if place in categories:
            if categories[place]:
                count = categories[place]
                found.append(Candidate(Levels(name=name, place=place, count=count)))
        elif (signal := _signal(known[:, place], name, place)) is not None:
            found.append(Candidate(signal))
    return found


def _signal(values: Floats, name: str, place: int) -> Signal | None:
    """Return a number as a smooth signal; None where it is constant. Shape `(n_rows,)`."""
    values = values[np.isfinite(values)].astype(np.float64)
    if not len(values) or not (scale := float(values.std())):
        return None
    center = float(values.mean())
    standard = (values - center) / scale
    distinct = np.unique(standard)
    knots = distinct[1:-1]
    if len(distinct) > FEW:
        knots = np.unique(np.quantile(standard, np.linspace(0.0, 1.0, KNOTS + 2)[1:-1]))
    low, high = float(distinct[0]), float(distinct[-1])
    room = BEYOND * (high - low)
    return Signal(
        name=name, place=place, center=center, scale=scale, low=low - room, high=high + room,
        knots=tuple(knots.tolist()),
    )  # fmt: skip


def second_candidates(
    first: Sequence[Candidate],
    seen: Collection[Candidate],
    cycles: Sequence[Cycle],
    seasons: Sequence[int],
    horizon: int,
    timesteps: int,
) -> Iterator[Candidate]:
    """Yield what covariates may do besides: later, before, by phase, together.

    Args:
        first: What `first_candidates` returned.
        seen: Those that were chosen; only they differ by the phase and have smooth means.
        cycles: As in `first_candidates`.
        seasons: Steps of the seasons, ascending.
        horizon: Steps ahead.
        timesteps: The lookback.
    """
    reach = (min(seasons, default=1), horizon, timesteps)
    every = [each.block for each in first if isinstance(each.block, Signal)]
    own = [each.block for each in seen if not isinstance(each.block, Cycle)][:MOST_SEEN]
    for signal in every[:MOST_LATER]:
        yield from map(Candidate, _later(_plain(signal), *reach))
    for block in own:
        two = isinstance(block, Signal) and not block.knots
        for cycle in cycles:
            most = cycle.harmonics if two else min(PHASES, cycle.harmonics)
            plain = _plain(block) if isinstance(block, Signal) else block
            yield Candidate(plain, cycle.model_copy(update={"harmonics": most}))
        if isinstance(block, Signal) and block.knots:
            yield from (Candidate(each) for each in _later(block, *reach) if each.mean > 1)
    signals = [_plain(each) for each in own if isinstance(each, Signal)]
    yield from (Candidate(Product(first=a, second=b)) for a, b in combinations(signals, 2))


def _plain(signal: Signal) -> Signal:
    """Return a signal without knots."""
    return signal.model_copy(update={"knots": ()})


def _later(signal: Signal, season: int, horizon: int, timesteps: int) -> Iterator[Signal]:
    """Yield a signal of other steps, and its means, as far as a window reaches."""
    most = max(1, timesteps // 2)
    for count in sorted({3, season // 4, season // 2, season, 2 * season, 7 * season}):
        if 1 < count <= most:
            yield signal.model_copy(update={"mean": count})
    for lag in sorted({1, 2, 3, season}):
        if lag <= most:
            yield signal.model_copy(update={"lag": lag})
    for lead in sorted({1, 2, season}):
        # Of the last steps ahead nothing later is known.
        if lead <= horizon // 3:
            yield signal.model_copy(update={"lag": -lead})
