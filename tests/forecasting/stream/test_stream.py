"""Forecasts of a stream are those of `predict` from all rows up to the last one."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecast_cli as fc
from forecast_cli.core.errors import UsageError
from forecast_cli.core.events import ignore
from forecast_cli.forecasting.frames import in_table_style
from forecast_cli.forecasting.history import stored_panel
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest
from forecast_cli.forecasting.stream.live_model import StreamRequest
from forecast_cli.forecasting.stream.saved_stream import load_stream, save_stream
from forecast_cli.forecasting.stream.stream import Stream
from forecast_cli.model.loading import load_bundle

GOLDEN = Path(__file__).parents[2] / "golden"
MODELS = {number: load_bundle(GOLDEN / f"format-{number}.forecast") for number in (1, 3, 4, 5, 8)}
STATEFUL = load_bundle(GOLDEN / "format-2.forecast")
LEVELS = {4: (80.0,), 5: (80.0,), 8: (50.0, 80.0)}


def table_of(bundle) -> pd.DataFrame:
    """The rows that a model keeps, as the table that they stood in."""
    panel = stored_panel(bundle)
    covariates = bundle.manifest.covariates
    frame = panel.ids.iloc[panel.owners].reset_index(drop=True)
    frame[panel.step_name] = panel.timeline.times
    for name, values in zip(panel.columns.features, panel.values.T, strict=True):
        if name not in covariates.calendar:
            known = covariates.categories.get(name)
            frame[name] = values if known is None else [known[int(each) - 1] for each in values]
    return frame


def rows_after(bundle, steps: int, seed: int) -> pd.DataFrame:
    """Rows of all series that follow those that a model keeps, ordered by time."""
    draw = np.random.default_rng(seed)
    panel, before = stored_panel(bundle), table_of(bundle)
    time = panel.step_name
    parts = []
    for series in range(panel.count):
        own = before[panel.owners == series]
        times = panel.timeline.frequency.after(panel.lasts[series], steps)
        rows = pd.concat([own.tail(1)] * steps, ignore_index=True).assign(**{time: times})
        for name in bundle.manifest.columns.columns:
            rows[name] = own[name].mean() * draw.uniform(0.8, 1.2, steps)
        for name in bundle.manifest.covariates.future:
            rows[name] = draw.integers(0, 2, steps).astype(float)
        parts.append(rows)
    return pd.concat(parts).sort_values(time, kind="stable").reset_index(drop=True)


def stream_of(bundle, **request) -> Stream:
    return Stream(bundle, StreamRequest(**request))


def assert_equal(made: list[dict], expected: pd.DataFrame, names: list[str]) -> None:
    """Assert that entries of a stream are the rows of a forecast."""
    found = pd.DataFrame(made)
    assert len(found) == len(expected)
    for name in names:
        np.testing.assert_allclose(found[name].astype(float), expected[name], rtol=1e-6)


@pytest.mark.slow
@given(
    number=st.sampled_from(sorted(MODELS)),
    steps=st.integers(1, 8),
    seed=st.integers(0, 99),
    missing=st.sampled_from(["error", "interpolate", "ffill", "season"]),
    gaps=st.sets(st.integers(1, 6), max_size=3),
)
def test_the_forecasts_are_those_of_predict_on_each_prefix(number, steps, seed, missing, gaps):
    bundle = MODELS[number]
    reading = {} if missing == "error" else {"missing": missing, "max_filled": 1.0}
    streamed = {name: value for name, value in reading.items() if name == "missing"}
    level = LEVELS.get(number, ())
    time, covariates = stored_panel(bundle).step_name, bundle.manifest.covariates
    rows = rows_after(bundle, steps + 3, seed)
    ahead = rows
    times = sorted(set(rows[time]))
    if missing != "error" and not covariates.future:
        rows = rows[~rows[time].isin([times[each] for each in gaps if each < len(times)])]
    stream = stream_of(bundle, level=level, reading=streamed)
    for name in covariates.future:
        for place, forecaster in enumerate(stream.forecasters.values()):
            own = ahead[ahead["shop"] == bundle.series.ids[place][0]]
            at = bundle.manifest.features.index(name)
            for step, value in enumerate(own[name], start=1):
                row = np.full(len(bundle.manifest.features), np.nan)
                row[at] = value
                forecaster.known.put(step, row)
    for count in range(1, len(rows) + 1):
        prefix, last = rows.iloc[:count], rows.iloc[count - 1]
        if last[time] > times[steps - 1]:
            break
        made = stream.push(last.to_dict())
        series = [last[name] for name in bundle.manifest.series]
        whole = pd.concat([table_of(bundle), prefix], ignore_index=True)
        mine = np.logical_and.reduce(
            [whole[n] == v for n, v in zip(bundle.manifest.series, series, strict=True)]
            or [np.ones(len(whole), bool)]
        )
        future = ahead[ahead[time] > last[time]][
            [*bundle.manifest.series, time, *covariates.future]
        ]
        wanted = PredictionRequest(level=level, future=future if covariates.future else None)
        expected = predict(bundle, whole[mine], wanted, reading=reading, on_event=ignore)
        assert_equal(
            made, expected, [c for c in expected if c not in (time, *bundle.manifest.series)]
        )
        assert [each[time] for each in made] == [
            each.strftime(bundle.manifest.time.style) for each in expected[time]
        ]


@given(
    number=st.sampled_from([*sorted(MODELS), 2]),
    at=st.integers(1, 9),
    seed=st.integers(0, 99),
    anomalies=st.booleans(),
)
def test_a_saved_stream_goes_on_as_if_it_had_never_stopped(number, at, seed, anomalies):
    bundle = MODELS.get(number) or STATEFUL
    judged = anomalies and bundle.calibration is not None
    how = {"level": LEVELS.get(number, ()), "anomalies": judged, "false_alarm_rate": 0.3}
    rows = rows_after(bundle, 10, seed).drop(columns=[*bundle.manifest.covariates.future])
    rows.iloc[at - 1, rows.columns.get_loc(bundle.manifest.targets[0])] = np.nan
    whole, first = stream_of(bundle, **how), stream_of(bundle, **how)
    expected = [whole.push(row) for row in rows.to_dict("records")]
    made = [first.push(row) for row in rows[:at].to_dict("records")]
    with TemporaryDirectory() as folder:
        save_stream(first, f"{folder}/state")
        second = stream_of(bundle, **how)
        assert load_stream(second, f"{folder}/state")
    made += [second.push(row) for row in rows[at:].to_dict("records")]
    assert made == expected


def months(begin: str, count: int) -> list[dict]:
    """Rows of `format-8`, which ends with 2005."""
    times = pd.date_range(begin, periods=count, freq="MS")
    return [{"date": f"{time:%Y-%m}", "value": 170.0 + time.month} for time in times]


def last_times(stream: Stream, records: list[dict]) -> list[str]:
    """The rows after which there was a forecast."""
    return [made[0]["cutoff"] for made in stream.over(records)]


def test_each_kind_of_faulty_row_is_left_out_and_counted_by_one_rule():
    said = []
    stream = Stream(MODELS[8], StreamRequest(), on_event=lambda note: said.append(note.text))
    rows = months("2006-01", 3)
    faulty = [
        {"date": "2005-12", "value": 1.0},
        {"date": "2006-02", "value": 1.0},
        {"date": "2006-03", "value": 1.0},
        {"date": "2006-04", "value": "much"},
        {"date": "no date", "value": 1.0},
        {"value": 1.0},
        {"date": "2006-04-07", "value": 1.0},
        {"date": "2206-04", "value": 1.0},
    ]
    plain = stream_of(MODELS[8])
    after = months("2006-04", 2)
    expected = [plain.push(row) for row in rows + after]
    made = [stream.push(row) for row in rows + faulty + after]
    assert [each for each in made if each] == expected
    assert stream.tally.faults == {
        "known": 1, "late": 1, "duplicate": 1, "unreadable": 3, "between": 1, "held": 1,
    }  # fmt: skip
    # Each kind is told at once, and then no more for a while.
    assert len(said) == 6
    assert 'a row left out: "value" is "much", no number' in said
    assert stream.end()[0] == "13 rows read, 5 used"


def test_missing_steps_are_filled_and_counted_and_a_long_gap_begins_again():
    stream, lookback = stream_of(MODELS[8]), MODELS[8].manifest.timesteps
    assert last_times(stream, months("2006-03", 1)) == ["2006-03"]
    assert stream.tally.filled_steps == 2
    # The second row after the gap shows that the first one is no slip of the pen.
    later = months("2009-01", lookback + 1)
    assert last_times(stream, later) == ["2010-01", "2010-02"]
    assert stream.tally.restarts == 1
    table = pd.DataFrame(later)
    expected = predict(MODELS[8], table, on_event=ignore)
    made = stream.places[()].forecaster.forecast()
    np.testing.assert_allclose(made.point[:, 0], expected["value"], rtol=1e-6)


def test_a_new_series_is_forecast_once_it_has_a_lookback_of_rows():
    bundle = MODELS[4]
    stream = stream_of(bundle)
    times = pd.date_range("2020-01-01", periods=6, freq="MS")
    rows = [
        {"place": "new", "date": str(time.date()), "value": 10.0 + time.month} for time in times
    ]
    assert last_times(stream, rows) == ["2020-04-01", "2020-05-01", "2020-06-01"]
    fresh = stream_of(bundle)
    made = [fresh.push(row) for row in rows[:4]][-1]
    expected = predict(bundle, pd.DataFrame(rows[:4]), on_event=ignore)
    assert_equal(made, expected, ["value"])


def test_only_the_series_that_are_asked_for_are_forecast():
    said, names = [], [parts[0] for parts in MODELS[4].series.ids]
    only = (f"{names[0]}, {names[2]}", "missing")
    stream = Stream(MODELS[4], only=only, on_event=lambda note: said.append(note.text))
    made = list(stream.over(rows_after(MODELS[4], 2, 1).to_dict("records")))
    assert {entries[0]["place"] for entries in made} == {names[0], names[2]}
    assert said == ['the model knows no series "missing": it is awaited']
    assert stream.end()[1] == "2 left out: of series that `only` does not name"


def test_forecasts_come_as_often_as_asked_for():
    rows = months("2006-01", 12)
    assert last_times(Stream(MODELS[8], every=5), rows) == ["2006-05", "2006-10"]
    days = pd.date_range("2006-01-01", periods=12, freq="MS")
    slots = (days - pd.Timestamp(0)) // pd.Timedelta("90D")
    first = pd.Series(days).groupby(slots).min()
    assert last_times(Stream(MODELS[8], every="90D"), rows) == [f"{day:%Y-%m}" for day in first]


def test_future_covariates_are_read_again_when_their_file_changes(tmp_path):
    bundle, path = MODELS[3], tmp_path / "plan.csv"
    shops = [parts[0] for parts in bundle.series.ids]
    rows = rows_after(bundle, 12, 1)
    plan = rows[["shop", "date", "promo"]]
    plan.groupby("shop").head(4).to_csv(path, index=False)
    stream = Stream(bundle, future=str(path))
    own = rows[rows["shop"] == shops[0]].to_dict("records")
    assert stream.push(own[0])
    assert not any(stream.push(row) for row in own[1:6])
    assert stream.tally.faults == {"blind": 5}
    plan.to_csv(path, index=False)
    stream.future.looked = -100.0
    assert stream.push(own[6])


def test_a_row_of_planned_values_is_what_is_known_ahead():
    bundle = MODELS[3]
    stream, shop = stream_of(bundle), bundle.series.ids[0][0]
    own = [row for row in rows_after(bundle, 5, 1).to_dict("records") if row["shop"] == shop]
    assert not stream.push(own[0])
    for row in own[1:]:
        assert not stream.push(row | {"sales": None})
    assert stream.push(own[1])
    assert stream.tally.faults["blind"] == 1


def test_series_as_columns_come_as_they_stand_in_the_table(linear):
    times = pd.date_range("2024-01-01", periods=40, freq="D")
    values = np.sin(np.arange(40))
    wide = pd.DataFrame({"date": times, "a": 5 + values, "b": 9 - values})
    model = linear(wide[:36], layout="columns", horizon=2, timesteps=3)
    stream = model.stream()
    *_, made = [stream.push(row) for row in wide[36:].to_dict("records")]
    expected = model.predict(wide)
    assert [(each["series"], each["value"]) for each in made] == [
        (name, pytest.approx(value, rel=1e-6)) for name in ("a", "b") for value in expected[name]
    ]


@pytest.mark.parametrize("freq", ["30s", "h", "B", "W-SUN", "ME", "BME", "SMS", "YS"])
def test_steps_of_every_kind_have_the_times_of_predict(linear, freq):
    times = pd.date_range("1970-03-20", periods=50, freq=freq)
    values = 20 + np.random.default_rng(1).normal(size=50)
    table = pd.DataFrame({"time": times, "y": values})
    model = linear(table[:45], column="y", horizon=3, timesteps=4)
    stream = model.stream()
    *_, made = [stream.push(row) for row in table[45:].to_dict("records")]
    expected = in_table_style(model.predict(table), model.bundle.manifest.time)
    assert [each["time"] for each in made] == expected["time"].tolist()
    assert_equal(made, expected, ["y"])


def test_clock_times_are_read_in_the_zone_of_the_model(linear):
    times = pd.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin")
    table = pd.DataFrame({"time": times.tz_localize(None).astype(str), "y": np.arange(60) % 5})
    settings = {"column": "y", "horizon": 2, "timesteps": 3, "timezone": "Europe/Berlin"}
    stream = linear(table[:20], **settings).stream()
    for row in table[20:].to_dict("records"):
        assert stream.push(row)
    assert stream.summary == ["40 rows read, 40 used"]


def test_a_new_series_and_a_row_that_is_held_are_in_the_state(tmp_path):
    def rows(name, begin, count):
        times = pd.date_range(begin, periods=count, freq="MS").strftime("%Y-%m-%d")
        return [
            {"place": name, "date": time, "value": 10.0 + place} for place, time in enumerate(times)
        ]

    first, whole = stream_of(MODELS[4]), stream_of(MODELS[4])
    early = [*rows("new", "2020-01-01", 5), *rows("young", "2020-01-01", 2)]
    early += rows(next(iter(whole.ends))[0], "2030-01-01", 1)
    late = [*rows("new", "2020-06-01", 2), *rows("young", "2020-03-01", 3)]
    late += rows(early[-1]["place"], "2030-02-01", 4)
    for row in early:
        assert first.push(row) == whole.push(row)
    save_stream(first, tmp_path / "state")
    second = stream_of(MODELS[4])
    load_stream(second, tmp_path / "state")
    for row in late:
        assert second.push(row) == whole.push(row)
    assert second.tally.restarts == 1


ANOMALIES = np.arange(150, 3900, 150)


@pytest.mark.slow
@pytest.mark.parametrize("intervals", ["conformal", "adaptive"])
@pytest.mark.parametrize("rate", [0.02, 0.05])
def test_anomalies_that_were_put_in_are_found_at_the_rate_of_false_alarms(linear, intervals, rate):
    draw = np.random.default_rng(3)
    noise, values = draw.normal(size=9000), np.zeros(9000)
    for place in range(1, 9000):
        values[place] = 0.7 * values[place - 1] + noise[place]
    values += 100 + 5 * np.sin(2 * np.pi * np.arange(9000) / 24)
    times = pd.date_range("2023-01-01", periods=9000, freq="h")
    table = pd.DataFrame({"time": times, "y": values})
    settings = {"horizon": 4, "timesteps": 24, "validation": 0.4, "test": 0.1}
    model = linear(table[:5000], column="y", intervals=intervals, **settings)
    rows = table[5000:].reset_index(drop=True)
    rows.loc[ANOMALIES, "y"] += draw.choice([-12.0, 12.0], len(ANOMALIES))
    said = []
    stream = model.stream(
        anomalies=True, false_alarm_rate=rate, every=100_000, on_event=lambda e: said.append(e.text)
    )
    flagged = np.array([made[0]["anomaly"] for made in stream.over(rows.to_dict("records"))])
    clean = np.delete(flagged, ANOMALIES)
    assert flagged[ANOMALIES].mean() > 0.95
    assert rate / 1.5 < clean.mean() < rate * 1.5
    measured = float(re.search(r"([\d.]+) % were", said[0])[1]) / 100
    assert rate / 1.5 < measured < rate * 1.5


@pytest.mark.parametrize("name", ["format-2-labels"])
def test_a_model_of_labels_says_what_to_do_instead(name):
    with pytest.raises(UsageError, match="Pass whole sequences"):
        Stream(load_bundle(GOLDEN / f"{name}.forecast"))


@given(rows=st.integers(1, 6), missing=st.sets(st.integers(0, 4), max_size=2))
def test_a_stateful_network_reads_each_row_once(rows, missing):
    model = fc.load(GOLDEN / "format-2.forecast")
    table = rows_after(STATEFUL, rows, 5).assign(date=lambda f: f["date"].astype(str))
    for each in missing:
        table.loc[table.index == each, "value"] = np.nan
    stream = model.stream()
    *_, made = [stream.push(row) for row in table.to_dict("records")]
    expected = model.update(table).predict()
    assert_equal(made, expected, ["value", "other"])
