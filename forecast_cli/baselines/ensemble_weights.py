"""How much weight each member of an ensemble gets: what validation says, drawn towards a prior.

Few forecasts say little: weights learned from three of them chase noise, and the mean of different
members is hard to beat. So the pull towards the prior is the stronger the fewer forecasts there
are that do not overlap.
"""

from collections.abc import Sequence

import numpy as np

from ..config.registries import BASELINES, BaselineEntry
from ..core.diebold_mariano import diebold_mariano
from ..core.windows import Floats, Ints

# The pull towards the prior, in forecasts that do not overlap: so many say as much as the prior.
PULL = 2.0
# The level at which one forecaster is better than the last value by more than chance.
LEVEL = 0.05
# Values that weights are learned from at most.
CELLS = 200_000


def fit_weights(
    forecasts: Floats,
    actual: Floats,
    prior: Floats,
    *,
    distinct: float,
    pull: float = PULL,
    squared: bool = False,
) -> Floats:
    """Weights that make the error of the weighted mean small, drawn towards a prior.

    Args:
        forecasts: Shape `(members, samples, horizon)`, on rows that the members have not learned.
        actual: Shape `(samples, horizon)`; steps that are missing (NaN) do not count.
        prior: Shape `(members,)`, above 0; it is scaled to a sum of 1.
        distinct: How many of the forecasts do not overlap; below 1 the prior is all there is.
        pull: How many such forecasts say as much as the prior.
        squared: Whether the squared error is to be small, not the absolute one.

    Returns:
        Shape `(members,)`, at least 0, of sum 1.
    """
    # SciPy is only loaded where something is learned.
    from scipy.optimize import minimize

    shares: Floats = prior / prior.sum()
    members, target = _cells(forecasts, actual)
    if distinct < 1 or len(shares) == 1 or not len(target):
        return shares
    if squared:
        error = members.T @ shares - target
        scale = float(error @ error) / len(target)
    else:
        scale = float(np.abs(members.T @ shares - target).mean())
    if scale <= 0:
        return shares
    strength = pull / distinct
    base = np.log(np.maximum(shares, 1e-12))

    def loss(raw: Floats) -> tuple[float, Floats]:
        weights = _softmax(base + raw)
        error: Floats = members.T @ weights - target
        if squared:
            value = float(error @ error) / len(target)
            slope: Floats = 2.0 * (members @ error)
        else:
            value, slope = float(np.abs(error).mean()), members @ np.sign(error)
        apart = np.log(weights / shares)
        by_weight = slope / len(target) / scale + strength * (apart + 1.0)
        total = value / scale + strength * float(weights @ apart)
        return total, weights * (by_weight - float(weights @ by_weight))

    found = minimize(loss, np.zeros(len(shares)), jac=True, method="L-BFGS-B", options=BOUND)
    return _softmax(base + found.x)


# Raw weights stay finite, and a search ends.
BOUND = {"maxiter": 200}


def beats(forecasts: Floats, actual: Floats, reference: int, *, origins: Ints) -> bool:
    """Whether any member is better than the reference by more than chance has it.

    Args:
        forecasts: Shape `(members, samples, horizon)`.
        actual: Shape `(samples, horizon)`.
        reference: Which member the others are compared with.
        origins: Shape `(samples,)`, ascending: the rows where the forecasts begin.

    Source: Diebold and Mariano (1995), one-sided; the level is shared by the members that are
    compared (Bonferroni).
    """
    known = np.isfinite(actual).any(axis=1)
    forecasts, actual, origins = forecasts[:, known], actual[known], origins[known]
    if not len(origins):
        return False
    errors = np.nanmean(np.abs(forecasts - actual), axis=2)
    apart = max(1.0, float(np.median(np.diff(origins)))) if len(origins) > 1 else 1.0
    lags = max(0, int(np.ceil(actual.shape[1] / apart)) - 1)
    others = [place for place in range(len(errors)) if place != reference]
    for place in others:
        test = diebold_mariano(errors[place] - errors[reference], lags=lags)
        if test and test.statistic < 0 and test.p_value / 2 < LEVEL / len(others):
            return True
    return False


def make_prior(names: Sequence[str], *, seasonal: bool) -> Floats:
    """Return the prior weights of members, of sum 1, shape `(members,)`.

    Args:
        names: The members; a name that is no baseline is a network's.
        seasonal: Whether a season was found.
    """
    network = BaselineEntry("")
    prior = np.array([BASELINES.get(name, network).prior[seasonal] for name in names])
    total: Floats = prior / prior.sum()
    return total


def _cells(forecasts: Floats, actual: Floats) -> tuple[Floats, Floats]:
    """Forecasts and what came, one column a step, those that are known; thinned where many."""
    every = max(1, actual.size // CELLS + 1)
    members = np.asarray(forecasts[:, ::every], np.float64).reshape(len(forecasts), -1)
    target = np.asarray(actual[::every], np.float64).ravel()
    known = np.isfinite(target) & np.isfinite(members).all(axis=0)
    return members[:, known], target[known]


def _softmax(raw: Floats) -> Floats:
    weights = np.exp(raw - raw.max())
    total: Floats = np.maximum(weights / weights.sum(), 1e-300)
    return total
