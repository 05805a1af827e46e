"""The measures of error against three-line loops and other people's libraries."""

import math

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import utilsforecast.losses
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.registries import METRICS
from forecast_cli.core.error_scale import seasonal_error, seasonal_squared
from forecast_cli.evaluation.metrics.point import ErrorSums

RNG = np.random.default_rng(0)
# Three series of different level, two targets, a tenth of the actual values missing.
SERIES = np.array([0, 2, 1, 0, 2, 2, 1, 0, 2, 0, 1, 1, 2, 0, 0, 1, 2, 2, 0, 1])
ACTUAL = RNG.normal(np.array([20, 5, 90])[SERIES, None, None], 3, (20, 6, 2))
ACTUAL[RNG.random(ACTUAL.shape) < 0.1] = np.nan
FORECAST = ACTUAL + RNG.normal(0.3, 2, ACTUAL.shape)
FORECAST[np.isnan(ACTUAL)] = 7.0
# The second series has no scaled error of its first target.
SCALE = np.array([[2.0, 0.5], [0.0, 3.0], [4.0, 1.0]])


def summed(actual=ACTUAL, forecast=FORECAST, series=SERIES, scale=SCALE, pieces=1):
    sums = ErrorSums(np.stack([scale, scale**2]), actual.shape[1])
    for piece in np.array_split(np.arange(len(actual)), pieces):
        sums.add(actual[piece], forecast[piece], series[piece])
    return sums


def mean(numbers):
    numbers = list(numbers)
    return math.fsum(numbers) / len(numbers) if numbers else math.nan


def r2(pairs):
    middle = mean(y for y, _, _ in pairs)
    spread = math.fsum((y - middle) ** 2 for y, _, _ in pairs)
    return 1 - math.fsum((y - f) ** 2 for y, f, _ in pairs) / spread


# From (actual, forecast, scale of the series) of each value that counts.
LOOPS = {
    "mae": lambda pairs: mean(abs(y - f) for y, f, _ in pairs),
    "rmse": lambda pairs: math.sqrt(mean((y - f) ** 2 for y, f, _ in pairs)),
    "mape": lambda pairs: mean(100 * abs(y - f) / abs(y) for y, f, _ in pairs),
    "smape": lambda pairs: mean(200 * abs(y - f) / (abs(y) + abs(f)) for y, f, _ in pairs),
    "smape_100": lambda pairs: mean(100 * abs(y - f) / (abs(y) + abs(f)) for y, f, _ in pairs),
    "wape": lambda pairs: (
        100 * mean(abs(y - f) for y, f, _ in pairs) / mean(abs(y) for y, _, _ in pairs)
    ),
    "mase": lambda pairs: mean(abs(y - f) / s for y, f, s in pairs if s),
    "rmsse": lambda pairs: math.sqrt(mean((y - f) ** 2 / s**2 for y, f, s in pairs if s)),
    "r2": r2,
    "bias": lambda pairs: mean(f - y for y, f, _ in pairs),
}


def values_of(target, keep):
    """Actual, forecast and scale of the values that count, where `keep(sample, step)`."""
    return [
        (ACTUAL[sample, step, target], FORECAST[sample, step, target], SCALE[series, target])
        for sample, series in enumerate(SERIES.tolist())
        for step in range(6)
        if keep(sample, step) and not math.isnan(ACTUAL[sample, step, target])
    ]


@pytest.mark.parametrize("measure", METRICS)
@pytest.mark.parametrize("target", [0, 1])
def test_each_measure_by_series_and_by_step_is_a_loop(measure, target):
    sums, loop = summed(pieces=4), LOOPS[measure]
    for series, found in enumerate(sums.by_series()[measure][:, target]):
        expected = loop(values_of(target, lambda sample, _, own=series: SERIES[sample] == own))
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
    for step, found in enumerate(sums.by_step()[measure][:, target]):
        expected = loop(values_of(target, lambda _, each, own=step: each == own))
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", sorted({*METRICS} - {"mase", "rmsse"}))
@pytest.mark.parametrize("target", [0, 1])
def test_over_all_series_all_values_count_alike(measure, target):
    expected = LOOPS[measure](values_of(target, lambda *_: True))
    assert summed(pieces=3).overall()[measure][target] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", ["mase", "rmsse"])
def test_over_all_series_those_that_have_a_scale_count_alike(measure):
    sums = summed()
    assert np.isnan(sums.by_series()[measure]).tolist() == (SCALE == 0).tolist()
    expected = np.nanmean(sums.by_series()[measure], axis=0)
    np.testing.assert_allclose(sums.overall()[measure], expected, rtol=1e-12)


