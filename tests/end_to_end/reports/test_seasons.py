"""Tables of open days and opening hours, and seasons that no frequency tells."""

import json

import numpy as np
import pandas as pd
import pytest


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
    assert set(model.evaluation.scores) == {"network", "naive", "drift"}
