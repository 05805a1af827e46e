"""Large tables forecast some series at a time: the forecasts are those of the whole table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast_cli.core.errors import DataError
from forecast_cli.core.events import Note, ignore
from forecast_cli.data.io.row_batches import RowBatches
from forecast_cli.forecasting.part_prediction import PartPrediction, find_series_table
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest
from forecast_cli.model import runtime

PLAIN = {"column": "y", "series": "id", "time": "day", "horizon": 3, "timesteps": 5, "freq": "D"}
MORE = {
    "past_covariates": ["rain"], "future_covariates": ["promo", "kind"],
    "static_covariates": ["size"], "categorical": ["kind"], "calendar_features": ["dayofweek"],
}  # fmt: skip
# What may depend on the other series of a table, by name.
MODELS = {
    "scaled by series": {"scale_by": "series", "scaler": "robust"},
    "logarithms": {"transform": "log1p", "scale_by": "series"},
    "covariates": {**MORE, "scale_by": "series"},
    "adaptive": {"intervals": "adaptive", "level": 80},
    "quantiles": {"intervals": "cqr", "level": 80},
    "gaps": {"missing": "interpolate", "max_filled": 1.0},
    "season": {"missing": "season", "max_filled": 1.0, "season_length": 7},
    "no times": {"time": "none", "freq": None},
    "names of parts": {"series": ["id", "size"]},
}
SEEN = 12


def panel(series, seed=0, first=0, *, least=20, gaps=False, low=1.0, text=False):
    """Series of different lengths that end at different days, one after the other."""
    draw, tables = np.random.default_rng(seed), []
    for number in range(first, first + series):
        rows = int(draw.integers(least, least + 15))
        days = pd.date_range("2024-01-01", periods=rows) + pd.Timedelta(days=number % 3)
        known = pd.DataFrame({
            "id": f"s{number:03d}", "day": days,
            "y": low + draw.gamma(2.0, 10.0, rows) * (1 + number % 5),
            "rain": draw.normal(size=rows), "promo": draw.integers(0, 2, rows).astype(float),
            "kind": draw.choice(["a", "b", "c"], rows), "size": number % 4,
        })  # fmt: skip
        # The last steps are known of covariates alone.
        known.loc[known.index[-4:], ["y", "rain"]] = np.nan
        tables.append(known)
    frame = pd.concat(tables, ignore_index=True)
    if gaps:
        kept = draw.random(len(frame)) > 0.1
        kept[np.flatnonzero(frame["id"].ne(frame["id"].shift()))] = True
        frame = frame[kept]
    return frame.assign(day=frame["day"].dt.strftime("%Y-%m-%d")) if text else frame


def table_for(settings, **how):
    frame = panel(**how)
    return frame if "future_covariates" in settings else frame.dropna()


@pytest.fixture(scope="module")
def models(linear):
    made = {}

    def model(name):
        if name not in made:
            own = {k: v for k, v in (PLAIN | MODELS[name]).items() if v is not None}
            table = table_for(own, series=SEEN, least=60)
            made[name] = linear(table, **own).bundle, own
        return made[name]

    return model


def in_parts(bundle, path, wanted, rows, on_event=ignore):
    table = find_series_table(bundle, RowBatches(str(path)), wanted, {})
    work = PartPrediction(bundle, table, wanted, reading={}, on_event=on_event)
    frames = list(work.frames(rows))
    return pd.concat(frames, ignore_index=True), len(frames)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=6)
@given(
    st.integers(3, 12),
    st.integers(50, 200),
    st.integers(0, 20),
    st.sampled_from([(), (80,)]),
    st.integers(0, 2),
)
def test_all_forecasts_are_those_of_the_whole_table(
    models, tmp_path_factory, name, series, rows, first, level, kind
):
    bundle, own = models(name)
    gaps = own.get("missing") is not None
    # Some values may be below the bound of the model's forecasts.
    low = -30.0 if kind == 1 and own.get("transform") is None else 1.0
    how = {"first": first, "gaps": gaps, "low": low, "text": kind == 2}
    path = tmp_path_factory.mktemp("parts") / "panel.parquet"
    table_for(own, series=series, seed=series, **how).to_parquet(path, row_group_size=37)
    wanted = PredictionRequest(level=level)
    whole = predict(bundle, path, wanted)
    got, count = in_parts(bundle, path, wanted, rows)
    assert count > 1 or len(pd.read_parquet(path)) <= 2 * rows
    pd.testing.assert_frame_equal(got, whole, rtol=1e-7)


def test_parts_of_whole_batches_give_the_same_numbers(models, tmp_path, monkeypatch):
    bundle, _ = models("scaled by series")
    panel(60).dropna().to_parquet(tmp_path / "panel.parquet")
    monkeypatch.setattr(runtime, "BATCH_VALUES", 50)
    whole = predict(bundle, tmp_path / "panel.parquet")
    got, count = in_parts(bundle, tmp_path / "panel.parquet", PredictionRequest(), 500)
    assert count > 2
    pd.testing.assert_frame_equal(got, whole, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.sort_values("day"),
        lambda frame: frame.assign(id=frame["id"].where(frame["id"] != "s002", "S001")),
        lambda frame: frame.assign(y=frame["y"].astype(str)),
        lambda frame: frame.assign(id=frame["id"].where(frame.index > 0)),
    ],
)
def test_tables_whose_series_have_to_be_seen_together_are_not_divided(models, tmp_path, change):
    bundle, _ = models("scaled by series")
    change(panel(6).dropna()).to_parquet(tmp_path / "panel.parquet")
    batches = RowBatches(str(tmp_path / "panel.parquet"))
    assert find_series_table(bundle, batches, PredictionRequest(), {}) is None


def test_requests_that_need_all_series_are_not_divided(models, tmp_path):
    bundle, _ = models("scaled by series")
    panel(6).dropna().to_parquet(tmp_path / "panel.parquet")
    batches = RowBatches(str(tmp_path / "panel.parquet"))
    for wanted in (PredictionRequest(samples=3), PredictionRequest(only=("s001",))):
        assert find_series_table(bundle, batches, wanted, {}) is None
    assert find_series_table(bundle, batches, PredictionRequest(), {"missing": "drop"}) is None


def test_messages_name_rows_of_the_file_and_notes_are_not_repeated_by_each_part(models, tmp_path):
    bundle, _ = models("scaled by series")
    frame = panel(30).dropna().reset_index(drop=True)
    frame.to_parquet(tmp_path / "panel.parquet")
    notes = []
    hear = lambda event: notes.append(event.text) if isinstance(event, Note) else None  # noqa: E731
    in_parts(bundle, tmp_path / "panel.parquet", PredictionRequest(), 60, hear)
    new = [text for text in notes if "new to the model" in text]
    assert len(new) == 1 and "(among the series s0" in new[0]
    assert sum("the like holds for up to" in text for text in notes) == 1
    row = frame.index[frame["id"] == "s020"][7]
    frame.loc[row, "y"] = np.nan
    frame.to_parquet(tmp_path / "panel.parquet")
    with pytest.raises(DataError, match=f"panel.parquet row {row + 1} "):
        in_parts(bundle, tmp_path / "panel.parquet", PredictionRequest(), 60)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (1, "1 series is new to the model and scaled by its own rows: new (of the series new)"),
        (400, "1 series is new to the model and scaled by its own rows: new (among the series "),
    ],
)
def test_a_single_series_is_named_as_one(models, tmp_path, rows, said):
    bundle, _ = models("scaled by series")
    frame = panel(2).dropna()
    alone = frame[frame["id"] == frame["id"].iloc[0]]
    pd.concat([alone.assign(id="new"), frame]).to_parquet(tmp_path / "panel.parquet")
    notes = []
    hear = lambda event: notes.append(event.text) if isinstance(event, Note) else None  # noqa: E731
    in_parts(bundle, tmp_path / "panel.parquet", PredictionRequest(), rows, hear)
    assert any(each.startswith(said) for each in notes), notes


def test_series_that_ended_long_before_the_others_are_found_across_parts(models, tmp_path):
    bundle, _ = models("scaled by series")
    frame = panel(30).dropna()
    early = frame["id"] == "s003"
    frame.loc[early, "day"] -= pd.Timedelta(days=400)
    frame.to_parquet(tmp_path / "panel.parquet")
    whole, parts = [], []
    for notes, call in ((whole, predict), (parts, in_parts)):
        hear = lambda event, notes=notes: notes.append(event)  # noqa: E731
        more = {"rows": 60} if call is in_parts else {}
        call(bundle, tmp_path / "panel.parquet", PredictionRequest(), on_event=hear, **more)
    ended = [[each for each in notes if "ended long before" in getattr(each, "text", "")]
             for notes in (whole, parts)]  # fmt: skip
    assert ended[0] == ended[1] and len(ended[0]) == 1
