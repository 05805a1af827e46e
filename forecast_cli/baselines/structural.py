"""The best linear forecast of a series that is made of level, slope, swing, seasons and noise.

The parts are random, with known kinds of memory: the level is a random walk, the slope and a swing
around the level fade, a season comes again and changes slowly. Their covariances say which weights
the values of a window get (kriging); a season may be of any length, and several may be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.windows import Floats, Ints
from .linear_map import STEPS, Sample, descend, logistic, require

# Seasons with more steps than this are smooth: neighbours in a season are alike.
ROUGH = 14
# How often the search asks, the rows that it keeps of a window at most, and the last ones of them.
SEARCH, KEPT, RECENT = 120, 200, 90
# What parameters are shrunk towards, and how far they may lie: logarithms of variances, logits of
# what lasts. Level, swing, memory, slope, damping; by season variance, persistence, width.
USUAL, SPREAD = [-1.5, -1.0, 2.0, -7.0, 2.5], [2.0, 2.0, 1.5, 2.0, 1.0]
USUAL_SEASON, SPREAD_SEASON = [1.0, 3.0, -0.7], [1.5, 1.0, 0.4]


@dataclass(frozen=True)
class Season:
    """A season that comes again.

    Args:
        length: Steps in it.
        variance: Of its values, where that of the noise is 1.
        persistence: How much it is like the one before, 0 to 1.
        width: How alike neighbours are, in the angle of a season (radians); 0 for not at all.
    """

    length: int
    variance: float
    persistence: float
    width: float = 0.0


@dataclass(frozen=True)
class Structure:
    """What a series is made of; variances where that of the noise is 1.

    Args:
        level: The variance of the level's steps.
        swing: The variance of a swing around the level.
        memory: What is left of a swing after a step, 0 to 1.
        slope: The variance of the slope.
        damping: What is left of the slope after a step, 0 to 1.
        seasons: The seasons.
    """

    level: float
    swing: float = 0.0
    memory: float = 0.0
    slope: float = 0.0
    damping: float = 0.0
    seasons: tuple[Season, ...] = ()


def structural_map(timesteps: int, horizon: int, structure: Structure) -> Floats:
    """The best linear unbiased forecast of a structure whose mean is not known.

    Args:
        timesteps: The lookback, at least 2.
        horizon: Steps ahead.
        structure: What the series is made of.

    Returns:
        Shape `(timesteps, horizon)`; the columns sum to 1.

    Raises:
        UsageError: The window is shorter.

    Source: Matheron (1973), The intrinsic random functions and their applications; Harvey (1989),
    Forecasting, Structural Time Series Models and the Kalman Filter, for the parts.
    """
    require(timesteps, 2, "a forecast from structure")
    return _weights(np.arange(timesteps), np.arange(timesteps, timesteps + horizon), structure)


def fit_structure(sample: Sample, *, seasons: Sequence[int] = ()) -> Floats:
    """The structure whose forecasts over the whole horizon were best on training rows, as a map.

    Args:
        sample: Windows of training rows and what followed them.
        seasons: Steps of the seasons.

    Returns:
        Shape `(timesteps, horizon)`. Where there are few windows, parameters stay near usual ones.
    """
    usual = np.array([*USUAL, *USUAL_SEASON * len(seasons)])
    spread = np.array([*SPREAD, *SPREAD_SEASON * len(seasons)])
    known = _thinned(sample.timesteps, seasons)
    steps = np.arange(sample.horizon)[:: max(1, sample.horizon // STEPS)]
    thin = replace(sample, before=sample.before[:, known], after=sample.after[:, steps])

    def loss(raw: Floats) -> float:
        try:
            return thin.loss(_weights(known, sample.timesteps + steps, _structure(raw, seasons)))
        except np.linalg.LinAlgError:
            return np.inf

    raw = descend(loss, usual, spread, sample, SEARCH)
    return structural_map(sample.timesteps, sample.horizon, _structure(raw, seasons))


def _thinned(timesteps: int, seasons: Sequence[int]) -> Ints:
    """The rows of a window that parameters are fitted to: the last ones, and some before them."""
    every = -(-(timesteps - RECENT) // (KEPT - RECENT))
    if every <= 1:
        return np.arange(timesteps)
    # Rows that lie a part of a season apart would leave phases out.
    while any(np.gcd(every, season) > 1 for season in seasons):
        every += 1
    before = np.arange(timesteps - RECENT - 1, -1, -every)[::-1]
    return np.concatenate([before, np.arange(timesteps - RECENT, timesteps)])


def _weights(known: Ints, ahead: Ints, structure: Structure) -> Floats:
    """The weights of values at known times, ascending, in forecasts at later ones."""
    # SciPy is only loaded where a map is made.
    from scipy.linalg import cho_factor, cho_solve

    lags = _covariance(int(ahead[-1] - known[0]) + 1, structure)
    back, ahead = known[-1] - known[:-1], ahead - known[-1]
    # All is reckoned less the last value, so that the mean is in none of it.
    own = lags[np.abs(back[:, None] - back)]
    own -= lags[back][:, None]
    own -= lags[back] - lags[0]
    own[np.diag_indices(len(own))] *= 1.0 + 1e-9
    other = lags[back[:, None] + ahead] - lags[ahead] - lags[back][:, None] + lags[0]
    weights = cho_solve(cho_factor(own, check_finite=False), other, check_finite=False)
    return np.vstack([weights, 1.0 - weights.sum(axis=0)])


def _structure(raw: Floats, seasons: Sequence[int]) -> Structure:
    level, swing, _, slope, _ = (float(each) for each in np.exp(raw[:5]))
    shares = [float(each) for each in logistic(raw)]
    parts = tuple(
        Season(
            length,
            float(np.exp(raw[5 + 3 * place])),
            shares[6 + 3 * place],
            float(np.exp(raw[7 + 3 * place])) if length > ROUGH else 0.0,
        )
        for place, length in enumerate(seasons)
    )
    return Structure(level, swing, shares[2], slope, shares[4], parts)


def _covariance(steps: int, structure: Structure) -> Floats:
    """The generalised covariance at lags 0 to `steps - 1`: less half the variance of a step there.

    Level and slope have no variance of their own, only their steps have.
    """
    lags = np.arange(steps)
    covariance: Floats = np.where(lags == 0, 1.0, 0.0) - 0.5 * structure.level * lags
    covariance += structure.swing * structure.memory**lags
    covariance -= 0.5 * structure.slope * _reach(steps, structure.damping)
    for season in structure.seasons:
        phase = lags % season.length
        if season.width:
            around = np.sin(np.pi * np.arange(season.length) / season.length)
            alike = np.exp(-2.0 * (around / season.width) ** 2)
        else:
            alike = np.where(np.arange(season.length) == 0, 1.0, 0.0)
        alike = (alike - alike.mean()) / (1.0 - alike.mean())
        covariance += season.variance * alike[phase] * season.persistence ** (lags / season.length)
    return covariance


def _reach(steps: int, damping: float) -> Floats:
    """The variance of the sum of 0, 1, 2 ... slopes that fade, where theirs is 1."""
    lags = np.arange(steps)
    fading = damping**lags
    fading[0] = 0.0
    whole, first = np.cumsum(fading), np.cumsum(lags * fading)
    # Twice the sum of (n - j) damping^j for j from 1 to n - 1; at j = n it is nothing.
    reach: Floats = lags + 2.0 * (lags * whole - first)
    return reach
