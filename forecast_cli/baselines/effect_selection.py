"""Which candidates are worth their columns, by sums of squares and products of rows in folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.windows import Floats, Ints
from .effect_candidates import Candidate

# Penalties of a term, in rows; the usual one is for the selection.
USUAL, PENALTIES = 3.0, (0.3, 3.0, 30.0, 300.0, 3000.0, 30000.0)
# Squared errors that a term is to save, in variances of the noise: more than so many, and twice the
# logarithm of the candidates, as in the risk inflation criterion (Foster and George, 1994).
LEAST_GAIN = 4.0
MOST_TERMS = 30


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
        folds: int,
    ) -> "Moments":
        """Take the sums.

        Args:
            candidates: The candidates.
            columns: Of each candidate, shape `(rows, columns)`.
            target: Shape `(rows,)`.
            weights: Shape `(rows,)`: how much each row counts.
            fold: Shape `(rows,)`: which fold each belongs to.
            folds: How many folds there are.
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
        for number in range(folds):
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
