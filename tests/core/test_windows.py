"""Windows against three-line loops, and the promises that keep the future out of the past."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.windows import gather, window_starts


@st.composite
def cut_series(draw):
    """`indptr` of a few series, and the four edges of their three splits."""
    lengths = draw(st.lists(st.integers(0, 25), min_size=1, max_size=4))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    cuts = [sorted(draw(st.tuples(*[st.integers(a, b)] * 2))) for a, b in pairwise(indptr)]
    train_end, validation_end = np.array(cuts).T
    return indptr, (indptr[:-1], train_end, validation_end, indptr[1:])


steps = st.integers(1, 6)
part = st.integers(0, 2)


def starts_by_loop(indptr, begin, end, timesteps, horizon):
    return [
        start
        for i in range(len(begin))
        for start in range(indptr[i], indptr[i + 1])
        if begin[i] <= start + timesteps and start + timesteps + horizon <= end[i]
    ]


@given(cut_series(), part, steps, steps)
def test_starts_are_those_of_a_loop(series, place, timesteps, horizon):
    indptr, edges = series
    begin, end = edges[place], edges[place + 1]
    starts = window_starts(indptr[:-1], begin, end, timesteps=timesteps, horizon=horizon)
    assert starts.tolist() == starts_by_loop(indptr, begin, end, timesteps, horizon)


@given(cut_series(), part, steps, steps)
def test_no_window_crosses_into_another_series(series, place, timesteps, horizon):
    indptr, edges = series
    starts = window_starts(
        indptr[:-1], edges[place], edges[place + 1], timesteps=timesteps, horizon=horizon
    )
    first = np.searchsorted(indptr, starts, side="right")
    last = np.searchsorted(indptr, starts + timesteps + horizon - 1, side="right")
    assert (first == last).all()


@given(cut_series(), part, steps, steps)
def test_no_target_leaves_its_split(series, place, timesteps, horizon):
    indptr, edges = series
    starts = window_starts(
        indptr[:-1], edges[place], edges[place + 1], timesteps=timesteps, horizon=horizon
    )
    split = np.zeros(indptr[-1], bool)
    for begin, end in zip(edges[place], edges[place + 1], strict=True):
        split[begin:end] = True
    assert split[starts[:, None] + timesteps + np.arange(horizon)].all()


@given(cut_series(), steps)
def test_each_row_with_enough_before_it_is_a_target_once(series, timesteps):
    indptr, edges = series
    targets = [
        window_starts(indptr[:-1], edges[place], edges[place + 1], timesteps=timesteps, horizon=1)
        + timesteps
        for place in range(3)
    ]
    expected = [row for a, b in pairwise(indptr) for row in range(a + timesteps, b)]
    assert sorted(np.concatenate(targets).tolist()) == expected


def test_inputs_look_back_before_the_split_but_not_before_the_series():
    indptr, begin, end = np.array([0, 10, 20]), np.array([7, 11]), np.array([10, 14])
    starts = window_starts(indptr[:-1], begin, end, timesteps=4, horizon=1)
    assert starts.tolist() == [3, 4, 5]
    starts = window_starts(indptr[:-1], begin, end, timesteps=3, horizon=1)
    assert starts.tolist() == [4, 5, 6, 10]


@pytest.mark.parametrize("timesteps", [1, 3])
def test_gather_is_a_loop_over_slices(timesteps):
    values = np.random.default_rng(0).normal(size=(30, 2))
    starts = np.array([0, 5, 4, 27])
    expected = np.stack([values[start : start + timesteps] for start in starts])
    assert (gather(values, starts, timesteps=timesteps) == expected).all()


def test_gather_of_no_windows_keeps_the_shape():
    assert gather(np.zeros((9, 2)), np.array([], int), timesteps=3).shape == (0, 3, 2)
