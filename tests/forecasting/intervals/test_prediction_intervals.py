"""Intervals and sample paths of a prediction: names, sizes, and of what they are made."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.events import Note, ignore
from forecast_cli.data.reading import read_panel
from forecast_cli.forecasting.intervals.conformal import radius, step_sizes
from forecast_cli.forecasting.network_forecaster import NetworkForecaster
from forecast_cli.model.runtime import Runtime
from forecast_cli.training.preparation import make_dataset

ROWS = 240
QUICK = {"column": "y", "horizon": 4, "timesteps": 6}
SHOPS = {**QUICK, "series": "shop"}
LEVEL = (50, 80, 95)
ENDS = [f"y_{end}" for end in ("lo95", "lo80", "lo50", "hi50", "hi80", "hi95")]


def one(name, seed, rows=ROWS, level=50.0):
    draw = np.random.default_rng(seed)
    y = level * (3 + np.sin(np.arange(rows) / 3) + 0.2 * draw.normal(size=rows))
    dates = pd.date_range("2020-01-01", periods=ROWS)[-rows:]
    p, x = draw.normal(size=(2, rows))
    return pd.DataFrame({"shop": name, "date": dates, "y": y, "p": p, "x": x, "size": level})


def shops():
    return pd.concat([one("A", 1), one("B", 2, 200, 5000.0)], ignore_index=True)


def alone():
    return one("A", 1)[["date", "y", "p", "x"]]


@pytest.fixture(scope="module")
def model(linear):
    return linear(alone(), **QUICK)


@pytest.fixture(scope="module")
def panel_model(linear):
    return linear(shops(), **SHOPS)


def width(forecast, level=80, name="y"):
    return (forecast[f"{name}_hi{level}"] - forecast[f"{name}_lo{level}"]).to_numpy()


def ordered(forecast, names=("y",)):
    """Each interval holds the forecast and the narrower ones."""
    for name in names:
        columns = [f"{name}_lo95", f"{name}_lo80", f"{name}_lo50", name, f"{name}_hi50",
                   f"{name}_hi80", f"{name}_hi95"]  # fmt: skip
        assert (np.diff(forecast[columns].to_numpy(), axis=1) >= 0).all()


# Names and sizes.


def test_the_ends_of_intervals_stand_behind_the_forecast(model):
    forecast = model.predict(level=LEVEL)
    assert list(forecast) == ["date", "y", *ENDS]
    pd.testing.assert_frame_equal(forecast[["date", "y"]], model.predict())
    ordered(forecast)
    assert list(model.predict(level=99.5)) == ["date", "y", "y_lo99.5", "y_hi99.5"]


def test_they_reach_as_far_as_the_errors_of_validation_say(model):
    config = fc.configure({**QUICK, "column": ("y",), "preset": "classic"})
    panel = read_panel(alone(), config.data, on_event=ignore)
    dataset = make_dataset(panel, config, on_event=ignore)
    network = NetworkForecaster(dataset, Runtime(model.bundle.onnx))
    origins = dataset.origins("validation")
    actual = dataset.panel.values[:, 0][origins[:, None] + np.arange(4)]
    errors = (actual - network(origins)[..., 0])[..., None]
    reach = radius(np.abs(errors), 80, step_sizes(errors))[:, 0]
    forecast = model.predict(level=80)
    np.testing.assert_allclose(forecast["y_hi80"] - forecast["y"], reach, rtol=1e-5)
    np.testing.assert_allclose(forecast["y"] - forecast["y_lo80"], reach, rtol=1e-5)


def test_the_command_gives_what_python_gives(model, run):
    model.save("model.forecast")
    code, out, err = run("predict", "--level", "95,50,80")
    assert (code, err) == (0, "")
    expected = model.predict(level=LEVEL)
    found = pd.read_csv(io.StringIO(out))
    assert list(found) == ["date", "y", *ENDS]
    np.testing.assert_allclose(found[["y", *ENDS]], expected[["y", *ENDS]], rtol=1e-6)
    document = json.loads(run("predict", "--level", "80", "--json")[1])
    assert set(document["forecast"][0]) == {"date", "y", "y_lo80", "y_hi80"}
    out = run("predict", "--samples", 3, "--seed", 5)[1]
    expected = model.predict(samples=3, seed=5)
    found = pd.read_csv(io.StringIO(out))
    assert list(found) == list(expected) == ["sample", "date", "y"]
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--level", "0"), "must be a percentage"),
        (("--level", "80", "--samples", "3"), "--level has no effect"),
        (("--intervals", "adaptive"), "Pass --level 80,95"),
        (("--seed", "3"), "Pass --samples 100"),
        (("--level", "80", "--intervals", "cqr"), "not trained for intervals by cqr"),
        (("--level", "80", "--state", "s.npy"), "no intervals"),
    ],
)
def test_what_cannot_be_is_refused(model, run, arguments, words):
    model.save("model.forecast")
    code, out, err = run("predict", *arguments)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.slow
@pytest.mark.parametrize("method", ["conformal", "adaptive", "quantile", "cqr"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"column": ("y", "p")},
        {"column": ("y", "p"), "target": "y"},
        {"past_covariates": "p", "future_covariates": "x", "calendar_features": "dayofweek"},
        {"transform": "log", "scaler": "standard"},
    ],
)
def test_every_method_serves_every_table(linear, method, more):
    flat = {**QUICK, **more, "intervals": method, "level": LEVEL}
    frame = alone()
    names = linear(frame, **flat).bundle.manifest.targets
    known = frame if "future_covariates" not in flat else frame.head(ROWS - 4)
    model = linear(known, **flat)
    future = frame.tail(4)[["date", "x"]] if "future_covariates" in flat else None
    for horizon in (4, 2):
        forecast = model.predict(level=LEVEL, future=future, horizon=horizon)
        assert len(forecast) == horizon
        ordered(forecast, names)
        assert np.isfinite(forecast.drop(columns="date")).all(axis=None)
    again = model.predict(known, level=LEVEL, future=future)
    if method != "adaptive":
        whole = model.predict(level=LEVEL, future=future)
        pd.testing.assert_frame_equal(whole, again, rtol=1e-6)


@pytest.mark.parametrize("method", ["conformal", "quantile", "cqr"])
def test_beyond_the_horizon_they_grow_with_the_root(linear, method):
    model = linear(alone(), **QUICK, intervals=method, lower_bound="none")
    heard = []
    far = model.predict(level=80, horizon=16, on_event=heard.append)
    assert [event.warning for event in heard if isinstance(event, Note)] == [True]
    pd.testing.assert_frame_equal(far.head(4), model.predict(level=80), rtol=1e-6)
    expected = width(far)[3] * np.sqrt(np.arange(4, 17) / 4)
    np.testing.assert_allclose(width(far)[3:], expected, rtol=1e-5)


def test_logarithms_have_intervals_above_0(linear):
    frame = alone().assign(y=lambda each: np.exp(np.random.default_rng(0).normal(0, 2, ROWS)))
    model = linear(frame, **QUICK, transform="log", scaler="standard")
    forecast = model.predict(level=(80, 99))
    assert (forecast.drop(columns="date") > 0).all(axis=None)
    above, below = forecast["y_hi80"] - forecast["y"], forecast["y"] - forecast["y_lo80"]
    assert (above > below).all()
    assert (model.predict(samples=20)["y"] > 0).all()


# Many series, and layouts.


def test_each_series_has_intervals_of_its_own_size(panel_model, linear):
    forecast = panel_model.predict(level=LEVEL)
    assert list(forecast) == ["shop", "date", "y", *ENDS]
    ordered(forecast)
    larger = shops()
    larger["y"] = larger["y"].where(larger["shop"] == "A", larger["y"] * 1000)
    other = linear(larger, **SHOPS).predict(level=LEVEL)
    for shop, factor in (("A", 1), ("B", 1000)):
        ours, theirs = (
            each.loc[each["shop"] == shop, ["y", *ENDS]].to_numpy() for each in (forecast, other)
        )
        np.testing.assert_allclose(theirs, factor * ours, rtol=1e-5)


def test_one_of_several_series_is_as_among_all(panel_model):
    everything = panel_model.predict(level=80)
    own = panel_model.predict(level=80, only="B")
    expected = everything[everything["shop"] == "B"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, expected, rtol=1e-6)


def test_tables_whose_columns_are_series_have_columns_for_each(linear):
    wide = shops().pivot(index="date", columns="shop", values="y").dropna().reset_index()
    wide = wide.rename_axis(columns=None)
    flat = {"layout": "columns", "horizon": 4, "timesteps": 6, "column": ("A", "B")}
    forecast = linear(wide, **flat).predict(level=(80,))
    assert list(forecast) == ["date", "A", "A_lo80", "A_hi80", "B", "B_lo80", "B_hi80"]
    assert (width(forecast, name="B") > 20 * width(forecast, name="A")).all()


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
def test_a_series_that_training_has_not_seen_has_the_unit_of_its_own_rows(panel_model, method):
    new = shops().assign(shop=lambda each: each["shop"] + "2")
    new["y"] *= 7.0
    forecast = panel_model.predict(new, level=80, intervals=method)
    known = panel_model.predict(shops(), level=80, intervals=method)
    # The scaler and the unit of a new series know its last rows too.
    ratio = width(forecast) / width(known)
    assert (ratio > 7 * 0.8).all()
    assert (ratio < 7 * 1.25).all()


def test_two_names_of_a_column_are_refused(linear):
    frame = alone().rename(columns={"p": "y_lo80"})
    model = linear(frame, column=("y", "y_lo80"), horizon=4, timesteps=6)
    with pytest.raises(fc.UsageError, match="would share a name"):
        model.predict(level=80)


# What adaptive ones follow.


@pytest.mark.parametrize("rows", [60, 90, 150])
def test_adaptive_intervals_follow_the_latest_errors(model, rows):
    """Also of a table that holds few rows, all of them new."""
    calm, wild = one("A", 5, rows), one("A", 5, rows)
    for each in (calm, wild):
        each["date"] += pd.DateOffset(years=40)
    noise = np.random.default_rng(8).normal(0, 60, 30)
    wild.loc[rows - 40 : rows - 11, "y"] += noise
    widths = [
        width(model.predict(each, level=80, intervals="adaptive")).mean() for each in (calm, wild)
    ]
    assert widths[1] > 1.5 * widths[0]
    same = [width(model.predict(each, level=80)).mean() for each in (calm, wild)]
    assert same[0] == pytest.approx(same[1], rel=1e-5)


def test_adaptive_intervals_of_the_kept_rows_know_the_errors_of_the_test(linear):
    frame = alone()
    frame.loc[ROWS - 40 :, "y"] += np.random.default_rng(8).normal(0, 100, 40)
    model = linear(frame, **QUICK)
    assert model.bundle.calibration.ended.size[0, 0] > 1.5
    kept = width(model.predict(level=80, intervals="adaptive"))
    np.testing.assert_array_equal(kept, width(model.predict(frame, level=80, intervals="adaptive")))
    assert (kept > 1.3 * width(model.predict(level=80))).all()


# Paths.


def test_paths_are_rows_with_their_number(panel_model):
    found = panel_model.predict(samples=50, horizon=6)
    assert list(found) == ["shop", "sample", "date", "y"]
    assert len(found) == 2 * 50 * 6
    assert found.groupby(["shop", "sample"]).size().eq(6).all()
    first = found[(found["shop"] == "A") & (found["sample"] == 1)]
    assert first["date"].is_monotonic_increasing
    pd.testing.assert_frame_equal(found, panel_model.predict(samples=50, horizon=6, seed=0))
    assert (found["y"] != panel_model.predict(samples=50, horizon=6, seed=1)["y"]).any()


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
def test_quantiles_of_paths_are_the_ends_of_intervals(panel_model, method):
    whole = panel_model.predict(level=80, intervals=method)
    found = panel_model.predict(samples=4000, intervals=method)
    groups = found.groupby(["shop", "date"])["y"]
    # Intervals of few errors are made of all steps together.
    for quantile, end in ((0.1, "lo"), (0.9, "hi")):
        reach = groups.quantile(quantile).to_numpy() - whole["y"]
        expected = whole[f"y_{end}80"] - whole["y"]
        assert np.mean(reach / expected) == pytest.approx(1.0, abs=0.15)


def test_sums_over_paths_are_less_sure_than_if_steps_were_independent(linear):
    walk = pd.DataFrame({"y": 100 + np.random.default_rng(0).normal(size=800).cumsum()})
    model = linear(walk, **QUICK)
    found = model.predict(samples=2000).pivot(index="sample", columns="step", values="y")
    together = found.sum(axis=1).std()
    assert together > 1.3 * np.sqrt((found.std() ** 2).sum())


# What a model cannot do.


def test_without_validation_there_are_no_intervals(linear):
    model = linear(alone(), **QUICK, validation=0)
    for more in ({"level": 80}, {"samples": 3}, {"level": 80, "intervals": "adaptive"}):
        with pytest.raises(fc.UsageError, match="`validation` above 0"):
            model.predict(**more)
    assert len(model.predict()) == 4


def test_quantiles_need_no_validation_but_paths_do(linear):
    model = linear(alone(), **QUICK, validation=0, intervals="quantile")
    assert list(model.predict(level=80)) == ["date", "y", "y_lo80", "y_hi80"]
    with pytest.raises(fc.UsageError, match="Sample paths are drawn from the forecast errors"):
        model.predict(samples=3)


def test_errors_that_all_have_a_hole_make_no_paths(model):
    calibration = model.bundle.calibration
    errors = calibration.errors.copy()
    errors[:, 1] = np.nan
    bundle = replace(model.bundle, calibration=replace(calibration, errors=errors))
    with pytest.raises(fc.UsageError, match="without a missing value"):
        fc.Model(bundle).predict(samples=3)
    assert np.isfinite(fc.Model(bundle).predict(level=80)["y_lo80"]).all()


@pytest.mark.parametrize("method", ["quantile", "cqr"])
def test_levels_that_were_not_trained_are_named(linear, method):
    model = linear(alone(), **QUICK, intervals=method)
    with pytest.raises(fc.UsageError, match="the levels 80, 95, not 90"):
        model.predict(level=90)
    assert "y_lo90" in model.predict(level=90, intervals="conformal")


def test_few_errors_are_told(linear):
    model, heard = linear(alone(), **QUICK, validation=10), []
    model.predict(level=(80, 95), on_event=heard.append)
    (note,) = [event for event in heard if isinstance(event, Note)]
    assert note.warning and "7 validation forecasts are too few" in note.text


def test_a_model_keeps_its_intervals_in_its_file(panel_model, tmp_path):
    panel_model.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    for more in ({"level": LEVEL}, {"level": 80, "intervals": "adaptive"}, {"samples": 5}):
        pd.testing.assert_frame_equal(loaded.predict(**more), panel_model.predict(**more))


def test_a_model_of_the_first_format_says_that_it_has_none(golden):
    with pytest.raises(fc.UsageError, match="`validation` above 0"):
        fc.load(golden).predict(level=80)


@pytest.mark.slow
@pytest.mark.tf
def test_a_network_whose_state_lives_on_has_intervals_too():
    plain = {"preset": "classic", "stateful": True, "units": 4, "epochs": 1}
    model = fc.train(alone(), **QUICK, **plain)
    ordered(model.predict(level=LEVEL))
    ordered(model.predict(alone(), level=LEVEL, intervals="adaptive"))
    assert len(model.predict(samples=3)) == 12


@pytest.mark.slow
@pytest.mark.tf
def test_networks_under_dropout_say_how_sure_they_are():
    flat = {**QUICK, "units": 4, "epochs": 1, "dropout": 0.3, "intervals": "dropout"}
    model = fc.train(alone(), preset="classic", **flat)
    forecast = model.predict(level=LEVEL, horizon=6)
    ordered(forecast)
    pd.testing.assert_frame_equal(forecast, model.predict(level=LEVEL, horizon=6))
    assert model.evaluation.intervals[0].coverage["y"] > 40
