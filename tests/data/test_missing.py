"""Gaps are filled from their own split and what came before it, never from what comes later."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast_cli.core.errors import DataError
from forecast_cli.data.missing import fill_missing
from forecast_cli.data.splits import Splits

NAN = np.nan


def filled(values, policy, cuts=None):
    """One series, filled; `cuts` are the ends of training and validation."""
    rows = len(values)
    train_end, validation_end = cuts or (rows, rows)
    splits = Splits(np.array([0, rows]), np.array([train_end]), np.array([validation_end]))
    column = np.array(values, float)[:, None]
    return fill_missing(column, splits, policy, source="table.csv").ravel().tolist()


GAPS = [1, NAN, NAN, 4, NAN, 8, NAN]


@pytest.mark.parametrize(
    ("policy", "oracle"),
    [
        ("interpolate", lambda series: series.interpolate(limit_direction="both")),
        ("ffill", lambda series: series.ffill()),
    ],
)
def test_one_split_is_filled_as_pandas_does(policy, oracle):
    assert filled(GAPS, policy) == oracle(pd.Series(GAPS)).tolist()


def test_interpolation_draws_a_line_and_then_holds():
    assert filled(GAPS, "interpolate") == [1, 2, 3, 4, 6, 8, 8]


def test_interpolation_begins_with_the_first_value():
    assert filled([NAN, NAN, 3, 4], "interpolate") == [3, 3, 3, 4]


def test_forward_filling_holds_the_last_value():
    assert filled(GAPS, "ffill") == [1, 1, 1, 4, 4, 8, 8]


def test_a_gap_at_the_end_of_a_split_does_not_look_into_the_next():
    values = [1, NAN, NAN, 9, NAN, NAN, 20, 21]
    assert filled(values, "interpolate", (2, 5)) == [1, 1, 5, 9, 9, 14.5, 20, 21]


def test_a_gap_at_the_start_of_a_split_goes_on_from_the_last_one():
    assert filled([1, 2, NAN, 4, NAN, 6], "interpolate", (2, 4)) == [1, 2, 3, 4, 5, 6]
    assert filled([1, 2, NAN, 4, NAN, 6], "ffill", (2, 4)) == [1, 2, 2, 4, 4, 6]


def test_no_series_is_filled_from_another():
    values = np.array([1, NAN, NAN, 8, 9, NAN])[:, None]
    splits = Splits(np.array([0, 2, 6]), np.array([2, 6]), np.array([2, 6]))
    for policy, expected in {"interpolate": [1, 1, 8, 8, 9, 9]}.items():
        result = fill_missing(values, splits, policy, source="table.csv")
        assert result.ravel().tolist() == expected
    with pytest.raises(DataError, match="begins with missing values"):
        fill_missing(values, splits, "ffill", source="table.csv")


def test_forward_filling_has_nothing_to_begin_with():
    with pytest.raises(DataError, match=r"table\.csv begins with missing values") as caught:
        filled([NAN, NAN, 3], "ffill")
    assert "`missing=interpolate`" in caught.value.hint


def test_interpolation_of_nothing_is_not_told_to_interpolate():
    with pytest.raises(DataError, match=r"table\.csv") as caught:
        filled([NAN, NAN, NAN, 4], "interpolate", (3, 3))
    assert "interpolate" not in caught.value.hint


@pytest.mark.parametrize("policy", ["error", "drop"])
def test_other_policies_fill_nothing(policy):
    np.testing.assert_array_equal(filled(GAPS, policy), GAPS)


@pytest.mark.parametrize("policy", ["interpolate", "ffill"])
def test_the_array_that_is_given_stays_as_it_is(policy):
    values = np.array([[1], [NAN], [3]])
    splits = Splits(np.array([0, 3]), np.array([3]), np.array([3]))
    assert fill_missing(values, splits, policy, source="table.csv")[1] != values[1]
    assert np.isnan(values[1])


cells = st.just(NAN) | st.integers(-9, 9).map(float)


@st.composite
def two_futures(draw):
    """Splits of a few series, and two tables that are equal up to the end of one part."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    ends = [
        sorted(draw(st.tuples(*[st.integers(first + 1, last)] * 2)))
        for first, last in zip(indptr[:-1], indptr[1:], strict=True)  # noqa: RUF007
    ]
    splits = Splits(indptr, *np.array(ends).T)
    shape = (int(indptr[-1]), 2)
    one, other = (draw(arrays(float, shape, elements=cells)) for _ in range(2))
    known = np.zeros(len(one), bool)
    end = splits.bounds(draw(st.sampled_from(["train", "validation"])))[1]
    for first, last in zip(indptr[:-1], end, strict=True):
        known[first:last] = True
    return splits, known, one, np.where(known[:, None], one, other)


def outcome(values, splits, policy):
    try:
        return fill_missing(values, splits, policy, source="table.csv")
    except DataError:
        return None


@pytest.mark.parametrize("policy", ["interpolate", "ffill"])
@given(two_futures())
def test_whatever_comes_after_a_split_changes_no_bit_before_its_end(policy, futures):
    splits, known, one, other = futures
    results = [outcome(values, splits, policy) for values in (one, other)]
    assert (results[0] is None) == (results[1] is None)
    if results[0] is not None:
        assert results[0][known].tobytes() == results[1][known].tobytes()


@pytest.mark.parametrize("policy", ["interpolate", "ffill"])
@given(two_futures())
def test_values_that_are_there_are_never_changed(policy, futures):
    splits, _, values, _ = futures
    result = outcome(values, splits, policy)
    if result is not None:
        there = ~np.isnan(values)
        assert (result[there] == values[there]).all()
        assert not np.isnan(result).any()
