"""Dates with weekdays, seasons of two years, other digits, other calendars, and rival columns."""

import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.data.reading import read_panel

DAYS = pd.date_range("2022-01-03", periods=40)
WEEKDAYS = {
    "de": ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
    "nl": ["ma", "di", "wo", "do", "vr", "za", "zo"],
    "ru": ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],  # noqa: RUF001
    "fr": ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
    "ja": list("月火水木金土日"),
    "unknown": ["aa", "bb", "cc", "dd", "ee", "ff", "gg"],
}
DIGITS = {"arabic": 0x660, "persian": 0x6F0, "devanagari": 0x966, "full width": 0xFF10}


def read(write, lines, header="date,y", **settings):
    """The panel of a table, and what was noted."""
    notes = []
    path = write("\n".join([header, *lines]) + "\n")
    data = configure({"column": "y"} | settings).data
    return read_panel(path, data, on_event=notes.append), " / ".join(each.text for each in notes)


@pytest.mark.parametrize("language", WEEKDAYS)
@pytest.mark.parametrize(
    "form", ["{w}, %d.%m.%Y", "{w} %d/%m/%Y", "%d.%m.%Y ({w})", "%Y-%m-%d {w}", "%Y/%m/%d({w})"]
)
def test_a_weekday_beside_a_date_is_left_out_and_shows_which_number_is_the_day(
    write, language, form
):
    names = WEEKDAYS[language]
    cells = [day.strftime(form.format(w=names[day.weekday()])) for day in DAYS[:12]]
    panel, notes = read(write, [f'"{cell}",{at}' for at, cell in enumerate(cells)])
    assert panel.timeline.times.equals(DAYS[:12].as_unit(panel.timeline.times.unit))
    assert cells[0] in notes


def test_weekdays_that_are_not_those_of_the_dates_are_asked_about(write):
    names = WEEKDAYS["de"]
    lines = [f"{names[(day.weekday() + at // 20) % 7]} {day:%d.%m.%Y},1"
             for at, day in enumerate(DAYS)]  # fmt: skip
    with pytest.raises(fc.DataError, match="not a known date format"):
        read(write, lines)


@pytest.mark.parametrize("form", ["{0}/{2:02d}", "{0}-{2:02d}", "{0}/{1}", "{0}\u2013{1}"])
@pytest.mark.parametrize("begin", [1980, 2001])
def test_seasons_of_two_years_begin_in_the_month_that_is_given(write, form, begin):
    lines = [form.format(y, y + 1, (y + 1) % 100) + f",{y}" for y in range(begin, begin + 11)]
    with pytest.raises(fc.DataError, match="first month is not known") as caught:
        read(write, lines, header="season,y")
    assert caught.value.proposed == {"fiscal_start": "7"}
    panel, notes = read(write, lines, header="season,y", fiscal_start=7)
    assert [str(each.date()) for each in panel.timeline.times[[0, -1]]] == [
        f"{begin}-07-01", f"{begin + 10}-07-01",
    ]  # fmt: skip
    assert "is read as the year from" in notes


def test_months_are_no_seasons(write):
    panel, _ = read(write, [f"{2000 + at // 12}/{at % 12 + 1:02d},{at}" for at in range(36)])
    assert panel.timeline.frequency.alias == "MS"


