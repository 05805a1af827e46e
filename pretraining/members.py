"""Forecasts by exponential smoothing with fixed parameters, of many series and origins at once.

No parameter is fitted. How well each member forecast a series so far tells how much it counts for
what comes: by itself (`prior_weights`), and better with what a network has learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from forecast_cli.core.windows import Floats


@dataclass(frozen=True)
class Smoothing:
    """The parameters of an exponential smoothing, in the innovations form of ETS(A,Ad,A).

    Args:
        level: How much of an error goes into the level, 0 to 1.
        trend: How much of it goes into the trend.
        damping: What is left of the trend after a step, 0 to 1; 0 for no trend.
        season: How much of it goes into the season; None for no season.
        drift: How much of the slope between the first and the last season is added to a step, as
            the method Theta adds half of it.
    """

    level: float
    trend: float = 0.0
    damping: float = 0.0
    season: float | None = None
    drift: float = 0.0


# Trends as (share of the level's gain, damping).
TRENDS = ((0.0, 0.0), (0.1, 0.9), (0.05, 1.0))
MEMBERS = (
    *(Smoothing(a, a * b, damping) for a, (b, damping) in product((0.1, 0.4, 0.98), TRENDS)),
    *(
        Smoothing(a, a * b, damping, (1 - a) * c)
        for a, (b, damping), c in product((0.1, 0.4, 0.9), TRENDS, (0.1, 0.5))
    ),
    *(Smoothing(a, drift=drift) for a, drift in ((0.2, 0.5), (0.6, 0.5), (0.98, 1.0))),
    Smoothing(0.2, season=0.1, drift=0.5),
    Smoothing(0.6, season=0.1, drift=0.5),
    Smoothing(0.6, season=0.1, drift=1.0),
    Smoothing(0.2, season=0.3, drift=1.0),
    # With all of an error in the season, the seasonal naive forecast.
    Smoothing(0.0, season=1.0),
)
# Steps that the states of the first step are smoothed back from, or four seasons.
START = 20
# The power of the one-step errors' size that prior weights are inverse to; chosen on series that
# were left out of training parts, 2 and 4 give the same within one percent.
SHARPNESS = 8.0


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What the members forecast of a batch of series.

    Args:
        ahead: Shape `(series, origins, members, horizon)`.
        errors: The one-step errors, actual value less forecast, shape `(series, steps, members)`.
    """

    ahead: Floats
    errors: Floats


@dataclass
class _States:
    """Levels and trends of shape `(series, members)`, seasons of `(season, series, members)`."""

    level: Floats
    trend: Floats
    season: Floats


class _Smoother:
    """All members at work on a batch."""

    def __init__(self) -> None:
        fields = ("level", "trend", "damping", "drift")
        self.by = {name: np.array([getattr(each, name) for each in MEMBERS]) for name in fields}
        self.seasonal = np.array([each.season is not None for each in MEMBERS])
        self.by_season = np.array([each.season or 0.0 for each in MEMBERS])

    def start(self, values: Floats, season: int) -> _States:
        """States before the first step, smoothed back to it from states that are guessed."""
        used = min(values.shape[1], max(4 * season, START))
        head = values[:, :used]
        level = np.repeat(head[:, -season:].mean(axis=1)[:, None], len(MEMBERS), axis=1)
        seasons = _profile(head, season).T[:, :, None] * self.seasonal
        states = _States(level, np.zeros_like(level), seasons)
        for step in range(used - 1, -1, -1):
            self.update(states, head[:, step], step)
        states.trend = -states.trend
        return states

    def update(self, states: _States, values: Floats, step: int) -> Floats:
        """Take one value of each series into the states; return the errors, `(series, members)`."""
        phase = step % len(states.season)
        forecast = states.level + self.by["damping"] * states.trend + states.season[phase]
        error: Floats = values[:, None] - forecast
        states.trend = self.by["damping"] * states.trend
        states.level = states.level + states.trend + self.by["level"] * error
        states.trend = states.trend + self.by["trend"] * error
        if len(states.season) > 1:
            states.season[phase] += self.by_season * error
        return error

    def forecast(self, states: _States, origin: int, horizon: int, slope: Floats) -> Floats:
        """Return the steps after an origin, shape `(series, members, horizon)`."""
        ahead = np.arange(1, horizon + 1)
        reach = np.cumsum(self.by["damping"][:, None] ** ahead, axis=1)
        seasons = np.moveaxis(states.season[(origin + ahead - 1) % len(states.season)], 0, -1)
        drifts = slope[:, None, None] * self.by["drift"][:, None] * ahead
        found: Floats = states.level[..., None] + states.trend[..., None] * reach + seasons + drifts
        return found


def forecast_by_members(
    values: Floats, origins: Sequence[int], horizon: int, *, season: int
) -> Forecasts:
    """Forecasts of every series by every member from every origin.

    Args:
        values: Shape `(series, steps)`, without gaps.
        origins: The rows of the first steps ahead, ascending, the last at most `steps`.
        horizon: Steps ahead.
        season: Steps in a season; 1 for none.
    """
    smoother, (series, steps) = _Smoother(), values.shape
    states = smoother.start(values, season)
    ahead = np.empty((series, len(origins), len(MEMBERS), horizon))
    errors = np.empty((series, steps, len(MEMBERS)))
    done, first = 0, values[:, :season].mean(axis=1)
    for place, origin in enumerate(origins):
        for step in range(done, origin):
            errors[:, step] = smoother.update(states, values[:, step], step)
        done = origin
        last = values[:, max(0, origin - season) : origin].mean(axis=1)
        slope = (last - first) / max(origin - season, season)
        ahead[:, place] = smoother.forecast(states, origin, horizon, slope)
    for step in range(done, steps):
        errors[:, step] = smoother.update(states, values[:, step], step)
    return Forecasts(ahead, errors)


def _profile(head: Floats, season: int) -> Floats:
    """The mean departure of each phase from the mean of its season, shape `(series, season)`."""
    rows = head.shape[1] // season
    if season == 1 or rows < 1:
        return np.zeros((len(head), season))
    whole = head[:, : rows * season].reshape(len(head), rows, season)
    profile: Floats = (whole - whole.mean(axis=2, keepdims=True)).mean(axis=1)
    return profile


def prior_weights(errors: Floats) -> Floats:
    """Weights by the size of the one-step errors, shape `(series, members)`; each row sums to 1.

    Args:
        errors: Shape `(series, steps, members)`.
    """
    size = np.log((errors**2).mean(axis=1) + 1e-12)
    weights = np.exp(-0.5 * SHARPNESS * (size - size.min(axis=1, keepdims=True)))
    total: Floats = weights / weights.sum(axis=1, keepdims=True)
    return total
