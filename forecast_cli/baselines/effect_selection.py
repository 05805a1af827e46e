"""Terms that effects may be made of, and which are worth their columns, by sums over folds."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..core.windows import Floats, Ints
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
            yield Candidate(plain, cycle.changed(harmonics=most))
        if isinstance(block, Signal) and block.knots:
            yield from (Candidate(each) for each in _later(block, *reach) if each.mean > 1)
    signals = [_plain(each) for each in own if isinstance(each, Signal)]
    yield from (Candidate(Product(first=a, second=b)) for a, b in combinations(signals, 2))


def _plain(signal: Signal) -> Signal:
    """Return a signal without knots."""
    return signal.changed(knots=())


def _later(signal: Signal, season: int, horizon: int, timesteps: int) -> Iterator[Signal]:
    """Yield a signal of other steps, and its means, as far as a window reaches."""
    most = max(1, timesteps // 2)
    for count in sorted({3, season // 4, season // 2, season, 2 * season, 7 * season}):
        if 1 < count <= most:
            yield signal.changed(mean=count)
    for lag in sorted({1, 2, 3, season}):
        if lag <= most:
            yield signal.changed(lag=lag)
    for lead in sorted({1, 2, season}):
        # Of the last steps ahead nothing later is known.
        if lead <= horizon // 3:
            yield signal.changed(lag=-lead)


# Penalties of a term, in rows; the usual one is for the selection.
USUAL, PENALTIES = 3.0, (0.3, 3.0, 30.0, 300.0, 3000.0, 30000.0)
# Squared errors that a term is to save, in variances of the noise: more than so many, and twice the
# logarithm of the candidates, as in the risk inflation criterion (Foster and George, 1994).
LEAST_GAIN = 4.0
MOST_TERMS = 30
# Blocks of rows that are held out in turn.
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the rows of each fold.

    Args:
        places: The columns of each candidate.
        squares: Shape `(folds, columns, columns)`: products of columns, of mean square 1.
        products: Shape `(folds, columns)`: products with the target.
        totals: Shape `(folds,)`: squares of the target.
        rows: How many rows there are, by weight.
        scale: Shape `(columns,)`: what columns were divided by.
    """

    places: dict[Candidate, Ints]
    squares: Floats
    products: Floats
    totals: Floats
    rows: float
    scale: Floats

    usual_penalty = USUAL

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        columns: Sequence[Floats],
        target: Floats,
        weights: Floats,
        fold: Ints,
    ) -> "Moments":
        """Take the sums.

        Args:
            candidates: The candidates.
            columns: Of each candidate, shape `(rows, columns)`.
            target: Shape `(rows,)`.
            weights: Shape `(rows,)`: how much each row counts.
            fold: Shape `(rows,)`: which fold each belongs to.
        """
        ends = np.cumsum([each.shape[1] for each in columns])
        places = {
            each: np.arange(end - own.shape[1], end)
            for each, own, end in zip(candidates, columns, ends, strict=True)
        }
        every = np.concatenate(columns, axis=1)
        total = max(float(weights.sum()), 1e-12)
        scale = np.sqrt((weights @ every**2) / total)
        scale[scale < 1e-9] = np.inf
        every /= scale
        squares, products, totals = [], [], []
        for number in range(FOLDS):
            own = fold == number
            weighted = every[own] * weights[own, None]
            squares.append(weighted.T @ every[own])
            products.append(weighted.T @ target[own])
            totals.append(float(weights[own] @ target[own] ** 2))
        return cls(places, np.stack(squares), np.stack(products), np.array(totals), total, scale)

    def at(self, chosen: Sequence[Candidate]) -> Ints:
        """Return the columns of candidates, end to end."""
        return np.concatenate([np.empty(0, np.int64), *(self.places[each] for each in chosen)])

    def solve(self, chosen: Sequence[Candidate], penalties: Sequence[float]) -> list[Floats]:
        """Return the weights of the columns of each candidate, fitted to all rows."""
        if not chosen:
            return []
        at = self.at(chosen)
        squares = self.squares.sum(axis=0)[np.ix_(at, at)]
        squares[np.diag_indices(len(at))] += self._by_column(chosen, penalties)
        weights = np.linalg.solve(squares, self.products.sum(axis=0)[at]) / self.scale[at]
        return np.split(weights, np.cumsum([len(self.places[each]) for each in chosen])[:-1])

    def held_out_error(self, chosen: Sequence[Candidate], penalties: Sequence[float]) -> float:
        """Return the sum of squared errors of each fold by weights fitted to the others."""
        at, total = self.at(chosen), 0.0
        extra = self._by_column(chosen, penalties)
        every, by_all = self.squares.sum(axis=0)[np.ix_(at, at)], self.products.sum(axis=0)[at]
        for squares, products, own in zip(self.squares, self.products, self.totals, strict=True):
            held, by_held = squares[np.ix_(at, at)], products[at]
            others = every - held
            others[np.diag_indices(len(at))] += extra
            weights = np.linalg.solve(others, by_all - by_held)
            total += own - 2.0 * weights @ by_held + weights @ held @ weights
        return float(total)

    def _by_column(self, chosen: Sequence[Candidate], penalties: Sequence[float]) -> Floats:
        """Return the penalty of each column of candidates, shape `(columns,)`."""
        counts = [len(self.places[each]) for each in chosen]
        return np.repeat(np.asarray(penalties, np.float64), counts)


