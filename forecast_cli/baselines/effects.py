"""Effects of what is known ahead on a target: a sum of smooth functions of covariates and calendar.

A term is a few columns made of one covariate, times weights; the weights of some terms change with
the phase of a cycle, the hour say. The same code computes effects of rows, with NumPy, and of
windows, in a network's graph: `xp` is NumPy or `keras.ops`, whose functions share their names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import TypeAdapter

from ..config.layers import Frozen, Small
from ..core.ragged import bounds
from ..core.windows import Floats, Ints


class Instead(Frozen):
    """Another phase of a cycle where a covariate has not its usual value.

    Args:
        place: The position of the covariate among those known ahead.
        usual: Its usual value, scaled.
        within: What is farther from it is another value; a missing one is not.
        cos: The cosine of the other phase.
        sin: Its sine.
    """

    place: Small
    usual: float
    within: float
    cos: float
    sin: float


class Cycle(Frozen):
    """The phase in a cycle, as sines and cosines of its harmonics.

    Args:
        kind: Which block it is.
        name: Of the calendar feature.
        cos: The position of its cosine among the covariates known ahead.
        sin: That of its sine.
        harmonics: How many, the first ones.
        instead: Where it has another phase; None for nowhere.
    """

    kind: Literal["cycle"] = "cycle"
    name: str
    cos: Small
    sin: Small
    harmonics: Small
    instead: Instead | None = None


class Signal(Frozen):
    """A number that is known ahead, standardized and clipped.

    Args:
        kind: Which block it is.
        name: Of the covariate.
        place: Its position among the covariates known ahead.
        center: What is subtracted, scaled; it is read where the value is missing.
        scale: What is divided by.
        low: What is lower is read as this, standardized.
        high: What is higher is read as this.
        lag: Steps before the row; below 0 steps after it.
        mean: The mean of so many steps, that one and those before it.
        knots: Where the slope changes, standardized.
    """

    kind: Literal["signal"] = "signal"
    name: str
    place: Small
    center: float
    scale: float
    low: float
    high: float
    lag: Small = 0
    mean: Small = 1
    knots: tuple[float, ...] = ()


class Levels(Frozen):
    """The categories of a covariate, numbered from 1; 0 is unknown, and has no effect.

    Args:
        kind: Which block it is.
        name: Of the covariate.
        place: Its position among the covariates known ahead.
        count: How many categories there are.
    """

    kind: Literal["levels"] = "levels"
    name: str
    place: Small
    count: Small


class Product(Frozen):
    """The product of two signals, without their knots."""

    kind: Literal["product"] = "product"
    first: Signal
    second: Signal

    @property
    def name(self) -> str:
        """The names of both."""
        return f"{self.first.name} x {self.second.name}"


Block = Cycle | Signal | Levels | Product


class Term(Frozen):
    """Columns of a covariate, times weights.

    Args:
        block: What the columns are made of.
        by: The cycle whose phase the weights change with; None for fixed ones.
        weights: A row for each column of the block, and in it a weight for each harmonic of `by`;
            one weight where the weights are fixed. In scaled units of the target.
        offset: What is subtracted, so that the mean effect over the training rows is 0.
    """

    block: Block
    by: Cycle | None = None
    weights: tuple[tuple[float, ...], ...]
    offset: float = 0.0

    @property
    def name(self) -> str:
        """The covariate or calendar feature whose effect it is."""
        return self.block.name


class Effects(Frozen):
    """The effects on one target; empty for none."""

    terms: tuple[Term, ...] = ()


# The effects on all targets, as plain data and back.
EVERY = TypeAdapter(tuple[Effects, ...])


class Steps(Protocol):
    """How values of other steps are found; beyond the first and the last one those are repeated."""

    def shift(self, values: Any, lag: int) -> Any:
        """Return the values of so many steps before, of the same shape."""

    def mean(self, values: Any, count: int) -> Any:
        """Return the mean over so many steps up to each, of the same shape."""


@dataclass(frozen=True)
class SeriesSteps:
    """The steps of series that stand end to end.

    Args:
        indptr: Shape `(n_series + 1,)`.
    """

    indptr: Ints

    def shift(self, values: Any, lag: int) -> Any:
        """As in `Steps`; `values` has shape `(n_rows,)`."""
        first, end = bounds(self.indptr)
        return values[np.clip(np.arange(len(values)) - lag, first, end - 1)]

    def mean(self, values: Any, count: int) -> Any:
        """As in `Steps`; `values` has shape `(n_rows,)`."""
        rows, (first, _) = np.arange(len(values)), bounds(self.indptr)
        total = np.concatenate([[0.0], np.cumsum(values)])
        begin = np.maximum(rows + 1 - count, first)
        outside = count - (rows + 1 - begin)
        return (total[rows + 1] - total[begin] + outside * values[first]) / count


def block_columns(block: Block, known: Any, steps: Steps, xp: Any) -> Any:
    """Return the columns of a block.

    Args:
        block: What they are made of.
        known: Shape `(..., steps, n_ahead)`: the covariates known ahead, scaled, NaN where missing.
        steps: Finds the values of other steps.
        xp: NumPy or `keras.ops`.

    Returns:
        Shape `(..., steps, columns)`.
    """
    if isinstance(block, Cycle):
        return _harmonics(*_phase(block, known, xp), block.harmonics, xp)
    if isinstance(block, Levels):
        number = known[..., block.place]
        own = [xp.where(xp.equal(number, float(each + 1)), 1.0, 0.0) for each in range(block.count)]
        return xp.stack(own, axis=-1)
    if isinstance(block, Product):
        pair = [_standardized(each, known, steps, xp) for each in (block.first, block.second)]
        return (pair[0] * pair[1])[..., None]
    value = _standardized(block, known, steps, xp)
    return xp.stack([value, *(xp.maximum(value - knot, 0.0) for knot in block.knots)], axis=-1)


def _phase(cycle: Cycle, known: Any, xp: Any) -> tuple[Any, Any]:
    """Return cosine and sine of the phase in a cycle, shape `(..., steps)` each."""
    cos, sin, other = known[..., cycle.cos], known[..., cycle.sin], cycle.instead
    if other is None:
        return cos, sin
    special = xp.abs(known[..., other.place] - other.usual) > other.within
    return xp.where(special, other.cos, cos), xp.where(special, other.sin, sin)


def _standardized(signal: Signal, known: Any, steps: Steps, xp: Any) -> Any:
    """Return a signal, shape `(..., steps)`."""
    raw = known[..., signal.place]
    filled = xp.where(xp.isnan(raw), signal.center, raw)
    value = xp.clip((filled - signal.center) * (1.0 / signal.scale), signal.low, signal.high)
    if signal.mean > 1:
        value = steps.mean(value, signal.mean)
    return steps.shift(value, signal.lag) if signal.lag else value


def _harmonics(cos: Any, sin: Any, count: int, xp: Any) -> Any:
    """Return cosine and sine of the multiples of an angle, shape `(..., steps, 2 * count)`."""
    columns, even, odd = [], cos, sin
    for _ in range(count):
        columns += [even, odd]
        even, odd = even * cos - odd * sin, even * sin + odd * cos
    return xp.stack(columns, axis=-1)


def term_effects(effects: Effects, known: Any, steps: Steps, xp: Any) -> Iterator[Any]:
    """Yield the effect of each term on a target, shape `(..., steps)`, in its scaled units.

    The other arguments are those of `block_columns`.
    """
    made: dict[Block, Any] = {}

    def columns(block: Block) -> Any:
        if block not in made:
            made[block] = block_columns(block, known, steps, xp)
        return made[block]

    for term in effects.terms:
        weights = np.asarray(term.weights, np.float32)
        own = columns(term.block)
        if term.by is None:
            yield xp.matmul(own, weights)[..., 0] - term.offset
        else:
            by_phase = xp.matmul(own, weights) * columns(term.by)
            yield xp.sum(by_phase, axis=-1) - term.offset


def sum_effects(every: Sequence[Effects], known: Any, steps: Steps, xp: Any) -> Any:
    """Return the effects on all targets, shape `(..., steps, targets)`, scaled.

    The other arguments are those of `block_columns`.
    """
    totals = []
    for effects in every:
        total = xp.zeros_like(known[..., 0])
        for each in term_effects(effects, known, steps, xp):
            total = total + each
        totals.append(total)
    return xp.stack(totals, axis=-1)


def row_effects(every: Sequence[Effects], known: Floats, indptr: Ints) -> Floats:
    """Return the effects in rows of series end to end, shape `(n_rows, targets)`, scaled.

    Args:
        every: Of each target.
        known: Shape `(n_rows, n_ahead)`, scaled, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
    """
    total: Floats = sum_effects(every, np.asarray(known, np.float64), SeriesSteps(indptr), np)
    return total
