"""What is reckoned for all series at once is what a loop over the series gives."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.core.error_scale import seasonal_error, seasonal_squared
from forecast_cli.core.errors import DataError
from forecast_cli.core.ragged import (
    row_numbers,
    rows_before,
    rows_between,
    sums_between,
    take_percentiles,
)
from forecast_cli.core.scaling import fit_by_series, fit_scaling
from forecast_cli.data.missing import fill_missing, last_known
from forecast_cli.data.splits import PARTS, Splits

KINDS = ["minmax", "standard", "robust", "none"]


@st.composite
def panels(draw, *, columns=3, least=0):
    """Rows of a few series, end to end, with gaps and values that repeat."""
    lengths = draw(st.lists(st.integers(least, 12), min_size=1, max_size=5))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    values = rng.normal(5, 10.0 ** rng.integers(-2, 4), (indptr[-1], columns))
    if draw(st.booleans()):
        values = np.round(values / 10.0)
    values[rng.random(values.shape) < draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]))] = np.nan
    return values, indptr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", ["none", "log1p"])
@given(panels(), st.lists(st.sampled_from(["series", "all", "none"]), min_size=3, max_size=3))
def test_the_scaler_of_each_series_is_that_of_its_rows_alone(kind, before, panel, scopes):
    rows, indptr = panel
    rows, columns = np.abs(rows), 2
    found = fit_by_series(rows, indptr, scopes, kind, before, columns)
    whole = fit_scaling(rows, kind, before, columns)
    for series, (first, end) in enumerate(zip(indptr[:-1], indptr[1:], strict=True)):  # noqa: RUF007
        own = fit_scaling(rows[first:end], kind, before, columns)
        for place, scope in enumerate(scopes):
            alone = scope == "series" and np.isfinite(rows[first:end, place]).any()
            expected = own if alone else whole
            center, scale = expected.center[place], expected.scale[place]
            if scope == "none":
                center, scale = 0.0, 1.0
            at = (series, place) if found.by_series else (place,)
            assert found.center[at] == pytest.approx(center, rel=1e-12, abs=1e-12)
            assert found.scale[at] == pytest.approx(scale, rel=1e-9, abs=1e-12)
    assert found.by_series == ("series" in scopes)
    assert (found.kind, found.before, found.columns) == (kind, before, columns)


@pytest.mark.parametrize("kind", KINDS)
def test_a_series_without_a_row_or_a_value_has_the_numbers_of_all_together(kind):
    rows = np.array([[1.0], [2.0], [np.nan], [np.nan], [9.0], [9.0]])
    found = fit_by_series(rows, np.array([0, 2, 2, 4, 6]), ["series"], kind)
    whole = fit_scaling(rows, kind)
    for series in (1, 2):
        assert found.center[series] == whole.center and found.scale[series] == whole.scale
    # Constant, and so of scale 1.
    assert found.scale[3] == 1.0 and (found.center[3] == 9.0 or kind == "none")


def test_logs_of_what_has_none_do_not_disturb_the_others():
    rows = np.array([[1.0], [np.e], [-1.0], [2.0]])
    with np.errstate(invalid="ignore"):
        found = fit_by_series(rows, np.array([0, 2, 4]), ["series"], "minmax", "log")
    assert found.center[0] == 0.0 and found.scale[0] == 1.0


@given(panels(columns=1), st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_percentiles_are_those_of_numpy(panel, percent):
    values, indptr = panel
    found = take_percentiles(values[:, 0], indptr, np.array(percent))
    for series, (first, end) in enumerate(zip(indptr[:-1], indptr[1:], strict=True)):  # noqa: RUF007
        own = values[first:end, 0]
        known = own[~np.isnan(own)]
        expected = np.percentile(known, percent) if len(known) else np.full(len(percent), np.nan)
        np.testing.assert_allclose(found[:, series], expected, rtol=1e-12, atol=1e-12)


def test_one_long_series_among_many_short_ones_costs_no_room():
    indptr = np.concatenate([np.arange(20_001) * 3, [1_060_000]])
    values = np.random.default_rng(0).normal(size=indptr[-1])
    found = take_percentiles(values, indptr, np.array([50.0]))[0]
    assert found[-1] == np.median(values[60_000:])
    np.testing.assert_array_equal(found[:-1], np.median(values[:60_000].reshape(-1, 3), axis=1))


def test_a_series_longer_than_what_is_sorted_at_once_has_percentiles():
    values = np.random.default_rng(0).normal(size=4_200_000)
    found = take_percentiles(values, np.array([0, len(values)]), np.array([50.0]))
    assert found.tolist() == [[np.median(values)]]


@given(panels(), st.data())
def test_rows_before_are_those_of_loops(panel, data):
    values, indptr = panel
    first = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(first, len(values)))
    expected = [row for length in np.diff(indptr) for row in range(length)]
    assert row_numbers(indptr).tolist() == expected
    assert rows_before(indptr, first, end).tolist() == expected[first:end]


@given(panels(), st.data())
def test_rows_between_are_those_of_loops(panel, data):
    _, indptr = panel
    rows = st.integers(-3, int(indptr[-1]) + 3)
    begins, ends = (
        np.array(data.draw(st.lists(rows, min_size=len(indptr) - 1, max_size=len(indptr) - 1)))
        for _ in range(2)
    )
    expected = [
        begin <= row < end
        for first, stop, begin, end in zip(indptr[:-1], indptr[1:], begins, ends, strict=True)
        for row in range(first, stop)
    ]
    assert rows_between(indptr, begins, ends).tolist() == expected


def test_sums_between_read_nothing_else():
    values = np.array([[1.0], [2.0], [np.nan], [4.0], [8.0]])
    assert sums_between(values, np.array([0, 1, 3]), np.array([2, 2, 5])).tolist() == [
        [3],
        [2],
        [12],
    ]
    assert sums_between(values, np.array([], int), np.array([], int)).shape == (0, 1)


@given(panels(columns=2), st.integers(1, 6), st.floats(0, 1))
def test_seasonal_errors_are_loops_over_the_training_rows(panel, season, share):
    values, indptr = panel
    end = indptr[:-1] + (np.diff(indptr) * share).astype(int)
    absolute, squared = (
        of(values, indptr, end, season_length=season) for of in (seasonal_error, seasonal_squared)
    )
    assert absolute.shape == squared.shape == (len(end), 2)
    for series, (first, last) in enumerate(zip(indptr[:-1], end, strict=True)):
        lag = season if last - first > season else 1
        for column in (0, 1):
            own = values[first:last, column].tolist()
            apart = np.array([b - a for a, b in zip(own, own[lag:], strict=False)])
            apart = apart[~np.isnan(apart)]
            expected = (np.mean(np.abs(apart)), np.mean(apart**2)) if len(apart) else [np.nan] * 2
            found = absolute[series, column], squared[series, column]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def interpolated(column, season):
    known = ~np.isnan(column)
    rows = np.arange(len(column))
    return np.interp(rows, rows[known], column[known]) if known.any() else column


def held(column, season=1):
    filled = column.copy()
    for row in range(1, len(filled)):
        filled[row] = filled[row - 1] if np.isnan(filled[row]) else filled[row]
    return filled


def seasonal(column, season):
    filled = column.copy()
    for row in range(season, len(filled)):
        filled[row] = filled[row - season] if np.isnan(filled[row]) else filled[row]
    return held(filled)


LOOPS = {"interpolate": interpolated, "ffill": held, "season": seasonal}


@st.composite
def split_panels(draw):
    values, indptr = draw(panels(columns=2, least=1))
    ends = [
        sorted(draw(st.tuples(*[st.integers(int(first) + 1, int(last))] * 2)))
        for first, last in zip(indptr[:-1], indptr[1:], strict=True)  # noqa: RUF007
    ]
    return values, Splits(indptr, *np.array(ends).T)


@pytest.mark.parametrize("policy", LOOPS)
@given(split_panels(), st.integers(1, 5))
def test_gaps_are_filled_as_by_a_loop_over_series_parts_and_columns(policy, panel, season):
    values, splits = panel
    expected = values.copy()
    for part in PARTS:
        for first, begin, end in zip(splits.indptr[:-1], *splits.bounds(part), strict=True):
            before = max(first, begin - season)
            for column in (0, 1):
                filled = LOOPS[policy](expected[before:end, column], season)
                expected[begin:end, column] = filled[begin - before :]
    try:
        found = fill_missing(values, splits, policy, source="t", season_length=season)
    except DataError:
        assert np.isnan(expected).any()
    else:
        # Nothing and less than nothing are the same number.
        assert (found + 0.0).tobytes() == (expected + 0.0).tobytes()


@given(panels(columns=2))
def test_last_known_is_a_loop_over_series_and_columns(panel):
    values, indptr = panel
    found = last_known(values, indptr)
    for first, end in zip(indptr[:-1], indptr[1:], strict=True):  # noqa: RUF007
        for column in (0, 1):
            own = values[first:end, column]
            known = own[~np.isnan(own)]
            expected = held(np.concatenate([known[:1], own]))[len(known[:1]) :]
            np.testing.assert_array_equal(found[first:end, column], expected)


SERIES, LENGTH = 10_000, 100
INDPTR = np.arange(SERIES + 1) * LENGTH


def gappy():
    values = np.random.default_rng(0).normal(10, 1, (SERIES * LENGTH, 1))
    values[::29] = np.nan
    values[::LENGTH] = 9.0
    return values


SPLITS = Splits(INDPTR, INDPTR[1:] - 20, INDPTR[1:] - 10)
AT_ONCE = {
    "seasonal error": lambda v: seasonal_error(v, INDPTR, INDPTR[1:] - 20, season_length=12),
    "last known": lambda v: last_known(v, INDPTR),
    **{kind: lambda v, kind=kind: fit_by_series(v, INDPTR, ["series"], kind) for kind in KINDS},
    **{
        policy: lambda v, policy=policy: fill_missing(
            v, SPLITS, policy, source="t", season_length=12
        )
        for policy in LOOPS
    },
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_many_series_are_one_array_and_no_loop(name):
    """A tenth of 100,000 series of 100 points, each in a share of the second that is allowed."""
    values = gappy()
    begin = time.perf_counter()
    AT_ONCE[name](values)
    assert time.perf_counter() - begin < 1
