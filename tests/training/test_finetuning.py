"""Training that goes on from a model: where it begins, its scaler, and what cannot change."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.errors import DataError, UsageError
from forecast_cli.core.events import Note

pytestmark = pytest.mark.tf
QUICK = {"preset": "classic", "units": 3, "epochs": 2, "patience": 0, "batch_size": 128}
SMALL = {**QUICK, "column": "value", "horizon": 3, "timesteps": 6}
# No weight moves by so small a step.
STILL = {"epochs": 1, "learning_rate": 1e-12}
STEPS = np.arange(240)
MONTHS = pd.DataFrame(
    {
        "date": pd.date_range("2000-01-01", periods=240, freq="MS"),
        "value": 100 + 0.1 * STEPS + 10 * np.sin(np.pi * STEPS / 6) + np.sin(STEPS**2),
        "other": np.sin(STEPS / 5),
    }
)
# More rows, of another level.
LATER = MONTHS.assign(date=MONTHS["date"] + pd.DateOffset(years=5), value=MONTHS["value"] * 2)


@pytest.fixture(scope="module")
def model():
    return fc.train(MONTHS, **SMALL)


def shops(*named):
    """Series of unlike levels."""
    parts = [MONTHS.assign(shop=name, value=MONTHS["value"] * by) for name, by in named]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def panel_model():
    return fc.train(shops(("a", 1), ("b", 9)), series="shop", **SMALL)


@pytest.mark.slow
def test_it_begins_with_the_weights_of_the_model(model):
    still = fc.train(MONTHS, init_model=model, **STILL)
    np.testing.assert_allclose(still.predict()["value"], model.predict()["value"], rtol=1e-6)
    assert still.bundle.manifest.scaling == model.bundle.manifest.scaling
    changed = fc.train(MONTHS, init_model=model, epochs=1)
    assert np.abs(changed.predict()["value"] - model.predict()["value"]).max() > 1e-3


@pytest.mark.slow
def test_a_path_does_for_a_model_and_what_comes_out_is_a_model(model, tmp_path):
    model.save(tmp_path / "first.forecast")
    still = fc.train(MONTHS, init_model=tmp_path / "first.forecast", **STILL)
    still.save(tmp_path / "second.forecast")
    loaded = fc.load(tmp_path / "second.forecast")
    pd.testing.assert_frame_equal(loaded.predict(), still.predict())
    assert loaded.config.window == model.config.window
    assert loaded.config.network == model.config.network
    assert loaded.config.training.learning_rate == 1e-12
    assert loaded.config.training.batch_size == 128


def test_another_table_is_read_by_the_scaler_of_the_model(model):
    still = fc.train(LATER, init_model=model, **STILL)
    assert still.bundle.manifest.scaling == model.bundle.manifest.scaling
    expected = model.predict(LATER)
    assert still.predict()["date"].tolist() == expected["date"].tolist()
    np.testing.assert_allclose(still.predict()["value"], expected["value"], rtol=1e-6)


@pytest.mark.slow
def test_a_scaler_that_is_fitted_anew_is_that_of_a_fresh_training(model):
    rescaled = fc.train(LATER, init_model=model, rescale=True, **STILL)
    fresh = fc.train(LATER, **SMALL)
    assert rescaled.bundle.manifest.scaling == fresh.bundle.manifest.scaling
    assert rescaled.bundle.manifest.scaling != model.bundle.manifest.scaling
    # The same shape in other units, and the network that reads it is the same.
    expected = 2 * model.predict()["value"]
    np.testing.assert_allclose(rescaled.predict()["value"], expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rescale", [False, True])
def test_the_test_part_moves_neither_weights_nor_scaler(model, rescale):
    changed = LATER.copy()
    changed.loc[192:, "value"] = np.linspace(-1000, 1000, 48)
    before, after = (
        fc.train(table, init_model=model, rescale=rescale, epochs=1) for table in (LATER, changed)
    )
    assert after.bundle.weights == before.bundle.weights
    assert after.bundle.manifest.scaling == before.bundle.manifest.scaling
    assert after.evaluation != before.evaluation


@pytest.mark.slow
def test_a_series_that_is_new_is_scaled_by_its_own_training_rows(panel_model):
    heard = []
    table = shops(("b", 9), ("c", 500))
    still = fc.train(table, init_model=panel_model, on_event=heard.append, **STILL)
    said = [event.text for event in heard if isinstance(event, Note)]
    assert any("1 series is new to the model" in text for text in said)
    scaling, before = still.bundle.scaling, panel_model.bundle.scaling
    np.testing.assert_array_equal(scaling.scale[0], before.scale[1])
    rows = table.loc[table["shop"] == "c", "value"].to_numpy()[: 240 - 48 - 24]
    assert scaling.center[1, 0] == pytest.approx(rows.min())
    assert scaling.scale[1, 0] == pytest.approx(np.ptp(rows))
    forecast = still.predict()
    assert forecast["shop"].tolist() == ["b"] * 3 + ["c"] * 3
    expected = panel_model.predict(only="b")["value"]
    np.testing.assert_allclose(forecast["value"][:3], expected, rtol=1e-5)


@pytest.mark.usefixtures("linear_training")
def test_a_refit_keeps_the_scaler_unless_it_is_fitted_anew(model):
    kept = fc.train(LATER, init_model=model, refit=True, **STILL)
    assert kept.bundle.manifest.run.refitted
    assert kept.bundle.manifest.scaling == model.bundle.manifest.scaling
    rescaled = fc.train(LATER, init_model=model, refit=True, rescale=True, **STILL)
    numbers = rescaled.bundle.manifest.scaling
    whole = LATER["value"]
    assert numbers.center[0] == pytest.approx(whole.min())
    assert numbers.scale[0] == pytest.approx(np.ptp(whole))


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"ensemble": 2, "combine": "median", "member_timesteps": [12, 6]},
        {"baselines": ["seasonal-naive", "naive"]},
        {"ensemble": 2, "intervals": "ensemble", "anchor": "last", "window_scale": "usual"},
    ],
    ids=["networks", "baselines", "spread"],
)
def test_an_ensemble_goes_on_from_all_its_networks(how):
    settings = {**SMALL, "timesteps": 12} | how
    model = fc.train(MONTHS, **settings)
    still = fc.train(MONTHS, init_model=model, **STILL)
    ours, theirs = still.predict(level=80), model.predict(level=80)
    np.testing.assert_allclose(ours["value"], theirs["value"], rtol=1e-5)
    np.testing.assert_allclose(ours["value_hi80"], theirs["value_hi80"], rtol=1e-4)
    assert still.config.ensemble == model.config.ensemble


@pytest.mark.usefixtures("linear_training")
def test_the_learning_rate_is_a_tenth_where_none_is_said(model):
    heard = []
    refined = fc.train(MONTHS, init_model=model, epochs=1, on_event=heard.append)
    assert refined.config.training.learning_rate == pytest.approx(1e-4)
    said = [event.text for event in heard if isinstance(event, Note)]
    assert any("a tenth of the model's (set `learning_rate`" in text for text in said)


@pytest.mark.slow
def test_the_last_weights_may_be_averaged_where_patience_was_at_work():
    model = fc.train(MONTHS, **{**SMALL, "patience": 5})
    assert fc.train(MONTHS, init_model=model, average=1, **STILL).config.training.average == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"units": 5}, r"`network\.layers\.0\..*` is determined by the model"),
        ({"timesteps": 8}, r"`window\.timesteps` is determined by the model"),
        ({"horizon": 8}, r"`window\.horizon` is determined by the model"),
        ({"transform": "log"}, "`transform` is determined by the model"),
        ({"scaler": "standard"}, "`scaler` is determined by the model"),
        ({"anchor": "last"}, r"`network\.anchor` is determined by the model"),
        ({"ensemble": 3}, r"`ensemble\.size` is determined by the model"),
    ],
)
def test_what_weights_depend_on_cannot_change(model, settings, words):
    with pytest.raises(UsageError, match=words + ".*train from scratch, without `init_model`"):
        fc.train(MONTHS, init_model=model, **settings)


@pytest.mark.parametrize("settings", [{"intervals": "quantile", "loss": "pinball"},
                                      {"intervals": "cqr", "loss": "pinball"}])  # fmt: skip
def test_a_network_of_values_cannot_go_on_as_one_of_quantiles(model, settings):
    with pytest.raises(UsageError, match="quantiles"):
        fc.train(MONTHS, init_model=model, **settings, **STILL)


@pytest.mark.slow
def test_levels_of_quantiles_stay(model):
    quantiles = fc.train(MONTHS, intervals="quantile", level=(80,), **SMALL)
    with pytest.raises(UsageError, match="quantiles"):
        fc.train(MONTHS, init_model=quantiles, level=(50, 90), **STILL)
    calibrated = fc.train(MONTHS, init_model=quantiles, intervals="cqr", **STILL)
    assert calibrated.config.intervals == "cqr"
    # What errors are made of is free.
    assert fc.train(MONTHS, init_model=model, level=(50,), **STILL).config.level == (50.0,)


@pytest.mark.usefixtures("linear_training")
def test_a_network_that_cannot_skip_steps_is_given_none(model):
    gaps = MONTHS.copy()
    gaps.loc[50:52, "value"] = np.nan
    with pytest.raises(UsageError, match="no mask: it cannot skip missing steps"):
        fc.train(gaps, init_model=model, missing="mask", **STILL)
    filled = fc.train(gaps, init_model=model, missing="interpolate", **STILL)
    assert np.isfinite(filled.predict()["value"]).all()


def test_other_columns_are_refused(model):
    with pytest.raises(DataError, match=r"gives the network 2 columns.*the model reads 1"):
        fc.train(MONTHS, init_model=model, column=["value", "other"], **STILL)
    # One of another name is one of the same kind.
    renamed = MONTHS.rename(columns={"value": "price"})
    still = fc.train(renamed, init_model=model, column="price", **STILL)
    np.testing.assert_allclose(still.predict()["price"], model.predict()["value"], rtol=1e-6)


def test_a_table_that_is_shorter_than_the_window_is_refused(model):
    with pytest.raises(DataError, match="the model has a lookback of 6"):
        fc.train(MONTHS.head(4), init_model=model, **STILL)


@pytest.mark.usefixtures("linear_training")
def test_labels_cannot_be_refined():
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(60, 5)), columns=[*"abcd", "y"])
    labelled = fc.train(table, label="y", layout="rows", **QUICK)
    with pytest.raises(UsageError, match="maps sequences to labels"):
        fc.train(table, init_model=labelled, **STILL)


def test_a_model_of_the_first_format_can_be_gone_on_from(golden):
    old = fc.load(golden)
    names = list(old.bundle.manifest.features)
    table = MONTHS.rename(columns=dict(zip(["value", "other"], names, strict=True)))
    table = table.assign(**{names[1]: table[names[0]] + 5})
    still = fc.train(table, init_model=golden, **STILL)
    expected = old.predict(table)[names]
    np.testing.assert_allclose(still.predict()[names], expected, rtol=1e-4)
