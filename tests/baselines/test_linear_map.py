"""Maps against slow loops, and what every map promises: it moves with the level of its window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.baselines import naive as baselines
from forecast_cli.baselines.linear_map import (
    Sample,
    apply_map,
    count_distinct,
    last_map,
    sample_windows,
    seasonal_map,
    widened,
)
from forecast_cli.baselines.member_maps import fit_maps, map_window
from forecast_cli.baselines.ridge import fit_ridge
from forecast_cli.baselines.smoothing import Smoothing, fit_smoothing, smoothing_map
from forecast_cli.baselines.structural import Season, Structure, fit_structure, structural_map
from forecast_cli.config.registries import MAP_NAMES
from forecast_cli.core.errors import UsageError

WINDOW = np.random.default_rng(0).normal(size=40).cumsum() + 30


def airline(rows=144):
    """Trend and a season that both multiply, with noise."""
    times = np.arange(rows)
    draws = np.random.default_rng(1).normal(scale=0.03, size=rows)
    return 5 + 0.01 * times + 0.2 * np.sin(2 * np.pi * times / 12) + draws


def test_simple_maps_are_the_simple_forecasts():
    known = baselines.BaselineInput(WINDOW[:, None], np.array([40]), np.array([0]), 9, 7)
    expected = {
        "naive": (last_map(40, 9), baselines.naive(known)),
        "seasonal-naive": (seasonal_map(40, 9, season=7), baselines.seasonal_naive(known)),
    }
    for name, (matrix, forecast) in expected.items():
        assert WINDOW @ matrix == pytest.approx(forecast[0, :, 0]), name


def test_a_window_that_is_too_short_is_refused():
    for build in (
        lambda: seasonal_map(10, 3, season=12),
        lambda: smoothing_map(12, 3, season=12, parameters=Smoothing(0.5)),
        lambda: widened(last_map(5, 2), 4),
    ):
        with pytest.raises(UsageError, match="too short"):
            build()


def test_maps_at_many_origins_and_in_longer_windows():
    matrix = smoothing_map(10, 5, season=3, parameters=Smoothing(0.5, season=0.1))
    origins = np.array([10, 12, 35])
    expected = np.stack([WINDOW[each - 10 : each] @ matrix for each in origins])
    assert apply_map(WINDOW, origins, matrix) == pytest.approx(expected)
    assert WINDOW @ widened(matrix, 40) == pytest.approx(WINDOW[-10:] @ matrix)


def smoothed(window, horizon, season, parameters, start):
    """The recursion in a loop: one-step errors and forecasts."""
    level, trend, seasons, errors = start[0], start[1], list(start[2:]), []
    for step, value in enumerate(window):
        place = step % season
        error = value - level - parameters.damping * trend - (seasons[place] if seasons else 0)
        level += parameters.damping * trend + parameters.level * error
        trend = parameters.damping * trend + parameters.trend * error
        if seasons:
            seasons[place] += parameters.season * error
        errors.append(error)
    forecast = []
    for step in range(horizon):
        level, trend = level + parameters.damping * trend, parameters.damping * trend
        forecast.append(level + (seasons[(len(window) + step) % season] if seasons else 0))
    return np.array(errors), np.array(forecast)


@given(st.sampled_from([1, 4, 7]), st.tuples(*[st.floats(0.01, 0.9)] * 4))
def test_smoothing_is_the_recursion_from_its_best_start(season, shares):
    from scipy.optimize import minimize

    level, part, seasonal, damping = shares
    chosen = Smoothing(level, level * part, seasonal if season > 1 else 0.0, damping)
    count = 2 + (season if season > 1 else 0)
    pull = np.array([1e-6, 1.0, *[0.05] * (count - 2)])
    apart = WINDOW - WINDOW[-1]

    def loss(start):
        errors, _ = smoothed(apart, 1, season, chosen, start)
        return float(errors @ errors + pull @ start**2)

    # The loss is a parabola: its minimum follows from its slopes.
    start = minimize(loss, np.zeros(count), method="BFGS", options={"gtol": 1e-9}).x
    expected = smoothed(apart, 6, season, chosen, start)[1] + WINDOW[-1]
    found = WINDOW @ smoothing_map(40, 6, season=season, parameters=chosen)
    assert found == pytest.approx(expected, abs=1e-3)


def test_smoothing_of_the_level_alone_is_a_known_series():
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    matrix = smoothing_map(40, 3, parameters=Smoothing(0.3))
    model = SimpleExpSmoothing(WINDOW, initialization_method="estimated")
    fitted = model.fit(smoothing_level=0.3)
    assert WINDOW @ matrix == pytest.approx(fitted.forecast(3), rel=1e-4)


def test_a_structure_of_level_alone_is_exponential_smoothing():
    # The local level model has the smoothing parameter that solves a^2 / (1 - a) = level.
    level = 0.3
    share = (-level + np.sqrt(level**2 + 4 * level)) / 2
    weights = structural_map(200, 1, Structure(level))[:, 0]
    expected = share * (1 - share) ** np.arange(200)[::-1]
    assert weights == pytest.approx(expected, abs=1e-8)


def test_a_structure_whose_season_stays_goes_on_with_it():
    times = np.arange(200)
    season = Season(25, 100.0, 1.0, 0.5)
    matrix = structural_map(150, 50, Structure(1e-6, seasons=(season,)))
    values = np.sin(2 * np.pi * times / 25)
    assert values[:150] @ matrix == pytest.approx(values[150:], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAP_NAMES)
def test_every_map_moves_with_the_level(name):
    values = airline()
    maps = fit_maps(
        values, np.array([0, 144]), np.array([132]), horizon=12, season=12, names=MAP_NAMES
    )
    matrix = maps[name]
    assert matrix.sum(axis=0) == pytest.approx(np.ones(12))
    window = values[-len(matrix) :]
    assert (window + 7) @ matrix == pytest.approx(window @ matrix + 7)


def test_rows_after_the_training_rows_change_nothing():
    values = airline()
    later = values.copy()
    later[110:] = 1e9
    one, two = (
        fit_maps(
            each,
            np.array([0, 144]),
            np.array([110]),
            horizon=6,
            season=12,
            seasons=(12,),
            names=MAP_NAMES,
        )
        for each in (values, later)
    )
    for name, matrix in one.items():
        assert np.array_equal(matrix, two[name]), name


@pytest.mark.parametrize("rows", [14, 24, 36, 60])
@pytest.mark.parametrize("season", [1, 12])
def test_short_series_have_maps_too(rows, season):
    values = airline(rows)
    maps = fit_maps(
        values, np.array([0, rows]), np.array([rows]), horizon=4, season=season, names=MAP_NAMES
    )
    assert {"naive", "smoothing", "structural", "ridge"} <= set(maps)
    for name, matrix in maps.items():
        assert len(matrix) <= rows
        forecast = values[-len(matrix) :] @ matrix
        assert np.abs(forecast - values[-4:].mean()).max() < 1.5, name


def test_fitted_maps_are_better_than_the_simple_ones():
    values = airline(400)
    maps = fit_maps(
        values, np.array([0, 400]), np.array([300]), horizon=12, season=12, names=MAP_NAMES
    )
    origins = np.arange(300, 389)
    actual = values[origins[:, None] + np.arange(12)]
    errors = {
        name: np.abs(apply_map(values, origins, each) - actual).mean()
        for name, each in maps.items()
    }
    for name in ("smoothing", "structural", "smoothing-ridge", "ridge"):
        assert errors[name] < 0.95 * errors["seasonal-naive"], name


def test_ridge_finds_a_linear_law_and_is_the_other_map_where_there_is_none():
    draws = np.random.default_rng(0).normal(size=3000)
    values = np.zeros(3000)
    for step in range(2, 3000):
        values[step] = 1.2 * values[step - 1] - 0.6 * values[step - 2] + draws[step]
    matrix = fit_ridge(values, np.arange(8, 3000), timesteps=8, horizon=1)
    # The columns sum to 1, so the level is drawn on a little; the last two weights carry the law.
    assert matrix[-2:, 0] == pytest.approx([-0.6, 1.2], abs=0.15)
    walk = np.cumsum(draws[:300])
    assert fit_ridge(walk, np.arange(20, 296), timesteps=20, horizon=5) == pytest.approx(
        last_map(20, 5), abs=0.1
    )
    few = fit_ridge(walk, np.arange(20, 25), timesteps=20, horizon=5)
    assert np.array_equal(few, last_map(20, 5))


def test_ridge_leaves_out_windows_with_missing_values():
    values = airline(300)
    hole = values.copy()
    hole[150] = np.nan
    origins = np.arange(24, 295)
    whole = [each for each in origins if not each - 24 <= 150 < each + 6]
    one = fit_ridge(hole, origins, timesteps=24, horizon=6)
    two = fit_ridge(values, np.array(whole), timesteps=24, horizon=6)
    assert one == pytest.approx(two)


def test_large_series_do_not_outvote_small_ones():
    one, two = airline(200), airline(200)[::-1] + 3
    indptr, end = np.array([0, 200, 400]), np.array([200, 400])
    maps, other = (
        fit_maps(
            np.concatenate([one, size * two]), indptr, end, horizon=6, season=12, names=MAP_NAMES
        )
        for size in (1.0, 1000.0)
    )
    for name, matrix in maps.items():
        assert matrix == pytest.approx(other[name], abs=1e-6), name


def test_few_windows_leave_parameters_at_what_is_usual():
    values = airline(60)
    none = Sample(np.zeros((0, 24)), np.zeros((0, 6)), 0.0)
    usual = fit_structure(none, seasons=[12])
    few = fit_structure(
        sample_windows(values, np.array([24]), timesteps=24, horizon=6), seasons=[12]
    )
    many = sample_windows(airline(600), np.arange(24, 590), timesteps=24, horizon=6)
    apart = [np.abs(each - usual).sum() for each in (few, fit_structure(many, seasons=[12]))]
    assert apart[0] < apart[1]
    assert fit_smoothing(none, season=12).shape == (24, 6)


def test_forecasts_that_do_not_overlap_are_counted():
    assert count_distinct(np.arange(100), 10) == pytest.approx(10.9)
    assert count_distinct(np.array([0, 50, 100]), 10) == 3
    assert count_distinct(np.array([], dtype=int), 10) == 0


@pytest.mark.parametrize("timesteps", [1, 2, 6, 12, 13, 30])
def test_maps_look_back_no_further_than_they_may(timesteps):
    values = airline()
    maps = fit_maps(
        values,
        np.array([0, 144]),
        np.array([144]),
        horizon=3,
        season=12,
        names=MAP_NAMES,
        timesteps=timesteps,
    )
    assert {len(each) for each in maps.values()} == {timesteps}
    assert ("seasonal-naive" in maps) == (timesteps >= 12)
    assert "ridge" in maps


def test_windows_of_maps():
    assert map_window(1000, horizon=24, season=24, count=5) == 120
    assert map_window(5000, horizon=24, season=24, seasons=(24, 168), count=10) == 360
    assert map_window(1000, horizon=10, season=1, count=5) == 40
    for rows in range(14, 200, 7):
        assert 1 <= map_window(rows, horizon=12, season=12) <= rows - 12
