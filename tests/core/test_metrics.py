"""The measures of error against three-line loops."""

import math

import numpy as np
import pytest

from forecast_cli.core.metrics import ErrorSums, seasonal_error

RNG = np.random.default_rng(0)
ACTUAL = RNG.normal(0, 5, (40, 6, 2))
ACTUAL[RNG.random(ACTUAL.shape) < 0.1] = np.nan
FORECAST = RNG.normal(0, 5, ACTUAL.shape)
SCALE = np.array([2.0, 0.5])


def scores(actual, forecast, scale=SCALE):
    sums = ErrorSums(1, actual.shape[2])
    sums.add(actual, forecast, np.zeros(len(actual), np.int64))
    return {name: each[0] for name, each in sums.scores(scale[None]).items()}


def pairs(target):
    """Actual and forecast of one target, one step after the other, missing ones left out."""
    flat = zip(ACTUAL[:, :, target].ravel(), FORECAST[:, :, target].ravel(), strict=True)
    return [(float(a), float(f)) for a, f in flat if not math.isnan(a)]


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


LOOPS = {
    "mae": lambda target: mean([abs(a - f) for a, f in pairs(target)]),
    "rmse": lambda target: math.sqrt(mean([(a - f) ** 2 for a, f in pairs(target)])),
    "smape": lambda target: mean([200 * abs(a - f) / (abs(a) + abs(f)) for a, f in pairs(target)]),
    "mase": lambda target: mean([abs(a - f) for a, f in pairs(target)]) / SCALE[target],
}


@pytest.mark.parametrize("metric", LOOPS)
@pytest.mark.parametrize("target", [0, 1])
def test_each_measure_is_a_loop_that_leaves_out_missing_values(metric, target):
    assert scores(ACTUAL, FORECAST)[metric][target] == pytest.approx(LOOPS[metric](target))


def test_adding_in_pieces_is_adding_at_once():
    sums = ErrorSums(1, 2)
    for piece in np.array_split(np.arange(len(ACTUAL)), 7):
        sums.add(ACTUAL[piece], FORECAST[piece], np.zeros(len(piece), np.int64))
    once = scores(ACTUAL, FORECAST)
    for metric, values in sums.scores(SCALE[None]).items():
        np.testing.assert_allclose(values[0], once[metric], rtol=1e-12)


def test_series_have_measures_of_their_own_and_count_alike_in_mase():
    series, scale = np.arange(len(ACTUAL)) % 3, np.array([[2.0, 0.5], [1.0, 4.0], [0.0, 1.0]])
    sums = ErrorSums(3, 2)
    sums.add(ACTUAL, FORECAST, series)
    own = [scores(ACTUAL[series == each], FORECAST[series == each]) for each in range(3)]
    for metric in ("mae", "rmse", "smape"):
        expected = [each[metric] for each in own]
        np.testing.assert_allclose(sums.scores(scale)[metric], expected, rtol=1e-12)
        whole = scores(ACTUAL, FORECAST)[metric]
        np.testing.assert_allclose(sums.overall(scale)[metric], whole, rtol=1e-12)
    mase = sums.scores(scale)["mase"]
    # The first column of the third series never errs: it has no MASE.
    assert np.isnan(mase[2, 0])
    np.testing.assert_allclose(sums.overall(scale)["mase"], np.nanmean(mase, axis=0), rtol=1e-12)


def test_smape_of_nothing_forecast_as_nothing_is_zero():
    assert scores(np.zeros((2, 3, 1)), np.zeros((2, 3, 1)), np.ones(1))["smape"] == [0.0]


def test_smape_is_200_where_nothing_was_forecast_as_something():
    assert scores(np.zeros((2, 3, 1)), np.ones((2, 3, 1)), np.ones(1))["smape"] == [200.0]


def test_mase_is_undefined_for_a_series_that_never_changed():
    mase = scores(ACTUAL, FORECAST, np.array([0.0, np.nan]))["mase"]
    assert np.isnan(mase).all()


def test_measures_of_nothing_are_undefined():
    nothing = scores(np.full((2, 3, 1), np.nan), np.ones((2, 3, 1)), np.ones(1))
    assert all(np.isnan(value).all() for value in nothing.values())


@pytest.mark.parametrize("metric", ["mae", "rmse", "smape", "mase"])
def test_a_forecast_that_is_no_number_is_never_scored_as_perfect(metric):
    forecast = FORECAST.copy()
    forecast[~np.isnan(ACTUAL)] = np.nan
    assert np.isnan(scores(ACTUAL, forecast)[metric]).all()


@pytest.mark.parametrize("season", [1, 3, 7])
def test_seasonal_error_is_a_loop_over_the_training_rows(season):
    values = RNG.normal(size=(50, 2))
    values[::9, 0] = np.nan
    indptr, end = np.array([0, 30, 50]), np.array([20, 45])
    errors = seasonal_error(values, indptr, end, season_length=season)
    for series, (first, last) in enumerate(((0, 20), (30, 45))):
        for target, result in enumerate(errors[series].tolist()):
            column = values[:, target].tolist()
            apart = [abs(column[row] - column[row - season]) for row in range(first + season, last)]
            assert result == pytest.approx(mean([each for each in apart if not math.isnan(each)]))


def test_seasonal_error_of_a_short_series_compares_neighbours():
    values = np.array([[1.0], [2.0], [4.0], [100.0]])
    error = seasonal_error(values, np.array([0, 4]), np.array([3]), season_length=12)
    assert error.tolist() == [[1.5]]


def test_seasonal_error_is_undefined_where_nothing_can_be_compared():
    error = seasonal_error(np.ones((1, 1)), np.array([0, 1]), np.array([1]), season_length=1)
    assert np.isnan(error).all()
