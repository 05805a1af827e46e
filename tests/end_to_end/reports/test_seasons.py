"""Tables of open days and opening hours, and seasons that no frequency tells."""

import json

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError
from forecast_cli.data.reading import read_panel
from forecast_cli.forecasting.history import stored_panel


def by_weekday(days, *, seed=0):
    """Values that depend on the weekday."""
    draw = np.random.default_rng(seed)
    level = np.array([250, 290, 240, 280, 260, 120, 200])[days.day_of_week]
    return level + draw.normal(0, 5, len(days))


def open_days(mask, *, closed=(), periods=360):
    days = pd.date_range("2023-01-02", periods=periods)
    return days[[mask[day.day_of_week] == "1" and str(day.date()) not in closed for day in days]]


def write(tmp_path, days, name="shop.csv", *, values=by_weekday):
    frame = pd.DataFrame({"day": days, "units": values(days).round(1)})
    frame.to_csv(tmp_path / name, index=False)
    return name


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("1111110", "Monday to Saturday"),
        ("0111111", "Tuesday to Sunday"),
        ("1111001", "Sunday to Thursday"),
        ("1101100", "Monday, Tuesday, Thursday, Friday"),
    ],
)
def test_open_days_are_offered_before_anything_that_invents_rows(run, tmp_path, mask, words):
    table = write(tmp_path, open_days(mask, closed=("2023-04-10", "2023-05-01")))
    code, _, err = run("train", table, "-c", "units", "--preset", "classic")
    assert code == 3
    assert f"Its rows are on open days, {words}: pass --calendar data." in err
    assert err.index("--calendar data") < err.index("--missing interpolate")


@pytest.mark.parametrize("mask", ["1111110", "1011111", "1111001"])
def test_the_season_of_open_days_is_their_number_in_a_week(run, tmp_path, mask):
    table = write(tmp_path, open_days(mask))
    report = json.loads(run("inspect", table, "--json")[1])
    assert report["train"] == f"forecast train {table} --column units --calendar data"
    assert report["season_length"] == mask.count("1")
    assert report["frequency"] == "business days (learned)"
    assert any(note.startswith("steps of open days: ") for note in report["notes"])


def test_gaps_of_a_daily_table_are_not_called_closed_days(run, tmp_path):
    days = pd.date_range("2023-01-01", periods=300).delete([17, 40, 41, 99, 150, 222])
    err = run("train", write(tmp_path, days), "-c", "units", "--preset", "classic")[2]
    assert "--calendar" not in err
    assert "--missing interpolate" in err


def test_series_that_skip_open_days_get_no_calendar(run, tmp_path):
    draw = np.random.default_rng(2)
    days = open_days("1111110")
    kept = [days[draw.random(len(days)) < 0.7] for _ in "ab"]
    frame = pd.concat(
        pd.DataFrame({"item": name, "day": own, "units": by_weekday(own)})
        for name, own in zip("ab", kept, strict=True)
    )
    frame.to_csv(tmp_path / "items.csv", index=False)
    err = run("train", "items.csv", "-c", "units", "--series", "item", "--preset", "classic")[2]
    assert "not regular" in err
    assert "--calendar" not in err


def test_open_days_go_on_with_open_days(linear, tmp_path):
    days = open_days("1111110", closed=("2023-04-10",))
    frame = pd.DataFrame({"day": days, "units": by_weekday(days)})
    model = linear(frame, column="units", calendar="data")
    ahead = pd.DatetimeIndex(model.predict()["day"])
    assert model.evaluation.season_length == len(ahead) == 6
    following = pd.date_range(days[-1], periods=10)[1:]
    assert list(ahead) == list(following[following.day_of_week < 6][:6])


