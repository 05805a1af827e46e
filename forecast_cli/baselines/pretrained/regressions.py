"""Forecasts by ridge regressions on lags, solved at every origin for many series at once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from ...core.windows import Floats

# Penalties, in units of the mean square of a lag: little, and so much that the naive forecast is
# left only for what is plain.
PENALTIES = (1.0, 8.0)
# The last rows that the coefficients are learned from.
ROWS = 1000
# Values so many steps before a row, and means of some values that end there.
Before: TypeAlias = Callable[[int], Floats]


def forecast_by_regressions(
    values: Floats, origins: Sequence[int], horizon: int, *, seasons: Sequence[int]
) -> tuple[Floats, Floats]:
    """Forecasts by regressions of departures from the (seasonal) naive forecast on past ones.

    Args:
        values: Shape `(series, steps)`, without gaps, in units of about 1.
        origins: The rows of the first steps ahead, ascending, the last at most `steps`.
        horizon: Steps ahead.
        seasons: Steps in each season, the shortest first; empty for none.

    Returns:
        The forecasts, `(series, origins, penalties, horizon)`, and the one-step errors, each with
        the coefficients of the origin before, `(series, steps, penalties)`.
    """
    steps = values.shape[1]
    lags = _Lags(seasons, steps)
    rows, target = lags.rows_of(values), values - _shifted(values, lags.season)
    coefficients = _fit(rows, target, origins, lags.first)
    errors = np.repeat(target[:, :, None], len(PENALTIES), axis=2)
    edges = [lags.first, *origins[1:], steps]
    for place, (begin, end) in enumerate(pairwise(edges)):
        begin = max(begin, lags.first)
        if end > begin:
            errors[:, begin:end] -= rows[:, begin:end] @ coefficients[:, place]
    return _iterate(values, origins, horizon, coefficients, lags), errors


class _Lags:
    """Which past values the next one is regressed on.

    Args:
        seasons: Steps in each season.
        steps: In a series; lags that are too long for it are left out.
    """

    def __init__(self, seasons: Sequence[int], steps: int) -> None:
        self.season = seasons[0] if seasons and 2 * seasons[0] < steps else 1
        self.long = seasons[1] if len(seasons) > 1 and 2.5 * seasons[1] < steps else 0
        self.wide = max(self.season, 4)
        # The first row whose lags are all known.
        self.first = min(steps, max(2 * self.season, self.season + 3, self.wide, self.long + 1))

    def features(self, value: Before, mean: Before) -> Floats:
        """What a row is regressed on, shape `(..., features)`.

        Args:
            value: The values so many steps before.
            mean: The means of the `wide` values that end so many steps before.
        """
        season, base = self.season, value(self.season)
        found = [np.ones_like(base), value(1) - value(season + 1), value(2) - value(season + 2)]
        # How far values are from their mean, and the seasonal naive error of a season ago.
        found.append(mean(1) - (base if season > 1 else value(1)))
        if season > 1:
            found += [base - value(2 * season), mean(1) - mean(1 + season)]
        if self.long:
            found += [value(self.long) - base, value(1) - value(self.long + 1)]
        return np.stack(found, axis=-1)

    @property
    def past(self) -> int:
        """How many values a row needs before it."""
        return max(2 * self.season, self.season + 2, self.wide + self.season, self.long + 1)

    def rows_of(self, values: Floats) -> Floats:
        """Features of every row, shape `(series, steps, features)`; `values` `(series, steps)`."""
        sums = np.cumsum(np.concatenate([np.repeat(values[:, :1], self.wide, 1), values], 1), 1)
        means = (sums[:, self.wide :] - sums[:, : -self.wide]) / self.wide
        return self.features(lambda lag: _shifted(values, lag), lambda lag: _shifted(means, lag))


def _shifted(values: Floats, lag: int) -> Floats:
    """Values so many steps before, shape `(series, steps)`; the first one before all."""
    steps = values.shape[1]
    lag = min(lag, steps)
    return np.concatenate([np.repeat(values[:, :1], lag, axis=1), values[:, : steps - lag]], axis=1)


def _fit(rows: Floats, target: Floats, origins: Sequence[int], first: int) -> Floats:
    """Coefficients at each origin, shape `(series, origins, features, penalties)`."""
    series, _, count = rows.shape
    gram, moment = np.zeros((series, count, count)), np.zeros((series, count, 1))
    found = np.zeros((series, len(origins), count, len(PENALTIES)))
    begin = start = max(first, origins[-1] - ROWS)
    for place, origin in enumerate(origins):
        if origin > begin:
            some = rows[:, begin:origin]
            turned = np.swapaxes(some, 1, 2)
            gram += turned @ some
            moment += turned @ target[:, begin:origin, None]
            begin = origin
        size = np.einsum("sff->sf", gram) / max(begin - start, 1)
        for number, penalty in enumerate(PENALTIES):
            ridge = penalty * np.maximum(size, 1e-3)[:, :, None] * np.eye(count)
            found[:, place, :, number] = np.linalg.solve(gram + ridge, moment)[..., 0]
    return found


def _iterate(
    values: Floats, origins: Sequence[int], horizon: int, coefficients: Floats, lags: _Lags
) -> Floats:
    """Forecasts step by step, shape `(series, origins, penalties, horizon)`."""
    past = lags.past
    rows = np.maximum(np.asarray(origins)[:, None] + np.arange(-past, 0), 0)
    known = np.repeat(values[:, rows][:, :, None], len(PENALTIES), axis=2)
    whole = np.concatenate([known, np.empty((*known.shape[:3], horizon))], axis=3)
    own = np.swapaxes(coefficients, 2, 3)
    limit = 4.0 * np.abs(known).max(axis=3) + 10.0
    for now in range(past, past + horizon):
        features = lags.features(
            lambda lag, now=now: whole[..., now - lag],  # type: ignore[misc]
            lambda lag, now=now: whole[..., now - lag - lags.wide + 1 : now - lag + 1].mean(-1),  # type: ignore[misc]
        )
        step = whole[..., now - lags.season] + (features * own).sum(axis=-1)
        whole[..., now] = np.clip(step, -limit, limit)
    return whole[..., past:]
