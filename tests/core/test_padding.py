"""Room in front of short series, against loops that put the rows one after the other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.padding import make_room, owner_series
from forecast_cli.core.windows import gather, window_starts

lengths = st.lists(st.integers(0, 7), min_size=1, max_size=5)


@st.composite
def rooms(draw):
    """A room, the steps back that it was made for, and the series that are short."""
    indptr = np.concatenate([[0], np.cumsum(draw(lengths))])
    short = np.array(draw(st.lists(st.booleans(), min_size=len(indptr) - 1, max_size=6)))
    timesteps = draw(st.integers(1, 5))
    short = short[: len(indptr) - 1]
    return make_room(indptr, short, timesteps=timesteps), timesteps, short


def owners(room):
    """The series of each row once there is room, by a loop."""
    spans = zip(np.diff(room.indptr), room.added, strict=True)
    return [series for series, (rows, added) in enumerate(spans) for _ in range(rows + added)]


def numbered(room):
    """A panel whose rows hold their own number and that of their series."""
    rows = np.arange(room.indptr[-1])
    return np.stack([rows, owner_series(room.indptr, rows)], axis=1).astype(float)


@given(lengths)
def test_the_series_of_a_row_is_that_in_whose_stretch_it_lies(sizes):
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    expected = [series for series, size in enumerate(sizes) for _ in range(size)]
    assert owner_series(indptr, np.arange(indptr[-1])).tolist() == expected


@given(rooms())
def test_rows_of_nothing_stand_in_front_of_short_series_alone(made):
    room, timesteps, short = made
    values, expected = numbered(room), []
    for series, (first, end) in enumerate(pairwise(room.indptr)):
        expected += [[np.nan, np.nan]] * (timesteps if short[series] else 0)
        expected += values[first:end].tolist()
    np.testing.assert_array_equal(room.spread(values), np.reshape(expected, (-1, 2)))


@given(rooms())
def test_or_the_first_value_of_the_series_does(made):
    room, timesteps, short = made
    values, expected = numbered(room), []
    for series, (first, end) in enumerate(pairwise(room.indptr)):
        before = values[first] if end > first else [np.nan, np.nan]
        expected += [before] * (timesteps if short[series] else 0)
        expected += list(values[first:end])
    np.testing.assert_array_equal(room.spread(values, first=True), np.reshape(expected, (-1, 2)))


@given(rooms())
def test_every_row_is_found_again_where_it_was_moved_to(made):
    room, _, _ = made
    rows = np.arange(room.indptr[-1])
    moved = room.moved(rows)
    assert room.spread(numbered(room))[moved, 0].tolist() == rows.tolist()
    assert room.original(moved).tolist() == rows.tolist()


@given(rooms(), st.integers(1, 4))
def test_a_window_holds_enough_rows_of_its_own_series_and_none_of_another(made, least):
    room, timesteps, short = made
    own, spread = np.array(owners(room)), room.spread(numbered(room))
    begin, end = (each + room.shift for each in (room.indptr[:-1], room.indptr[1:]))
    first = room.first_starts(timesteps=timesteps, least=least)
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
    room, timesteps, short = made
    begin, end = (each + room.shift for each in (room.indptr[:-1], room.indptr[1:]))
    first = room.first_starts(timesteps=timesteps, least=least)
    starts = window_starts(first, begin, end, timesteps=timesteps, horizon=1)
    needed = np.where(short, min(least, timesteps), timesteps)
    expected = [
        row
        for series, (a, b) in enumerate(pairwise(room.indptr))
        for row in range(a + needed[series], b)
    ]
    assert room.original(starts + timesteps).tolist() == expected


def test_without_short_series_nothing_is_moved_and_nothing_is_copied():
    room = make_room(np.array([0, 3, 5]), np.zeros(2, bool), timesteps=4)
    rows, values = np.arange(5), np.ones((5, 1))
    assert room.moved(rows) is rows
    assert room.original(rows) is rows
    assert room.spread(values) is values
    assert room.first_starts(timesteps=4, least=2).tolist() == [0, 3]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_spread_rows_keep_their_precision(kind):
    room = make_room(np.array([0, 2]), np.ones(1, bool), timesteps=3)
    assert room.spread(np.ones((2, 1), kind)).dtype == kind
