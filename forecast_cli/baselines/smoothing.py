"""Exponential smoothing of a window as a map, and the parameters that suit the training rows.

Level, damped trend and an additive season are smoothed from the first value of the window to its
last. The states that they start from are those that make the one-step errors within the window
least, which is linear in the window as well; so the whole is one matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.windows import Floats
from .linear_map import Sample, descend, logistic, require

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
    errors, states = _responses(timesteps, season, parameters)
    start = _start(errors[:, :first], errors[:, first:], season)
    return _extrapolated(
        states[:, :first] @ start + states[:, first:], horizon, season, parameters.damping
    )


def _responses(timesteps: int, season: int, parameters: Smoothing) -> tuple[Floats, Floats]:
    """What the errors and the last states take of the starting states, then of the values.

    Returns:
        Shapes `(timesteps, first + timesteps)` and `(first, first + timesteps)`, where `first` is
        the number of states: level, trend and, where there is one, the season.
    """
    seasonal = season > 1
    first = 2 + (season if seasonal else 0)
    errors, states = np.zeros((timesteps, first + timesteps)), np.zeros((first, first + timesteps))
    for place in (0, 1):
        start = (1.0 - place, float(place), 0.0)
        errors[:, place], path = _response(start, 0.0, timesteps, season, parameters)
        states[:, place] = _last_states(path, timesteps, [0], season)[0]
    # A value is only met at its own step, a start of the season at the first step of its phase:
    # what follows is the same for all of them, so many steps later.
    kinds = [(range(timesteps), first, (0.0, 0.0, 0.0), 1.0)]
    if seasonal:
        kinds.append((range(season), 2, (0.0, 0.0, 1.0), 0.0))
    for delays, column, start, value in kinds:
        error, path = _response(start, value, timesteps, season, parameters)
        columns = slice(column, column + len(delays))
        errors[:, columns] = _delayed(error, len(delays))
        states[:, columns] = _last_states(path, timesteps, delays, season).T
    return errors, states


def _response(
    start: tuple[float, float, float], value: float, steps: int, season: int, parameters: Smoothing
) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Smooth a first value, then zeros, from a level, a trend and a season at the first step.

    Returns:
        The errors, shape `(steps,)`, and after 0 to `steps` steps the levels and trends, shape
        `(steps + 1,)`; last the season at each step before it is met, shape `(steps + season,)`.
    """
    level, trend, first = start
    seasons = [first, *[0.0] * (season - 1)]
    by_level, by_trend, damping = parameters.level, parameters.trend, parameters.damping
    by_season = parameters.season if season > 1 else 0.0
    errors, levels, trends = [], [level], [trend]
    for step in range(steps):
        trend *= damping
        forecast = level + trend
        if season > 1:
            forecast += seasons[step]
        error = (0.0 if step else value) - forecast
        level += trend + by_level * error
        trend += by_trend * error
        seasons.append(seasons[step] + by_season * error)
        errors.append(error)
        levels.append(level)
        trends.append(trend)
    return np.array(errors), (np.array(levels), np.array(trends), np.array(seasons))


def _delayed(errors: Floats, count: int) -> Floats:
    """Errors of shape `(steps,)` that begin 0, 1, 2 ... steps later: shape `(steps, count)`."""
    padded = np.concatenate([np.zeros(count - 1), errors])
    return np.lib.stride_tricks.sliding_window_view(padded, count)[:, ::-1]


def _last_states(
    path: tuple[Floats, Floats, Floats], steps: int, delays: Sequence[int], season: int
) -> Floats:
    """The states at the end of so many steps, shape `(delays, states)`.

    Args:
        path: The levels, trends and seasons of `_response`.
        steps: How many steps all have.
        delays: Before which of these steps the response begins.
        season: Steps in a season; 1 for none.
    """
    passed = steps - np.asarray(delays)
    levels, trends, seasons = path
    columns = [levels[passed], trends[passed]]
    if season > 1:
        phases = np.arange(season)[:, None]
        columns.extend(seasons[passed + (phases - steps) % season])
    return np.stack(columns, axis=1)


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


def _start(by_state: Floats, by_value: Floats, season: int) -> Floats:
    """The starting states as rows over the window's values, by penalised least squares."""
    pull = np.full(by_state.shape[1], PULL["season"])
    pull[:2] = PULL["level"], PULL["trend"]
    normal = by_state.T @ by_state + np.diag(pull)
    return np.linalg.solve(normal, -(by_state.T @ by_value))


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
        level, part, seasonal, damping = (float(each) for each in logistic(raw))
        parameters = Smoothing(level, level * part, seasonal if season > 1 else 0.0, damping)
        return smoothing_map(sample.timesteps, sample.horizon, season=season, parameters=parameters)

    return build(descend(lambda raw: sample.loss(build(raw)), USUAL, SPREAD, sample))
