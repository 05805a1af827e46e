"""Dates and times as tables of statistics offices, utilities, shops and spreadsheets write them."""

import re

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.dates.date_formats import read_like
from forecast_cli.data.dates.date_writing import write_dates
from forecast_cli.data.dates.parsing import parse_dates
from forecast_cli.data.inspection.report import inspect_table
from forecast_cli.data.io.opening import open_table
from forecast_cli.data.reading import read_panel

DAYS = pd.date_range("2018-01-01", periods=120)
HOURS = pd.date_range("2022-05-01", periods=24 * 40, freq="h")
MONTHS = pd.date_range("2012-01-01", periods=60, freq="MS")
QUARTERS = pd.date_range("2005-01-01", periods=40, freq="QS")
WEEKS = pd.date_range("2015-12-28", periods=150, freq="7D")
GERMAN = [
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli",
    "August", "September", "Oktober", "November", "Dezember",
]  # fmt: skip
SPANISH = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio",
    "agosto", "septiembre", "octubre", "noviembre", "diciembre",
]  # fmt: skip
FRENCH = [
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet",
    "août", "septembre", "octobre", "novembre", "décembre",
]  # fmt: skip
POLISH = [
    "styczeń", "luty", "marzec", "kwiecień", "maj", "czerwiec", "lipiec",
    "sierpień", "wrzesień", "październik", "listopad", "grudzień",
]  # fmt: skip


def each(times, form):
    return [time.strftime(form) for time in times]


@pytest.fixture
def report(write):
    """Inspect a table of columns and a column `y`; the settings are those of reading."""

    def call(columns, **data):
        frame = pd.DataFrame(columns)
        frame["y"] = 100 + np.arange(len(frame)) % 7
        return inspect_table(write(frame.to_csv(index=False)), Data(**data))

    return call


@pytest.fixture
def panel(write):
    """Read the panel of a table of columns and a column `y`, and the notes."""

    def call(columns, **data):
        frame = pd.DataFrame(columns)
        frame["y"] = 100 + np.arange(len(frame)) % 7
        notes = []
        name = write(frame.to_csv(index=False))
        return read_panel(name, Data(column=("y",), **data), on_event=notes.append), notes

    return call


