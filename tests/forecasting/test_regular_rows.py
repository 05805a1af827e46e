"""Forecasts by arrays alone are those of `predict`, with its notes, or are left to it."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_cli.core.errors import ForecastError, UsageError
from forecast_cli.core.events import Note
from forecast_cli.data.io.writer import render
from forecast_cli.forecasting.frames import in_table_style
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest
from forecast_cli.forecasting.regular_rows import RegularRows

from ..frames import seasonal_frame

ROWS, HORIZON, LOOKBACK = 300, 4, 9
# How a table is trained on: its frequency, its columns, and settings.
TABLES = {
    "days": ("D", "%Y-%m-%d", {}),
    "hours": ("h", "%Y-%m-%dT%H:%M", {"intervals": "adaptive"}),
    "quarters of an hour": ("15min", "%Y-%m-%d %H:%M:%S", {"past_covariates": "other"}),
    "weekdays": ("B", "%Y-%m-%d", {"transform": "log", "scaler": "standard"}),
    "two targets": ("D", "%Y-%m-%d", {"column": ("value", "other"), "anchor": "last"}),
    "short rows": ("D", "%Y-%m-%d", {"missing": "mask", "intervals": "adaptive"}),
}


@pytest.fixture(scope="module")
def models(linear):
    found = {}
    for name, (freq, style, more) in TABLES.items():
        frame = seasonal_frame(ROWS, freq)
        frame["date"] = frame["date"].dt.strftime(style)
        own = {"column": "value", "horizon": HORIZON, "timesteps": LOOKBACK}
        own |= {"validation": 90, "test": 30} | more
        bundle = linear(frame, **own).bundle
        assert RegularRows.takes(bundle), name
        found[name] = bundle, RegularRows(bundle), frame
    return found


def slow(bundle, rows, wanted):
    """Return what `predict` makes of rows, as records, and its notes."""
    notes = []
    table = pa.table({name: [row.get(name) for row in rows] for name in rows[0]})
    frame = predict(
        bundle,
        table,
        wanted,
        on_event=lambda event: notes.append(event.text) if isinstance(event, Note) else None,
    )
    written = in_table_style(frame, bundle.manifest.time)
    return json.loads(render(written, "json")), notes


@st.composite
def requests(draw):
    """Rows before or after the end of the training, changed here and there, and what is wanted."""
    name = draw(st.sampled_from(sorted(TABLES)))
    freq, style, _ = TABLES[name]
    count = draw(st.integers(2, 40))
    begin = draw(st.integers(200, ROWS + 20))
    times = pd.date_range("2000-01-01", periods=begin + count, freq=freq)[begin:]
    steps = np.arange(begin, begin + count)
    scale = draw(st.sampled_from([1.0, 1.0, 1.0, 1.2, 9.0, -1.0]))
    values = scale * (100 + 0.1 * steps + 10 * np.sin(2 * np.pi * steps / 12))
    rows = [
        {"date": time, "value": float(one), "other": float(one) + 0.5}
        for time, one in zip(times.strftime(style), values, strict=True)
    ]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        row = draw(st.sampled_from(rows))
        change = draw(
            st.sampled_from(
                [("value", None), ("value", "7,5"), ("value", 5), ("value", 0.0), ("value", True),
                 ("value", 10**30), ("date", "2000-13-01"), ("date", rows[0]["date"]), ("drop", 0)]
            )
        )  # fmt: skip
        if change[0] != "drop":
            row[change[0]] = change[1]
        elif len(rows) > 2:
            rows.remove(row)
    wanted = PredictionRequest(
        draw(st.sampled_from([None, 1, HORIZON, HORIZON + 1])),
        level=draw(st.sampled_from([(), (80.0,), (95.0, 50.0)])),
        intervals=None,
    )
    return name, rows, wanted


@settings(max_examples=150, deadline=None)
@given(request=requests())
def test_forecasts_and_notes_are_those_of_predict(models, request):
    name, rows, wanted = request
    bundle, quick, _ = models[name]
    found = quick.forecast(rows, wanted)
    if found is None:
        return
    expected = slow(bundle, rows, wanted)
    assert found[1] == expected[1]
    assert [list(row) for row in found[0]] == [list(row) for row in expected[0]]
    for own, other in zip(found[0], expected[0], strict=True):
        assert own["date"] == other["date"]
        numbers = [name for name in own if name != "date"]
        assert [own[n] for n in numbers] == pytest.approx([other[n] for n in numbers], rel=1e-6)


@pytest.mark.parametrize("name", TABLES)
def test_usual_rows_are_not_left_to_predict(models, name):
    bundle, quick, frame = models[name]
    rows = frame.tail(LOOKBACK + HORIZON - 1 if name != "short rows" else LOOKBACK)
    rows = rows.to_dict("records")
    assert quick.forecast(rows, PredictionRequest()) == slow(bundle, rows, PredictionRequest())
    level = PredictionRequest(level=(80.0, 95.0))
    if name != "short rows":
        assert quick.forecast(rows, level) == slow(bundle, rows, level)


def test_rows_that_need_a_warning_are_left_to_predict(models):
    _, quick, frame = models["days"]
    rows = frame.tail(20).assign(value=lambda own: own["value"] * 50).to_dict("records")
    assert quick.forecast(rows, PredictionRequest()) is None
    assert quick.forecast(frame.tail(20).to_dict("records"), PredictionRequest(HORIZON + 1)) is None


def test_errors_are_those_of_predict(models):
    bundle, quick, frame = models["days"]
    rows = frame.tail(20).to_dict("records")
    wanted = PredictionRequest(level=(0.5,))
    with pytest.raises(UsageError) as own:
        quick.forecast(rows, wanted)
    with pytest.raises(ForecastError) as other:
        slow(bundle, rows, wanted)
    assert str(own.value) == str(other.value)


def test_other_models_are_left_to_predict(linear, golden):
    frame = pd.concat([seasonal_frame(80).assign(shop=name) for name in "ab"])
    model = linear(frame, column="value", series="shop", horizon=2, timesteps=6)
    assert not RegularRows.takes(model.bundle)
