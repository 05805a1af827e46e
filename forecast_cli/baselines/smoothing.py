"""Exponential smoothing of a window as a map, and the parameters that suit the training rows.

Level, damped trend and an additive season are smoothed from the first value of the window to its
last. The states that they start from are those that make the one-step errors within the window
least, which is linear in the window as well; so the whole is one matrix.
"""

from dataclasses import dataclass

import numpy as np

from ..core.windows import Floats
from .linear_map import require
from .parameter_search import Sample, descend, logistic

# What the starting states are shrunk towards: the last value, no trend, no season. In one-step
# errors; small, so that only what the window does not tell is drawn.
PULL = {"level": 1e-6, "trend": 1.0, "season": 0.05}


@dataclass(frozen=True)
class Smoothing:
    """The parameters of an exponential smoothing.

    Args:
        level: How much of an error goes into the level, 0 to 1.
        trend: How much of it goes into the trend, 0 to `level`; no trend at all if `damping` is 0.
        season: How much of it goes into the season, 0 to 1.
        damping: What is left of the trend after a step, 0 to 1.
    """

    level: float
    trend: float = 0.0
    season: float = 0.0
    damping: float = 0.0


def smoothing_map(
    timesteps: int, horizon: int, *, season: int = 1, parameters: Smoothing
) -> Floats:
    """Exponential smoothing with fixed parameters, started within the window.

    Args:
        timesteps: The lookback, at least one more than a season.
        horizon: Steps ahead.
        season: Steps in a season; 1 for none.
        parameters: Of the smoothing.

    Returns:
        Shape `(timesteps, horizon)`; the columns sum to 1.

    Raises:
        UsageError: The window is shorter than a season and a step.

    Source: Hyndman, Koehler, Ord and Snyder (2008), Forecasting with Exponential Smoothing, 2.5:
    the innovations form of ETS(A,Ad,A).
    """
    require(timesteps, season + 1, f"a season of {season} steps and one more")
    first = 2 + (season if season > 1 else 0)
    # Each state is a row: what it takes of the starting states, then of the window's values.
    states = np.eye(first, first + timesteps)
    errors = np.empty((timesteps, first + timesteps))
    for step in range(timesteps):
        forecast = _ahead(states, step, season, parameters.damping)
        error = -forecast
        error[first + step] += 1.0
        errors[step] = error
        _learn(states, error, step, season, parameters)
    start = _start(errors[:, :first], errors[:, first:], season)
    return _extrapolated(
        states[:, :first] @ start + states[:, first:], horizon, season, parameters.damping
    )


def _extrapolated(known: Floats, horizon: int, season: int, damping: float) -> Floats:
    """Return the map of the last states, `(states, timesteps)`: shape `(timesteps, horizon)`."""
    timesteps = known.shape[1]
    rows = np.empty((horizon, timesteps))
    reach = 0.0
    for step in range(horizon):
        reach += damping ** (step + 1)
        rows[step] = known[0] + reach * known[1]
        if season > 1:
            rows[step] += known[2 + (timesteps + step) % season]
    # All was smoothed on values less the last one, which makes the columns sum to 1.
    matrix = rows.T
    matrix[-1] += 1.0 - matrix.sum(axis=0)
    return matrix


def _ahead(states: Floats, step: int, season: int, damping: float) -> Floats:
    forecast: Floats = states[0] + damping * states[1]
    return forecast + states[2 + step % season] if season > 1 else forecast


def _learn(states: Floats, error: Floats, step: int, season: int, parameters: Smoothing) -> None:
    states[0] += parameters.damping * states[1] + parameters.level * error
    states[1] = parameters.damping * states[1] + parameters.trend * error
    if season > 1:
        states[2 + step % season] += parameters.season * error


def _start(by_state: Floats, by_value: Floats, season: int) -> Floats:
    """The starting states as rows over the window's values, by penalised least squares."""
    pull = np.full(by_state.shape[1], PULL["season"])
    pull[:2] = PULL["level"], PULL["trend"]
    normal = by_state.T @ by_state + np.diag(pull)
    solution: Floats = np.linalg.solve(normal, -(by_state.T @ by_value))
    return solution


# What parameters are shrunk towards, and how far they may lie: logits of level, of the trend's part
# of it, of season and of damping.
USUAL, SPREAD = np.array([-0.5, -2.5, -1.5, 2.5]), np.array([1.5, 1.2, 1.2, 1.0])


def fit_smoothing(sample: Sample, *, season: int = 1) -> Floats:
    """The smoothing whose forecasts over the whole horizon were best on training rows.

    Args:
        sample: Windows of training rows and what followed them.
        season: Steps in a season; 1 for none.

    Returns:
        Shape `(timesteps, horizon)`. Where there are few windows, parameters stay near usual ones.
    """

    def build(raw: Floats) -> Floats:
        return smoothing_map(
            sample.timesteps, sample.horizon, season=season, parameters=_parameters(raw, season)
        )

    return build(descend(lambda raw: sample.loss(build(raw)), USUAL, SPREAD, sample))


def _parameters(raw: Floats, season: int) -> Smoothing:
    level, part, seasonal, damping = (float(each) for each in logistic(raw))
    return Smoothing(level, level * part, seasonal if season > 1 else 0.0, damping)