# Name of the column, cells, times, whether they are written back as they were.
COLUMNS = {
    "5/16/18, newest first": ("Date", each(DAYS[::-1], "%-m/%-d/%y"), DAYS[::-1]),
    "16.05.18": ("Datum", each(DAYS, "%d.%m.%y"), DAYS),
    "18-05-16": ("date", each(DAYS, "%y-%m-%d"), DAYS),
    "01-Jan-18": ("Date", each(DAYS, "%d-%b-%y"), DAYS),
    "Monday, January 1, 2018": ("Date", each(DAYS, "%A, %B %-d, %Y"), DAYS),
    "Jan-12": ("Month", each(MONTHS, "%b-%y"), MONTHS),
    "January 2014": ("period", each(MONTHS, "%B %Y"), MONTHS),
    "2012M01": ("Month", each(MONTHS, "%YM%m"), MONTHS),
    "201201": ("month", each(MONTHS, "%Y%m"), MONTHS),
    "2000Q01": ("period", [f"{t.year}Q0{t.quarter}" for t in QUARTERS], QUARTERS),
    "1Q05": ("period", [f"{t.quarter}Q{t.year % 100:02}" for t in QUARTERS], QUARTERS),
    "2005:Q1": ("obs", [f"{t.year}:Q{t.quarter}" for t in QUARTERS], QUARTERS),
    "2005-1, a quarter": ("Quarter", [f"{t.year}-{t.quarter}" for t in QUARTERS], QUARTERS),
    "1. Quartal 2005": (
        "Zeit", [f"{t.quarter}. Quartal {t.year}" for t in QUARTERS], QUARTERS,
    ),
    "201601, a week": ("week", each(WEEKS, "%G%V"), WEEKS),
    "KW 1 2016": ("Woche", each(WEEKS, "KW %-V %G"), WEEKS),
    "Januar 2012": ("Monat", [f"{GERMAN[t.month - 1]} {t.year}" for t in MONTHS], MONTHS),
    "1. Januar 2018": ("Datum", [f"{t.day}. {GERMAN[t.month - 1]} {t.year}" for t in DAYS], DAYS),
    "ene-12": ("Mes", [f"{SPANISH[t.month - 1][:3]}-{t:%y}" for t in MONTHS], MONTHS),
    "1 de enero de 2018": (
        "Fecha", [f"{t.day} de {SPANISH[t.month - 1]} de {t.year}" for t in DAYS], DAYS,
    ),
    "janvier 2012": ("Mois", [f"{FRENCH[t.month - 1]} {t.year}" for t in MONTHS], MONTHS),
    "styczeń 2012": ("period", [f"{POLISH[t.month - 1]} {t.year}" for t in MONTHS], MONTHS),
    "Mon 01/01/18 00:00": ("Time", each(HOURS, "%a %m/%d/%y %H:%M"), HOURS),
    "2018-01-13 12-PM": ("Date", each(HOURS, "%Y-%m-%d %I-%p"), HOURS),
    "1/1/2018 1 o'clock": ("time", each(HOURS, "%-d/%-m/%Y %-H"), HOURS),
    "20180101_0100": ("time", each(HOURS, "%Y%m%d_%H%M"), HOURS),
    "day numbers of Excel": ("Date", [str(43101 + n) for n in range(120)], DAYS),
    "1949.083": ("time", [f"{1949 + n / 12:.3f}" for n in range(60)],
                 pd.date_range("1949-01-01", periods=60, freq="MS")),
    "microseconds": ("open_time", [str(t.value // 1000) for t in HOURS], HOURS),
    "nanoseconds": ("ts", [str(t.value) for t in HOURS], HOURS),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cells", "times"), COLUMNS.values(), ids=COLUMNS)
def test_a_column_is_found_read_and_written_back(write, name, cells, times):
    frame = pd.DataFrame({name: cells, "y": np.arange(len(cells)) % 7})
    path = write(frame.to_csv(index=False))
    found = inspect_table(path)
    assert (found.time, found.first) == (name, str(times.min().date()))
    assert found.frequency
    dates = parse_dates(open_table(path).read(text=[name]), name)
    assert dates.times.equals(times.as_unit(dates.times.unit))
    assert write_dates(dates.times, dates.style) == cells
    assert parse_dates(
        open_table(path).read(text=[name]), name, date_format=dates.style
    ).times.equals(dates.times)


@pytest.mark.parametrize(
    "day", ["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%y %H:%M"], ids=lambda form: form
)
def test_24_00_is_midnight_of_the_next_day(panel, day):
    cells = [
        t.strftime(day) if t.hour
        else (t - pd.Timedelta(days=1)).strftime(day).replace("00:", "24:", 1)
        for t in HOURS[1:]
    ]  # fmt: skip
    read, notes = panel({"timestamp": cells})
    assert read.timeline.times.equals(HOURS[1:].as_unit(read.timeline.times.unit))
    assert any("midnight of the next day" in note.text for note in notes)


@pytest.mark.parametrize(
    "form",
    ["{0:%Y-%m-%d} - {1:%Y-%m-%d}", "{0:%d/%m/%Y} to {1:%d/%m/%Y}", "{0:%Y-%m-%d}/{1:%Y-%m-%d}"],
)
def test_a_period_is_read_as_its_start(panel, form):
    last = WEEKS + pd.Timedelta(days=6)
    cells = [form.format(*both) for both in zip(WEEKS, last, strict=True)]
    read, notes = panel({"Week": cells})
    assert read.timeline.times.equals(WEEKS.as_unit(read.timeline.times.unit))
    assert "periods" in notes[0].text


def follow(hint, name):
    """The first value that a hint proposes for a setting."""
    return re.search(rf"`{name}=([^`]*)`", hint)[1]


@pytest.mark.parametrize(
    ("cells", "first", "frequency"),
    [
        ([f"{n // 12 + 1}-{n % 12 + 1:02}" for n in range(36)], "2001-01-01", "months (MS)"),
        (each(MONTHS, "%y-%b"), "2012-01-01", "months (MS)"),
        (each(MONTHS[:8], "%Y%m"), "2012-01-01", "months (MS)"),
        ([f"{t.year}-{t.quarter}" for t in QUARTERS], "2005-01-01", None),
    ],
    ids=["1-01", "12-Jan", "201201 to 201208", "2005-1 to 2014-4"],
)
def test_what_may_be_read_in_two_ways_is_asked_and_the_guess_works(
    report, panel, cells, first, frequency
):
    with pytest.raises(DataError) as caught:
        panel({"period": cells})
    form = follow(caught.value.hint, "date_format")
    if "time=none" in caught.value.hint:
        assert panel({"period": cells}, time="none")[0].timeline is None
    found = report({"period": cells}, date_format=form)
    assert (found.time, found.first) == ("period", first)
    assert found.frequency == frequency


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Date", [f"wk{n}/x" for n in range(40)]),
        ("Month", each(MONTHS, "%b")),
        ("Date", each(DAYS, "%b-%d")),
        ("Time", each(HOURS[:24], "%H:%M")),
    ],
    ids=["unknown", "months without years", "days without years", "clock times alone"],
)
def test_what_looks_like_times_is_never_passed_over(panel, name, cells):
    with pytest.raises(DataError, match=f'column "{name}" holds') as caught:
        panel({name: cells})
    assert "`time=none`" in caught.value.hint
    assert panel({name: cells}, time="none")[0].timeline is None


@pytest.mark.parametrize(
    ("cells", "said"),
    [(range(60), "the last row as the newest"), (range(60, 0, -1), "counts down")],
    ids=["up", "down"],
)
def test_without_times_it_is_said_which_row_is_the_newest(panel, cells, said):
    read, notes = panel({"id": list(cells)})
    assert read.timeline is None
    assert said in notes[0].text


def test_fiscal_years_are_asked_about_and_written_back(panel):
    cells = [f"Q{n % 4 + 1} FY{5 + n // 4:02}" for n in range(40)]
    with pytest.raises(DataError) as caught:
        panel({"Quarter": cells})
    start = int(follow(caught.value.hint, "fiscal_start"))
    timeline = panel({"Quarter": cells}, fiscal_start=start)[0].timeline
    assert str(timeline.times[0].date()) == "2004-10-01"
    assert write_dates(timeline.times, timeline.style) == cells
    assert write_dates(timeline.frequency.after(timeline.times[-1], 1), timeline.style) == [
        "Q1 FY15"
    ]


# The columns, the time that is named, and the first and last time.
PARTS = {
    "year and quarter": ({"Year": QUARTERS.year, "Quarter": QUARTERS.quarter}, QUARTERS),
    "Jahr and Quartal": (
        {"Jahr": QUARTERS.year, "Quartal": [f"Q{n}" for n in QUARTERS.quarter]}, QUARTERS,
    ),
    "year and week": (
        {"Year": WEEKS.isocalendar().year, "Week": WEEKS.isocalendar().week}, WEEKS,
    ),
    "year and names of months": ({"Year": MONTHS.year, "Month": each(MONTHS, "%b")}, MONTHS),
    "año and mes": (
        {"Año": MONTHS.year, "Mes": [SPANISH[n - 1] for n in MONTHS.month]}, MONTHS,
    ),
    "year and M01": ({"Year": MONTHS.year, "Period": each(MONTHS, "M%m")}, MONTHS),
    "day, month, year": (
        {"Tag": DAYS.day, "Monat": DAYS.month, "Jahr": DAYS.year}, DAYS,
    ),
    "date and clock time": (
        {"Datum": each(HOURS, "%d.%m.%Y"), "Uhrzeit": each(HOURS, "%H:%M")}, HOURS,
    ),
    "date and half of the day": (
        {"Date": each(HOURS, "%m/%d/%Y"), "Time": each(HOURS, "%-I:%M %p")}, HOURS,
    ),
    "date and hour from 0": ({"Date": HOURS.date, "Hour": HOURS.hour}, HOURS),
    "date and hour from 1": ({"Fecha": HOURS.date, "Hora": HOURS.hour + 1}, HOURS),
    "hour ending": ({"Date": HOURS.date, "Hour Ending": HOURS.hour + 1}, HOURS),
    "H01": ({"day": HOURS.date, "hour": [f"H{n + 1:02}" for n in HOURS.hour]}, HOURS),
    "HHMM": ({"date": each(HOURS, "%Y%m%d"), "time": HOURS.hour * 100}, HOURS),
    "an hour as a period": (
        {"Date": HOURS.date, "Hour": [f"{n:02}:00-{n + 1:02}:00" for n in HOURS.hour]}, HOURS,
    ),
    "settlement periods": (
        {"SETTLEMENT_DATE": np.repeat(DAYS.date, 48), "SETTLEMENT_PERIOD": [*range(1, 49)] * 120},
        pd.date_range(DAYS[0], periods=120 * 48, freq="30min"),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "times"), PARTS.values(), ids=PARTS)
def test_times_in_parts_are_joined_by_what_their_names_say(panel, report, columns, times):
    columns = {name: np.asarray(cells) for name, cells in columns.items()}
    read, notes = panel(columns)
    assert read.timeline.times.equals(times.as_unit(read.timeline.times.unit))
    assert any("time in parts" in note.text for note in notes)
    found = report(columns)
    assert found.series == ()
    assert "--series" not in found.train


def test_clock_times_up_to_24_00_end_their_day(panel):
    rows = [(day, f"{hour:02}:00") for day in each(DAYS, "%Y/%m/%d") for hour in range(1, 25)]
    days, hours = zip(*rows, strict=True)
    times = panel({"fecha": days, "hora": hours})[0].timeline.times
    assert times[0] == DAYS[0] + pd.Timedelta(hours=1)
    assert times[-1] == DAYS[-1] + pd.Timedelta(days=1)


@pytest.mark.parametrize("change", ["2022-10-30", "2022-03-27"], ids=["25 hours", "23 hours"])
def test_hours_that_are_counted_where_the_clocks_change_need_the_zone(panel, change):
    noon = pd.Timestamp(change)
    times = pd.date_range(noon - pd.Timedelta(days=5), noon + pd.Timedelta(days=6), freq="h",
                          tz="Europe/Berlin")[:-1]  # fmt: skip
    days = pd.Series(times.date)
    columns = {"Date": days, "Hour": days.groupby(days).cumcount() + 1}
    with pytest.raises(DataError, match="as on a day on which the clocks change") as caught:
        panel(columns)
    zone = follow(caught.value.hint, "timezone")
    read = panel(columns, timezone=zone)[0]
    assert (read.timeline.times == times).all()


@pytest.mark.parametrize(
    "columns",
    [
        {
            "year": np.repeat(range(2008, 2016), 13),
            "period": [f"M{n:02}" for n in range(1, 14)] * 8,
        },
        {"Period": [f"{year}M{n:02}" for year in range(2008, 2016) for n in range(1, 14)]},
    ],
    ids=["in parts", "in one column"],
)
def test_means_of_years_are_left_out(panel, columns):
    read, notes = panel(columns)
    assert len(read.values) == 96
    assert read.timeline.frequency.alias == "MS"
    assert any("M13" in note.text and "left out" in note.text for note in notes)


def test_a_number_beside_a_year_is_asked_about(panel):
    columns = {"Year": QUARTERS.year, "Period": QUARTERS.quarter}
    with pytest.raises(DataError, match="could be a month or a quarter") as caught:
        panel(columns)
    assert "`date_format=%Y %Q` for quarters" in caught.value.hint
    times = panel(columns, date_format="%Y %Q")[0].timeline.times
    assert times.equals(QUARTERS.as_unit(times.unit))


def test_a_clock_column_is_named_where_the_date_alone_was_given(panel):
    columns = {"Date": HOURS.date, "Hour": HOURS.hour}
    with pytest.raises(DataError) as caught:
        panel(columns, time="Date")
    assert follow(caught.value.hint, "time") == "Date,Hour"
    assert panel(columns, time="Date,Hour")[0].timeline.frequency.alias == "h"


@pytest.mark.parametrize(
    "columns",
    [
        {"date": each(DAYS, "%Y-%m-%d"), "time": ["16:00"] * 120},
        {"date": each(DAYS, "%Y-%m-%d"), "hour": [9] * 120},
        {"date": each(DAYS, "%Y-%m-%d"), "year": DAYS.year, "month": DAYS.month, "week": 1},
    ],
    ids=["closing time", "one hour", "parts beside the date"],
)
def test_a_date_that_is_enough_is_left_alone(panel, columns):
    read, notes = panel(columns)
    assert (read.columns.time, notes) == ("date", [])


def test_hours_of_part_of_a_day_are_not_guessed(panel):
    with pytest.raises(DataError, match=r"the hours 3 to 20 of one day, .* from 0 or from 1"):
        panel({"Date": ["2022-05-01"] * 18, "Hour": range(3, 21)})


@pytest.mark.parametrize(
    ("form", "new"),
    [("%Y%m", ["202005", "202006", "202007"]), ("%y-%m-%d", ["18-05-01", "18-05-02", "18-05-03"])],
)
def test_a_few_rows_are_read_like_those_of_the_model(write, form, new):
    path = write("date,y\n" + "".join(f"{cell},1\n" for cell in new))
    table = open_table(path).read(text=["date"])
    with pytest.raises(DataError):
        parse_dates(table, "date")
    times = parse_dates(table, "date", **read_like(Data(), form).date_reading).times
    assert times.strftime(form).tolist() == new


def test_days_before_months_without_a_year_are_not_taken_for_years(tmp_path):
    days = pd.date_range("2022-01-03", periods=90)
    path = tmp_path / "days.csv"
    rows = (f"{day.day} {day:%b},{at % 7}\n" for at, day in enumerate(days))
    path.write_text("date,y\n" + "".join(rows))
    with pytest.raises(DataError, match="a day without a year") as caught:
        read_panel(path, Data(column=("y",)))
    assert "date_format" not in caught.value.hint
