"""Fit the effects of what is known ahead: forward selection of terms, by generalised least squares.

What effects leave has a memory, so both sides of the regression are filtered by an autoregression
that is fitted to it in turn (Cochrane and Orcutt, 1949). Terms are added while they lower the
squared error of blocks of rows that are held out by more than chance would among so many
candidates; each has a ridge penalty of its own, chosen by the same blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..core.ragged import Flags, cumulate, row_numbers
from ..core.windows import Floats, Ints
from .effect_selection import (
    FOLDS,
    Candidate,
    Moments,
    choose_penalties,
    first_candidates,
    second_candidates,
    select,
    without_useless,
)
from .effects import Cycle, Effects, SeriesSteps, Term, block_columns, row_effects
from .special_days import find_special_days

# Rows that effects are fitted to at most, and values of all candidates.
MOST_ROWS, MOST_VALUES = 40_000, 16_000_000
# Segments of a series that are dealt out to the blocks of rows that are held out in turn.
SEGMENTS = 40
# Rounds of selection among first candidates; the autoregression before the first one.
FIRST_ROUNDS, MEMORY = 2, 0.9
# Residuals beyond so many robust standard deviations count less.
OUTLYING = 2.0


@dataclass(frozen=True, eq=False)
class EffectProblem:
    """What effects are fitted to.

    Args:
        target: Shape `(n_rows,)`: training rows of series end to end, scaled; NaN where missing.
        known: Shape `(n_rows, n_ahead)`: what is known ahead, scaled; NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        names: Of what is known ahead.
        categories: How many categories there are, by position.
        cycles: The calendar features with a phase, the most frequent one first.
        seasons: Steps of the seasons, ascending.
        horizon: Steps ahead.
        timesteps: The lookback.
    """

    target: Floats
    known: Floats
    indptr: Ints
    names: Sequence[str]
    categories: dict[int, int]
    cycles: Sequence[Cycle]
    seasons: Sequence[int]
    horizon: int
    timesteps: int


class _Regression:
    """The rows of a problem, and the filter and weights that change from round to round."""

    def __init__(self, problem: EffectProblem) -> None:
        self.problem, self.steps = problem, SeriesSteps(problem.indptr)
        lengths = np.diff(problem.indptr)
        self.place = row_numbers(problem.indptr)
        self.fold = self.place * SEGMENTS // np.repeat(lengths, lengths) % FOLDS
        self.counts = np.isfinite(problem.target).astype(np.float64)
        self.target = self.centered(np.where(self.counts > 0, problem.target, np.nan)[:, None])
        self.columns: dict[Candidate, Floats] = {}
        self.lags, self.memory = np.array([1]), np.array([MEMORY])
        self.weights = self.counts

    def centered(self, values: Floats) -> Floats:
        """Return values less the mean and the line of each series, shape `(n_rows, columns)`."""
        result, indptr = np.array(values, np.float64), self.problem.indptr
        for begin, end in pairwise(indptr):
            part = result[begin:end]
            known = self.counts[begin:end] > 0
            line = np.linspace(-1.0, 1.0, end - begin)
            line -= line[known].mean() if known.any() else 0.0
            part -= part[known].mean(axis=0) if known.any() else 0.0
            total = float(line[known] @ line[known])
            if total > 0:
                part -= line[:, None] * ((line[known] @ part[known]) / total)
        # A row without a value has no influence: it is left out, and here is in nobody's past.
        result[self.counts == 0] = 0.0
        return result

    def of(self, candidate: Candidate) -> Floats:
        """Return the columns of a candidate, as they are, shape `(n_rows, columns)`."""
        if candidate not in self.columns:
            known = self.problem.known
            own = block_columns(candidate.block, known, self.steps, np)
            if candidate.by is not None:
                phase = block_columns(candidate.by, known, self.steps, np)
                own = (own[:, :, None] * phase[:, None, :]).reshape(len(own), -1)
            self.columns[candidate] = own
        return self.columns[candidate]

    def filtered(self, values: Floats) -> Floats:
        """Return what the autoregression does not predict, of the rows that have a past."""
        result = values.copy()
        for lag, share in zip(self.lags, self.memory, strict=True):
            result[lag:] -= share * values[:-lag]
        return result[self.kept]

    @property
    def kept(self) -> Flags:
        """Which rows have all lags and a value, shape `(n_rows,)`."""
        kept: Flags = (self.place >= self.lags.max()) & (self.counts > 0)
        return kept

    def moments(self, candidates: Sequence[Candidate]) -> Moments:
        """Return the sums of squares and products of filtered columns, by fold."""
        columns = [self.filtered(self.centered(self.of(each))) for each in candidates]
        kept = self.kept
        return Moments.of(
            candidates, columns, self.filtered(self.target)[:, 0], self.weights[kept],
            self.fold[kept],
        )  # fmt: skip

    def update(
        self, chosen: Sequence[Candidate], weights: Sequence[Floats], *, robust: bool
    ) -> None:
        """Fit the memory of what the effects leave, and how much each row counts."""
        left = self.target[:, 0].copy()
        for each, own in zip(chosen, weights, strict=True):
            left -= self.centered(self.of(each)) @ own
        self._fit_memory(left)
        if robust:
            error = np.zeros(len(left))
            error[self.kept] = self.filtered(left[:, None])[:, 0]
            usual = np.median(np.abs(error[self.kept])) / 0.6745
            far = np.abs(error) / max(OUTLYING * usual, 1e-12)
            self.weights = self.counts / np.maximum(far, 1.0)

    def _fit_memory(self, left: Floats) -> None:
        seasons = [each for each in self.problem.seasons if each > 3]
        wanted = {1, 2, 3, *seasons, *(each + 1 for each in seasons)}
        most = max(1, int(np.median(np.diff(self.problem.indptr))) // 4)
        lags = np.array(sorted(each for each in wanted if each <= most))
        rows = np.flatnonzero((self.place >= lags.max()) & (self.counts > 0))
        past, weights = left[rows[:, None] - lags], self.weights[rows]
        squares = (past * weights[:, None]).T @ past
        squares[np.diag_indices(len(lags))] += 1e-3 * np.trace(squares) / len(lags) + 1e-12
        products = (past * weights[:, None]).T @ left[rows]
        self.lags, self.memory = lags, np.linalg.solve(squares, products)


def fit_effects(problem: EffectProblem) -> Effects:
    """Return the effects on a target; none where nothing that is known ahead helps.

    Args:
        problem: The training rows.
    """
    phases = {place for each in problem.cycles for place in (each.cos, each.sin)}
    special = find_special_days(
        problem.target, problem.known, problem.indptr, problem.cycles,
        [each for each in enumerate(problem.names) if each[0] not in phases],
    )  # fmt: skip
    first = first_candidates(
        problem.known, problem.names, problem.categories, problem.cycles, special
    )
    if not first:
        return Effects()
    problem = _fewer_rows(problem, sum(each.width for each in first))
    regression = _Regression(problem)
    # What was chosen in any round may matter in another form.
    seen: dict[Candidate, None] = {}
    for _ in range(FIRST_ROUNDS):
        moments = regression.moments(first)
        chosen = select(moments, (), first)
        seen |= dict.fromkeys(chosen)
        weights = moments.solve(chosen, [moments.usual_penalty] * len(chosen))
        regression.update(chosen, weights, robust=False)
    more = second_candidates(
        first, seen, problem.cycles, problem.seasons, problem.horizon, problem.timesteps
    )
    every = list(dict.fromkeys([*seen, *more]))
    if not every or not (chosen := select(moments := regression.moments(every), chosen, every)):
        return Effects()
    usual = [moments.usual_penalty] * len(chosen)
    regression.update(chosen, moments.solve(chosen, usual), robust=True)
    # By the memory of what all of them leave some may have been chosen by chance.
    if not (chosen := without_useless(moments := regression.moments(chosen), chosen, len(every))):
        return Effects()
    weights = moments.solve(chosen, choose_penalties(moments, chosen))
    terms = tuple(_term(regression, *pair) for pair in zip(chosen, weights, strict=True))
    return Effects(terms=terms)


def mean_innovation(problem: EffectProblem, effects: Effects) -> float:
    """Return the mean absolute error of a step by the steps before it, with the effects known.

    Args:
        problem: The training rows.
        effects: On its target, as `fit_effects` returns them.
    """
    own = row_effects([effects], problem.known, problem.indptr)[:, 0]
    regression = _Regression(replace(problem, target=problem.target - own))
    regression.update((), (), robust=False)
    return float(np.abs(regression.filtered(regression.target)).mean())


def _term(regression: _Regression, candidate: Candidate, weights: Floats) -> Term:
    """Return a chosen candidate with its weights, of mean effect 0."""
    known = regression.counts > 0
    offset = float((regression.of(candidate)[known] @ weights).mean())
    table = weights.reshape(candidate.block_width, -1)
    rows = tuple(tuple(float(np.float32(each)) for each in row) for row in table)
    return Term(block=candidate.block, by=candidate.by, weights=rows, offset=offset)


def _fewer_rows(problem: EffectProblem, width: int) -> EffectProblem:
    """Return the problem with some of its series, or the last rows of a long one."""
    most = int(min(MOST_ROWS, MOST_VALUES / max(width, 1)))
    lengths = np.diff(problem.indptr)
    if lengths.sum() <= most:
        return problem
    every = int(np.ceil(lengths.sum() / max(most, lengths.mean())))
    places = np.arange(len(lengths))[::every]
    begins, ends = problem.indptr[places], problem.indptr[places + 1]
    begins = np.maximum(begins, ends - most)
    rows = np.concatenate([np.arange(a, b) for a, b in zip(begins, ends, strict=True)])
    return replace(
        problem,
        target=problem.target[rows],
        known=problem.known[rows],
        indptr=cumulate(ends - begins),
    )
