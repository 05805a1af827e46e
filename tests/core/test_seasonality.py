"""Seasons that are there are found, those that are not are not, and random walks are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.season_search import own_seasons, stronger_season
from forecast_cli.core.seasonality import (
    decompose,
    find_seasons,
    has_season,
)
from forecast_cli.core.series_features import extract_features, is_random_walk, season_strength


def seasonal(rows, season, *, noise=0.25, slope=0.0, seed=0):
    times = np.arange(rows)
    draws = np.random.default_rng(seed).normal(scale=noise, size=rows)
    return np.sin(2 * np.pi * times / season) + slope * times + draws


@pytest.mark.parametrize(("season", "rows"), [(4, 60), (7, 200), (12, 60), (24, 300), (365, 1500)])
def test_a_season_is_found_beside_noise_and_trend(season, rows):
    assert find_seasons(seasonal(rows, season, slope=0.05), usual=(season,)) == (season,)


def test_several_seasons_are_found():
    values = seasonal(168 * 8, 24) + 2 * seasonal(168 * 8, 168, seed=1)
    assert find_seasons(values, usual=(168, 24)) == (24, 168)


def test_a_longer_season_must_show_in_what_a_shorter_one_leaves():
    assert find_seasons(seasonal(168 * 8, 24), usual=(24, 168)) == (24,)


def test_a_season_of_which_the_frequency_says_nothing_is_found():
    assert find_seasons(seasonal(400, 17, noise=0.2)) == (17,)


def test_missing_values_do_not_hide_a_season():
    values = seasonal(200, 12)
    values[np.random.default_rng(1).random(200) < 0.2] = np.nan
    assert find_seasons(values, usual=(12,)) == (12,)


def test_a_season_must_have_been_seen_more_than_twice():
    values = seasonal(24, 12, noise=0.01)
    assert find_seasons(values, usual=(12,)) == ()
    assert find_seasons(seasonal(36, 12, noise=0.01), usual=(12,)) == (12,)


@pytest.mark.parametrize("usual", [(5,), (7, 365), (12,), (24, 168), (52,)])
@pytest.mark.parametrize("walk", [True, False])
def test_noise_and_random_walks_have_no_season(usual, walk):
    draws = np.random.default_rng(3).normal(size=(50, 900))
    found = [find_seasons(np.cumsum(each) if walk else each, usual=usual) for each in draws]
    assert sum(map(bool, found)) <= 3


@given(st.floats(0.001, 1000), st.floats(-1e4, 1e4), st.integers(0, 20))
def test_units_do_not_matter(factor, offset, seed):
    values = seasonal(96, 12, noise=2.0, seed=seed)
    assert has_season(values, 12) == has_season(factor * values + offset, 12)


def test_the_season_of_most_series_is_that_of_all():
    noise = np.random.default_rng(0).normal(size=100)
    few = np.concatenate([seasonal(100, 12), noise, noise])
    most = np.concatenate([seasonal(100, 12), seasonal(100, 12, seed=1), noise])
    assert find_seasons(few, np.array([0, 100, 200, 300]), usual=(12,)) == ()
    assert find_seasons(most, np.array([0, 100, 200, 300]), usual=(12,)) == (12,)


def test_strengths_go_from_nothing_to_all():
    times = np.arange(240)
    season, trend = np.sin(2 * np.pi * times / 12), times / 20
    noise = np.random.default_rng(0).normal(size=240)
    assert season_strength(season + trend, [12]) == pytest.approx(1, abs=0.01)
    assert season_strength(noise, [12]) < 0.25
    assert season_strength(trend + noise / 100, []) == 0
    assert season_strength(np.ones(50), [12]) == 0


def test_random_walks_wander_and_other_series_do_not():
    draws = np.random.default_rng(0).normal(size=(100, 500))
    assert np.mean([is_random_walk(np.cumsum(each)) for each in draws]) > 0.85
    # A change of volatility does not hide a random walk.
    assert (
        np.mean([is_random_walk(np.cumsum(each * np.linspace(1, 5, 500))) for each in draws]) > 0.85
    )
    assert not any(is_random_walk(each) for each in draws)
    assert not any(is_random_walk(np.cumsum(each + 0.5)) for each in draws)
    assert not is_random_walk(seasonal(300, 12))
    assert not is_random_walk(np.cumsum(draws[0][:20])), "too few steps to say"


def test_traits_put_it_together():
    values = np.exp(seasonal(240, 12, noise=0.1, slope=0.02))
    traits = extract_features(np.tile(values, 2), np.array([0, 240, 480]), usual=(12,))
    assert traits.seasons == (12,)
    assert traits.season_strength > 0.35
    assert (traits.random_walk, traits.count) == (False, 2)


def test_series_of_nothing_have_no_traits():
    traits = extract_features(np.array([1.0, 1.0, np.nan]), usual=(12,))
    assert traits.seasons == ()
    assert not traits.random_walk
    assert extract_features(np.full(40, np.nan), usual=(12,)).season_strength == 0
    assert extract_features(np.full(40, 3.0), usual=(12,)).seasons == ()


@pytest.mark.parametrize("seed", range(3))
def test_rows_show_their_seasons_themselves(seed):
    values = 2 * seasonal(48 * 35, 48, seed=seed) + seasonal(48 * 35, 336, seed=seed + 9)
    values += 0.001 * np.arange(len(values))
    assert own_seasons(values)[-1] == 336
    assert own_seasons(seasonal(300, 24, seed=seed)) == (24,)


@pytest.mark.parametrize("walk", [True, False])
@pytest.mark.parametrize("rows", [40, 150, 900])
def test_rows_without_seasons_show_none(walk, rows):
    draws = np.random.default_rng(4).normal(size=(50, rows))
    found = [own_seasons(np.cumsum(each) if walk else each) for each in draws]
    assert sum(map(bool, found)) <= 2


def test_a_stronger_season_is_one_that_differs_less():
    values = seasonal(168 * 8, 24) + 2 * seasonal(168 * 8, 168, seed=1)
    assert stronger_season(values, None, 24) == stronger_season(values, None, 5) == 168
    assert stronger_season(values, None, 168) is None


@pytest.mark.parametrize("season", [7, 12, 24, 48, 96, 168, 336, 365])
@pytest.mark.parametrize("change", ["none", "trend", "growth"])
def test_a_season_is_found_to_the_step(season, change):
    values = seasonal(8 * season, season, noise=0.35, seed=season)
    times = np.arange(len(values)) / len(values)
    changed = {"none": values, "trend": values + times, "growth": values * (1 + times)}
    assert own_seasons(changed[change]) == (season,)


def test_a_year_of_days_with_weather_is_not_two_days_too_long():
    rng, days = np.random.default_rng(0), np.arange(365 * 8)
    weather = np.zeros(len(days))
    for day in days[1:]:
        weather[day] = 0.7 * weather[day - 1] + rng.normal(0, 2)
    assert own_seasons(11 + 5 * np.cos(2 * np.pi * days / 365) + weather) == (365,)


def test_a_profile_with_two_peaks_a_day_has_the_season_of_the_day():
    times = np.arange(24 * 30)
    values = np.cos(2 * np.pi * times / 12) + 0.5 * np.cos(2 * np.pi * times / 24)
    noise = np.random.default_rng(1).normal(0, 0.3, len(times))
    assert own_seasons(values + noise) == (24,)


@given(
    st.integers(1, 60), st.integers(1, 40), st.lists(st.integers(1, 30), max_size=3),
    st.integers(0, 1000),
)  # fmt: skip
def test_the_parts_sum_to_the_forecast(rows, steps, seasons, seed):
    draw = np.random.default_rng(seed)
    before, forecast = draw.normal(50, 20, rows), draw.normal(50, 20, steps)
    found = decompose(before, forecast, seasons)
    assert {*found.seasons} == {each for each in seasons if 1 < each <= rows}
    whole = found.level + found.trend + sum(found.seasons.values())
    np.testing.assert_allclose(whole, forecast, rtol=1e-12)
    longest = max(found.seasons, default=1)
    assert found.level == pytest.approx(before[-longest:].mean())


@pytest.mark.parametrize("steps", [3, 12, 30])
def test_a_line_and_a_season_are_told_apart(steps):
    times = np.arange(36 + steps)
    season = np.resize(10 * np.sin(2 * np.pi * np.arange(12) / 12), len(times))
    course = 100 + 2.0 * times + season
    found = decompose(course[:36], course[36:], [12])
    np.testing.assert_allclose(found.seasons[12], season[36:], atol=2.0)
    np.testing.assert_allclose(np.diff(found.trend), 2.0)


def test_a_step_of_the_level_is_trend_and_no_season():
    week = np.array([1.0, 2, 3, 4, 3, 1, -14])
    found = decompose(np.tile(week, 4) + 50, np.tile(week, 2) + 70, [7])
    np.testing.assert_allclose(found.trend, 20.0)
    np.testing.assert_allclose(found.seasons[7], np.tile(week, 2), atol=1e-9)


def test_seasons_inside_each_other_are_told_apart():
    day, week = np.array([0.0, 4, 2, -6]), np.repeat([3.0, 1, 1, 1, 1, -3, -4], 4)
    course = 30 + np.tile(day, 42) + np.tile(week, 6)
    found = decompose(course[:-28], course[-28:], [4, 28])
    np.testing.assert_allclose(found.trend, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.seasons[4], np.tile(day, 7), atol=3.0)
    np.testing.assert_allclose(found.seasons[28], week, atol=3.0)
