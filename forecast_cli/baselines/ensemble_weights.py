"""Weights of an ensemble's members, fitted to validation forecasts and shrunk towards a prior.

Weights fitted to a few forecasts follow noise, and the mean of different members is hard to beat.
So the shrinkage is the stronger the fewer forecasts there are that do not overlap.
"""

from collections.abc import Sequence

import numpy as np

from ..config.registries import BASELINES, BaselineEntry
from ..core.diebold_mariano import diebold_mariano
from ..core.windows import Floats, Ints

# The weight of the prior, in forecasts that do not overlap.
PULL = 2.0
# The significance level at which a member is better than the naive forecast.
LEVEL = 0.05
# Values that weights are learned from at most.
CELLS = 200_000


def fit_weights(
    forecasts: Floats, actual: Floats, prior: Floats, *, distinct: float, squared: bool = False
) -> Floats:
    """Fit weights that minimise the error of the weighted mean, shrunk towards a prior.

    Args:
        forecasts: Shape `(members, samples, horizon)`, on rows that no member was trained on.
        actual: Shape `(samples, horizon)`; steps that are missing (NaN) do not count.
        prior: Shape `(members,)`, above 0; it is scaled to a sum of 1.
        distinct: How many of the forecasts do not overlap; below 1 the prior is returned.
        squared: Whether the squared error is minimised, not the absolute one.

    Returns:
        Shape `(members,)`, at least 0, of sum 1.
    """
    shares: Floats = prior / prior.sum()
    members, target = _cells(forecasts, actual)
    if distinct < 1 or len(shares) == 1 or not len(target):
        return shares
    scale, _ = _error(shares, members, target, squared=squared)
    if scale <= 0:
        return shares
    return _minimised(shares, members, target, scale, PULL / distinct, squared=squared)


def _minimised(
    shares: Floats, members: Floats, target: Floats, scale: float, strength: float, *, squared: bool
) -> Floats:
    """Return the weights, `(members,)`, with the least error and divergence from `shares`.

    Shapes `(members, cells)` and `(cells,)`; the error is in units of `scale`, and the divergence
    counts by `strength`.
    """
    # SciPy is only loaded where something is learned.
    from scipy.optimize import minimize

    base = np.log(np.maximum(shares, 1e-12))

    def loss(raw: Floats) -> tuple[float, Floats]:
        weights = _softmax(base + raw)
        value, slope = _error(weights, members, target, squared=squared)
        apart = np.log(weights / shares)
        by_weight = slope / len(target) / scale + strength * (apart + 1.0)
        total = value / scale + strength * float(weights @ apart)
        return total, weights * (by_weight - float(weights @ by_weight))

    found = minimize(loss, np.zeros(len(shares)), jac=True, method="L-BFGS-B", options=BOUND)
    return _softmax(base + found.x)


def _error(
    weights: Floats, members: Floats, target: Floats, *, squared: bool
) -> tuple[float, Floats]:
    """Return the mean error of a weighted mean, and its sum's slope by weight, `(members,)`.

    The members have the shape `(members, values)`, the target `(values,)`; errors are absolute
    unless `squared`.
    """
    error: Floats = members.T @ weights - target
    if squared:
        return float(error @ error) / len(target), 2.0 * (members @ error)
    return float(np.abs(error).mean()), members @ np.sign(error)


# Raw weights stay finite, and a search ends.
BOUND = {"maxiter": 200}


def beats(forecasts: Floats, actual: Floats, reference: int, *, origins: Ints) -> bool:
    """Whether any member is significantly better than the reference.

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
        # Short validation splits would hardly ever be enough for a conservative test.
        test = diebold_mariano(errors[place] - errors[reference], lags=lags, conservative=False)
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
    """Return known forecasts, `(members, values)`, and actual values; thinned where many."""
    every = max(1, actual.size // CELLS + 1)
    members = np.asarray(forecasts[:, ::every], np.float64).reshape(len(forecasts), -1)
    target = np.asarray(actual[::every], np.float64).ravel()
    known = np.isfinite(target) & np.isfinite(members).all(axis=0)
    return members[:, known], target[known]


def _softmax(raw: Floats) -> Floats:
    weights = np.exp(raw - raw.max())
    total: Floats = np.maximum(weights / weights.sum(), 1e-300)
    return total
