"""Models of the pretrained network: nothing is trained, all else is as of other models."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.backtesting.plan import Plan
from forecast_cli.baselines.pretrained.forecaster import forecast_quantiles
from forecast_cli.baselines.pretrained.network import MEDIAN
from forecast_cli.core.errors import ModelFileError, UsageError
from forecast_cli.core.events import Note
from forecast_cli.training.resolved_settings import resolve_settings

from ..frames import seasonal_frame

HORIZON, SEASON = 6, 12
# The precision of the numbers in forecasts.
SAME = {"rtol": 1e-6}


def months(rows=90, seed=0, factor=1.0):
    return seasonal_frame(rows, "MS", seed=seed)[["date", "value"]].assign(
        value=lambda frame: factor * frame["value"]
    )


def shops(*rows):
    parts = [
        months(count, seed, 10.0**seed).assign(shop=f"shop {seed}")
        for seed, count in enumerate(rows)
    ]
    return pd.concat(parts, ignore_index=True)


def train(frame, **settings):
    settings = {"column": "value", "horizon": HORIZON, "preset": "pretrained"} | settings
    return fc.train(frame, **settings)


def medians(values):
    """What the pretrained network forecasts of a series by itself."""
    return forecast_quantiles([values.to_numpy()], HORIZON, SEASON)[0, :, MEDIAN]


def error_of(frame, count=18):
    """The mean absolute error of its forecasts from all origins of so many last rows."""
    values = frame["value"]
    origins = range(len(frame) - count, len(frame) - HORIZON + 1)
    errors = [(values[at : at + HORIZON] - medians(values[:at])).abs().mean() for at in origins]
    return float(np.mean(errors))


@pytest.fixture(scope="module")
def model():
    return train(months())


def test_a_command_trains_without_what_trains(tmp_path):
    months().to_csv(tmp_path / "t.csv", index=False)
    line = ["train", "t.csv", "-c", "value", "--preset", "pretrained", "--no-chart"]
    code = (
        "import sys; from forecast_cli.cli.app import run\n"
        f"print(run({line}), *{{'tensorflow', 'keras', 'sklearn', 'joblib'}} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert "nothing is trained" in done.stderr
    assert fc.load(tmp_path / "model.forecast").predict().shape == (9, 2)


def test_forecasts_are_those_of_the_network_from_all_rows(model, tmp_path):
    frame = months()
    expected = medians(frame["value"])
    np.testing.assert_allclose(model.predict()["value"], expected, **SAME)
    np.testing.assert_allclose(model.predict(frame)["value"], expected, **SAME)
    model.save(tmp_path / "m.forecast")
    again = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(again.predict(level=80), model.predict(level=80))


def test_it_says_what_it_is(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    text = fc.load(tmp_path / "m.forecast").summary()
    for part in ("pretrained network, nothing trained", "simulated series alone", "SHA-256"):
        assert part in text
    assert model.evaluation.model == "pretrained"
    assert {"naive", "seasonal-naive"} <= model.evaluation.scores.keys()
    assert model.bundle.epochs == []


def test_the_scores_are_those_of_forecasts_from_earlier_rows(model):
    assert model.evaluation.own_scores["mae"]["value"] == pytest.approx(error_of(months()))


def test_more_steps_go_on_from_the_same_rows(model):
    long = model.predict(horizon=3 * HORIZON, level=(80, 95))
    own = model.predict(level=(80, 95))
    pd.testing.assert_frame_equal(long[:HORIZON], own)
    direct = forecast_quantiles([months()["value"].to_numpy()], 3 * HORIZON, SEASON)[0, :, MEDIAN]
    np.testing.assert_allclose(long["value"][HORIZON:], direct[HORIZON:], **SAME)


def test_intervals_are_ordered_and_not_below_zero():
    frame = months(60).assign(value=lambda frame: frame["value"] - frame["value"].min())
    ends = train(frame, level=(50, 80, 99)).predict(level=(50, 80, 99))
    names = ["lo99", "lo80", "lo50", None, "hi50", "hi80", "hi99"]
    columns = ends[[f"value_{each}" if each else "value" for each in names]].to_numpy()
    assert np.isfinite(columns).all()
    assert (np.diff(columns) >= 0).all()
    assert (columns >= 0).all()
    assert (columns[:, -1] > columns[:, 0]).all()


def test_each_series_is_forecast_by_itself():
    frame = shops(90, 40, 17)
    made = train(frame, series="shop").predict()
    for name, own in frame.groupby("shop"):
        found = made.loc[made["shop"] == name, "value"]
        np.testing.assert_allclose(found, medians(own["value"]), **SAME)
    new = train(frame[frame["shop"] != "shop 1"], series="shop").predict(frame)
    np.testing.assert_allclose(new["value"], made["value"], **SAME)


def test_each_column_is_forecast_by_itself():
    frame = months().assign(other=months(seed=3)["value"].to_numpy() ** 2)
    made = train(frame, column=("value", "other")).predict()
    for name in ("value", "other"):
        np.testing.assert_allclose(made[name], medians(frame[name]), **SAME)


@pytest.mark.parametrize("factor", [1e-140, 1e9, 1e140])
def test_forecasts_have_the_unit_of_the_values(model, factor):
    made = train(months(factor=factor)).predict(level=80)
    expected = factor * model.predict(level=80).iloc[:, 1:]
    np.testing.assert_allclose(made.iloc[:, 1:], expected, rtol=1e-4)


def test_a_counter_keeps_its_steps():
    frame = months().assign(value=lambda frame: 1e9 + frame["value"].cumsum())
    assert train(frame).evaluation.own_scores["mae"]["value"] == pytest.approx(error_of(frame))


def test_updates_and_rows_one_by_one_make_the_same_forecasts(model):
    frame = months(96)
    expected = model.predict(frame)["value"]
    updated = model.update(frame[90:])
    np.testing.assert_allclose(updated.predict()["value"], expected, **SAME)
    stream = model.stream()
    for row in frame[["date", "value"]].to_dict("records"):
        last = stream.push(row)
    made = [each["value"] for each in last]
    np.testing.assert_allclose(made, expected, **SAME)


def test_one_step_forecasts_begin_with_the_third_row(model):
    frame = months()
    made = model.predict_in_sample(frame)
    assert len(made) == len(frame) - 2
    assert made["value_forecast"].iloc[-1] == pytest.approx(
        medians(frame["value"][:-1])[0], rel=1e-6
    )


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"units": 8}, "units"),
        ({"timesteps": 12}, "timesteps"),
        ({"epochs": 3}, "epochs"),
        ({"ensemble": 3}, "size"),
        ({"transform": "log"}, "transform"),
        ({"intervals": "ensemble"}, "intervals=ensemble"),
        ({"missing": "mask"}, "missing=mask"),
        ({"mode": "many-to-one"}, "mode=many-to-one"),
        ({"past_covariates": "other"}, "other"),
    ],
    ids=str,
)
def test_what_it_cannot_take_into_account_is_refused(settings, what):
    frame = months().assign(other=1.0 + np.arange(90) % 7)
    with pytest.raises(UsageError, match=what) as error:
        train(frame, **settings)
    assert "preset=trained" in error.value.hint


def test_there_are_no_weights_to_start_from_or_to_export(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    with pytest.raises(UsageError, match="no weights to start from"):
        fc.train(months(), column="value", init_model=tmp_path / "m.forecast")
    with pytest.raises(UsageError, match="cannot be exported"):
        model.export(tmp_path / "folder")


def test_settings_that_leave_nothing_open_make_the_same_model(model):
    notes = []
    given = fc.configure(column="value", horizon=HORIZON, preset="pretrained")
    config, _ = resolve_settings(months(), given, on_event=notes.append)
    assert config.network.pretrained
    whole = fc.configure(base=config.model_dump(exclude_none=True))
    again = fc.train(months(), config=whole, on_event=notes.append)
    pd.testing.assert_frame_equal(again.predict(level=80), model.predict(level=80))
    assert any("nothing is trained" in each.text for each in notes if isinstance(each, Note))


def test_a_network_that_is_read_otherwise_by_a_later_version_is_refused(model):
    bundle = model.bundle
    later = tuple(1.1 * each for each in bundle.manifest.probe)
    manifest = bundle.manifest.model_copy(update={"probe": later})
    with pytest.raises(ModelFileError, match="Train again"):
        fc.Model(replace(bundle, manifest=manifest)).predict()


def test_a_backtest_compares_it():
    plan = Plan(("pretrained", "naive"), n_windows=2, jobs=1)
    rows = fc.backtest(months(), plan, column="value", horizon=HORIZON).scores
    errors = {row["model"]: row["mae"] for row in rows}
    assert errors["pretrained"] < errors["naive"]


def finetune(frame, **settings):
    settings = {"series": "shop", "init_model": "pretrained", "learning_rate": 2e-3} | settings
    settings = {"column": "value", "horizon": HORIZON} | settings
    return fc.train(frame, **settings)


PANEL = (60, 60, 60, 52, 40)


@pytest.fixture(scope="module")
def finetuned():
    return finetune(shops(*PANEL))


@pytest.mark.tf
def test_a_finetuned_network_is_in_the_model(finetuned, tmp_path):
    packaged = train(shops(*PANEL), series="shop").predict(level=80)
    own = finetuned.predict(level=80)
    assert (own["value"] != packaged["value"]).any()
    np.testing.assert_allclose(own["value"], packaged["value"], rtol=0.2)
    finetuned.save(tmp_path / "m.forecast")
    again = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(again.predict(level=80), own)
    assert "pretrained network, fine-tuned" in again.summary()
    assert len(again.bundle.epochs) == 2
    newer = again.update(shops(*(rows + 2 for rows in PANEL)).groupby("shop").tail(2))
    assert len(newer.predict()) == len(own)


@pytest.mark.slow
@pytest.mark.tf
def test_finetuning_reads_no_row_of_the_test_split_and_is_repeatable(finetuned):
    frame = shops(*PANEL)
    # The test split is the last fifth.
    last = frame.groupby("shop").cumcount(ascending=False) < 6
    frame.loc[last, "value"] *= 3
    other = finetune(frame)
    assert other.bundle.onnx == finetuned.bundle.onnx
    assert other.evaluation.own_scores["mae"] != finetuned.evaluation.own_scores["mae"]


@pytest.mark.slow
@pytest.mark.tf
def test_a_finetuning_that_does_not_validate_is_given_up():
    notes, frame = [], shops(40, 40, 40)
    made = finetune(frame, learning_rate=0.5, epochs=1, on_event=notes.append)
    assert any("is kept as it was" in each.text for each in notes if isinstance(each, Note))
    expected = train(frame, series="shop").predict(level=80)
    pd.testing.assert_frame_equal(made.predict(level=80), expected)
    assert "nothing trained" in made.summary()


@pytest.mark.tf
@pytest.mark.slow
def test_a_resumed_finetuning_ends_with_the_same_network(finetuned, tmp_path):
    from forecast_cli.core.events import Epoch

    def end(event):
        if isinstance(event, Epoch):
            raise KeyboardInterrupt

    path = tmp_path / "m.forecast"
    with pytest.raises(KeyboardInterrupt):
        finetune(shops(*PANEL), path=path, on_event=end)
    again = finetune(shops(*PANEL), path=path, resume=True)
    assert again.bundle.onnx == finetuned.bundle.onnx


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"units": 8}, "units"),
        ({"loss": "mae"}, "loss"),
        ({"past_covariates": "other"}, "other"),
        ({"preset": "best"}, "preset=best"),
        ({"rescale": True}, "rescale"),
    ],
    ids=str,
)
def test_what_a_finetuning_cannot_take_into_account_is_refused(settings, what):
    frame = months().assign(other=1.0 + np.arange(90) % 7)
    with pytest.raises(UsageError, match=what):
        fc.train(frame, column="value", init_model="pretrained", **settings)


def test_settings_of_a_finetuning_are_chosen():
    given = fc.configure(column="value", series="shop", preset="pretrained", epochs=5)
    given = given.changed(network={"pretrained": True, "finetuned": True})
    config, sources = resolve_settings(shops(60, 60), given, on_event=lambda _: None)
    assert config.network.finetuned
    assert (config.training.epochs, config.training.batch_size) == (5, 64)
    assert sources["training.batch_size"] == "preset"
