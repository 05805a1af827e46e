"""Forecasts by exponential smoothing with fixed parameters, of many series and origins at once.

No parameter is fitted. How well each member forecast a series so far tells how much it counts for
what comes; the network of `networks/pretrained.py` learns to tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ...core.windows import Floats
from .regressions import PENALTIES, forecast_by_regressions


@dataclass(frozen=True)
class Smoothing:
    """The parameters of an exponential smoothing, in the innovations form of ETS(A,Ad,A).

    Args:
        level: How much of an error goes into the level, 0 to 1.
        trend: How much of it goes into the trend.
        damping: What is left of the trend after a step, 0 to 1; 0 for no trend.
        season: How much of it goes into the season; None for no season.
        longer: How much of it goes into a second, longer season; None for none.
        drift: How much of the slope between the first and the last season is added to a step, as
            the method Theta adds half of it.
    """

    level: float
    trend: float = 0.0
    damping: float = 0.0
    season: float | None = None
    longer: float | None = None
    drift: float = 0.0


# Trends as (share of the level's gain, damping).
TRENDS = ((0.0, 0.0), (0.1, 0.9), (0.05, 1.0))
SMOOTHINGS = (
    # Without a season.
    *(Smoothing(a, a * b, damping) for a, (b, damping) in product((0.1, 0.4, 0.98), TRENDS)),
    *(Smoothing(a, drift=drift) for a, drift in ((0.2, 0.5), (0.6, 0.5), (0.98, 1.0))),
    # With a season.
    *(
        Smoothing(a, a * b, damping, (1 - a) * c)
        for a, (b, damping), c in product((0.1, 0.4, 0.9), TRENDS, (0.1, 0.5))
    ),
    Smoothing(0.2, season=0.1, drift=0.5),
    Smoothing(0.6, season=0.1, drift=0.5),
    Smoothing(0.6, season=0.1, drift=1.0),
    Smoothing(0.2, season=0.3, drift=1.0),
    # With all of an error in the season, the seasonal naive forecast.
    Smoothing(0.0, season=1.0),
    # With two seasons, then with the longer one alone.
    *(Smoothing(a, 0, 0, c, c) for a, c in product((0.02, 0.3, 0.8), (0.05, 0.2))),
    *(Smoothing(a, longer=c) for a, c in product((0.02, 0.3, 0.8), (0.1, 0.4))),
    Smoothing(0.0, longer=1.0),
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


def members_of(seasons: Sequence[float]) -> list[int]:
    """Numbers of the members that series with these seasons have, smoothings then regressions.

    Args:
        seasons: Steps in each season, the shortest first; empty for none, at most two.
    """
    numbers = [
        number
        for number, each in enumerate(SMOOTHINGS)
        if len(seasons) >= 2 * (each.longer is not None) or each.longer is None
        if len(seasons) >= 1 or each.season is None
    ]
    return [*numbers, *range(len(SMOOTHINGS), COUNT)]


# All there are: smoothings, then the regressions.
COUNT = len(SMOOTHINGS) + len(PENALTIES)


@dataclass
class _States:
    """Levels and trends, `(series, members)`; seasons, `(season, series, some members)`."""

    level: Floats
    trend: Floats
    season: Floats
    longer: Floats


class _Smoother:
    """The smoothings at work on a batch."""

    def __init__(self, seasons: Sequence[float]) -> None:
        chosen = [SMOOTHINGS[each] for each in members_of(seasons) if each < len(SMOOTHINGS)]
        self.level, self.trend, self.damping, self.drift = (
            np.array([getattr(each, name) for each in chosen])
            for name in ("level", "trend", "damping", "drift")
        )
        self.count, self.seasons = len(chosen), (*seasons, 1, 1)[:2]
        self.lengths = int(self.seasons[0]), int(self.seasons[1])
        # The members with a season, and those with a longer one, are neighbours.
        self.seasonal = _neighbours([each.season is not None for each in chosen])
        self.long = _neighbours([each.longer is not None for each in chosen])
        self.by_season = np.array([each.season or 0.0 for each in chosen[self.seasonal]])
        self.by_longer = np.array([each.longer or 0.0 for each in chosen[self.long]])

    def start(self, values: Floats) -> _States:
        """States before the first step, smoothed back to it from states that are guessed."""
        short, long = self.lengths
        used = min(values.shape[1], max(4 * short, 2 * long, START))
        head = values[:, :used]
        level = np.repeat(head[:, -max(short, long) :].mean(axis=1)[:, None], self.count, axis=1)
        own = _profile(head, short)
        season = np.repeat(own.T[:, :, None], len(self.by_season), axis=2)
        # A longer season beside a shorter one is what that does not explain.
        both = self.seasonal.stop - self.long.start if len(self.by_longer) else 0
        rest = head - own[:, np.arange(used) % short]
        longer = [
            np.repeat(_profile(each, long).T[:, :, None], count, axis=2)
            for each, count in ((rest, max(both, 0)), (head, len(self.by_longer) - max(both, 0)))
        ]
        states = _States(level, np.zeros_like(level), season, np.concatenate(longer, axis=2))
        for step in range(used - 1, -1, -1):
            self.update(states, head[:, step], step)
        states.trend = -states.trend
        return states

    def update(self, states: _States, values: Floats, step: int) -> Floats:
        """Take one value of each series into the states; return the errors, `(series, members)`."""
        trend = self.damping * states.trend
        expected = states.level + trend
        if len(self.by_season):
            season = states.season[_phase(step, self.seasons[0])]
            expected[:, self.seasonal] += season
        if len(self.by_longer):
            longer = states.longer[_phase(step, self.seasons[1])]
            expected[:, self.long] += longer
        error: Floats = values[:, None] - expected
        states.level = states.level + trend + self.level * error
        states.trend = trend + self.trend * error
        if len(self.by_season):
            season += self.by_season * error[:, self.seasonal]
        if len(self.by_longer):
            longer += self.by_longer * error[:, self.long]
        return error

    def forecast(self, states: _States, origin: int, horizon: int, slope: Floats) -> Floats:
        """Return the steps after an origin, shape `(series, members, horizon)`."""
        ahead = np.arange(1, horizon + 1)
        reach = np.cumsum(self.damping[:, None] ** ahead, axis=1)
        drifts = slope[:, None, None] * self.drift[:, None] * ahead
        found: Floats = states.level[..., None] + states.trend[..., None] * reach + drifts
        rows = origin + ahead - 1
        for place, held, season in (
            (self.seasonal, states.season, self.seasons[0]),
            (self.long, states.longer, self.seasons[1]),
        ):
            found[:, place] += np.moveaxis(held[_phase(rows, season)], 0, -1)
        return found


def forecast_by_members(
    values: Floats, origins: Sequence[int], horizon: int, *, seasons: Sequence[float]
) -> Forecasts:
    """Forecasts of every series by every member of `members_of` from every origin.

    Arguments as of `forecast_by_regressions`, but for seasons: their steps need not be whole.
    """
    smoothed = _forecast_by_smoothings(values, origins, horizon, seasons)
    whole = [int(each) for each in seasons]
    ahead, errors = forecast_by_regressions(values, origins, horizon, seasons=whole)
    return Forecasts(
        np.concatenate([smoothed.ahead, ahead], axis=2),
        np.concatenate([smoothed.errors, errors], axis=2),
    )


def _forecast_by_smoothings(
    values: Floats, origins: Sequence[int], horizon: int, seasons: Sequence[float]
) -> Forecasts:
    smoother, (series, steps) = _Smoother(seasons), values.shape
    states = smoother.start(values)
    ahead = np.empty((series, len(origins), smoother.count, horizon))
    errors = np.empty((series, steps, smoother.count))
    season = smoother.lengths[0]
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


def _phase(step: Any, season: float) -> Any:
    """The phase of each step in its season, below `int(season)`.

    Args:
        step: An integer, or an array of them.
        season: Steps in it. Where they are not whole, a phase is a little longer than a step.
    """
    return np.int64(step % season * (int(season) / season))


def _neighbours(chosen: Sequence[bool]) -> slice:
    """The slice of all that are chosen, which lie side by side."""
    places = [place for place, each in enumerate(chosen) if each]
    return slice(places[0], places[-1] + 1) if places else slice(0, 0)


def _profile(head: Floats, season: int) -> Floats:
    """The mean departure of each phase from the mean of its season, shape `(series, season)`."""
    rows = head.shape[1] // season
    if season == 1 or rows < 1:
        return np.zeros((len(head), season))
    whole = head[:, : rows * season].reshape(len(head), rows, season)
    profile: Floats = (whole - whole.mean(axis=2, keepdims=True)).mean(axis=1)
    return profile
