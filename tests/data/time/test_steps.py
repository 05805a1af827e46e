"""Several rows at one step: those that stand there twice, and those of finer steps."""

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Data
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.data.missing import fill_missing
from forecast_cli.data.reading import read_panel
from forecast_cli.data.splits import all_training
from forecast_cli.data.time.frequency import Frequency
from forecast_cli.data.time.time_index import floored


def read(frame, said=None, **data):
    settings = Data(column=("y",), **data)
    return read_panel(
        frame, settings, on_event=lambda event: said is not None and said.append(event.text)
    )


TWICE = pd.DataFrame(
    {
        "date": pd.to_datetime(["2024-01-02", "2024-01-01", "2024-01-02", "2024-01-03"]),
        "y": [5.0, 1.0, 7.0, np.nan],
    }
)


@pytest.mark.parametrize(
    ("duplicates", "expected"), [("first", 5.0), ("last", 7.0), ("mean", 6.0), ("sum", 12.0)]
)
def test_rows_at_the_same_time_become_one(duplicates, expected):
    said = []
    panel = read(TWICE, said, freq="D", duplicates=duplicates, missing="ffill")
    assert panel.values[:2, 0].tolist() == [1.0, expected]
    assert np.isnan(panel.values[2, 0])
    assert f"1 duplicate timestamp: {duplicates}" in said


def test_rows_at_the_same_time_are_an_error_that_says_how_to_mend_it():
    with pytest.raises(DataError) as caught:
        read(TWICE)
    assert "row 3 (2024-01-02)" in caught.value.message
    assert "`duplicates=first`" in caught.value.hint


@pytest.mark.parametrize("aggregate", ["mean", "sum", "last", "first", "min", "max"])
@pytest.mark.parametrize("alias", ["h", "2h", "D"])
def test_finer_rows_become_steps_as_pandas_makes_them(alias, aggregate):
    rng = np.random.default_rng(0)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.sort(rng.choice(60 * 24 * 3, 200, replace=False)), unit="min"
    )
    frame = pd.DataFrame({"time": times, "y": rng.normal(size=200)})
    mixed = frame.sample(frac=1, random_state=1)
    panel = read(
        mixed,
        resample=alias,
        aggregate=aggregate,
        missing="interpolate",
        max_filled=1.0,
        partial="keep",
    )
    expected = frame.set_index("time")["y"].resample(alias)
    counts = expected.count().to_numpy()
    wanted = expected.agg(aggregate).where(counts > 0).to_numpy()
    np.testing.assert_allclose(panel.values[:, 0], wanted)
    assert panel.timeline.times.tolist() == expected.count().index.tolist()


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        ("MS", "2024-05-01"),
        ("QS", "2024-04-01"),
        ("YS", "2024-01-01"),
        ("W", "2024-05-13"),
        ("D", "2024-05-18"),
        ("B", "2024-05-17"),
        ("6h", "2024-05-18 18:00"),
        ("15min", "2024-05-18 22:30"),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_step_begins_where_people_say_it_does(alias, expected, zone):
    times = pd.DatetimeIndex(["2024-05-18 22:40"], tz=zone)
    assert floored(times, Frequency.parse(alias))[0] == pd.Timestamp(expected, tz=zone)


def test_a_step_that_may_not_be_over_is_warned_of():
    times = pd.date_range("2024-01-01", periods=53, freq="h")
    said = []
    read(pd.DataFrame({"time": times, "y": 1.0}), said, resample="D")
    text = "the last step, 2024-01-03, has rows only up to 2024-01-03 04:00:00"
    assert f"{text}: left out (`partial=keep` keeps it)" in said
    read(pd.DataFrame({"time": times, "y": 1.0}), said, resample="D", partial="keep")
    assert "the last step has 5 rows, others 24: it may be incomplete" in said


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"aggregate": "sum"}, "`aggregate` needs `resample`"),
        ({"resample": "D", "freq": "D"}, "leave out `freq` and `duplicates`"),
        ({"resample": "D", "duplicates": "sum"}, "leave out `freq` and `duplicates`"),
    ],
)
def test_what_would_do_nothing_is_refused(settings, why):
    with pytest.raises(UsageError, match=why):
        configure({"column": ("y",), **settings})


def test_a_season_before_fills_a_gap():
    values = [1.0, 2.0, 3.0, 11.0, np.nan, 13.0, np.nan, np.nan, 23.0]
    dates = pd.date_range("2024-01-01", periods=9, freq="D")
    panel = read(pd.DataFrame({"date": dates, "y": values}), missing="season")
    whole = all_training(panel)
    filled = fill_missing(panel.values, whole, "season", source="t", season_length=3)
    assert filled[:, 0].tolist() == [1, 2, 3, 11, 2, 13, 11, 2, 23]
    plain = fill_missing(panel.values, whole, "season", source="t")
    assert plain[:, 0].tolist() == [1, 2, 3, 11, 11, 13, 13, 13, 23]


@pytest.mark.parametrize("alias", ["30min", "h", "2h", "D"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo"])
@pytest.mark.parametrize("day", ["2018-11-03", "2024-10-26", "2024-03-30"])
def test_finer_rows_become_steps_where_the_clocks_change(alias, zone, day):
    times = pd.date_range(day, periods=4 * 72, freq="15min", tz="UTC").tz_convert(zone)
    begins = floored(times, Frequency.parse(alias))
    assert (begins <= times).all()
    assert begins.is_monotonic_increasing
    wall = begins.tz_localize(None)
    if alias != "D":
        assert (wall.minute % (30 if alias == "30min" else 60) == 0).all()
