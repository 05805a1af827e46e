"""A loaded model in Python: what it says of itself, predicts and scores, without TensorFlow."""

from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest

import forecast_cli as fc
from forecast_cli.api.model import PredictionOptions, Reading
from forecast_cli.forecasting.history import READ_ANEW


@pytest.fixture(scope="module", params=["1", "2", "2-labels", "3", "4", "5"])
def any_model(request, golden):
    return fc.load(golden.with_name(f"format-{request.param}.forecast"))


@pytest.fixture(scope="module")
def model(golden):
    return fc.load(golden.with_name("format-5.forecast"))


@pytest.fixture(scope="module")
def rows():
    """Sixty months that end after those that the model has learned from."""
    steps = np.arange(60)
    values = 115 + 0.2 * steps + 8 * np.sin(steps / 2) + np.random.default_rng(0).normal(size=60)
    return pd.DataFrame(
        {"date": pd.date_range("2002-01-01", periods=60, freq="MS"), "value": values}
    )


@pytest.fixture
def path(rows, tmp_path):
    rows.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def test_a_model_shows_itself_in_ten_lines_at_most(any_model):
    lines = repr(any_model).splitlines()
    assert lines[0] == "Model"
    assert 4 <= len(lines) <= 10
    assert max(map(len, lines)) <= 102
    targets = any_model.bundle.manifest.labels or any_model.bundle.manifest
    assert getattr(targets, "names", any_model.bundle.manifest.targets)[0] in repr(any_model)
    assert any_model.evaluation.verdict[:60] in repr(any_model)


def test_a_notebook_shows_the_same_and_the_scores(any_model):
    shown = any_model._repr_html_()
    assert shown.startswith("<pre>Model")
    for name in any_model.evaluation.scores:
        assert f"<td>{name}</td>" in shown


def test_the_summary_has_layers_facts_and_scores(any_model):
    summary = any_model.summary()
    for layer in any_model.bundle.manifest.layers:
        assert layer.name in summary
    for word in ("parameters", "scaler", "trained", "created", any_model.evaluation.verdict):
        assert word in summary


def test_the_summary_has_the_precision_of_a_training_that_was_not_the_usual_one(model):
    assert "float" not in model.summary().partition("trained ")[2].partition("created")[0]
    bundle = model.bundle
    config = bundle.manifest.config.changed(training={"precision": "mixed_bfloat16"})
    other = replace(bundle, manifest=bundle.manifest.model_copy(update={"config": config}))
    assert ", seed 0, mixed_bfloat16\n" in fc.Model(other).summary()


def test_the_training_history_has_a_row_for_each_epoch(any_model):
    history = any_model.history
    assert len(history) == len(any_model.bundle.epochs)
    assert history["epoch"].iloc[0] == 1
    assert {"loss", "validation_loss", "best", "seconds", "windows"} <= set(history.columns)
    assert history["loss"].tolist() == [each["loss"] for each in any_model.bundle.epochs]


def test_options_that_read_a_table_are_those_that_a_prediction_knows():
    assert set(Reading.__annotations__) == set(READ_ANEW)
    assert set(PredictionOptions.__annotations__) > set(READ_ANEW)


def test_any_form_of_the_table_gives_the_same_forecast(model, rows, path):
    expected = model.predict(path, horizon=2)
    pd.testing.assert_frame_equal(model.predict(rows, horizon=2), expected)
    pd.testing.assert_frame_equal(model.predict(pl.from_pandas(rows), horizon=2), expected)


def test_a_single_marker_of_missing_values_is_one_of_several(model, path):
    path.write_text(path.read_text().replace("2003-05-01,", "2003-05-01,gone#"))
    path.write_text("\n".join(line.partition("#")[0] for line in path.read_text().splitlines()))
    one, several = (model.predict(path, na=na, missing="interpolate") for na in ("gone", ["gone"]))
    pd.testing.assert_frame_equal(one, several)


def test_an_unknown_option_is_refused(model, rows):
    with pytest.raises(fc.UsageError, match='no option "lebel"'):
        model.predict(rows, lebel=80)


def test_residuals_of_a_table_are_its_values_minus_one_step_forecasts(model, rows):
    found, both = model.residuals(rows), model.predict_in_sample(rows)
    for name in model.bundle.manifest.targets:
        expected = both[name] - both[f"{name}_forecast"]
        np.testing.assert_array_equal(found[name], expected)
    assert f"{name}_forecast" not in found


