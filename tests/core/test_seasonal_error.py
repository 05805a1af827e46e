"""The in-sample error of the seasonal naive forecast against a loop."""

import math

import numpy as np
import pytest

from forecast_cli.core.seasonal_error import (
    seasonal_error,
    seasonal_pair,
    seasonal_smape,
    seasonal_squared,
)

RNG = np.random.default_rng(0)


def mean(numbers):
    return math.fsum(numbers) / len(numbers)


@pytest.mark.parametrize("season", [1, 3, 7])
def test_seasonal_error_is_a_loop_over_the_training_rows(season):
    values = RNG.normal(size=(50, 2))
    values[::9, 0] = np.nan
    indptr, end = np.array([0, 30, 50]), np.array([20, 45])
    errors = seasonal_error(values, indptr, end, season_length=season)
    squares = seasonal_squared(values, indptr, end, season_length=season)
    for series, (first, last) in enumerate(((0, 20), (30, 45))):
        for target, result in enumerate(errors[series].tolist()):
            column = values[:, target].tolist()
            apart = [abs(column[row] - column[row - season]) for row in range(first + season, last)]
            apart = [each for each in apart if not math.isnan(each)]
            assert result == pytest.approx(mean(apart))
            assert squares[series, target] == pytest.approx(mean([each**2 for each in apart]))
    both = seasonal_pair(values, indptr, end, season_length=season)
    np.testing.assert_array_equal(both, [errors, squares])


@pytest.mark.parametrize("season", [3, 12])
def test_seasonal_error_of_a_short_series_compares_neighbours(season):
    values = np.array([[1.0], [2.0], [4.0], [100.0]])
    error = seasonal_error(values, np.array([0, 4]), np.array([3]), season_length=season)
    assert error.tolist() == [[1.5]]


def test_one_pair_is_enough_for_a_seasonal_error():
    error = seasonal_error(
        np.array([[1.0], [9.0], [4.0]]), np.array([0, 3]), np.array([3]), season_length=2
    )
    assert error.tolist() == [[3.0]]


def test_seasonal_error_is_undefined_where_nothing_can_be_compared():
    error = seasonal_error(np.ones((1, 1)), np.array([0, 1]), np.array([1]), season_length=1)
    assert np.isnan(error).all()


@pytest.mark.parametrize("season", [1, 4])
def test_seasonal_smape_is_a_loop_over_the_training_rows(season):
    values = RNG.normal(size=(60, 2))
    values[::9, 0], values[30:34, 1] = np.nan, 0.0
    indptr, end = np.array([0, 30, 60]), np.array([20, 55])
    found = seasonal_smape(values, indptr, end, season_length=season)
    for target, result in enumerate(found.tolist()):
        column, means = values[:, target].tolist(), []
        for first, last in ((0, 20), (30, 55)):
            pairs = [(column[row], column[row - season]) for row in range(first + season, last)]
            pairs = [(a, b) for a, b in pairs if not math.isnan(a + b)]
            shares = [200 * abs(a - b) / (abs(a) + abs(b)) if a or b else 0.0 for a, b in pairs]
            means.append(mean(shares))
        assert result == pytest.approx(mean(means))


def test_seasonal_smape_is_the_mean_of_the_series_that_have_one():
    # Of 1 and 1.004, of 3 and 1, and of nothing; of the second column the first series alone.
    values = np.array([[1.0, 1.0], [1.004, 3.0], [3.0, np.nan], [1.0, 5.0], [7.0, 7.0]])
    indptr = np.array([0, 2, 4, 5])
    found = seasonal_smape(values, indptr, indptr[1:], season_length=1)
    assert found == pytest.approx([(0.8 / 2.004 + 100) / 2, 100])
    one = seasonal_smape(values[:2], indptr[:2], indptr[1:2], season_length=1)
    assert one == pytest.approx([0.8 / 2.004, 100])


def test_seasonal_smape_knows_no_unit():
    values, indptr, end = RNG.uniform(1, 2, (40, 1)), np.array([0, 40]), np.array([30])
    small, large = (seasonal_smape(values * by, indptr, end, season_length=4) for by in (1e-3, 1e6))
    assert small == pytest.approx(large)
    assert 0 < small[0] < 200


def test_seasonal_smape_is_one_where_nothing_says_what_is_usual():
    indptr, end = np.array([0, 8]), np.array([8])
    assert seasonal_smape(np.ones((8, 1)), indptr, end, season_length=2).tolist() == [1.0]
    assert seasonal_smape(np.full((8, 1), np.nan), indptr, end, season_length=2).tolist() == [1.0]