def test_a_series_that_has_no_forecast_does_not_count():
    own = SERIES != 1
    overall = summed(ACTUAL[own], FORECAST[own], SERIES[own]).overall()
    two = SCALE[[0, 2]]
    expected = summed(ACTUAL[own], FORECAST[own], SERIES[own] // 2, two).overall()
    for measure in METRICS:
        np.testing.assert_allclose(overall[measure], expected[measure], rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "other", "factor"),
    [
        ("mae", sklearn.metrics.mean_absolute_error, 1),
        ("rmse", sklearn.metrics.root_mean_squared_error, 1),
        ("mape", sklearn.metrics.mean_absolute_percentage_error, 100),
        ("r2", sklearn.metrics.r2_score, 1),
    ],
)
def test_the_measures_are_those_of_scikit_learn(measure, other, factor):
    known = ~np.isnan(ACTUAL[..., 0])
    expected = factor * other(ACTUAL[known, 0], FORECAST[known, 0])
    assert summed().overall()[measure][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("measure", "other", "factor", "scaled"),
    [
        ("mae", "mae", 1, False),
        ("rmse", "rmse", 1, False),
        ("bias", "bias", 1, False),
        ("mape", "mape", 100, False),
        ("wape", "wape", 100, False),
        ("smape_100", "smape", 100, False),
        ("mase", "mase", 1, True),
        ("rmsse", "rmsse", 1, True),
    ],
)
def test_the_measures_by_series_are_those_of_utilsforecast(measure, other, factor, scaled):
    rows, horizon, season = 40, 6, 4
    values = RNG.normal(10, 2, (3, rows + horizon))
    forecast = values[:, rows:] + RNG.normal(0, 1, (3, horizon))
    indptr = np.arange(4) * (rows + horizon)
    flat, end = values.reshape(-1, 1), indptr[:-1] + rows
    measures = (seasonal_error, seasonal_squared)
    naive = np.stack([each(flat, indptr, end, season_length=season) for each in measures])
    sums = ErrorSums(naive, horizon)
    sums.add(values[:, rows:, None], forecast[..., None], np.arange(3))
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(3), rows + horizon),
            "ds": np.tile(np.arange(rows + horizon), 3),
            "y": flat[:, 0],
        }
    )
    later = table["ds"] >= rows
    scores = table[later].assign(model=forecast.ravel())
    more = {"seasonality": season, "train_df": table[~later]} if scaled else {}
    expected = getattr(utilsforecast.losses, other)(scores, models=["model"], **more)["model"]
    np.testing.assert_allclose(sums.by_series()[measure][:, 0], factor * expected, rtol=1e-12)


@given(st.integers(1, 20), st.permutations(range(20)))
def test_neither_pieces_nor_their_order_change_a_measure(pieces, order):
    once, other = summed(), summed(ACTUAL[order], FORECAST[order], SERIES[order], pieces=pieces)
    for one, two in ((once.by_series(), other.by_series()), (once.by_step(), other.by_step())):
        for measure in METRICS:
            np.testing.assert_allclose(one[measure], two[measure], rtol=1e-9)
    assert (once.count == other.count).all()


def test_more_than_fits_into_a_block_is_all_counted():
    many = summed(*(np.repeat(each, 2000, axis=0) for each in (ACTUAL, FORECAST, SERIES)))
    assert (many.count == 2000 * summed().count).all()
    for measure in METRICS:
        np.testing.assert_allclose(many.overall()[measure], summed().overall()[measure], rtol=1e-9)


def test_count_leaves_out_missing_values():
    assert summed().count.sum() == np.isfinite(ACTUAL).sum()


def test_memory_does_not_grow_with_the_samples():
    sums = summed()
    before = {name: each.nbytes for name, each in sums.totals.by_series.items()}
    sums.add(ACTUAL, FORECAST, SERIES)
    assert {name: each.nbytes for name, each in sums.totals.by_series.items()} == before


def test_a_perfect_forecast_has_no_error():
    scores = summed(forecast=ACTUAL).overall()
    for measure in set(METRICS) - {"r2"}:
        assert scores[measure].tolist() == [0.0, 0.0]
    assert scores["r2"].tolist() == [1.0, 1.0]


def one(actual, forecast):
    """The measures of one series and target."""
    shape = (-1, 1, 1)
    actual, forecast = (np.array(each, float).reshape(shape) for each in (actual, forecast))
    return {
        name: float(each[0])
        for name, each in summed(actual, forecast, np.zeros(len(actual), int), np.ones((1, 1)))
        .overall()
        .items()
    }


def test_where_an_actual_value_is_zero_there_is_no_percentage_of_it():
    scores = one([0, 2], [1, 2])
    assert math.isnan(scores["mape"]) and scores["wape"] == 50.0
    assert math.isnan(one([0, 0], [1, 2])["wape"])
    assert math.isnan(one([0, 2], [0, 2])["mape"])


