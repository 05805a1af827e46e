"""The simple forecasts against three-line loops and other people's libraries."""

import time
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.baselines.naive import FORECASTERS as METHODS
from forecast_cli.baselines.naive import BaselineInput

VALUES = np.random.default_rng(0).normal(10, 3, (60, 2))
# Two series of 30 rows, with origins in both; the last one has no row after it.
FIRST = np.array([0, 0, 30, 30])
ORIGINS = np.array([7, 20, 38, 60])
HORIZON = 9


def forecast_by(name, values, origins, first=FIRST, **how):
    return METHODS[name](BaselineInput(values, origins, first, **how))


naive, seasonal_naive, drift, mean, window_mean, naive2 = (
    partial(forecast_by, name)
    for name in ("naive", "seasonal-naive", "drift", "mean", "window-mean", "naive2")
)
# A season of 4 that nobody misses, over the same rows.
SEASONAL = VALUES + 10 * np.sin(np.arange(60) * np.pi / 2)[:, None] + 15


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


@st.composite
def panels(draw):
    """Series end to end with gaps, and origins in any order, some of them twice."""
    lengths = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    values = rng.normal(0, 10.0 ** rng.integers(-3, 9), (indptr[-1], 2))
    values[rng.random(values.shape) < 0.2] = np.nan
    places = draw(
        st.lists(st.integers(0, len(lengths) - 1).filter(lambda place: lengths[place] > 0))
        if any(lengths)
        else st.just([])
    )
    origins = [draw(st.integers(indptr[place] + 1, indptr[place + 1])) for place in places]
    return values, np.array(origins, int), indptr[np.array(places, int)]


def known_mean(history):
    known = [value for value in history.tolist() if not np.isnan(value)]
    return np.mean(known) if known else np.nan


@given(panels())
def test_mean_is_a_loop_over_the_known_values_before(panel):
    values, origins, first = panel
    forecast = mean(values, origins, first, horizon=3)
    assert forecast.shape == (len(origins), 3, 2)
    for begin, origin, each in zip(first, origins, forecast, strict=True):
        expected = [known_mean(column) for column in values[begin:origin].T]
        np.testing.assert_allclose(each, [expected] * 3, rtol=1e-9, atol=1e-9)


@given(panels(), st.integers(1, 15))
def test_window_mean_is_a_loop_over_the_last_known_values(panel, window):
    values, origins, first = panel
    forecast = window_mean(values, origins, first, horizon=3, window=window)
    assert forecast.shape == (len(origins), 3, 2)
    for begin, origin, each in zip(first, origins, forecast, strict=True):
        last = values[max(begin, origin - window) : origin]
        expected = [known_mean(column) for column in last.T]
        np.testing.assert_allclose(each, [expected] * 3, rtol=1e-9, atol=1e-9)


def test_a_series_of_huge_values_costs_the_next_one_no_digit():
    values = np.concatenate([np.full((5, 1), 1e300), np.full((5, 1), 0.1), np.ones((2, 1))])
    forecast = mean(values, np.array([10, 12]), np.array([5, 10]), horizon=1)
    np.testing.assert_allclose(forecast.ravel(), [0.1, 1.0], rtol=1e-15)


def naive2_loop(history, horizon, season):
    """Naive2 of M4, step by step as its R code goes."""
    rows = len(history)
    if season == 1 or rows < 3 * season or not (history > 0).all():
        return np.full(horizon, history[-1])
    apart = history - history.mean()
    r = [np.sum(apart[lag:] * apart[: rows - lag]) / np.sum(apart**2) for lag in range(season + 1)]
    limit = 1.645 * np.sqrt((1 + 2 * sum(each**2 for each in r[1:season])) / rows)
    if not abs(r[season]) > limit:
        return np.full(horizon, history[-1])
    factors = decomposed(history, season)
    return [
        history[-1] / factors[(rows - 1) % season] * factors[(rows + step) % season]
        for step in range(horizon)
    ]


