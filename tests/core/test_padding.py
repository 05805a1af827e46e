"""Room in front of short series, against loops that put the rows one after the other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.padding import owner_series, pad_short_series
from forecast_cli.core.windows import gather, window_starts

lengths = st.lists(st.integers(0, 7), min_size=1, max_size=5)


@st.composite
def rooms(draw):
    """Padding, the lookback that it was made for, and the series that are short."""
    indptr = np.concatenate([[0], np.cumsum(draw(lengths))])
    short = np.array(draw(st.lists(st.booleans(), min_size=len(indptr) - 1, max_size=6)))
    timesteps = draw(st.integers(1, 5))
    short = short[: len(indptr) - 1]
    return pad_short_series(indptr, short, timesteps=timesteps), timesteps, short


def owners(padding):
    """The series of each row with padding, by a loop."""
    spans = zip(np.diff(padding.indptr), padding.added, strict=True)
    return [series for series, (rows, added) in enumerate(spans) for _ in range(rows + added)]


def numbered(padding):
    """A panel whose rows hold their own number and that of their series."""
    rows = np.arange(padding.indptr[-1])
    return np.stack([rows, owner_series(padding.indptr, rows)], axis=1).astype(float)


@given(lengths)
def test_the_series_of_a_row_is_that_in_whose_stretch_it_lies(sizes):
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    expected = [series for series, size in enumerate(sizes) for _ in range(size)]
    assert owner_series(indptr, np.arange(indptr[-1])).tolist() == expected


@given(rooms())
def test_rows_of_nothing_stand_in_front_of_short_series_alone(made):
    padding, timesteps, short = made
    values, expected = numbered(padding), []
    for series, (first, end) in enumerate(pairwise(padding.indptr)):
        expected += [[np.nan, np.nan]] * (timesteps if short[series] else 0)
        expected += values[first:end].tolist()
    np.testing.assert_array_equal(padding.spread(values), np.reshape(expected, (-1, 2)))


@given(rooms())
def test_or_the_first_value_of_the_series_does(made):
    padding, timesteps, short = made
    values, expected = numbered(padding), []
    for series, (first, end) in enumerate(pairwise(padding.indptr)):
        before = values[first] if end > first else [np.nan, np.nan]
        expected += [before] * (timesteps if short[series] else 0)
        expected += list(values[first:end])
    np.testing.assert_array_equal(padding.spread(values, first=True), np.reshape(expected, (-1, 2)))


@given(rooms())
def test_every_row_is_found_again_where_it_was_moved_to(made):
    padding, _, _ = made
    rows = np.arange(padding.indptr[-1])
    moved = padding.moved(rows)
    assert padding.spread(numbered(padding))[moved, 0].tolist() == rows.tolist()
    assert padding.original(moved).tolist() == rows.tolist()


@given(rooms(), st.integers(1, 4))
def test_a_window_holds_enough_rows_of_its_own_series_and_none_of_another(made, least):
    padding, timesteps, short = made
    own, spread = np.array(owners(padding)), padding.spread(numbered(padding))
    begin, end = (each + padding.shift for each in (padding.indptr[:-1], padding.indptr[1:]))
    first = padding.first_starts(timesteps=timesteps, least=least)
    starts = window_starts(first, begin, end, timesteps=timesteps, horizon=1)
    windows = gather(spread, starts, timesteps=timesteps)
    targets = spread[starts + timesteps]
    for window, target, start in zip(windows, targets, starts, strict=True):
        series = own[start]
        assert (own[start : start + timesteps + 1] == series).all()
        assert target[1] == series
        known = window[~np.isnan(window[:, 0])]
        assert (known[:, 1] == series).all()
        assert len(known) >= (min(least, timesteps) if short[series] else timesteps)


@given(rooms(), st.integers(1, 4))
def test_every_row_with_enough_before_it_is_a_target_once(made, least):
    padding, timesteps, short = made
    begin, end = (each + padding.shift for each in (padding.indptr[:-1], padding.indptr[1:]))
    first = padding.first_starts(timesteps=timesteps, least=least)
    starts = window_starts(first, begin, end, timesteps=timesteps, horizon=1)
    needed = np.where(short, min(least, timesteps), timesteps)
    expected = [
        row
        for series, (a, b) in enumerate(pairwise(padding.indptr))
        for row in range(a + needed[series], b)
    ]
    assert padding.original(starts + timesteps).tolist() == expected


def test_without_short_series_nothing_is_moved_and_nothing_is_copied():
    padding = pad_short_series(np.array([0, 3, 5]), np.zeros(2, bool), timesteps=4)
    rows, values = np.arange(5), np.ones((5, 1))
    assert padding.moved(rows) is rows
    assert padding.original(rows) is rows
    assert padding.spread(values) is values
    assert padding.first_starts(timesteps=4, least=2).tolist() == [0, 3]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_spread_rows_keep_their_precision(kind):
    padding = pad_short_series(np.array([0, 2]), np.ones(1, bool), timesteps=3)
    assert padding.spread(np.ones((2, 1), kind)).dtype == kind