@pytest.mark.parametrize("script", DIGITS)
def test_digits_of_other_scripts_are_read_and_noted(write, script):
    zero = DIGITS[script]
    digits = {ord(str(each)): chr(zero + each) for each in range(10)}
    lines = [f"{day:%Y-%m-%d},{at}.5".translate(digits) for at, day in enumerate(DAYS)]
    panel, notes = read(write, lines)
    assert panel.values[:, 0].tolist() == [at + 0.5 for at in range(40)]
    assert panel.timeline.times[-1] == DAYS[-1]
    assert "is read as 2022-01-03" in notes and "as 0.5" in notes


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("3,01,508", 301508), ("1,23,45,678.5", 12345678.5), ("-12,34,567", -1234567),
        ("\u0661\u066c\u0660\u0660\u0660\u066b\u0665", 1000.5), ("\uff0d\uff11\uff0e\uff15", -1.5),
    ],
)  # fmt: skip
def test_groups_and_marks_of_other_countries(write, cell, value):
    panel, notes = read(write, [f'{day:%Y-%m-%d},"{cell}"' for day in DAYS])
    assert panel.values[0, 0] == value
    assert f'"{cell}" as {value:.15g}' in notes


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([f"{day.year + 543}-{day:%m-%d}" for day in DAYS], "Buddhist"),
        ([f"{day:%d/%m}/{day.year + 543}" for day in DAYS], "Buddhist"),
        ([str(2510 + at) for at in range(40)], "Buddhist"),
        ([f"1443-{at // 29 + 1:02d}-{at % 29 + 1:02d}" for at in range(59)], "Hijri"),
        ([f"{day.year + 900}-{day:%m-%d}" for day in DAYS], "the year 2922"),
    ],
)
def test_years_of_other_calendars_are_asked_about(write, cells, said):
    with pytest.raises(fc.DataError, match=said) as caught:
        read(write, [f"{cell},1" for cell in cells], header="year,y")
    assert "`time=none`" in caught.value.hint


def test_the_column_of_dates_that_is_taken_is_named_beside_others(write):
    later = DAYS + pd.Timedelta(days=400)
    lines = [f"{a:%Y-%m-%d},{b:%Y-%m-%d},1" for a, b in zip(DAYS, later, strict=True)]
    panel, notes = read(write, lines, header="ordered,shipped,y")
    assert panel.timeline.times[0] == DAYS[0]
    assert '"ordered" is taken' in notes and "`time=shipped`" in notes
    panel, notes = read(write, lines, header="ordered,shipped,y", time="shipped")
    assert panel.timeline.times[0] == later[0]
    assert "several columns" not in notes


@pytest.mark.parametrize(("name", "extra", "warned"), [("Total", 0, True), ("All", 0, True),
                         ("Total", 1, False), ("World", 0, True)])  # fmt: skip
def test_a_series_that_is_the_sum_of_the_others_is_named(write, name, extra, warned):
    lines = [
        f"{day:%Y-%m-%d},{place},{value}"
        for at, day in enumerate(DAYS)
        for place, value in (("North", at), ("South", 2 * at), (name, 3 * at + extra))
    ]
    _, notes = read(write, lines, header="date,place,y", series="place")
    assert (f'"{name}" seems to be the sum of the other series' in notes) == warned


@pytest.mark.parametrize(
    "form",
    ["%Y\u2011%m\u2011%d", "%d\u2013%m\u2013%Y", "%Y. %m. %d.", "%d.%m.%Y.", "%Y%j", "%Y-%j",
     "%G-W%V-%u", "%GW%V%u"],
)  # fmt: skip
def test_days_are_read_in_other_writings(write, form):
    days = pd.date_range("2021-12-03", periods=40)
    panel, _ = read(write, [f"{day},1" for day in days.strftime(form)])
    assert panel.timeline.times.equals(days.as_unit(panel.timeline.times.unit))


@pytest.mark.parametrize(
    ("first", "step"),
    [("738500", 1), ("18995", 1), ("2459580.5", 1), ("637767936000000000", 864 * 10**9)],
)
def test_numbers_that_count_from_another_day_are_asked_about(write, first, step):
    number = float(first) if "." in first else int(first)
    with pytest.raises(fc.DataError, match=first) as caught:
        read(write, [f"{number + at * step},1" for at in range(40)])
    assert "`time=none`" in caught.value.hint


def test_other_cells_of_a_column_of_dates_are_asked_about(write):
    with pytest.raises(fc.DataError, match="/Date"):
        read(write, [f"/Date({1641168000000 + at * 86400000})/,1" for at in range(40)])


def test_rows_that_are_about_an_hour_apart_are_advised_to_be_hours(write):
    times = [f"2024-01-{1 + at // 24:02d} {at % 24:02d}:00:{at * 7 % 9:02d}" for at in range(40)]
    with pytest.raises(fc.DataError, match="not regular") as caught:
        read(write, [f"{time},{at}" for at, time in enumerate(times)])
    assert "`resample=h`" in caught.value.hint
    panel, _ = read(write, [f"{time},{at}" for at, time in enumerate(times)], resample="h")
    assert panel.values[:, 0].tolist() == list(range(40))
