"""The in-sample error of the seasonal naive forecast against a loop."""

import math

import numpy as np
import pytest

from forecast_cli.core.metrics import seasonal_error

RNG = np.random.default_rng(0)


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


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