def decomposed(history, season):
    from statsmodels.tsa.seasonal import seasonal_decompose

    return seasonal_decompose(history, model="multiplicative", period=season).seasonal[:season]


@pytest.mark.parametrize("season", [1, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("noise", [0.1, 1, 3])
def test_naive2_is_that_of_m4(season, noise):
    wave = np.sin(2 * np.pi * np.arange(120) / max(season, 2) + 0.5)[:, None]
    values = 20 + 4 * wave + np.random.default_rng(season).normal(0, noise, (120, 2))
    # One series is too short for a season, and one has none.
    values[80:] = np.random.default_rng(1).normal(9, 1, (40, 2))
    origins = np.array([10, 50, 80, 79, 120, 30, 101])
    first = np.where(origins > 80, 80, 0)
    forecast = naive2(values, origins, first, horizon=9, season_length=season)
    for begin, origin, each in zip(first, origins, forecast, strict=True):
        expected = [naive2_loop(column, 9, season) for column in values[begin:origin].T]
        np.testing.assert_allclose(each.T, expected, rtol=1e-9)
    if season in (4, 6) and noise < 3:
        assert (forecast[1] != forecast[1, :1]).any()


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_naive2_is_the_last_value_where_the_values_have_no_season_to_divide_by(wrong):
    values = SEASONAL[:30].copy()
    values[3, 0] = wrong
    origins, first = np.array([30]), np.array([0])
    forecast = naive2(values, origins, first, horizon=8, season_length=4)
    assert (forecast[0, :, 0] == values[29, 0]).all()
    assert (forecast[0, 1:, 1] != values[29, 1]).any()


@pytest.mark.parametrize("begin", [0, 40])
def test_naive2_needs_three_seasons_before_the_origin(begin):
    values = np.ones((60, 1))
    values[begin::4] = 5.0
    origins = begin + np.array([11, 12])
    first = np.full(2, begin)
    short, long = naive2(values, origins, first, horizon=4, season_length=4)[..., 0]
    assert short.tolist() == [values[begin + 10, 0]] * 4
    np.testing.assert_allclose(long, [5.0, 1.0, 1.0, 1.0])


def test_naive2_is_the_last_value_where_that_is_below_0():
    values = SEASONAL[:30].copy()
    values[29, 0], values[0, 1] = -3.0, 0.0
    origins, first = np.array([30, 20]), np.array([0, 0])
    forecast = naive2(values, origins, first, horizon=8, season_length=4)
    assert (forecast[0, :, 0] == -3.0).all() and (forecast[:, :, 1] == forecast[:, :1, 1]).all()
    assert (forecast[1, :, 0] != forecast[1, 0, 0]).any()


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_naive2_of_values_of_another_size_is_as_much_larger(size):
    origins, first = np.array([30, 20]), np.array([0, 0])
    how = {"horizon": 8, "season_length": 4}
    expected = size * naive2(SEASONAL, origins, first, **how)
    np.testing.assert_allclose(naive2(size * SEASONAL, origins, first, **how), expected, rtol=1e-9)


def test_naive2_sees_a_season_that_is_small_beside_the_level():
    """Differences of some units at a level of 1e9, whose squares are lost in rounding."""
    pattern = np.array([0.0, 4.0, 9.0, 3.0])
    values = (1e9 + np.tile(pattern, 10))[:, None]
    origins, first = np.array([40]), np.array([0])
    forecast = naive2(values, origins, first, horizon=8, season_length=4)[0, :, 0]
    np.testing.assert_allclose(forecast - 1e9, np.tile(pattern, 2), atol=1e-3)


def test_a_baseline_of_some_origins_has_their_rows():
    given = BaselineInput(VALUES, ORIGINS, FIRST, HORIZON, 4, window=3, level=(80.0,))
    some = given.only(np.array([False, True, False, True]))
    assert some.origins.tolist() == [20, 60] and some.first.tolist() == [0, 30]
    assert some.history.tolist() == [20, 30] and some.values is VALUES
    assert (some.horizon, some.season_length, some.window, some.level) == (HORIZON, 4, 3, (80.0,))


def test_naive2_of_values_that_do_not_vary_is_the_last_one():
    values = np.full((50, 1), 0.1)
    forecast = naive2(values, np.array([50]), np.array([0]), horizon=5, season_length=4)
    assert (forecast == 0.1).all()


FORECASTERS = {
    "naive": lambda values, origins, first: naive(values, origins, horizon=HORIZON),
    "seasonal naive": lambda values, origins, first: seasonal_naive(
        values, origins, horizon=HORIZON, season_length=7
    ),
    "drift": partial(drift, horizon=HORIZON),
    "mean": partial(mean, horizon=HORIZON),
    "window mean": partial(window_mean, horizon=HORIZON, window=4),
    "naive2": partial(naive2, horizon=HORIZON, season_length=4),
}


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300, 5.0])
def test_nothing_at_or_after_an_origin_is_read(name, wrong):
    before = FORECASTERS[name](SEASONAL, ORIGINS, FIRST)
    for place, origin in enumerate(ORIGINS):
        changed = SEASONAL.copy()
        changed[origin:] = wrong
        with np.errstate(all="ignore"):
            after = FORECASTERS[name](changed, ORIGINS, FIRST)
        assert after[place].tobytes() == before[place].tobytes()


