"""Three stretches of rows, one after the other in time."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Data, Split
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.groups import one_series
from forecast_cli.data.panel import Columns, Panel
from forecast_cli.data.splits import PARTS, all_training, split_rows
from forecast_cli.data.time.frequency import Frequency
from forecast_cli.data.time.steps import Timeline


def panel(*lengths, times=None):
    """Series of these lengths, each value its row number."""
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    values = np.arange(float(indptr[-1]))[:, None]
    timeline = None if times is None else Timeline(times, Frequency.parse("D"), "%Y-%m-%d")
    ids = pd.DataFrame({"name": range(len(lengths))}) if len(lengths) > 1 else one_series()
    nothing = np.empty((len(lengths), 0, 1))
    columns = Columns(None, ("y",), ("y",))
    return Panel(columns, values, indptr, timeline, "table.csv", Data(), ids, nothing)


def sizes(rows, horizon=1, **split):
    splits = split_rows(panel(rows), Split(**split), horizon=horizon)
    return [splits.rows(part) for part in PARTS]


@pytest.mark.parametrize(
    ("validation", "test", "horizon", "expected"),
    [
        (0.1, 0.2, 1, [70, 10, 20]),
        (0, 0, 1, [100, 0, 0]),
        (0.0, 0.2, 1, [80, 0, 20]),
        (0.1, 0, 1, [90, 10, 0]),
        (12, 24, 12, [64, 12, 24]),
        (12.0, 1.0, 1, [87, 12, 1]),
        (0.1, 0.2, 15, [65, 15, 20]),
        (0.01, 0.015, 5, [90, 5, 5]),
        (50, 49, 1, [1, 50, 49]),
    ],
)
def test_sizes_are_fractions_or_steps_or_nothing(validation, test, horizon, expected):
    assert sizes(100, horizon, validation=validation, test=test) == expected


@given(
    st.lists(st.integers(20, 60), min_size=1, max_size=4),
    st.sampled_from([0, 0.1, 0.3, 5]),
    st.sampled_from([0, 0.2, 7]),
)
def test_the_parts_follow_each_other_in_every_series(lengths, validation, test):
    table = panel(*lengths)
    splits = split_rows(table, Split(validation=validation, test=test), horizon=2)
    bounds = [splits.bounds(part) for part in PARTS]
    assert (bounds[0][0] == table.indptr[:-1]).all()
    assert (bounds[0][1] == bounds[1][0]).all()
    assert (bounds[1][1] == bounds[2][0]).all()
    assert (bounds[2][1] == table.indptr[1:]).all()
    assert sum(map(splits.rows, PARTS)) == sum(lengths)
    assert (bounds[0][1] > bounds[0][0]).all()


def test_training_rows_are_those_of_the_training_part_alone():
    table = panel(10, 20)
    splits = split_rows(table, Split(validation=2, test=3), horizon=1)
    rows = splits.training_rows(table.values).ravel().tolist()
    assert rows == [*range(5), *range(10, 25)]


def test_a_refit_trains_on_everything():
    splits = all_training(panel(10, 20))
    assert [splits.rows(part) for part in PARTS] == [30, 0, 0]


DAYS = pd.date_range("2024-01-01", periods=100)


def rows_from(date, times=DAYS, horizon=5):
    splits = split_rows(panel(100, times=times), Split(validation=0, test=date), horizon=horizon)
    return splits.rows("test")


@pytest.mark.parametrize(
    ("date", "rows"),
    [
        ("2024-03-01", 40),
        ("2024-03-01 12:00", 39),
        ("2024-03", 40),
        ("2024-01-02", 99),
        ("2024-04-05", 5),
    ],
)
def test_the_test_may_begin_at_a_date(date, rows):
    assert rows_from(date) == rows


def test_a_date_between_rows_begins_with_the_next_row():
    weeks = pd.date_range("2024-01-01", periods=100, freq="7D")
    splits = split_rows(panel(100, times=weeks), Split(validation=0, test="2024-01-10"), horizon=1)
    assert weeks[100 - splits.rows("test")] == pd.Timestamp("2024-01-15")


@pytest.mark.parametrize("date", ["2024-03-01", "2024-03-01T00:00+01:00", "2024-02-29T23:00Z"])
def test_a_date_is_meant_in_the_zone_of_the_table(date):
    assert rows_from(date, DAYS.tz_localize("Europe/Berlin")) == 40


@pytest.mark.parametrize("date", ["2023-01-01", "2024-01-01", "2024-04-06", "2030-01-01"])
def test_a_date_that_leaves_no_room_is_refused(date):
    with pytest.raises(DataError, match=rf"`test={date}`.*2024-01-01.*2024-04-09"):
        rows_from(date)


@pytest.mark.parametrize("date", ["soon", "2024-13-01", "", "NaT"])
def test_what_is_neither_number_nor_date_is_refused(date):
    with pytest.raises(UsageError, match=f'"{date}"'):
        rows_from(date)


def test_a_date_with_an_offset_needs_a_zoned_table():
    with pytest.raises((UsageError, DataError), match=r"2024-03-01T00:00\+01:00"):
        rows_from("2024-03-01T00:00+01:00")


def test_a_date_needs_a_time_column():
    with pytest.raises(UsageError, match="no time column"):
        sizes(100, test="2024-01-01")


@pytest.mark.parametrize("size", [-1, -0.5, 1.5, 12.25])
def test_an_impossible_size_is_refused(size):
    with pytest.raises(UsageError, match="`test"):
        sizes(100, test=size)


@pytest.mark.parametrize("size", [math.nan, math.inf])
def test_a_size_that_is_no_number_is_refused(size):
    with pytest.raises(UsageError, match=r"test.* must be"):
        configure({"column": ("y",), "test": size})


@pytest.mark.parametrize("part", ["validation", "test"])
def test_fewer_steps_than_the_horizon_are_refused(part):
    with pytest.raises(UsageError, match=rf"`{part}=5` .* 12 ") as caught:
        sizes(100, horizon=12, **{part: 5})
    assert "12" in caught.value.hint


@pytest.mark.parametrize(
    ("rows", "horizon", "split"),
    [
        (100, 1, {"validation": 50, "test": 50}),
        (100, 1, {"validation": 0, "test": 100}),
        (20, 12, {}),
        (0, 1, {"validation": 0, "test": 0}),
    ],
)
def test_parts_that_leave_nothing_to_train_on_are_refused(rows, horizon, split):
    with pytest.raises(DataError, match=rf"table\.csv has {rows} rows"):
        sizes(rows, horizon, **split)
