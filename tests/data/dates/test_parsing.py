"""Dates in every form that people write them, read without guessing, and written back."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.dates.parsing import parse_dates
from forecast_cli.data.dates.time_column import find_time
from forecast_cli.data.io.opening import open_table

BERLIN = "Europe/Berlin"
ISO_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
DAYS = (
    "%Y-%m", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%Y/%m", "%m/%Y", "%b %Y", "%Y",
)  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# More than twelve days, so that days and months can be told apart; each hour, minute and second.
TIMES = pd.date_range("2019-12-20 13:05:09", periods=40, freq="37h")


@pytest.fixture
def parse(write):
    """Parse cells as the column `date` of a file."""

    def call(cells, **how):
        name = write("date,y\n" + "".join(f'"{cell}",1\n' for cell in cells))
        return parse_dates(open_table(name).read(text=["date"]), "date", **how)

    return call


def texts(times, form):
    return list(times.strftime(form))


def written(dates):
    return write_dates(dates.times, dates.style)


@pytest.mark.parametrize("form", [*ISO_FORMS, *[day + clock for day in DAYS for clock in CLOCKS]])
def test_every_form_is_read_and_written_back(parse, form):
    cells = texts(TIMES, form)
    dates = parse(cells)
    assert dates.times.equals(pd.DatetimeIndex(pd.to_datetime(cells, format=form)))
    assert written(dates) == cells


@pytest.mark.parametrize("form", ["%Y%m%dT%H%M%S", "%Y-%m-%d %H", "%Y-%m-%dT%H:%M:%SZ"])
def test_rarer_iso_forms_are_written_back(parse, form):
    cells = texts(TIMES, form)
    dates = parse(cells)
    assert written(dates) == cells
    assert (dates.times.hour == TIMES.hour).all()


@pytest.mark.parametrize(
    "cells",
    [
        ["2020-01-01", "2020-01-01 01:00:00", "2020-01-01 02:00:00"],
        ["2020-01-01T00:00:00", "2020-01-01T00:00:00.500000", "2020-01-01T00:00:01"],
    ],
    ids=["midnight without a clock", "a whole second without a fraction"],
)
def test_times_stay_apart_where_the_first_one_is_shorter(parse, cells):
    assert len(set(written(parse(cells)))) == len(cells)


def test_fractions_of_a_second_are_written_back(parse):
    cells = [f"2020-01-01 00:00:00.{tenth}00" for tenth in range(10)]
    assert len(set(written(parse(cells)))) == 10


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1/2/2020", "1/13/2020"], ["2020-01-02", "2020-01-13"]),
        (["3.1.2020", "13.1.2020"], ["2020-01-03", "2020-01-13"]),
        (["19580329", "19580405"], ["1958-03-29", "1958-04-05"]),
        (["1949-01", "1949-02"], ["1949-01-01", "1949-02-01"]),
        (["1066-10-14", "2166-10-14"], ["1066-10-14", "2166-10-14"]),
        (["27 jan 2020", "28 JAN 2020"], ["2020-01-27", "2020-01-28"]),
    ],
    ids=lambda value: value[0],
)
def test_dates_are_read_as_they_are_meant(parse, cells, expected):
    assert texts(parse(cells).times, "%Y-%m-%d") == expected


@pytest.mark.parametrize(
    ("cells", "month_first", "day_first"),
    [
        (["01/02/2020", "02/02/2020"], "2020-01-02", "2020-02-01"),
        (["05-06-2020", "06-06-2020"], "2020-05-06", "2020-06-05"),
        (["03/02/2020 10:00", "02/02/2020 10:00"], "2020-03-02", "2020-02-03"),
    ],
)
def test_ambiguous_days_and_months_stop_and_ask(parse, cells, month_first, day_first):
    with pytest.raises(DataError) as caught:
        parse(cells)
    assert month_first in caught.value.message
    assert day_first in caught.value.message
    assert caught.value.hint == "Pass `dayfirst=true` or `dayfirst=false`."
    for dayfirst, expected in ((False, month_first), (True, day_first)):
        times = parse(cells, dayfirst=dayfirst).times
        assert texts(times, "%Y-%m-%d")[0] == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1998 Q1", "1998 Q2"], ["1998-01-01", "1998-04-01"]),
        (["1998Q4", "1999Q1"], ["1998-10-01", "1999-01-01"]),
        (["1998-Q3", "1998-Q4"], ["1998-07-01", "1998-10-01"]),
        (["Q1 2001", "Q2 2001"], ["2001-01-01", "2001-04-01"]),
        (["2024-W01", "2024-W02"], ["2024-01-01", "2024-01-08"]),
        (["2020W53", "2021W01"], ["2020-12-28", "2021-01-04"]),
        (["1704067200", "1704153600"], ["2024-01-01", "2024-01-02"]),
        (["1704067200000", "1704153600000"], ["2024-01-01", "2024-01-02"]),
    ],
    ids=lambda value: value[0],
)
def test_quarters_weeks_and_epochs_are_read_and_written_back(parse, cells, expected):
    dates = parse(cells)
    assert texts(dates.times, "%Y-%m-%d") == expected
    assert write_dates(dates.times, dates.style) == cells


def test_a_time_in_parts_is_put_together(tmp_path):
    path = tmp_path / "parts.csv"
    path.write_text("No,year,month,day,hour,y\n1,2010,1,1,0,5\n2,2010,1,1,1,6\n")
    dates = parse_dates(open_table(path).read(), "year,month,day,hour")
    assert texts(dates.times, dates.style) == ["2010-01-01 00:00:00", "2010-01-01 01:00:00"]
    path.write_text("year,month,y\n2010,1,5\n2010,13,6\n")
    with pytest.raises(DataError, match=r"parts\.csv line 3: year 2010, month 13 is no valid time"):
        parse_dates(open_table(path).read(), "year,month")


def test_the_line_of_an_ambiguous_date_is_one_that_differs(parse):
    with pytest.raises(DataError, match=r'line 3: column "date" holds "03/02/2020"'):
        parse(["02/02/2020", "03/02/2020"])


@pytest.mark.parametrize(
    ("form", "expected"), [("%m/%d/%Y", "2020-01-02"), ("%d/%m/%Y", "2020-02-01")]
)
def test_the_format_settles_what_is_ambiguous(parse, form, expected):
    dates = parse(["01/02/2020", "02/02/2020"], date_format=form)
    assert texts(dates.times, "%Y-%m-%d")[0] == expected
    assert written(dates) == ["01/02/2020", "02/02/2020"]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["11/02/2020", "12/02/2020", "13/02/2020"], "2020-02-11"),
        (["02/11/2020", "02/12/2020", "02/13/2020"], "2020-02-11"),
        (["13-01-2020", "01-02-2020"], "2020-01-13"),
    ],
)
def test_one_day_above_twelve_settles_the_order(parse, cells, first):
    dates = parse(cells)
    assert texts(dates.times, "%Y-%m-%d")[0] == first
    assert written(dates) == cells


def test_a_day_above_twelve_far_down_settles_the_order(parse):
    cells = [f"{day:02}/{month:02}/2020" for month in range(1, 13) for day in range(1, 13)]
    assert parse([*cells, "13/12/2020"]).style == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("cells", "line", "cell"),
    [
        (["2020-01-01", "2020-01-3x", "2020-01-04"], 3, "2020-01-3x"),
        (["11:34", "2018/10/15", "2018/10/12"], 2, "11:34"),
        (["01/13/2020", "01/14/2020", "01/32/2020"], 4, "01/32/2020"),
        (["2020-01-30", "2020-02-30", "2020-03-30"], 3, "2020-02-30"),
        (["19580329", "19580405", "1958"], 4, "1958"),
        (["soon", "later"], 2, "soon"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(parse, cells, line, cell):
    with pytest.raises(DataError, match=rf'table\.csv line {line}: column "date" holds "{cell}"'):
        parse(cells)


def test_an_empty_cell_is_named_with_its_line(parse):
    with pytest.raises(DataError, match=r"table\.csv line 3"):
        parse(["2020-01-01", "", "2020-01-03"])


def test_an_unusual_form_can_be_given(parse):
    cells = ["week of 2020_01_27", "week of 2020_02_03"]
    dates = parse(cells, date_format="week of %Y_%m_%d")
    assert texts(dates.times, "%Y-%m-%d") == ["2020-01-27", "2020-02-03"]
    assert written(dates) == cells


def test_a_given_form_that_does_not_fit_names_the_cell(parse):
    with pytest.raises(
        DataError, match=r'line 2: .* holds "2020-01-01".*\(%d\.%m\.%Y was expected'
    ):
        parse(["2020-01-01"], date_format="%d.%m.%Y")


def test_a_form_that_cannot_be_is_a_usage_error(parse):
    for form in ("%K", "%Q"):
        with pytest.raises(UsageError, match=f'Invalid `date_format` "{form}"'):
            parse(["2020-01-01"], date_format=form)


# Around the nights on which the clocks change: one hour missing in March, one twice in October.
HOURS = {
    "spring": pd.date_range("2024-03-30 20:00", periods=20, freq="h", tz=BERLIN),
    "autumn": pd.date_range("2024-10-26 20:00", periods=20, freq="h", tz=BERLIN),
}
NIGHTS = pytest.mark.parametrize("hours", HOURS.values(), ids=HOURS)


def offset_texts(times):
    return [time.isoformat() for time in times]


@pytest.mark.parametrize("offset", ["+01:00", "-03:30", "+00:00", "+0100", "-05", " +0100"])
def test_a_fixed_offset_is_kept(parse, offset):
    cells = texts(TIMES, f"%Y-%m-%dT%H:%M:%S{offset}")
    dates = parse(cells)
    assert dates.times.tz is not None
    assert (dates.times == pd.DatetimeIndex(cells)).all()
    assert written(dates) == cells


@NIGHTS
def test_offsets_that_change_need_the_zone(parse, hours):
    with pytest.raises(DataError, match=r"line \d+: .*(01:00 to \+02|02:00 to \+01)") as caught:
        parse(offset_texts(hours))
    assert "`timezone=Europe/Berlin`" in caught.value.hint


@NIGHTS
def test_the_zone_makes_changing_offsets_right(parse, hours):
    dates = parse(offset_texts(hours), timezone=BERLIN)
    assert (dates.times == hours).all()
    assert str(dates.times.tz) == BERLIN
    assert written(dates) == offset_texts(hours)


@NIGHTS
def test_times_in_utc_are_brought_into_the_zone(parse, hours):
    dates = parse(texts(hours.tz_convert("UTC"), "%Y-%m-%dT%H:%M:%SZ"), timezone=BERLIN)
    assert (dates.times == hours).all()
    assert (dates.times.hour == hours.hour).all()


@NIGHTS
@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_clock_times_are_located_in_the_zone(parse, hours, order):
    cells = texts(hours, "%Y-%m-%d %H:%M")[::order]
    assert (parse(cells, timezone=BERLIN).times == hours[::order]).all()


def test_a_clock_time_that_never_was_is_refused(parse):
    with pytest.raises(DataError, match=r"Europe/Berlin: 2024-03-31 02:30") as caught:
        parse(["2024-03-31 01:30", "2024-03-31 02:30", "2024-03-31 03:30"], timezone=BERLIN)
    assert "argument" not in caught.value.message


def test_clock_times_among_offsets_are_not_guessed(parse):
    cells = ["2024-03-01T00:00:00+01:00", "2024-03-01T01:00:00", "2024-03-01T02:00:00+01:00"]
    with pytest.raises(DataError, match="line 3"):
        parse(cells, timezone=BERLIN)


@pytest.mark.parametrize("form", ["%Y-%m-%d", *DAYS])
def test_days_in_a_zone_are_written_as_days(parse, form):
    cells = texts(TIMES, form)
    dates = parse(cells, timezone=BERLIN)
    assert str(dates.times.tz) == BERLIN
    assert written(dates) == cells


def test_an_unknown_zone_is_a_usage_error(parse):
    with pytest.raises(UsageError, match="Europe/Berln"):
        parse(["2020-01-01"], timezone="Europe/Berln")


@pytest.mark.parametrize(
    "column",
    [TIMES, TIMES.date, TIMES.tz_localize(BERLIN), texts(TIMES, "%Y-%m-%d %H:%M:%S")],
    ids=["timestamps", "days", "zoned", "text"],
)
def test_frames_bring_their_own_times(column):
    dates = parse_dates(open_table(pd.DataFrame({"t": column, "y": 1})).read(), "t")
    assert dates.times.equals(pd.DatetimeIndex(column).as_unit(dates.times.unit))


def test_a_time_that_is_missing_in_a_frame_is_named_with_its_row():
    times = [pd.Timestamp("2020-01-01"), pd.NaT, pd.Timestamp("2020-01-03")]
    with pytest.raises(DataError, match='row 2: column "t"'):
        parse_dates(open_table(pd.DataFrame({"t": times, "y": 1})).read(), "t")


def test_numbers_are_no_times():
    with pytest.raises(DataError, match=r'column "y" holds "0\.5"'):
        parse_dates(open_table(pd.DataFrame({"y": [0.5, 1.5]})).read(), "y")


def found(frame, notes=None, **data):
    notes = [] if notes is None else notes
    return find_time(open_table(frame).read(), Data(column=("y",), **data), notes.append)


DAY = ["2020-01-01", "2020-01-02"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"y": [1, 2], "when": DAY}, "when"),
        ({"opened": DAY, "date": DAY}, "date"),
        ({"date": DAY, "timestamp": DAY}, "date"),
        ({"update": DAY, "Order Date": DAY}, "Order Date"),
        ({"day": [1, 2], "ds": DAY}, "ds"),
        ({"id": [20200101, 20200102], "x": [1, 2]}, None),
        ({"date": [20200101, 20200102]}, "date"),
        ({"note": ["2020-01-01", "none"]}, None),
        ({"date": ["2020-01-01", "2020-01-02", "20x"]}, "date"),
        ({"a": ["x", "z"], "b": [1.5, 2.5], "c": [True, False]}, None),
        ({"hours": pd.to_timedelta([1, 2], "h")}, None),
        ({"stamp": pd.to_datetime(DAY)}, "stamp"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else None,
)
def test_the_time_column_is_found(columns, expected):
    rows = len(next(iter(columns.values())))
    assert found(pd.DataFrame({"y": np.arange(rows)} | columns)) == expected


def test_the_column_to_forecast_is_not_the_time_column():
    assert found(pd.DataFrame({"y": pd.to_datetime(DAY), "z": [1, 2]})) is None


def test_a_named_time_column_is_taken():
    frame = pd.DataFrame({"date": DAY, "other": DAY, "y": [1, 2]})
    assert found(frame, time="other") == "other"
    assert found(frame, time="none") is None


def test_a_named_time_column_must_be_there():
    with pytest.raises(DataError, match=r'no column "dat".*Did you mean "date"'):
        found(pd.DataFrame({"date": DAY, "y": [1, 2]}), time="dat")


def test_a_column_that_looks_like_times_is_not_passed_over(parse):
    assert found(pd.DataFrame({"Month": ["1-01", "1-02"], "y": [1, 2]})) == "Month"
    with pytest.raises(DataError, match='"1-01", which may be a date') as caught:
        parse(["1-01", "1-02", "1-03", "2-01"])
    assert "`date_format=%y-%m` (2001-01-01 to 2002-01-01)" in caught.value.hint
    assert "`time=none`" in caught.value.hint
    times = parse(["1-01", "1-02", "1-03", "2-01"], date_format="%y-%m").times
    assert texts(times, "%Y-%m") == ["2001-01", "2001-02", "2001-03", "2002-01"]
