"""What looks wrong is found where it was planted, and nothing is found where nothing was."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.data.inspection.columns import copies_of_target
from forecast_cli.data.inspection.outliers import (
    constant_series,
    empty_series,
    ending_runs,
    level_shift,
    outliers,
)


def walk(steps, phi=1.0):
    """An autoregression of order one along the first axis; a random walk for `phi` 1."""
    path = np.array(steps)
    for row in range(1, len(path)):
        path[row] += phi * path[row - 1]
    return path


def panel(series):
    """Values and `indptr` of series that stand side by side, shape `(rows, n_series)`."""
    rows, n_series = series.shape
    return series.T.reshape(-1, 1), np.arange(n_series + 1) * rows


def season(rows, length, height=5.0):
    return height * np.sin(2 * np.pi * np.arange(rows) / length)[:, None]


def clean(kind, rows, n_series):
    """Series of a kind in which nothing is wrong, and their season."""
    rng = np.random.default_rng(sum(map(ord, kind)))
    shape, trend = (rows, n_series), np.arange(rows)[:, None]
    noise = rng.normal(size=shape)
    return {
        "noise": lambda: (noise, 1),
        "t4": lambda: (rng.standard_t(4, shape), 1),
        "walk": lambda: (walk(noise), 1),
        "walk-s12": lambda: (walk(noise), 12),
        "walk-drift": lambda: (walk(noise + 0.3), 1),
        "prices": lambda: (100 * np.exp(0.02 * walk(noise)), 5),
        "ar.9": lambda: (walk(noise, 0.9), 1),
        "ar.98": lambda: (walk(noise, 0.98), 1),
        "ar.98-s24": lambda: (walk(noise, 0.98), 24),
        "season": lambda: (season(rows, 12) + noise, 12),
        "season-unsaid": lambda: (season(rows, 12) + noise, 1),
        "trend-season": lambda: (season(rows, 7) + 0.1 * trend + noise, 7),
        "growing": lambda: (np.exp(0.004 * trend) * (50 + season(rows, 12)) + noise, 12),
        "peaks": lambda: (np.where(trend % 24 == 18, 50, 0) * rng.uniform(0.8, 1.2, shape), 24),
        "weekends": lambda: (season(rows, 24) - 8 * (trend // 24 % 7 >= 5) + noise, 24),
        "gaps": lambda: (np.where(rng.random(shape) < 0.3, np.nan, noise), 12),
        "sales": lambda: (rng.negative_binomial(0.5, 0.2, shape).astype(float), 7),
        "exact": lambda: (season(rows, 12) + 0.1 * trend + noise[:1], 12),
        "exact-line": lambda: (0.1 * trend + noise[:1], 1),
        "few-sales": lambda: (rng.poisson(0.05, shape).astype(float), 7),
        "flags": lambda: ((rng.random(shape) < 0.02).astype(float), 7),
    }[kind]()


# One series in a hundred of each may be under a false suspicion.
QUIET = ["noise", "walk", "walk-s12", "walk-drift", "prices", "ar.9", "ar.98", "ar.98-s24"]
QUIET += ["season", "season-unsaid", "trend-season", "growing", "peaks", "weekends", "gaps"]
QUIET += ["exact", "exact-line", "sales", "few-sales", "flags"]


@pytest.mark.parametrize("kind", [*QUIET, "t4"])
def test_clean_series_have_no_outliers(kind):
    series, season_length = clean(kind, 400, 100)
    values, indptr = panel(series)
    found = outliers(values, indptr, season_length=season_length)
    assert len(np.unique(found[:, 0] // 400)) <= 1


@pytest.mark.parametrize("kind", [*QUIET, "t4"])
@pytest.mark.parametrize("rows", [100, 400])
def test_clean_series_have_no_level_shift(kind, rows):
    values, indptr = panel(clean(kind, rows, 100)[0])
    assert len(level_shift(values, indptr, season_length=clean(kind, rows, 100)[1])) <= 1


@pytest.mark.parametrize("kind", ["noise", "t4", "season", "trend-season", "weekends", "gaps"])
@pytest.mark.parametrize("size", [-60, 60])
def test_a_planted_outlier_is_found_and_nothing_else(kind, size):
    series, season_length = clean(kind, 300, 20)
    rows = np.random.default_rng(0).integers(0, 300, 20)
    series[rows, np.arange(20)] = np.nan_to_num(series[rows, np.arange(20)]) + size
    values, indptr = panel(series)
    found = outliers(values, indptr, season_length=season_length)
    expected = set((indptr[:-1] + rows).tolist())
    # In gaps, a phase may be known too seldom to say anything.
    assert len(expected & set(found[:, 0].tolist())) >= 18
    assert len(set(found[:, 0].tolist()) - expected) <= 1


def test_a_wrong_number_among_sales_that_are_mostly_zero_is_found():
    sales = clean("few-sales", 400, 1)[0]
    sales[123] = 9999
    assert outliers(sales, np.array([0, 400]), season_length=7).tolist() == [[123, 0]]


def test_a_wrong_number_in_a_column_that_never_moves_is_found():
    price = np.full((100, 1), 4.5)
    price[40] = -999
    assert outliers(price, np.array([0, 100]), season_length=1).tolist() == [[40, 0]]


def test_outliers_come_in_the_order_of_the_table():
    values = np.random.default_rng(0).normal(size=(200, 3))
    places = [[10, 2], [50, 0], [50, 2], [150, 1]]
    for row, column in places:
        values[row, column] = 100.0
    assert outliers(values, np.array([0, 100, 200]), season_length=1).tolist() == places


def test_a_table_without_columns_has_nothing_suspicious():
    values, indptr = np.empty((50, 0)), np.array([0, 50])
    assert outliers(values, indptr, season_length=1).shape == (0, 2)
    assert level_shift(values, indptr, season_length=1) == []
    assert constant_series(values, indptr).shape == empty_series(values, indptr).shape == (1, 0)


def test_values_that_stick_out_together_are_no_outliers():
    values = np.random.default_rng(0).normal(size=(200, 1))
    values[50:54] = 100.0
    assert not len(outliers(values, np.array([0, 200]), season_length=1))


def test_a_far_value_that_comes_each_season_is_no_outlier():
    values = np.random.default_rng(0).normal(size=(240, 1))
    values[5::12] += 100.0
    assert not len(outliers(values, np.array([0, 240]), season_length=12))


@pytest.mark.parametrize("kind", ["noise", "season", "trend-season", "ar.9", "ar.98-s24"])
@pytest.mark.parametrize("spreads", [-11, 11])
def test_a_planted_level_shift_is_found_at_its_row(kind, spreads):
    series, season_length = clean(kind, 400, 20)
    lag = {1: 8, 7: 14}.get(season_length, season_length)
    change = series[lag:] - series[:-lag]
    spread = 1.4826 * np.nanmedian(np.abs(change - np.nanmedian(change, axis=0)), axis=0)
    series[330:] += spreads * spread
    shifts = level_shift(*panel(series), season_length=season_length)
    assert len({shift.series for shift in shifts}) == len(shifts) >= 18
    assert sum(shift.row == shift.series * 400 + 330 for shift in shifts) >= 17
    sizes = [shift.size / spread[shift.series] for shift in shifts]
    assert np.allclose(sizes, spreads, atol=3)


@pytest.mark.parametrize("rows", [(100, 400), (399, 400), (330, 333)], ids=str)
def test_early_last_and_passing_shifts_are_left_alone(rows):
    series = np.random.default_rng(0).normal(size=(400, 1))
    series[slice(*rows)] += 30.0
    assert not level_shift(series, np.array([0, 400]), season_length=1)


def test_a_trend_that_sets_in_is_no_level_shift():
    rows = np.arange(400)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.1, (400, 50))
    values, indptr = panel(np.maximum(rows - 340, 0) * 0.5 + noise)
    assert len(level_shift(values, indptr, season_length=1)) <= 1


def test_a_shift_of_what_never_moved_is_found():
    values = np.where(np.arange(100) < 80, 5.0, 7.0)[:, None]
    assert level_shift(values, np.array([0, 100]), season_length=1) == [(0, 0, 80, 2.0)]


def leaky(rows=600, n_series=3):
    """A random walk, an unrelated one, and columns that hold the first in different ways."""
    steps = np.random.default_rng(0).normal(size=(rows * n_series, 2))
    indptr = np.arange(n_series + 1) * rows
    target, other = np.concatenate([walk(steps[a:b]) for a, b in pairwise(indptr)]).T
    moved = {lead: np.full_like(target, np.nan) for lead in (-3, 4)}
    for a, b in pairwise(indptr):
        moved[4][a : b - 4] = target[a + 4 : b]
        moved[-3][a + 3 : b] = target[a : b - 3]
    nearly = target.copy()
    nearly[::300] += 5.0
    fahrenheit = np.round(32 - 1.8 * target, 2)
    sparse = np.where(np.arange(len(target)) % 2, target, np.nan)
    columns = [target, other, target, fahrenheit, moved[4], 3 * moved[4], moved[-3], nearly]
    return np.column_stack([*columns, np.ones_like(target), sparse]), indptr


def test_copies_of_the_target_and_its_future_are_found():
    values, indptr = leaky()
    expected = [(2, 0), (3, 0), (4, 4), (5, 4), (7, 0)]
    assert copies_of_target(values, indptr, most_lead=6) == expected


def test_a_lead_beyond_the_furthest_is_not_looked_for():
    values, indptr = leaky()
    assert [lead for _, lead in copies_of_target(values, indptr, most_lead=3)] == [0, 0, 0]


def test_a_lead_is_found_in_many_short_series():
    rng = np.random.default_rng(0)
    values, indptr = panel(rng.normal(size=(10, 50)))
    ahead = np.where(np.arange(500) % 10 < 7, np.roll(values[:, 0], -3), np.nan)
    assert copies_of_target(np.c_[values, ahead], indptr, most_lead=5) == [(1, 3)]


@pytest.mark.parametrize("smoothings", [1, 2])
def test_slow_series_are_no_copies_of_each_other_nor_of_their_past(smoothings):
    rng = np.random.default_rng(0)
    for _ in range(20):
        columns = rng.normal(size=(500, 4))
        for _ in range(smoothings):
            columns = walk(columns)
        past = [np.append(np.full(lag, np.nan), columns[:-lag, 0]) for lag in (1, 5)]
        rows = np.arange(500.0)
        values = np.column_stack([columns, *past, rows])
        assert not copies_of_target(values, np.array([0, 500]), most_lead=24)


def test_flags_and_sales_that_are_mostly_zero_are_no_copies():
    rng = np.random.default_rng(0)
    values = rng.poisson(0.02, (5000, 5)).astype(float)
    assert not copies_of_target(values, np.array([0, 5000]), most_lead=24)


def test_a_target_that_never_moves_has_no_copies():
    assert not copies_of_target(np.ones((100, 2)), np.array([0, 100]), most_lead=3)


@st.composite
def small_panels(draw):
    """Up to four series, empty ones among them, of few different values, some missing."""
    lengths = draw(st.lists(st.integers(0, 30), min_size=1, max_size=4))
    rows = sum(lengths)
    cells = st.sampled_from([0.0, 1.0, 1.0, 50.0, -3.5, np.nan, np.inf])
    cells = draw(st.lists(cells, min_size=2 * rows, max_size=2 * rows))
    return np.array(cells).reshape(rows, 2), np.concatenate([[0], np.cumsum(lengths)])


@given(small_panels())
def test_constant_and_empty_are_those_of_a_loop(drawn):
    values, indptr = drawn
    for i, (a, b) in enumerate(pairwise(indptr)):
        for column in range(2):
            known = {x for x in values[a:b, column].tolist() if np.isfinite(x)}
            assert empty_series(values, indptr)[i, column] == (len(known) == 0)
            assert constant_series(values, indptr)[i, column] == (len(known) == 1)


@given(small_panels(), st.integers(1, 40))
def test_any_panel_can_be_looked_at(drawn, season_length):
    values, indptr = drawn
    for row, column in outliers(values, indptr, season_length=season_length).tolist():
        assert np.isfinite(values[row, column])
    for shift in level_shift(values, indptr, season_length=season_length):
        assert indptr[shift.series] <= shift.row < indptr[shift.series + 1]
    for column, lead in copies_of_target(values, indptr, most_lead=season_length):
        assert column == 1
        assert 0 <= lead <= season_length


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_series_do_not_touch_each_other(season_length, seed):
    rng = np.random.default_rng(seed)
    series = [walk(rng.standard_t(2, (rows, 1)), 0.5) for rows in (60, 150, 90)]
    indptr = np.array([0, 60, 210, 300])
    together = np.concatenate(series)
    found = outliers(together, indptr, season_length=season_length)[:, 0].tolist()
    shifts = [shift.row for shift in level_shift(together, indptr, season_length=season_length)]
    alone, alone_shifts = [], []
    for first, values in zip(indptr[:-1].tolist(), series, strict=True):
        own = np.array([0, len(values)])
        alone += (first + outliers(values, own, season_length=season_length)[:, 0]).tolist()
        alone_shifts += [
            first + s.row for s in level_shift(values, own, season_length=season_length)
        ]
    assert found == alone
    assert shifts == alone_shifts


@given(st.floats(0.01, 1000), st.floats(-1000, 1000), st.integers(0, 100))
def test_scale_and_offset_change_no_suspicion_of_a_shift(scale, offset, seed):
    values = np.random.default_rng(seed).normal(size=(200, 1))
    values[170:] += 25.0
    expected = level_shift(values, np.array([0, 200]), season_length=1)
    moved = level_shift(scale * values + offset, np.array([0, 200]), season_length=1)
    assert [shift.row for shift in moved] == [shift.row for shift in expected] == [170]
    assert moved[0].size == pytest.approx(scale * expected[0].size, rel=1e-6)


def test_a_large_panel_takes_no_time_worth_speaking_of():
    values = np.random.default_rng(0).normal(size=(200_000, 1))
    begin = time.process_time()
    outliers(values, np.arange(201) * 1000, season_length=24)
    level_shift(values, np.arange(201) * 1000, season_length=24)
    copies_of_target(np.repeat(values, 3, axis=1), np.array([0, 200_000]), most_lead=24)
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    ("end", "found"),
    [([0.0] * 3, (0, 0.0, 3)), ([0.0] * 2, None), ([7.5] * 12, (0, 7.5, 12)), ([7.5] * 9, None)],
)
def test_values_that_are_repeated_at_the_end_are_found(end, found):
    values = np.array([*np.random.default_rng(0).normal(50, 5, 60), *end])[:, None]
    assert ending_runs(values, np.array([0, len(values)])) == ([found] if found else [])
    # Zeros and runs that come before too are usual.
    before = np.concatenate([values[:20], values[60:], values[20:]])
    assert ending_runs(before, np.array([0, len(before)])) == []
    assert ending_runs(np.tile([0.0, 1, 1], 30)[:, None], np.array([0, 90])) == []
