"""Forecasts by the pretrained network: what holds for any series."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.baselines.naive import BaselineInput
from forecast_cli.baselines.pretrained import forecaster
from forecast_cli.baselines.pretrained.forecaster import forecast_pretrained, forecast_quantiles
from forecast_cli.baselines.pretrained.network import MEDIAN, QUANTILES

HORIZON, SEASON = 8, 4


def series_of(steps, seed=0, level=50.0):
    rng = np.random.default_rng(seed)
    waves = 5 * np.sin(2 * np.pi * np.arange(steps) / SEASON)
    return level + waves + rng.normal(size=steps).cumsum()


def forecast(series, horizon=HORIZON, season=SEASON):
    """Of one series, shape `(horizon, quantiles)`."""
    return forecast_quantiles([np.asarray(series, float)], horizon, season)[0]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.integers(1, 20),
    st.sampled_from([1, 4, 12]),
)
def test_forecasts_of_anything_are_finite_and_in_order(values, horizon, season):
    found = forecast(values, horizon, season)
    assert found.shape == (horizon, len(QUANTILES))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=-1) >= 0).all()
    if min(values) >= 0:
        assert (found >= 0).all()


@pytest.mark.parametrize("rows", [*range(1, 9), 2000])
def test_any_number_of_rows_is_enough(rows):
    found = forecast(series_of(rows))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=-1) >= 0).all()


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e12, 1e-12])
def test_units_do_not_matter(size):
    series = series_of(60)
    found, other = forecast(series), forecast(size * series)
    np.testing.assert_allclose(other / size, found, rtol=1e-4)


def test_a_series_below_zero_is_forecast_as_its_mirror_image_about_is():
    found = forecast(series_of(60, level=-50.0))
    assert (found[:, MEDIAN] < 0).all()


@pytest.mark.parametrize("value", [0.0, 7.5, -3.0, 1e300])
def test_a_constant_goes_on(value):
    np.testing.assert_array_equal(forecast(np.full(40, value)), value)


def test_series_of_other_lengths_in_any_order_and_batches_change_nothing(monkeypatch):
    series = [series_of(rows, seed) for seed, rows in enumerate((30, 61, 30, 5, 44, 30))]
    found = forecast_quantiles(series, HORIZON, SEASON)
    for each, one in zip(series, found, strict=True):
        np.testing.assert_allclose(forecast(each), one, rtol=1e-5)
    monkeypatch.setattr(forecaster, "CELLS", 1)
    turned = forecast_quantiles(series[::-1], HORIZON, SEASON)
    np.testing.assert_allclose(turned[::-1], found, rtol=1e-5)


def test_forecasts_read_the_rows_before_their_origins_alone():
    values = np.stack([series_of(80), series_of(80, 1)], axis=1)
    origins, first = np.array([40, 60, 80]), np.array([0, 10, 0])
    given = BaselineInput(values, origins, first, HORIZON, SEASON, level=(80.0, 95.0))
    found = forecast_pretrained(given)
    assert found.point.shape == (3, HORIZON, 2)
    assert found.ends.shape == (2, 3, HORIZON, 2, 2)
    later = values.copy()
    later[60:] = 1e9
    other = forecast_pretrained(BaselineInput(later, origins, first, HORIZON, SEASON))
    np.testing.assert_array_equal(other.point[:2], found.point[:2])
    expected = forecast(values[10:60, 1])
    np.testing.assert_allclose(found.point[1, :, 1], expected[:, MEDIAN], rtol=1e-5)
    # The ends are those quantiles where the network forecasts them.
    for place, (low, high) in enumerate([(0.1, 0.9), (0.025, 0.975)]):
        ends = expected[:, [QUANTILES.index(low), QUANTILES.index(high)]].T
        np.testing.assert_allclose(found.ends[:, 1, :, 1, place], ends, rtol=1e-5)


def test_intervals_widen_with_their_level():
    level = (10.0, 50.0, 80.0, 90.0, 95.0, 99.0)
    origin = np.array([60])
    given = BaselineInput(series_of(60)[:, None], origin, origin - 60, HORIZON, SEASON, level=level)
    found = forecast_pretrained(given)
    lower, upper = found.ends[:, 0, :, 0]
    assert (np.diff(lower, axis=-1) < 0).all()
    assert (np.diff(upper, axis=-1) > 0).all()
    assert ((lower < found.point[0]) & (found.point[0] < upper)).all()


def test_a_strong_season_is_forecast_better_than_by_the_last_one():
    noisy = np.stack([series_of(48 + HORIZON, seed, level=90) for seed in range(30)])
    found = forecast_quantiles(list(noisy[:, :48]), HORIZON, SEASON)[..., MEDIAN]
    actual, last = noisy[:, 48:], np.tile(noisy[:, 44:48], 2)
    assert np.abs(actual - found).mean() < np.abs(actual - last).mean()


def test_forecasts_of_random_walks_are_as_good_as_the_last_value():
    walks = np.cumsum(np.random.default_rng(8).standard_normal((60, 260)), axis=1)
    found = forecast_quantiles(list(walks[:, :250]), 10, 1)
    ahead, last = walks[:, 250:], walks[:, 249:250]
    error, naive = (np.abs(each - ahead).mean() for each in (found[..., MEDIAN], last))
    assert error < 1.01 * naive
    inside = (ahead >= found[..., 1]) & (ahead <= found[..., -2])
    assert 0.7 < inside.mean() < 0.9


def test_the_longer_a_random_walk_the_more_of_its_forecast_is_the_last_value():
    walks = np.cumsum(np.random.default_rng(4).standard_normal((60, 600)), axis=1)
    away = []
    for rows in (40, 600):
        found = forecast_quantiles(list(walks[:, :rows]), 4, 1)[..., MEDIAN]
        away.append(np.abs(found - walks[:, rows - 1 : rows]).mean())
    assert away[0] > 2 * away[1]


def test_intervals_are_wider_after_short_series():
    seasons = np.tile([1.0, 4.0, 2.0, 8.0], 60) + np.random.default_rng(1).normal(0, 0.3, 240)
    short, long = (forecast_quantiles([seasons[-rows:]], 8, 4)[0] for rows in (20, 240))
    widths = [(each[:, -1] - each[:, 0]).mean() for each in (short, long)]
    assert widths[0] > widths[1]


@pytest.mark.parametrize("level", [1e9, 1e12, -1e9])
def test_small_changes_at_a_high_level_are_forecast_as_at_a_low_one(level):
    values = series_of(60, level=0.0)
    far = forecast(values + level) - level
    low = forecast(values + np.copysign(1e5, level)) - np.copysign(1e5, level)
    np.testing.assert_allclose(far, low, atol=0.02 * np.ptp(values))