@pytest.mark.parametrize("name", FORECASTERS)
def test_no_series_is_forecast_from_another(name):
    before = FORECASTERS[name](SEASONAL, ORIGINS, FIRST)
    for other in (slice(0, 30), slice(30, 60)):
        changed = SEASONAL.copy()
        changed[other] = changed[other] * 1e9 + 7
        same = (FIRST == 30) == (other.start == 0)
        after = FORECASTERS[name](changed, ORIGINS, FIRST)
        assert after[same].tobytes() == before[same].tobytes()


@pytest.mark.parametrize("name", FORECASTERS)
def test_the_values_that_are_given_stay_as_they_are(name):
    values = SEASONAL.copy()
    FORECASTERS[name](values, ORIGINS, FIRST)
    assert (values == SEASONAL).all()


@pytest.mark.parametrize("origin", [7, 20, 60])
def test_the_simple_forecasts_are_those_of_statsforecast(origin):
    from statsforecast import models

    first = 30 if origin > 30 else 0
    where = np.array([origin]), np.array([first])
    pairs = (
        (models.Naive(), naive(VALUES, where[0], horizon=HORIZON)),
        (
            models.SeasonalNaive(season_length=4),
            seasonal_naive(VALUES, where[0], horizon=HORIZON, season_length=4),
        ),
        (models.RandomWalkWithDrift(), drift(VALUES, *where, horizon=HORIZON)),
        (models.HistoricAverage(), mean(VALUES, *where, horizon=HORIZON)),
        (
            models.WindowAverage(window_size=5),
            window_mean(VALUES, *where, horizon=HORIZON, window=5),
        ),
    )
    for model, forecast in pairs:
        for target in (0, 1):
            history = VALUES[first:origin, target]
            expected = model.forecast(history, HORIZON)["mean"]
            np.testing.assert_allclose(forecast[0, :, target], expected, rtol=1e-6)


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_panel_of_many_series_is_forecast_at_once(name):
    """A tenth of 100,000 series of 100 points; a loop in Python would take far longer."""
    values = np.random.default_rng(0).normal(10, 1, (1_000_000, 1))
    first = np.arange(10_000) * 100
    begin = time.perf_counter()
    assert FORECASTERS[name](values, first + 90, first).shape == (10_000, HORIZON, 1)
    assert time.perf_counter() - begin < 2