def load(weeks, *, day=48, seed=0):
    """Load by a clock that nobody wrote down, lower at weekends."""
    draw = np.random.default_rng(seed)
    step = np.arange(weeks * 7 * day)
    hour = step % day / day
    shape = 1 + 0.3 * np.sin(2 * np.pi * (hour - 0.3)) + 0.15 * np.sin(4 * np.pi * hour)
    weekend = np.where(step // day % 7 >= 5, 0.8, 1.0)
    return pd.DataFrame({"load": 1000 * shape * weekend * draw.normal(1, 0.02, len(step))})


@pytest.mark.parametrize(("day", "weeks"), [(48, 5), (24, 6), (96, 4)])
def test_without_times_the_season_comes_from_the_rows(linear, day, weeks):
    notes = []
    model = linear(
        load(weeks, day=day), column="load", on_event=lambda event: notes.append(str(event))
    )
    assert any(f"season {day}, found in the training rows" in note for note in notes)
    assert model.evaluation.season_length == model.evaluation.horizon == day
    week = f"seasonal-naive (season {7 * day})"
    assert model.evaluation.best_baseline == week
    scores = model.evaluation.scores
    assert scores[week]["mae"]["load"] < 0.9 * scores["seasonal-naive"]["mae"]["load"]


def test_a_season_that_is_given_stands_beside_the_one_of_the_rows(linear):
    model = linear(load(5), column="load", season_length=5)
    assert model.evaluation.season_length == 5
    assert model.evaluation.best_baseline == "seasonal-naive (season 336)"


def test_rows_without_a_season_get_none(linear):
    walk = np.random.default_rng(5).normal(size=400).cumsum()
    model = linear(pd.DataFrame({"price": walk}), column="price")
    assert model.evaluation.season_length == 1
    assert set(model.evaluation.scores) == {"lstm", "naive", "drift"}


SHOP = {day: range(10, 21) for day in range(6)}
SHORT = SHOP | {5: range(10, 15)}
NIGHT = {day: range(24) for day in range(5)}


def opened(hours, *, days=70, closed=(), zone=None):
    every = pd.date_range("2023-01-02", periods=24 * days, freq="h", tz=zone)
    return every[
        [
            time.hour in hours.get(time.day_of_week, ()) and str(time.date()) not in closed
            for time in every
        ]
    ]


def hourly(times, *, seed=0):
    draw = np.random.default_rng(seed)
    busy = np.sin(np.asarray(times.hour) / 24 * 2 * np.pi - 2)
    frame = pd.DataFrame({"when": times, "sales": 60 + 20 * busy + draw.normal(0, 1, len(times))})
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize(
    ("hours", "season", "words"),
    [
        (SHOP, 11, "Monday to Saturday, 10:00 to 20:00"),
        (SHORT, 60, "Monday to Saturday, 10:00 to 20:00"),
        (NIGHT, 24, "Monday to Friday, 00:00 to 23:00"),
        ({day: range(10, 21) for day in range(7)}, 11, "every day, 10:00 to 20:00"),
    ],
)
def test_steps_go_on_within_opening_hours(run, linear, tmp_path, hours, season, words, zone):
    # Until before the clocks are changed.
    times = opened(hours, closed=("2023-02-14",), zone=zone)
    frame = hourly(times)
    frame.to_csv(tmp_path / "hours.csv", index=False)
    zoned = ("--timezone", zone) if zone else ()
    err = run("train", "hours.csv", "-c", "sales", "--preset", "classic", *zoned)[2]
    assert f"Its rows are on open days, {words}: pass --calendar data." in err
    model = linear(frame, column="sales", calendar="data", timezone=zone, horizon=30)
    assert model.evaluation.season_length == season
    following = opened(hours, days=90, zone=zone)
    following = following[following > times[-1]][:30]
    assert list(pd.DatetimeIndex(model.predict()["when"])) == list(following)


def test_a_model_of_opening_hours_reads_later_rows_and_their_holidays(linear, tmp_path):
    model = linear(hourly(opened(SHOP)), column="sales", calendar="data")
    model.save(tmp_path / "shop.forecast")
    model = fc.load(tmp_path / "shop.forecast")
    later = opened(SHOP, days=100, closed=("2023-04-07", "2023-04-10"))[-300:]
    forecast = model.predict(hourly(later))
    following = opened(SHOP, days=110)
    assert list(forecast["when"]) == list(following[following > later[-1]][:11])


def test_an_update_takes_whole_days_without_a_row_for_closed(linear):
    closed = ("2023-04-07", "2023-04-10", "2023-04-14")
    times = opened(SHOP, days=150, closed=closed)
    end = times.searchsorted(pd.Timestamp("2023-04-07"))
    model = linear(hourly(times[:end]), column="sales", calendar="data")
    said = []
    later = model.update(hourly(times[end : end + 60]), on_event=said.append)
    texts = [each.text for each in said if getattr(each, "warning", False)]
    assert any(text.startswith("no row on 2023-04-10, 2023-04-14:") for text in texts)
    assert any(text.startswith("no row on 2023-04-07:") for text in texts)
    following = times[end + 60 :]
    assert list(later.predict()["when"])[:5] == list(following[:5])
    # What the model keeps of the rows before is at their times.
    again = later.update(hourly(following[:3]))
    assert list(again.predict()["when"])[:3] == list(following[3:6])
    stored = stored_panel(again.bundle).timeline.times
    assert stored[-20:].tolist() == times[end + 43 : end + 63].tolist()
    with pytest.raises(DataError, match="continues with 2023-04-08 10:00"):
        model.update(hourly(times[end + 2 : end + 40]))
    with pytest.raises(DataError, match="continues with 2023-04-07 10:00"):
        model.update(hourly(times[-100:]))


def test_an_hour_without_a_row_is_a_gap_and_one_after_hours_is_refused(run, tmp_path):
    frame = hourly(opened(SHOP))
    frame.drop(index=[40, 41]).to_csv(tmp_path / "gap.csv", index=False)
    asked = ("-c", "sales", "--calendar", "data", "--preset", "classic")
    code, _, err = run("train", "gap.csv", *asked)
    assert code == 3
    assert "2 of 660 steps (0.3 %) without a row" in err
    assert "no row for" in err
    frame.loc[100, "when"] += pd.Timedelta(minutes=20)
    frame.to_csv(tmp_path / "late.csv", index=False)
    code, _, err = run("train", "late.csv", *asked)
    assert code == 3
    assert "1 row outside of its opening hours" in err


def test_gaps_of_hourly_rows_are_not_called_closed_hours(run, tmp_path):
    times = pd.date_range("2023-01-02", periods=900, freq="h").delete([40, 77, 300, 301, 500])
    hourly(times).to_csv(tmp_path / "sensor.csv", index=False)
    err = run("train", "sensor.csv", "-c", "sales", "--preset", "classic")[2]
    assert "not regular" in err
    assert "--calendar" not in err


@pytest.mark.parametrize("weeks", [(4, 4, 5), (4, 5, 4), (5, 4, 4)])
def test_months_of_whole_weeks_go_on_with_their_season(run, linear, tmp_path, weeks):
    gaps = np.tile(weeks, 24)[:-1]
    days = pd.Timestamp("2018-02-04") + pd.to_timedelta(np.r_[0, gaps.cumsum()] * 7, unit="D")
    values = 100 + 10 * np.sin(2 * np.pi * np.arange(len(days)) / 12)
    frame = pd.DataFrame({"period": days, "sales": values.round(2)})
    frame[:60].to_csv(tmp_path / "retail.csv", index=False)
    code, out, _ = run("inspect", "retail.csv")
    assert code == 0
    assert "--time" not in out
    assert "season 12" in out
    assert "no year of the table has 53, and none is expected" in " ".join(out.split())
    model = linear(frame[:60], column="sales", horizon=6)
    assert model.predict()["period"].tolist() == days[60:66].tolist()
    after = model.predict(frame[:63])
    assert after["period"].tolist() == days[63:69].tolist()
    model = model.update(frame[60:64])
    assert model.predict()["period"].tolist() == days[64:70].tolist()


@pytest.mark.parametrize("alias", ["BME", "BMS", "BQE-NOV", "SMS", "SME"])
def test_listed_steps_go_on_in_a_model(linear, tmp_path, alias):
    days = pd.date_range("2008-01-01", periods=90, freq=alias)
    frame = pd.DataFrame({"day": days, "y": np.arange(90) % 12 + 1.0})
    model = linear(frame[:80], column="y", horizon=4)
    path = tmp_path / "m.forecast"
    model.save(path)
    model = fc.load(path)
    assert model.predict()["day"].tolist() == days[80:84].tolist()
    assert model.predict(frame[:85])["day"].tolist() == days[85:89].tolist()
    model = model.update(frame[80:83])
    assert model.predict()["day"].tolist() == days[83:87].tolist()
    given = linear(frame[:80], column="y", horizon=4, freq=alias)
    assert given.predict()["day"].tolist() == days[80:84].tolist()


@pytest.mark.parametrize(("alias", "found"), [("SMS", ("dayofyear",)), ("BME", ("month",))])
def test_listed_steps_have_the_calendar_features_of_their_length(alias, found):
    days = pd.date_range("2008-01-01", periods=90, freq=alias)
    frame = pd.DataFrame({"day": days, "y": np.arange(90.0)})
    panel = read_panel(frame, Data(column=("y",), calendar_features=("auto",)))
    assert panel.data.calendar_features == found


def test_a_table_of_other_steps_is_named_as_such(linear):
    days = pd.date_range("2008-01-01", periods=90, freq="SMS")
    model = linear(pd.DataFrame({"day": days, "y": np.arange(90) % 12 + 1.0}), column="y")
    daily = pd.DataFrame({"day": pd.date_range("2012-01-01", periods=90), "y": 1.0})
    with pytest.raises(DataError, match="the model is in half-months, this table is daily"):
        model.predict(daily)


def test_rows_that_a_holiday_moved_continue_a_model(linear):
    rule = pd.offsets.CustomBusinessMonthEnd(holidays=["2013-03-29", "2012-05-31"])
    days = pd.date_range("2008-01-01", periods=90, freq=rule)
    frame = pd.DataFrame({"day": days, "y": np.arange(90) % 12 + 1.0})
    end = days.get_loc(pd.Timestamp("2013-03-28"))
    model = linear(frame[:end], column="y", horizon=2)
    assert str(model.predict()["day"][0].date()) == "2013-03-29"
    later = model.update(frame[end : end + 1])
    assert later.predict()["day"].tolist() == days[end + 1 : end + 3].tolist()
    assert model.predict(frame[: end + 1])["day"].tolist() == later.predict()["day"].tolist()


def test_half_years_go_on_in_their_own_writing(linear):
    cells = [f"{year}S{half}" for year in range(1990, 2020) for half in (1, 2)]
    frame = pd.DataFrame({"time": cells, "y": np.arange(60) % 2 + np.arange(60) / 10})
    model = linear(frame, column="y", horizon=3)
    assert model.predict()["time"].astype(str).tolist() == [
        "2020-01-01",
        "2020-07-01",
        "2021-01-01",
    ]
