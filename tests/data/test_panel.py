"""Tables as arrays: sorted, on their grid, and refused where something is amiss."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.frequency import Frequency

NAN = np.nan


def table(*rows, header="date,y"):
    return "\n".join([header, *rows]) + "\n"


DAILY = table("2020-01-01,1", "2020-01-02,2", "2020-01-03,3", "2020-01-04,4")
# From Saturday to Monday, then Thursday.
GAP = table("2020-01-04,1", "2020-01-05,2", "2020-01-06,3", "2020-01-09,6")


def read(source, notes=None, frequency=None, column=("y",), **data):
    notes = [] if notes is None else notes
    return read_panel(
        source, Data(column=column, **data), on_event=notes.append, frequency=frequency
    )


def column_of(panel, place=0):
    return panel.values[:, place].tolist()


def test_a_table_becomes_one_series(write):
    panel = read(write(DAILY))
    assert column_of(panel) == [1, 2, 3, 4]
    assert panel.indptr.tolist() == [0, 4]
    assert panel.timeline.times.equals(pd.date_range("2020-01-01", periods=4, unit="us"))
    assert panel.timeline.frequency.alias == "D"
    assert (panel.columns.time, panel.columns.features) == ("date", ("y",))
    assert panel.source == "table.csv"


def test_a_frame_is_read_like_the_file_that_it_makes(write):
    frame = pd.DataFrame({"date": pd.date_range("2020-01-31", periods=9, freq="ME"), "y": 1.5})
    from_file, from_frame = read(write(frame.to_csv(index=False))), read(frame)
    assert column_of(from_file) == column_of(from_frame)
    assert (from_file.timeline.times == from_frame.timeline.times).all()
    assert from_file.timeline.frequency == from_frame.timeline.frequency
    assert from_file.timeline.style == from_frame.timeline.style


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"y": [3.0, 1, 2]}, index=pd.date_range("2020-01-01", periods=3)[::-1])
    before = frame.copy()
    read(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_standard_input_is_a_table(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(DAILY.encode())))
    panel = read("-")
    assert column_of(panel) == [1, 2, 3, 4]
    assert panel.source == "standard input"


def test_newest_first_is_sorted_and_said(write):
    head, *rows = DAILY.split()
    notes = []
    panel = read(write(table(*rows[::-1], header=head)), notes)
    assert column_of(panel) == [1, 2, 3, 4]
    assert panel.timeline.times.is_monotonic_increasing
    assert "newest" in notes[0].text


@given(st.permutations(range(8)))
def test_rows_in_any_order_are_sorted_by_time(order):
    frame = pd.DataFrame({"t": pd.date_range("2020-01-27", periods=8, freq="B"), "y": range(8)})
    notes = []
    panel = read(frame.iloc[list(order)], notes)
    assert column_of(panel) == list(range(8))
    assert bool(notes) == (list(order) != list(range(8)))


def test_times_that_stand_there_twice_are_named(write):
    with pytest.raises(DataError) as caught:
        read(write(table("2020-01-01,1", "2020-01-02,2", "2020-01-03,3", "2020-01-02,9")))
    assert "line 5 (2020-01-02)" in caught.value.message
    assert "line 4" not in caught.value.message


def test_many_times_that_stand_there_twice_are_counted(write):
    rows = [f"2020-01-{day:02},1" for day in range(1, 21)]
    with pytest.raises(DataError, match=r"20.*line 22.*and 15 more"):
        read(write(table(*rows, *rows)))


def test_a_gap_is_an_error_that_names_the_first_irregular_row(write):
    with pytest.raises(DataError, match=r"table\.csv line 5.*2020-01-09.*2020-01-06") as caught:
        read(write(GAP))
    assert "where most steps are days (D)" in caught.value.message
    assert "`missing=interpolate`" in caught.value.hint


def test_the_line_of_a_gap_is_right_in_a_table_that_begins_with_the_newest(write):
    head, *rows = GAP.split()
    with pytest.raises(DataError, match=r"table\.csv line 2.*2020-01-09"):
        read(write(table(*rows[::-1], header=head)))


@pytest.mark.parametrize(
    ("freq", "name"),
    [
        ("h", "hours (h)"),
        ("15min", "15 minutes (15min)"),
        ("MS", "months (MS)"),
        ("7D", "weeks (W-FRI)"),
    ],
)
def test_the_error_of_a_gap_names_the_frequency_of_most_rows(freq, name):
    times = pd.date_range("2021-01-01", periods=30, freq=freq).delete(20)
    with pytest.raises(DataError) as caught:
        read(pd.DataFrame({"t": times, "y": 1.0}))
    assert f"where most steps are {name}" in caught.value.message
    assert "`missing=interpolate`" in caught.value.hint


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("interpolate", [1, 2, 3, NAN, NAN, 6]), ("ffill", [1, 2, 3, NAN, NAN, 6])],
)
def test_a_named_frequency_makes_room_for_missing_rows(write, missing, expected):
    notes = []
    panel = read(write(GAP), notes, freq="D", missing=missing)
    np.testing.assert_array_equal(column_of(panel), expected)
    assert panel.timeline.times.equals(pd.date_range("2020-01-04", periods=6, unit="us"))
    assert "2 of 6 steps (33 %) without a row" in notes[0].text


@pytest.mark.parametrize("missing", ["interpolate", "ffill", "season", "mask"])
def test_a_way_to_fill_gaps_takes_the_frequency_of_most_steps(write, missing):
    notes = []
    panel = read(write(GAP), notes, missing=missing)
    named = read(write(GAP), freq="D", missing=missing)
    np.testing.assert_array_equal(column_of(panel), column_of(named))
    assert panel.timeline.times.equals(named.timeline.times)
    assert panel.timeline.frequency == named.timeline.frequency
    assert notes[0].text == "66.6 % of the steps are days (D): the others are gaps"
    assert "2 of 6 steps (33 %) without a row" in notes[1].text


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_a_gap_stays_an_error_where_nothing_fills_it(write, missing):
    with pytest.raises(DataError, match="the steps are not regular"):
        read(write(GAP), missing=missing)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ("01 02 04 05 07", "the steps are not regular.*`freq=D` and `missing=interpolate`"),
        ("01 02 03 04 05T12:00 06", "does not fit the frequency days"),
        ("01 02", "too few to infer their frequency"),
    ],
)
def test_nothing_but_gaps_is_filled(write, days, said):
    rows = [f"2020-01-{day},1" for day in days.split()]
    with pytest.raises(DataError, match=said):
        read(write(table(*rows)), missing="interpolate")


def test_a_gap_in_business_days_still_needs_their_name():
    times = pd.bdate_range("2024-01-01", periods=100).delete(range(40, 53))
    with pytest.raises(DataError, match=r"business days.*`freq=B` and `missing=interpolate`"):
        read(pd.DataFrame({"t": times, "y": 1.0}), missing="interpolate")


@given(st.sets(st.integers(1, 29), max_size=6))
def test_gaps_alone_are_filled_between_the_first_and_the_last_row(gaps):
    days = np.array([0, *(day for day in range(1, 31) if day not in gaps)])
    frame = pd.DataFrame({"t": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D"), "y": days})
    assume(gaps)
    panel = read(frame, missing="mask")
    assert panel.timeline.frequency.alias == "D"
    expected = pd.date_range(frame["t"].iloc[0], frame["t"].iloc[-1])
    assert panel.timeline.times.tolist() == expected.tolist()
    filled = np.full(days[-1] - days[0] + 1, NAN)
    filled[days - days[0]] = days
    np.testing.assert_array_equal(column_of(panel), filled)


def test_missing_rows_without_a_policy_are_named(write):
    with pytest.raises(DataError, match="no row for 2020-01-07, 2020-01-08") as caught:
        read(write(GAP), freq="D")
    assert "`missing=interpolate`" in caught.value.hint


def test_missing_rows_can_be_dropped_again(write):
    panel = read(write(GAP), freq="D", missing="drop")
    assert column_of(panel) == [1, 2, 3, 6]
    assert str(panel.timeline.times[-1].date()) == "2020-01-09"


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_missing_values_are_named_with_their_lines(write, order):
    rows = ["2020-01-01,1", "2020-01-02,", "2020-01-03,3", "2020-01-04,NA", "2020-01-05,5"]
    lines = {1: ["line 3", "line 5"], -1: ["line 3", "line 5"]}[order]
    with pytest.raises(DataError, match='2 missing values in column "y"') as caught:
        read(write(table(*rows[::order])))
    assert all(line in caught.value.message for line in lines)
    assert "line 4" not in caught.value.message
    assert "`missing=interpolate`" in caught.value.hint


@pytest.mark.parametrize("missing", ["interpolate", "ffill"])
def test_missing_values_stay_missing_until_the_splits_are_known(write, missing):
    name = write(table("2020-01-01,1", "2020-01-02,", "2020-01-03,3"))
    np.testing.assert_array_equal(column_of(read(name, missing=missing)), [1, NAN, 3])


def test_dropping_leaves_the_rows_that_are_whole(write):
    rows = ["2020-01-01,1,1", "2020-01-02,,2", "2020-01-03,3,"]
    rows += [f"2020-01-0{day},{day},{day}" for day in (4, 5, 6)]
    panel = read(write(table(*rows, header="date,y,x")), column=("y", "x"), missing="drop")
    assert panel.values.tolist() == [[1, 1], [4, 4], [5, 5], [6, 6]]
    days = [str(time.date()) for time in panel.timeline.times]
    assert days == ["2020-01-01", "2020-01-04", "2020-01-05", "2020-01-06"]
    assert panel.indptr.tolist() == [0, 4]


def test_a_column_that_is_not_read_may_have_missing_values(write):
    name = write(table("2020-01-01,1,", "2020-01-02,2,NA", "2020-01-03,3,x", header="date,y,z"))
    assert column_of(read(name)) == [1, 2, 3]


def test_more_markers_of_missing_values_can_be_named(write):
    name = write(table("2020-01-01,1", "2020-01-02,?", "2020-01-03,3"))
    np.testing.assert_array_equal(
        column_of(read(name, na=("?",), missing="interpolate")), [1, NAN, 3]
    )


def test_several_columns_come_in_the_order_asked_for(write):
    name = write(table("2020-01-01,1,2,3", "2020-01-02,4,5,6", "2020-01-03,7,8,9",
                       header="date,a,b,c"))  # fmt: skip
    panel = read(name, column=("c", "a"), target=("a",))
    assert panel.values.tolist() == [[3, 1], [6, 4], [9, 7]]
    assert (panel.columns.features, panel.columns.targets) == (("c", "a"), ("a",))
    assert panel.columns.target_places == (1,)


def test_every_column_is_a_target_where_none_is_named(write):
    assert read(write(DAILY)).columns.targets == ("y",)


def test_a_target_must_be_among_the_columns(write):
    name = write(table("2020-01-01,1,2", "2020-01-02,2,3", "2020-01-03,3,4", header="date,y,x"))
    with pytest.raises(UsageError, match='`target` "x"') as caught:
        read(name, target=("x",))
    assert "`column=x`" in caught.value.hint


def test_a_column_must_be_named(write):
    with pytest.raises(UsageError, match="with `column`"):
        read(write(DAILY), column=())


@pytest.mark.parametrize("how", [{"column": ("y", "y")}, {"time": "y"}], ids=str)
def test_a_column_cannot_be_named_twice(write, how):
    with pytest.raises(UsageError, match='"y"'):
        read(write(DAILY), **how)


@pytest.mark.parametrize("source", ["file", "frame"])
def test_an_unknown_column_names_the_nearest(write, source):
    name = write(DAILY)
    with pytest.raises(DataError, match=r'no column "Y".*Did you mean "y"'):
        read(name if source == "file" else pd.read_csv(name), column=("Y",))


def test_without_a_time_column_rows_are_steps(write):
    panel = read(write(table("3,1", "1,2", "2,3", header="x,y")))
    assert column_of(panel) == [1, 2, 3]
    assert panel.timeline is None
    assert panel.columns.time is None


def test_time_none_takes_rows_as_steps_whatever_the_dates(write):
    panel = read(write(table("2020-01-05,1", "2020-01-01,2", "2020-01-01,3")), time="none")
    assert column_of(panel) == [1, 2, 3]
    assert panel.timeline is None


@pytest.mark.parametrize("rows", [1, 2])
def test_too_few_rows_to_see_a_frequency_is_said(write, rows):
    with pytest.raises(DataError, match=f"{rows} row") as caught:
        read(write("\n".join(DAILY.split()[: rows + 1]) + "\n"))
    assert "`freq=D`" in caught.value.hint


@pytest.mark.parametrize("end", ["", "\n"])
def test_one_row_is_enough_where_the_frequency_is_named(write, end):
    assert column_of(read(write(f"date,y\n2020-01-01,1{end}"), freq="D")) == [1]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("header", ["date,y", "x,y"])
def test_a_header_alone_is_a_data_error(write, header, end):
    with pytest.raises(DataError, match=r"table\.csv has a header and no rows"):
        read(write(header + end))


def test_business_days_with_holidays_say_that_rows_are_the_steps(write):
    times = pd.bdate_range("2023-12-01", "2024-01-31").drop(["2023-12-25", "2024-01-01"])
    notes = []
    panel = read(pd.DataFrame({"t": times, "y": 1.0}), notes)
    assert panel.timeline.frequency.alias == "B"
    assert len(panel.values) == len(times)
    assert "2 weekdays are missing" in notes[0].text


def test_days_off_the_named_frequency_are_refused(write):
    with pytest.raises(DataError, match="2020-01-04 is a Saturday"):
        read(write(DAILY), freq="B")


def test_the_frequency_of_a_model_is_what_the_table_must_have(write):
    with pytest.raises(DataError, match="2020-01-02"):
        read(write(DAILY), frequency=Frequency.parse("W"))


def test_the_frequency_of_a_model_fills_the_gaps_of_a_table(write):
    panel = read(write(GAP), frequency=Frequency.parse("D"), missing="ffill")
    assert len(panel.values) == 6


def test_an_unknown_frequency_is_a_usage_error(write):
    with pytest.raises(UsageError, match='"fortnight"'):
        read(write(DAILY), freq="fortnight")


def test_zoned_hours_are_regular_through_the_change_of_clocks(write):
    hours = pd.date_range("2024-10-26 20:00", periods=30, freq="h", tz="Europe/Berlin")
    rows = [f"{time:%Y-%m-%d %H:%M},{row}" for row, time in enumerate(hours)]
    panel = read(write(table(*rows)), timezone="Europe/Berlin")
    assert (panel.timeline.times == hours).all()
    assert panel.timeline.frequency.alias == "h"
    assert column_of(panel) == list(range(30))


def test_a_missing_time_in_a_frame_is_a_data_error():
    times = [*pd.date_range("2020-01-01", periods=3), pd.NaT]
    with pytest.raises(DataError, match="row 4"):
        read(pd.DataFrame({"t": times, "y": range(4)}))


def test_no_rows_at_all_is_a_data_error():
    with pytest.raises(DataError, match="no rows"):
        read(pd.DataFrame({"t": pd.DatetimeIndex([]), "y": []}))
