"""The simple forecasts against three-line loops."""

import numpy as np
import pytest

from forecast_cli.core.baselines import drift, naive, seasonal_naive

VALUES = np.random.default_rng(0).normal(10, 3, (60, 2))
# Two series of 30 rows, with origins in both; the last one has no row after it.
FIRST = np.array([0, 0, 30, 30])
ORIGINS = np.array([7, 20, 38, 60])
HORIZON = 9


def test_naive_holds_the_last_value():
    forecast = naive(VALUES, ORIGINS, horizon=HORIZON)
    for origin, each in zip(ORIGINS, forecast, strict=True):
        assert each.tolist() == [VALUES[origin - 1].tolist()] * HORIZON


@pytest.mark.parametrize("season", [1, 2, 4, 7])
def test_seasonal_naive_repeats_the_last_season(season):
    forecast = seasonal_naive(VALUES, ORIGINS, horizon=HORIZON, season_length=season)
    for origin, each in zip(ORIGINS, forecast, strict=True):
        history = VALUES[origin - season : origin].tolist()
        assert each.tolist() == [history[step % season] for step in range(HORIZON)]


def test_drift_draws_the_line_through_first_and_last_value():
    forecast = drift(VALUES, ORIGINS, FIRST, horizon=HORIZON)
    for first, origin, each in zip(FIRST, ORIGINS, forecast, strict=True):
        slope = (VALUES[origin - 1] - VALUES[first]) / (origin - 1 - first)
        expected = [VALUES[origin - 1] + slope * step for step in range(1, HORIZON + 1)]
        np.testing.assert_allclose(each, expected, rtol=1e-12)


def test_drift_goes_on_along_a_straight_line():
    line = 3.0 + 0.5 * np.arange(20)[:, None]
    forecast = drift(line[:10], np.array([10]), np.array([0]), horizon=10)
    np.testing.assert_allclose(forecast[0], line[10:])


@pytest.mark.parametrize(
    "forecaster",
    [
        lambda values: naive(values, ORIGINS, horizon=HORIZON),
        lambda values: seasonal_naive(values, ORIGINS, horizon=HORIZON, season_length=7),
        lambda values: drift(values, ORIGINS, FIRST, horizon=HORIZON),
    ],
    ids=["naive", "seasonal naive", "drift"],
)
def test_nothing_at_or_after_an_origin_is_read(forecaster):
    before = forecaster(VALUES)
    for place, origin in enumerate(ORIGINS):
        changed = VALUES.copy()
        changed[origin:] = np.nan
        assert (forecaster(changed)[place] == before[place]).all()
