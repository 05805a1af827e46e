"""A forecast as level, trend and seasons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.decomposition import decompose


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
