"""Tables whose steps are easily taken for others: rows dropped, gaps filled, periods cut short."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.reading import read_panel
from forecast_cli.data.time.frequency import Frequency


def daily(rows=140, first="2024-01-01", freq="D"):
    """A table of so many steps, as `date` and `y`."""
    return pd.DataFrame({"date": pd.date_range(first, periods=rows, freq=freq), "y": range(rows)})


def read(frame, notes=None, frequency=None, **data):
    keep = (lambda event: None) if notes is None else (lambda event: notes.append(event.text))
    settings = Data(column=("y",), **data)
    return read_panel(frame.astype({"y": float}), settings, on_event=keep, frequency=frequency)


# Rows that are dropped.


def closed_on(frame, weekday):
    return frame.assign(y=frame["y"].mask(frame["date"].dt.day_of_week == weekday))


def test_dropped_sundays_are_closed_days():
    notes = []
    panel = read(closed_on(daily(), 6), notes, missing="drop")
    frequency = panel.timeline.frequency
    assert len(panel.values) == 120
    assert frequency.open_days.weekmask == "1111110"
    coming = frequency.after(panel.timeline.times[-1], 6)
    assert coming.strftime("%a").tolist() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert any("steps of open days: Monday to Saturday" in note for note in notes)


@pytest.mark.parametrize("named", [{}, {"freq": "D"}])
def test_sundays_without_a_row_are_closed_days_with_the_frequency_of_days(named):
    frame = closed_on(daily(), 6).dropna()
    if not named:
        with pytest.raises(DataError, match="not regular"):
            read(frame, missing="drop")
        return
    panel = read(frame, missing="drop", **named)
    assert panel.timeline.frequency.open_days.weekmask == "1111110"


@pytest.mark.parametrize("freq", ["W", "MS", "QS", "h", "15min"])
def test_dropped_steps_that_are_no_days_are_refused(freq):
    frame = daily(freq=freq)
    frame.loc[[30, 31, 70], "y"] = np.nan
    with pytest.raises(
        DataError, match=r"row 33.*leaves no row between.*cannot skip time"
    ) as error:
        read(frame, missing="drop")
    assert "`missing=interpolate`" in error.value.hint
    assert len(read(frame, missing="interpolate").values) == len(frame)
    assert read(frame, missing="drop", time="none").timeline is None


def test_rows_of_opening_hours_are_offered_their_calendar():
    hours = daily(rows=70 * 24, freq="h")
    frame = hours[hours["date"].dt.hour.between(10, 20)].reset_index(drop=True)
    with pytest.raises(DataError, match="cannot skip time") as error:
        read(frame, freq="h", missing="drop")
    assert "every day, 10:00 to 20:00: pass `calendar=data` instead of `freq`" in error.value.hint
    panel = read(frame, calendar="data", missing="drop")
    assert (len(panel.values), panel.timeline.frequency.season_length) == (len(frame), 11)


def test_rows_that_are_dropped_at_the_ends_leave_the_steps_as_they_were():
    frame = daily(freq="h")
    frame.loc[[0, 1, 138, 139], "y"] = np.nan
    panel = read(frame, missing="drop")
    assert panel.timeline.frequency.alias == "h"
    assert panel.timeline.times.tolist() == frame["date"][2:138].tolist()


def test_most_days_dropped_follow_no_calendar():
    frame = daily()
    frame["y"] = frame["y"].where(np.random.default_rng(3).random(140) < 0.3)
    with pytest.raises(DataError, match=r"not regular|follow no calendar"):
        read(frame, missing="drop", freq="D")


def test_a_model_of_days_keeps_its_days():
    frame = closed_on(daily(), 6)
    with pytest.raises(DataError, match="steps of the model are days") as error:
        read(frame, missing="drop", frequency=Frequency.parse("D"))
    assert "time=none" not in error.value.hint


def test_series_drop_rows_of_their_own_and_share_one_calendar():
    frame = pd.concat([closed_on(daily(), 6).assign(id=name) for name in "ab"])
    frame.loc[(frame["id"] == "a") & (frame["date"] == "2024-02-07"), "y"] = np.nan
    panel = read(frame, missing="drop", series=("id",))
    assert panel.lengths.tolist() == [119, 120]
    assert panel.timeline.frequency.open_days.weekmask == "1111110"


# Dates that are mistyped.


def with_date(frame, row, date):
    return frame.assign(date=frame["date"].where(frame.index != row, pd.Timestamp(date)))


@pytest.mark.parametrize(
    ("frame", "row", "date", "expected"),
    [
        (daily(500), 40, "2023-02-10", "2024-02-10"),
        (daily(800), 400, "2024-02-05", "2025-02-04"),
        (daily(500), 40, "2034-02-10", "2024-02-10"),
        (daily(500), 40, "2024-07-10", "2024-02-10"),
        (daily(100, freq="MS"), 40, "2014-05-01", "2027-05-01"),
        (daily(300, freq="B"), 40, "2023-02-26", "2024-02-26"),
        (daily(200, freq="W-FRI"), 40, "2023-10-11", "2024-10-11"),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    "settings", [{}, {"missing": "interpolate", "duplicates": "last", "max_filled": 1.0}]
)
def test_a_date_out_of_order_that_fits_otherwise_is_named(
    frame, row, date, expected, newest_first, settings
):
    spoiled = with_date(frame, row, date)
    if newest_first:
        spoiled, row = spoiled[::-1].reset_index(drop=True), len(frame) - row - 1
    with pytest.raises(DataError, match=f"row {row + 1}: {date} .*{expected} was expected"):
        read(spoiled, **settings)


def test_a_year_mistyped_after_new_year_is_refused_with_its_rows():
    frame = daily(160, "2011-08-01")
    frame.loc[154:, "date"] -= pd.DateOffset(years=1)
    for settings in ({}, {"freq": "D", "missing": "interpolate", "max_filled": 1.0}):
        with pytest.raises(DataError, match="row 155 and 5 rows after it: 2011-01-02") as error:
            read(frame, **settings)
        assert "=" not in error.value.hint


def test_a_last_date_in_another_year_is_said_to_be_mistyped():
    with pytest.raises(DataError, match=r"row 140: .*Its year may be mistyped") as error:
        read(with_date(daily(), 139, "2034-05-19"))
    assert error.value.hint.startswith("Correct it")


def test_good_tables_whose_rows_are_in_another_order_are_sorted():
    frame = daily(730)
    order = np.random.default_rng(1).permutation(730)
    for mixed in (
        pd.concat([frame[365:], frame[:365]]),
        pd.concat([frame[:100], frame[101:], frame[100:101]]),
        frame.iloc[order],
    ):
        assert read(mixed).values[:, 0].tolist() == list(range(730))
        with_gap = mixed[mixed["y"] != 50]
        assert len(read(with_gap, missing="interpolate").values) == 730


def test_series_below_each_other_are_no_mistyped_dates():
    frame = daily(730)
    with pytest.raises(DataError, match="730 duplicate timestamps"):
        read(pd.concat([frame, frame]))


# Steps that would be invented.


def with_gaps(count):
    rows = np.random.default_rng(0).permutation(np.arange(1, 139))[:count]
    return daily().drop(index=rows)


@pytest.mark.parametrize("count", [20, 40])
def test_many_steps_are_filled_with_an_explicit_setting_alone(count):
    frame, share = with_gaps(count), {20: r"14 %", 40: r"29 %"}[count]
    with pytest.raises(DataError, match=rf"{count} of 140 steps \({share}\) have no row") as first:
        read(frame)
    assert "`missing=mask`" in first.value.hint
    for missing in ("interpolate", "ffill", "season"):
        with pytest.raises(DataError, match=rf"{count} of 140 steps \({share}\)") as error:
            read(frame, missing=missing, freq="D")
    most = float(error.value.hint.partition("`max_filled=")[2].partition("`")[0])
    notes = []
    filled = read(frame, notes, missing="interpolate", freq="D", max_filled=most)
    assert len(filled.values) == 140
    assert any(f"{count} of 140 steps" in note for note in notes)
    assert len(read(frame, missing="mask", freq="D").values) == 140


def test_periods_without_a_row_are_not_invented_either():
    frame = daily(800).drop(index=range(100, 500))
    with pytest.raises(DataError, match=r"12 of 26 steps \(46 %\) have no row"):
        read(frame, resample="MS", missing="interpolate")


def test_few_gaps_are_filled_as_before():
    notes = []
    assert len(read(with_gaps(5), notes, missing="interpolate").values) == 140
    assert any("5 of 140 steps (3.6 %) without a row" in note for note in notes)
    with pytest.raises(DataError, match=r"5 of 140 steps \(3.6 %\) have no row") as error:
        read(with_gaps(5))
    assert "`missing=interpolate`" in error.value.hint


# First and last periods of which the table holds a part.


@pytest.mark.parametrize(
    ("first", "last", "freq", "alias", "steps"),
    [
        ("2021-01-01", "2023-12-20", "D", "MS", ("2021-01-01", "2023-11-01", 35)),
        ("2021-01-10", "2023-12-31", "D", "MS", ("2021-02-01", "2023-12-01", 35)),
        ("2021-01-04", "2023-12-29", "B", "MS", ("2021-01-01", "2023-12-01", 36)),
        ("2021-01-04", "2023-12-27", "B", "MS", ("2021-01-01", "2023-11-01", 35)),
        ("2021-01-01", "2021-03-31 23:00", "h", "D", ("2021-01-01", "2021-03-31", 90)),
        ("2021-01-01 05:00", "2021-03-31 11:00", "h", "D", ("2021-01-02", "2021-03-30", 88)),
        ("2021-01-06", "2022-01-09", "D", "W", ("2021-01-11", "2022-01-03", 52)),
        ("2020-02-01", "2023-11-01", "MS", "QS", ("2020-04-01", "2023-07-01", 14)),
        ("2020-01-31", "2023-12-31", "ME", "QS", ("2020-01-01", "2023-10-01", 16)),
        ("2021-01-03", "2022-12-28", "7D", "MS", ("2021-01-01", "2022-12-01", 24)),
    ],
)
def test_partial_periods_are_left_out_and_said(first, last, freq, alias, steps):
    times, notes = pd.date_range(first, last, freq=freq), []
    panel = read(pd.DataFrame({"date": times, "y": 1.0}), notes, resample=alias, aggregate="sum")
    found = panel.timeline.times
    assert (str(found[0].date()), str(found[-1].date()), len(found)) == steps
    kept = pd.Series(1, times).groupby(times.to_period(alias[0])).size()
    dropped = len(kept) - len(found)
    assert sum("left out (`partial=keep` keeps it)" in note for note in notes) == dropped
    whole = read(pd.DataFrame({"date": times, "y": 1.0}), resample=alias, partial="keep")
    assert len(whole.values) == len(found) + dropped


def test_a_shop_closed_on_sundays_has_whole_months():
    frame = daily(1096, "2021-01-01").query("date.dt.day_of_week != 6")
    assert len(read(frame, resample="MS", aggregate="sum").values) == 37 - 1


def test_each_series_loses_its_own_partial_periods():
    frame = pd.concat([daily(365, "2023-01-01").assign(id="a"), daily(200).assign(id="b")])
    panel = read(frame, series=("id",), resample="MS", aggregate="sum")
    assert panel.lengths.tolist() == [12, 6]


# Days of a zone, and frequencies of any beginning.


def midnights(zone, first="2023-01-02", rows=400, freq="D"):
    times = pd.date_range(first, periods=rows, freq=freq, tz=zone).tz_convert("UTC")
    return pd.DataFrame({"date": times, "y": range(rows)})


@pytest.mark.parametrize(
    ("zone", "freq", "said"),
    [
        ("America/New_York", "D", "04:00 and 05:00"),
        ("America/New_York", "B", "04:00 and 05:00"),
        ("Europe/Berlin", "D", "22:00 and 23:00"),
        ("Europe/London", "W-MON", "00:00 and 23:00"),
        ("Australia/Sydney", "MS", "13:00 and 14:00"),
    ],
)
@pytest.mark.parametrize("offset", [True, False])
def test_midnights_of_a_zone_stamped_in_utc_are_its_days(zone, freq, said, offset):
    frame, notes = midnights(zone, rows=60 if freq == "MS" else 400, freq=freq), []
    first = frame["date"].dt.tz_convert(zone).dt.tz_localize(None)
    if not offset:
        frame["date"] = frame["date"].dt.tz_localize(None)
    panel = read(frame, notes)
    assert panel.timeline.frequency.alias == freq
    assert panel.timeline.times.tz_localize(None).tolist() == first.tolist()
    assert f"{said} UTC are midnight in {zone}: rows are its days" in notes
    assert (panel.data.timezone, panel.data.day_zone) == ("UTC", zone)
    # A later table that shows only one of the two hours is read alike.
    late = panel.data.model_copy(update={"column": ("y",)})
    part = read_panel(frame[-30:].astype({"y": float}), late)
    assert part.timeline.times.equals(panel.timeline.times[-30:])


def test_the_zone_of_the_days_is_given_apart_from_that_of_the_times():
    frame = daily(24 * 60, "2024-01-01 05:00", "h")
    panel = read(frame, timezone="UTC", day_zone="America/New_York", resample="D", partial="keep")
    assert len(panel.values) == 60
    assert str(panel.timeline.times[0]) == "2024-01-01 00:00:00-05:00"
    with pytest.raises(DataError, match="needs times whose zone is known") as error:
        read(frame, day_zone="America/New_York")
    assert "`timezone=UTC`" in error.value.hint


def test_two_rows_a_day_are_no_midnights():
    times = pd.date_range("2023-01-01", periods=100).repeat(2) + pd.to_timedelta([4, 5] * 100, "h")
    with pytest.raises(DataError, match="not regular"):
        read(pd.DataFrame({"date": times, "y": 1.0}))


def test_offsets_that_change_with_the_midnight_of_a_zone_name_that_zone(tmp_path):
    times = pd.date_range("2023-01-02", periods=100, tz="America/New_York")
    path = tmp_path / "bars.csv"
    pd.DataFrame({"date": [str(time) for time in times], "y": 1.0}).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"offset.*changes") as error:
        read_panel(path, Data(column=("y",)))
    assert "`timezone=America/New_York`" in error.value.hint
    panel = read_panel(path, Data(column=("y",), timezone="America/New_York"))
    assert panel.timeline.times.equals(times.as_unit("us"))


@pytest.mark.parametrize(
    "freq", ["QS-FEB", "QS-MAR", "QE-JAN", "YS-APR", "W-TUE", "W-SUN", "MS", "ME"]
)
def test_quarters_years_and_weeks_begin_anywhere(freq):
    times = pd.date_range("2010-01-01", periods=60, freq=freq)
    panel = read(pd.DataFrame({"date": times[:40], "y": 1.0}))
    assert panel.timeline.frequency.after(times[39], 20).tolist() == times[40:].tolist()