def select(
    moments: Moments, begin: Sequence[Candidate], candidates: Sequence[Candidate]
) -> list[Candidate]:
    """Return candidates, the ones begun with first, as long as one more lowers the error enough."""
    chosen = list(begin)
    left = [each for each in candidates if each not in chosen]
    best = moments.held_out_error(chosen, [USUAL] * len(chosen))
    while left and len(chosen) < MOST_TERMS:
        errors = _errors_with_one_more(moments, chosen, left)
        place = int(np.argmin(errors))
        noise = max(best, 1e-12) / moments.rows
        if (best - errors[place]) / noise < _need(len(left)):
            break
        best = errors[place]
        chosen.append(left.pop(place))
    return chosen


def _errors_with_one_more(
    moments: Moments, chosen: Sequence[Candidate], left: Sequence[Candidate]
) -> Floats:
    """Return the held-out error of the chosen ones and each of the others, `(len(left),)`.

    The chosen columns are eliminated once for all candidates.
    """
    at = moments.at(chosen)
    every, by_all = moments.squares.sum(axis=0), moments.products.sum(axis=0)
    errors = np.zeros(len(left))
    for held, by_held, own in zip(moments.squares, moments.products, moments.totals, strict=True):
        fit, by_fit = every - held, by_all - by_held
        fit[np.diag_indices(len(fit))] += USUAL
        # What the chosen columns make of the target and of all columns.
        base = np.linalg.solve(fit[np.ix_(at, at)], np.column_stack([by_fit[at], fit[at]]))
        weights, shares = base[:, 0], base[:, 1:]
        for number, each in enumerate(left):
            more = moments.places[each]
            across = fit[np.ix_(at, more)]
            inner = fit[np.ix_(more, more)] - across.T @ shares[:, more]
            added = np.linalg.solve(inner, by_fit[more] - across.T @ weights)
            both, places = np.append(weights - shares[:, more] @ added, added), np.append(at, more)
            held_at = held[np.ix_(places, places)]
            errors[number] += own - 2.0 * both @ by_held[places] + both @ held_at @ both
    return errors


def choose_penalties(moments: Moments, chosen: Sequence[Candidate]) -> list[float]:
    """Return the penalty of each term with the least held-out error, one after the other, twice."""
    penalties = [USUAL] * len(chosen)
    best = moments.held_out_error(chosen, penalties)
    for _ in range(2):
        for place in range(len(chosen)):
            for penalty in PENALTIES:
                tried = [*penalties[:place], penalty, *penalties[place + 1 :]]
                error = moments.held_out_error(chosen, tried)
                if error < best:
                    best, penalties = error, tried
    return penalties


def without_useless(moments: Moments, chosen: Sequence[Candidate], count: int) -> list[Candidate]:
    """Return candidates without those that lower the held-out error by no more than chance.

    `count` is how many there were to choose from.
    """
    left = list(chosen)
    while left:
        best = moments.held_out_error(left, [USUAL] * len(left))
        fewer = [[each for each in left if each != one] for one in left]
        errors = [moments.held_out_error(each, [USUAL] * len(each)) for each in fewer]
        place = int(np.argmin(errors))
        if (errors[place] - best) * moments.rows / max(best, 1e-12) >= _need(count):
            break
        left.pop(place)
    return left


def _need(count: int) -> float:
    """Return the squared errors, in variances of the noise, that one of so many terms saves."""
    return float(LEAST_GAIN + 2.0 * np.log(max(count, 1)))