def test_residuals_without_a_table_are_the_validation_errors(model):
    found, errors = model.residuals(), model.bundle.calibration.of_forecasts
    for number, name in enumerate(model.bundle.manifest.targets):
        own = found.set_index(["origin", "step"])[name]
        for origin, step in [(1, 1), (len(errors), 1), (1, errors.shape[1])]:
            assert own[origin, step] == errors[origin - 1, step - 1, number]


def test_a_model_without_validation_errors_says_so(golden):
    with pytest.raises(fc.UsageError, match="no validation errors"):
        fc.load(golden).residuals()


def test_inspect_shows_a_model_or_a_table(model, rows, golden, path, tmp_path):
    assert fc.inspect(model) is model
    assert repr(fc.inspect(golden.with_name("format-5.forecast"))) == repr(model)
    report = fc.inspect(rows)
    assert report.rows == len(rows)
    assert report.train.startswith("forecast train DATA")
    assert fc.inspect(path).rows == len(rows)
    with pytest.raises(fc.UsageError, match="`time` has no effect on a model"):
        fc.inspect(model, time="date")
    with pytest.raises(fc.ModelFileError):
        fc.inspect(tmp_path / "none.forecast")


def test_evaluate_scores_a_model_as_its_method_does(model, rows, golden):
    path = golden.with_name("format-5.forecast")
    expected = model.evaluate(rows)
    assert fc.evaluate(path, rows) == fc.evaluate(model, rows) == expected
    assert fc.evaluate(model, rows, level=50).report.overall != expected.report.overall


def test_evaluate_scores_a_table_of_forecasts():
    dates = pd.date_range("2024-01-01", periods=12)
    actual = pd.DataFrame({"date": dates, "y": np.arange(12.0)})
    forecast = pl.DataFrame({"date": dates[8:], "y": np.arange(8.0, 12.0) + 2})
    report = fc.evaluate(forecast, actual, column="y")
    scores = {row["measure"]: row["forecast"] for row in report.overall}
    # The season of days is a week, over which the actual values grow by seven.
    assert (scores["mae"], scores["bias"], scores["mase"]) == (2, 2, pytest.approx(2 / 7))
    named = forecast.rename({"y": "model"})
    assert fc.evaluate(named, actual, forecast="model", column="y").overall[0]["forecast"] == 2


def test_evaluate_and_inspect_refuse_unknown_settings(rows):
    with pytest.raises(fc.UsageError, match='no setting "colum"'):
        fc.inspect(rows, colum="y")
    with pytest.raises(fc.UsageError, match='no setting "colum"'):
        fc.evaluate(rows, rows, colum="y")


def test_the_former_name_of_start_still_works(model, rows):
    date = rows["date"].iloc[-6]
    with pytest.warns(DeprecationWarning, match="`begin` is deprecated: use `start`"):
        former = model.predict(rows, begin=date)
    pd.testing.assert_frame_equal(former, model.predict(rows, start=date))
    with pytest.warns(DeprecationWarning, match="use `start`"):
        former = fc.evaluate(model, rows, begin=date)
    assert former.report == fc.evaluate(model, rows, start=date).report


def test_results_are_shown_in_ten_lines(linear, frame):
    model = linear(frame, column="value", horizon=3, timesteps=6)
    plan = fc.Plan(models=("naive", "drift"), n_windows=2)
    results = [
        model,
        model.evaluate(frame),
        fc.evaluate(model.predict(frame[:-3]), frame, column="value"),
        fc.inspect(frame),
        fc.backtest(frame, plan, column="value", horizon=3),
    ]
    for each in results:
        assert len(repr(each).splitlines()) <= 10
        assert "<pre>" in each._repr_html_()
    assert len(repr(model.bundle)) < 1000


@pytest.mark.slow
def test_a_backtest_shows_its_windows(frame, capsys):
    pytest.importorskip("statsforecast")
    plan = fc.Plan(models=("theta",), n_windows=3, jobs=1, keep=False)
    fc.backtest(frame, plan, column="value", horizon=3, progress=True)
    assert capsys.readouterr().err.splitlines()[-1] == "3 of 3 windows"
    fc.backtest(frame, plan, column="value", horizon=3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("terminal", "given", "shown"),
    [
        (False, {}, False),
        (False, {"progress": True}, True),
        (True, {"progress": False}, False),
        (True, {"on_event": print}, False),
        (True, {}, True),
    ],
)
def test_training_shows_its_epochs_where_somebody_waits(
    linear_training, frame, capsys, monkeypatch, terminal, given, shown
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    settings = {"preset": "classic", "horizon": 3, "timesteps": 6, "epochs": 3}
    fc.train(frame, column="value", **settings, **given)
    said = capsys.readouterr().err
    assert ("epoch 3/3" in said or "scoring" in said) == shown
