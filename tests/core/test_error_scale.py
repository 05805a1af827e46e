"""How large errors were of late: only what was known counts, and later errors count more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.error_scale import (
    DECAY,
    PRIOR,
    ErrorTrail,
    Recent,
    seasonal_error,
    seasonal_pair,
    seasonal_smape,
    seasonal_squared,
    unknown,
)

INDPTR = np.array([0, 60, 61, 130, 130])


def trail_of(errors, origins, indptr=INDPTR, before=None):
    """What is known once all errors were added."""
    trail = ErrorTrail(indptr, errors.shape[1], before)
    trail.add(origins, errors)
    return trail


def by_row(errors, origins, indptr=INDPTR, before=None):
    return trail_of(errors, origins, indptr, before).at(np.arange(indptr[-1]))


def rows_of(seed, count):
    """Origins of four series, one of them without rows, with holes between them."""
    draw = np.random.default_rng(seed)
    origins = np.sort(draw.choice(130, count, replace=False))
    errors = draw.exponential(size=(count, 2))
    errors[draw.random((count, 2)) < 0.2] = np.nan
    return errors, origins


def owner_series(row):
    return int(np.searchsorted(INDPTR, row, side="right") - 1)


def slow(errors, origins, row, before=None):
    """The definition: all errors of the series up to a row, each row back counting less."""
    own = owner_series(row)
    past = [at for at, other in enumerate(origins) if owner_series(other) == own and other <= row]
    sizes = []
    for target in range(errors.shape[1]):
        total = weight = 0.0
        if before is not None and past:
            decay = DECAY ** (row - origins[past[0]] + 1)
            total, weight = decay * before.total[own, target], decay * before.weight[own, target]
        for at in past:
            decay = DECAY ** (row - origins[at])
            total += decay * np.nan_to_num(errors[at, target])
            weight += decay * np.isfinite(errors[at, target])
        sizes.append((PRIOR + total) / (PRIOR + weight))
    return sizes


@given(st.integers(0, 10**6), st.integers(1, 130), st.integers(1, 6))
def test_what_is_known_at_origins_is_that_of_a_slow_loop(seed, count, horizon):
    errors, origins = rows_of(seed, count)
    found = trail_of(errors, origins).known_at(origins, horizon=horizon).size
    for at, origin in enumerate(origins):
        past = origin - horizon
        inside = past >= INDPTR[owner_series(origin)]
        expected = slow(errors, origins, past) if inside else [1.0, 1.0]
        np.testing.assert_allclose(found[at], expected)


@given(st.integers(0, 10**6), st.integers(2, 130), st.integers(1, 6), st.data())
def test_no_error_counts_before_it_is_known(seed, count, horizon, data):
    errors, origins = rows_of(seed, count)
    at = data.draw(st.integers(0, count - 1))

    def known():
        return trail_of(errors, origins).known_at(origins, horizon=horizon).size[at]

    before = known()
    errors[origins + horizon > origins[at]] = 1e6
    np.testing.assert_array_equal(known(), before)


@pytest.mark.parametrize("cut", [10, 60, 61, 100])
def test_going_on_later_is_going_on_at_once(cut):
    errors = np.random.default_rng(0).exponential(size=(130, 2))
    origins = np.arange(130)
    whole = by_row(errors, origins).size
    first = by_row(errors[:cut], origins[:cut], np.minimum(INDPTR, cut))
    ends = np.minimum(INDPTR, cut)[1:] - 1
    empty = (np.diff(np.minimum(INDPTR, cut)) == 0)[:, None]
    state = first.at(np.maximum(ends, 0))
    before = Recent(np.where(empty, 0, state.total), np.where(empty, 0, state.weight))
    later = np.maximum(INDPTR - cut, 0)
    rest = by_row(errors[cut:], origins[cut:] - cut, later, before).size
    np.testing.assert_allclose(rest, whole[cut:])


def test_errors_of_another_size_are_noticed_and_forgotten():
    errors = np.ones((400, 1))
    errors[100:200] = 3.0
    rows = by_row(errors, np.arange(400), np.array([0, 400])).size[:, 0]
    np.testing.assert_allclose(rows[:100], 1.0)
    assert 2.5 < rows[199] <= 3.0
    assert 1.0 <= rows[399] < 1.02


def test_where_nothing_is_known_errors_are_usual():
    assert (unknown(3, 2).size == 1.0).all()
    errors = np.full((5, 1), np.nan)
    assert (by_row(errors, np.arange(5), np.array([0, 5])).size == 1.0).all()


def test_of_the_last_rows_of_long_series_as_much_is_known_as_of_all_to_the_bit():
    errors = np.random.default_rng(0).exponential(size=(2000, 2))
    trail = trail_of(errors, np.arange(2000), np.array([0, 900, 2000]))
    rows = np.array([1998, 1999])
    np.testing.assert_array_equal(trail.at(rows).size, trail.at(np.arange(2000)).size[rows])
    assert trail.at(rows[:0]).size.shape == (0, 2)


def test_what_was_known_before_the_first_error_counts_once():
    errors, indptr = np.random.default_rng(0).exponential(size=(6, 1)), np.array([0, 3, 6])
    before = Recent(np.array([[9.0], [1.0]]), np.array([[4.0], [2.0]]))
    whole = by_row(errors, np.arange(6), indptr, before)
    trail = ErrorTrail(indptr, 1, before)
    for row in range(6):
        trail.add(np.array([row]), errors[[row]])
    np.testing.assert_array_equal(trail.at(np.arange(6)).size, whole.size)


@pytest.mark.slow
@given(st.integers(0, 10**6), st.integers(1, 1500), st.integers(1, 6), st.integers(1, 200))
def test_added_piece_by_piece_it_is_the_same_to_the_bit(seed, count, horizon, size):
    draw, indptr = np.random.default_rng(seed), np.array([0, 900, 901, 1500])
    origins = np.sort(draw.choice(1500, count, replace=False))
    errors = draw.exponential(size=(count, 1))
    before = Recent(draw.exponential(size=(3, 1)), draw.exponential(size=(3, 1)))
    whole = trail_of(errors, origins, indptr, before)
    trail, found = ErrorTrail(indptr, 1, before), []
    for first in range(0, count, size):
        part = slice(first, first + size)
        trail.add(origins[part], errors[part])
        found.append(trail.known_at(origins[part], horizon=horizon).size)
    np.testing.assert_array_equal(
        np.concatenate(found), whole.known_at(origins, horizon=horizon).size
    )
    rows = np.arange(1500)
    np.testing.assert_array_equal(trail.at(rows).size, whole.at(rows).size)


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
