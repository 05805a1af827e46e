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
from forecast_cli.data.splits import (
    PARTS,
    all_training,
    least_left,
    parse_date,
    rows_needed,
    split_rows,
)
from forecast_cli.data.time.frequency import Frequency
from forecast_cli.data.time.time_index import Timeline


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


@pytest.mark.parametrize("date", ["soon", "2024-13-01", "", "NaT", "03/04/2024"])
def test_what_is_neither_number_nor_date_is_refused(date):
    with pytest.raises(UsageError, match=f'`test` "{date}" is neither'):
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
    with pytest.raises(DataError, match=rf"table\.csv has {rows} rows; "):
        sizes(rows, horizon, **split)


FRACTIONS_OR_STEPS = st.sampled_from([0, 0.1, 0.25, 5, 0.07])


@given(FRACTIONS_OR_STEPS, FRACTIONS_OR_STEPS, st.integers(1, 5), st.integers(1, 60))
def test_so_many_rows_are_left_and_so_many_are_needed(validation, test, horizon, window):
    split = Split(validation=validation, test=test)
    table = panel(100)
    splits = split_rows(table, split, horizon=horizon)
    assert least_left(split, 100, horizon) == splits.rows("train")
    fewest = next(rows for rows in range(window, 200) if least_left(split, rows, horizon) >= window)
    assert rows_needed(split, splits, window=window, horizon=horizon) == fewest


def test_a_date_leaves_the_rows_before_it():
    table, split = panel(100, times=DAYS), Split(validation=7, test="2024-03-01")
    assert least_left(split, 100, 5) == 93
    splits = split_rows(table, split, horizon=5)
    assert rows_needed(split, splits, window=20, horizon=5) == 20 + 7 + 40


def test_a_date_splits_every_series_that_it_leaves_room_in():
    """Ten days each from the 1st, the 5th and the 12th; one whose rows are all after the date."""
    times = DAYS[:10].append([DAYS[4:14], DAYS[11:21], DAYS[20:23]])
    table = panel(10, 10, 10, 3, times=times)
    splits = split_rows(table, Split(validation=2, test="2024-01-10"), horizon=1)
    trained, validated = (splits.bounds(part)[1] - table.indptr[:-1] for part in PARTS[:2])
    # The last two have no row before the date: nothing of them is trained on.
    assert trained.tolist() == [7, 3, 0, 0]
    assert validated.tolist() == [9, 5, 0, 0]
    two = panel(10, 3, times=times[:10].append(times[-3:]))
    split = Split(validation=0, test="2024-01-06")
    # Five rows of the first series, and all of the other.
    assert split_rows(two, split, horizon=5).train_end.tolist() == [5, 10]
    with pytest.raises(DataError, match="leaves no series both rows to train on and 6 steps"):
        split_rows(two, split, horizon=6)


def test_a_fraction_is_of_the_rows_of_its_series():
    splits = split_rows(panel(40, 80), Split(validation=0.1, test=0.25), horizon=1)
    trained, validated = splits.bounds("validation")
    assert trained.tolist() == [26, 40 + 52] and validated.tolist() == [30, 40 + 60]


def test_series_that_are_too_short_are_for_training_alone():
    table = panel(6, 5, 20)
    splits = split_rows(table, Split(validation=2, test=3), horizon=2)
    trained, validated = (splits.bounds(part)[1] - table.indptr[:-1] for part in PARTS[:2])
    assert trained.tolist() == [1, 5, 15] and validated.tolist() == [3, 5, 17]


def test_parts_of_nothing_but_validation_and_test_are_refused():
    with pytest.raises(UsageError, match=r"`validation=0.5` and `test=0.5` leave no rows"):
        sizes(100, validation=0.5, test=0.5)
    with pytest.raises(DataError, match="has 9 rows in its longest series; 5 for validation and 6"):
        split_rows(panel(4, 9), Split(validation=5, test=6), horizon=1)


def test_a_date_is_asked_for_in_the_words_of_its_setting():
    for setting, size in (("test", True), ("start", False)):
        with pytest.raises(UsageError, match=rf'`{setting}` "soon"') as caught:
            parse_date(setting, "soon", DAYS)
        assert ("neither a number nor a date" in str(caught.value)) == size
        assert ("fraction" in caught.value.hint) == size
        assert "a date such as 2024-01-01" in caught.value.hint
