"""Tables of many forms on the command line, from a look at one to forecasts of the right dates."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.tf
TINY = ("--preset", "classic", "--units", 4, "--epochs", 1, "--steps-per-epoch", 3, "--quiet")
# An inspection is of all columns and fills no gaps.
UNSEEN = ("--missing", "--past-covariate", "--future-covariate", "--calendar-features")


def looked_at(flags):
    """The flags that an inspection takes."""
    pairs = list(zip(flags[::2], flags[1::2], strict=True))
    return [each for flag, value in pairs if flag not in UNSEEN for each in (flag, value)]


@pytest.fixture
def through(run, samples, linear_training):
    """Inspect a table, train on it and forecast: the report and the frame of the forecasts."""

    def call(file, *flags, horizon, training=(), predict=()):
        path = samples / file
        code, out, err = run("inspect", path, *looked_at(flags), "--json")
        assert code == 0, out
        report = json.loads(out)
        code, _, err = run("train", path, *flags, "--horizon", horizon, *TINY, *training)
        assert code == 0, err
        code, out, err = run("predict", *predict)
        assert code == 0, err
        # The names and times of the table, as text.
        forecast = pd.read_csv(io.StringIO(out), dtype=str, keep_default_na=False)
        return report, forecast

    return call


def numbers(forecast, *columns):
    """The forecasts, all of which must be numbers."""
    values = forecast[list(columns)].to_numpy(float)
    assert np.isfinite(values).all()
    return values


def texts(begin, periods, freq, form):
    return pd.date_range(begin, periods=periods, freq=freq).strftime(form).tolist()


HOURS, DAYS = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "column", "flags", "time", "expected"),
    [
        ("airline.csv", "Passengers", (), "Month", texts("1956-01-01", 12, "MS", "%Y-%m")),
        ("sunspots.csv", "Sunspots", (), "Month", texts("1759-01-01", 15, "MS", "%Y-%m")),
        ("temperatures.csv", "Temp", ("--freq", "D", "--missing", "interpolate"), "Date",
         texts("1985-04-01", 20, "D", DAYS)),
        ("apple.csv", "AAPL.Close", (), "Date", texts("2017-02-17", 6, "B", DAYS)),
        # Presidents' Day is the 20th of February.
        ("apple.csv", "AAPL.Close", ("--calendar", "XNYS"), "Date",
         [day for day in texts("2017-02-17", 6, "B", DAYS) if day != "2017-02-20"]),
        ("gasoline.csv", "Gasoline", (), "Week", texts("2021-05-07", 8, "W-FRI", "%m/%d/%Y")),
        ("milk.csv", "Pounds per cow", ("--freq", "MS", "--missing", "interpolate"), "Month",
         texts("1968-01-01", 8, "MS", "%Y-%m")),
        ("co2.csv", "co2", ("--missing", "ffill"), "date",
         texts("1959-10-10", 9, "W-SAT", "%Y%m%d")),
        ("co2.csv", "co2", ("--missing", "mask"), "date",
         texts("1959-10-10", 3, "W-SAT", "%Y%m%d")),
        ("transformer.csv", "OT", ("--calendar-features", "auto"), "date",
         texts("2018-06-26 20:00", 30, "h", HOURS)),
    ],
    ids=["airline", "sunspots", "temperatures", "apple", "apple on open days", "gasoline", "milk",
         "co2", "co2 with a mask", "ett"],
)  # fmt: skip
def test_one_series_goes_on_with_the_dates_of_the_calendar(
    through, file, column, flags, time, expected
):
    _, forecast = through(file, "--column", column, *flags, horizon=len(expected))
    assert list(forecast) == [time, column]
    assert forecast[time].tolist() == expected
    numbers(forecast, column)


def test_dates_that_are_none_are_steps(through):
    flags = ("--column", "Sales", "--time", "none", "--season-length", 12)
    report, forecast = through("shampoo.csv", *flags, horizon=4)
    assert (report["rows"], report["time"], report["season_length"]) == (36, None, 12)
    assert forecast["step"].tolist() == ["1", "2", "3", "4"]
    numbers(forecast, "Sales")


def test_a_date_in_four_columns_is_put_together(through):
    flags = ("--column", "pm2.5", "--time", "year,month,day,hour", "--missing", "interpolate",
             "--past-covariate", "cbwd", "--past-covariate", "TEMP")  # fmt: skip
    report, forecast = through("pollution.csv", *flags, horizon=30,
                               training=("--timesteps", 24))  # fmt: skip
    assert report["frequency"] == "hours (h)"
    assert (report["first"], report["last"]) == ("2010-01-01", "2010-01-10 23:00:00")
    assert forecast.iloc[:, 0].tolist() == texts("2010-01-11", 30, "h", HOURS)
    numbers(forecast, "pm2.5")


@pytest.mark.usefixtures("linear_training")
def test_prices_with_a_clock_for_a_date_are_refused_and_read_once_that_is_fixed(
    run, samples, tmp_path
):
    code, _, err = run("train", samples / "tesla.csv", "--column", "close", *TINY)
    assert code == 3
    assert 'line 2: column "date" holds "11:34"' in err
    fixed = tmp_path / "fixed.csv"
    fixed.write_text((samples / "tesla.csv").read_text().replace("11:34", "2018/10/16"))
    code, out, _ = run("inspect", fixed, "--calendar", "XNYS", "--json")
    report = json.loads(out)
    assert (code, report["first"], report["last"]) == (0, "2018-06-01", "2018-10-16")
    volume = next(each for each in report["columns"] if each["column"] == "volume")
    assert volume["kind"] == "numbers"
    flags = ("--column", "close", "--column", "volume", "--calendar", "XNYS")
    small = ("--timesteps", 6, "--validation", 0, "--test", 0)
    assert run("train", fixed, *flags, "--horizon", 28, *TINY, *small)[0] == 0
    forecast = pd.read_csv(io.StringIO(run("predict")[1]))
    # Thanksgiving.
    days = [day for day in texts("2018-10-17", 29, "B", "%Y/%m/%d") if day != "2018/11/22"]
    assert forecast["date"].tolist() == days
    numbers(forecast, "close", "volume")


def test_columns_may_be_series(through):
    names = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
    report, forecast = through("transformer.csv", "--layout", "columns", horizon=5)
    assert (report["count"], report["longest"]) == (7, 300)
    assert list(forecast) == ["date", *names]
    assert forecast["date"].tolist() == texts("2018-06-26 20:00", 5, "h", HOURS)
    numbers(forecast, *names)


@pytest.mark.parametrize(
    ("file", "freq", "horizon", "first", "count"),
    [("hourly", "h", 48, 120, 3), ("weekly", "W", 13, 80, 4)],
)
def test_tables_of_the_m4_competition_go_on_as_they_are(
    through, samples, file, freq, horizon, first, count
):
    flags = ("--layout", "rows", "--freq", freq)
    small = ("--timesteps", 14, "--validation", 0, "--test", 0)
    report, forecast = through(f"{file}.csv", *flags, horizon=horizon, training=small)
    ids = pd.read_csv(samples / f"{file}.csv", usecols=[0]).iloc[:, 0]
    assert (report["count"], report["shortest"]) == (count, first)
    assert list(forecast) == ["V1", "step", "value"]
    assert forecast["V1"].tolist() == ids.repeat(horizon).tolist()
    assert forecast["step"].tolist() == [str(1 + n) for n in range(horizon)] * count
    numbers(forecast, "value")


def test_several_columns_name_a_series(through, samples):
    keys = ["Region", "State", "Purpose"]
    flags = ("--column", "Trips", "--series", ",".join(keys))
    report, forecast = through("tourism.csv", *flags, horizon=5)
    assert (report["count"], report["shortest"], report["longest"]) == (6, 36, 36)
    assert list(forecast) == [*keys, "Quarter", "Trips"]
    quarters = ["2018 Q1", "2018 Q2", "2018 Q3", "2018 Q4", "2019 Q1"]
    assert forecast["Quarter"].tolist() == quarters * 6
    table = pd.read_csv(samples / "tourism.csv")[keys].drop_duplicates()
    assert forecast[keys][::5].to_numpy().tolist() == table.to_numpy().tolist()
    numbers(forecast, "Trips")


def test_an_inspection_says_what_names_the_series(run, samples):
    # A region lies in one state.
    for file, names in (("tourism", "Region,Purpose"), ("sales", "unique_id"),
                        ("electricity", "unique_id")):  # fmt: skip
        code, out, _ = run("inspect", samples / f"{file}.csv", "--json")
        report = json.loads(out)
        assert code == 0
        assert sorted(report["series"]) == sorted(names.split(","))
        assert "--series" in report["train"]


@pytest.mark.usefixtures("linear_training")
def test_prices_of_markets_go_on_with_their_covariates(run, samples):
    file, future = samples / "electricity.csv", samples / "electricity-future.csv"
    flags = ("--column", "y", "--series", "unique_id", "--future-covariate", "Exogenous*",
             "--future-covariate", "day_*", "--horizon", 24)  # fmt: skip
    assert run("inspect", file, "--series", "unique_id")[0] == 0
    code, _, err = run("train", file, *flags, "--future", future, *TINY)
    assert code == 0, err
    kept = run("predict")[1]
    given = run("predict", file, "--future", future)[1]
    assert kept == given
    forecast = pd.read_csv(io.StringIO(kept))
    expected = pd.read_csv(future)
    assert forecast[["unique_id", "ds"]].equals(expected[["unique_id", "ds"]])
    numbers(forecast, "y")
    code, _, err = run("predict", file)
    assert code == 3
    assert 'future covariate "Exogenous1" is missing for 96 of 96 steps ahead' in err
    assert "BE 2016-12-31 00:00:00" in err or "BE 2016-12-31" in err
    # Only some series, and from an earlier day on, whose covariates the table knows.
    code, out, err = run("predict", file, "--only", "NP,BE", "--start", "2016-12-01")
    assert code == 3
    assert "no row before 2016-12-01" in err
    code, out, err = run("predict", file, "--only", "FR,BE", "--start", "2016-12-01")
    assert code == 0, err
    forecast = pd.read_csv(io.StringIO(out))
    assert forecast["unique_id"].tolist() == ["FR"] * 24 + ["BE"] * 24
    assert forecast["ds"].tolist() == texts("2016-12-01", 24, "h", HOURS) * 2


@pytest.mark.usefixtures("linear_training")
def test_sales_go_on_with_prices_and_events_to_be_filled_in(run, samples):
    file = samples / "sales.csv"
    flags = ("--column", "y", "--series", "unique_id", "--future-covariate", "sell_price",
             "--future-covariate", "event_type_*", "--missing", "interpolate",
             "--horizon", 28)  # fmt: skip
    assert run("inspect", file, "--series", "unique_id")[0] == 0
    code, _, err = run("train", file, *flags, *TINY)
    assert code == 0, err
    code, _, err = run("predict")
    assert code == 3
    assert 'future covariate "sell_price" is missing for 224 of 224 steps ahead' in err
    code, out, err = run("future", file)
    assert code == 0, err
    frame = pd.read_csv(io.StringIO(out))
    days = texts("2016-06-20", 28, "D", DAYS)
    names = pd.read_csv(file)["unique_id"].drop_duplicates().tolist()
    assert frame["unique_id"].tolist() == np.repeat(names, 28).tolist()
    assert frame["ds"].tolist() == days * 8
    assert frame.iloc[:, 2:].isna().all().all()
    frame.fillna({"sell_price": 2.0}).fillna(0).to_csv("future.csv", index=False)
    for table in ((), (file,)):
        code, out, err = run("predict", *table, "--future", "future.csv")
        assert code == 0, err
        forecast = pd.read_csv(io.StringIO(out))
        assert forecast[["unique_id", "ds"]].equals(frame[["unique_id", "ds"]])
        numbers(forecast, "y")


@pytest.mark.slow
def test_a_table_may_come_through_a_pipe(run, samples, monkeypatch):
    content = (samples / "gasoline.csv").read_bytes()
    for command in (("inspect", "-"), ("train", "-", "--column", "Gasoline", *TINY),
                    ("predict", "-", "--horizon", 3)):  # fmt: skip
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        code, out, err = run(*command)
        assert code == 0, err
    weeks = pd.read_csv(io.StringIO(out))["Week"].tolist()
    assert weeks == ["05/07/2021", "05/14/2021", "05/21/2021"]