def test_smape_goes_from_nothing_to_200_and_its_half_to_100():
    assert one([0], [0])["smape"] == 0.0
    scores = one([0, 3], [1, -3])
    assert (scores["smape"], scores["smape_100"]) == (200.0, 100.0)


def test_bias_is_above_zero_where_forecasts_are_too_high():
    assert one([1, 2], [3, 3])["bias"] == 1.5


@pytest.mark.parametrize("value", [0.1, 1e9 / 3, -7.0])
def test_values_that_do_not_vary_have_no_r2(value):
    assert math.isnan(one([value] * 7, np.arange(7))["r2"])


@pytest.mark.parametrize("level", [0.0, 1e6, -1e9])
def test_r2_loses_no_digits_to_the_level_of_the_values(level):
    # Powers of two, so that adding the level changes no bit of the differences.
    actual, error = RNG.integers(-64, 64, 50) / 64, RNG.integers(-8, 8, 50) / 64
    plain, raised = one(actual, actual + error), one(actual + level, actual + level + error)
    assert raised["r2"] == pytest.approx(plain["r2"], rel=1e-12)


@pytest.mark.parametrize("levels", [(2.0**30, 2.0**30), (0.0, 2.0**30)])
def test_r2_of_series_and_steps_loses_no_digits_either(levels):
    actual, error = (
        RNG.integers(-64, 64, (2, 50, 3, 1)) / 64,
        RNG.integers(-8, 8, (2, 50, 3, 1)) / 64,
    )
    series, plain, raised = np.arange(100) % 2, *(ErrorSums(np.ones((2, 2, 1)), 3) for _ in "12")
    for sums, height in ((plain, np.zeros(2)), (raised, np.array(levels))):
        values = (actual + height[:, None, None, None]).swapaxes(0, 1).reshape(100, 3, 1)
        sums.add(values, values + error.swapaxes(0, 1).reshape(100, 3, 1), series)
    found, expected = raised.by_series()["r2"], plain.by_series()["r2"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    if levels[0] == levels[1]:
        np.testing.assert_allclose(raised.by_step()["r2"], plain.by_step()["r2"], rtol=1e-12)


def test_one_value_each_of_more_series_than_steps_counts():
    actual = np.array([1.0, 2.0, 4.0])[:, None, None]
    sums = ErrorSums(np.array([[[1.0], [2.0], [0.0]], np.ones((3, 1))]), 1)
    sums.add(actual, actual + np.array([3.0, 2.0, 1.0])[:, None, None], np.arange(3))
    assert sums.overall()["mase"] == pytest.approx([(3 / 1 + 2 / 2) / 2])
    # Of 14, the sum of squared errors, over 14 / 3, that of the differences from the mean.
    assert sums.by_step()["r2"] == pytest.approx(np.array([[-2.0]]))


def test_values_whose_squares_are_infinite_are_measured_without_a_warning():
    values = np.array([1e200, -1e200, 3e200])[:, None, None]
    sums = ErrorSums(np.array([[[1e200]], [[np.inf]]]), 1)
    sums.add(values, -values, np.zeros(3, np.int64))
    scores = {name: each[0] for name, each in sums.overall().items()}
    assert (scores["mase"], scores["smape"]) == (pytest.approx(10 / 3), 200.0)
    assert scores["rmse"] == np.inf
    assert not np.isfinite([scores["r2"], scores["rmsse"]]).any()


def test_measures_of_nothing_are_undefined():
    for sums in (ErrorSums(np.stack([SCALE, SCALE]), 6), summed(np.full_like(ACTUAL, np.nan))):
        for scores in (sums.by_series(), sums.by_step(), sums.overall()):
            assert list(scores) == list(METRICS)
            assert all(np.isnan(each).all() for each in scores.values())


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_forecast_that_is_no_number_is_never_scored_as_good(wrong):
    forecast = FORECAST.copy()
    forecast[0, 3, 1] = wrong
    sums, fine = summed(forecast=forecast), summed()
    for measure in set(METRICS):
        assert not np.isfinite(sums.overall()[measure][1])
        assert not np.isfinite(sums.by_step()[measure][3, 1])
        # Others keep their scores.
        assert (sums.by_series()[measure][2] == fine.by_series()[measure][2]).all()


def test_naive_errors_that_are_missing_are_undefined():
    scores = summed(scale=np.full((3, 2), np.nan))
    assert np.isnan(scores.overall()["mase"]).all() and np.isnan(scores.by_step()["rmsse"]).all()
    assert np.isfinite(scores.overall()["mae"]).all()
