"""The pretrained network as a member of a trained ensemble: its weight, and its forecasts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.backtesting.plan import Plan
from forecast_cli.baselines.pretrained.forecaster import forecast_quantiles
from forecast_cli.baselines.pretrained.network import MEDIAN
from forecast_cli.core.errors import ModelFileError, UsageError
from forecast_cli.core.events import ignore
from forecast_cli.model.pretrained import MOST_FORECASTS
from forecast_cli.training.pretrained import PRIOR_SHARE
from forecast_cli.training.resolved_settings import resolve_settings

from ..frames import seasonal_frame

HORIZON, SEASON, ROWS = 6, 12, 240
SETTINGS = {
    "column": "value", "horizon": HORIZON, "timesteps": 12, "preset": "classic", "epochs": 1,
    "baselines": "pretrained", "validation": 36, "test": 24, "refit": True,
}  # fmt: skip
SAME = {"rtol": 1e-5}
pytestmark = pytest.mark.tf


def months(rows=ROWS, seed=0):
    return seasonal_frame(rows, seed=seed)[["date", "value"]]


def shops(*rows):
    parts = [months(count, seed).assign(shop=f"shop {seed}") for seed, count in enumerate(rows)]
    return pd.concat(parts, ignore_index=True)


def medians(values):
    """What the pretrained network forecasts of a series by itself."""
    return forecast_quantiles([values.to_numpy()], HORIZON, SEASON)[0, :, MEDIAN]


def with_share(model, share):
    """The same model with another weight of the pretrained network."""
    manifest = model.bundle.manifest
    record = manifest.member.model_copy(update={"shares": (share,) * len(manifest.targets)})
    return fc.Model(replace(model.bundle, manifest=manifest.model_copy(update={"member": record})))


@pytest.fixture
def train(linear_training):
    def make(frame, **settings):
        return fc.train(frame, **{**SETTINGS, **settings})

    return make


@pytest.fixture
def model(train):
    return train(months())


def test_forecasts_are_the_weighted_mean_of_both(model):
    share = model.bundle.manifest.member.shares[0]
    assert 0 < share <= 1
    alone = with_share(model, 0.0).predict()["value"]
    np.testing.assert_allclose(
        with_share(model, 1.0).predict()["value"], medians(months()["value"]), **SAME
    )
    expected = (1 - share) * alone + share * medians(months()["value"])
    np.testing.assert_allclose(model.predict()["value"], expected, **SAME)


def test_the_weight_is_learned_from_validation_errors(train):
    # A linear map that is not trained is worse than a network that knows seasons.
    learned = train(months()).bundle.manifest.weights
    assert learned["pretrained"]["value"] > 0.8
    assert sum(each["value"] for each in learned.values()) == pytest.approx(1)
    prior = train(months(), validation=0, test=0).bundle.manifest.weights
    assert prior["pretrained"]["value"] == PRIOR_SHARE


def test_a_given_weight_is_not_learned(train):
    model = train(months(), pretrained_weight=0.3)
    assert model.bundle.manifest.weights["pretrained"]["value"] == pytest.approx(0.3)
    expected = 0.7 * with_share(model, 0.0).predict()["value"] + 0.3 * medians(months()["value"])
    np.testing.assert_allclose(model.predict()["value"], expected, **SAME)


@pytest.mark.parametrize("settings", [{"baselines": "naive"}, {"baselines": ()}], ids=str)
def test_a_weight_without_the_member_is_refused_with_advice_that_works(train, settings):
    with pytest.raises(UsageError, match="add pretrained to `baselines`"):
        train(months(), pretrained_weight=0.3, **settings)


def test_a_file_keeps_it(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    again = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(again.predict(level=80), model.predict(level=80))
    pd.testing.assert_frame_equal(again.predict(months()), model.predict())
    text = again.summary()
    for part in ("pretrained", "simulated series alone", "SHA-256"):
        assert part in text
    assert "pretrained" in again.bundle.manifest.description


@pytest.mark.parametrize(
    "change",
    [
        {"shares": ()},
        {"shares": (1.5,)},
        {"season_length": 0},
    ],
    ids=str,
)
def test_a_damaged_weight_is_refused(model, change, tmp_path):
    record = model.bundle.manifest.member.model_copy(update=change)
    manifest = model.bundle.manifest.model_copy(update={"member": record})
    with pytest.raises((ModelFileError, ValueError)):
        fc.Model(replace(model.bundle, manifest=manifest)).save(tmp_path / "m.forecast")
        fc.load(tmp_path / "m.forecast")


def test_a_network_that_is_read_otherwise_by_a_later_version_is_refused(model):
    record = model.bundle.manifest.member
    later = record.model_copy(update={"probe": tuple(1.1 * each for each in record.probe)})
    manifest = model.bundle.manifest.model_copy(update={"member": later})
    with pytest.raises(ModelFileError, match="Train again"):
        fc.Model(replace(model.bundle, manifest=manifest)).predict()


def test_updates_and_rows_one_by_one_make_the_same_forecasts(model):
    frame = months(ROWS + HORIZON)
    expected = model.predict(frame)["value"]
    updated = model.update(frame[ROWS:])
    np.testing.assert_allclose(updated.predict()["value"], expected, **SAME)
    stream = model.stream()
    for row in frame[["date", "value"]].to_dict("records"):
        last = stream.push(row)
    np.testing.assert_allclose([each["value"] for each in last], expected, **SAME)


def test_one_step_forecasts_are_of_both(model):
    made = model.predict_in_sample(months(ROWS + 1))["value_forecast"].iloc[-1]
    assert made == pytest.approx(model.predict(months(ROWS))["value"].iloc[0], rel=1e-5)


def test_each_series_and_column_is_forecast_by_itself(train):
    frame = shops(ROWS, ROWS // 2, 40)
    made = with_share(train(frame, series="shop"), 1.0).predict()
    for name, own in frame.groupby("shop"):
        found = made.loc[made["shop"] == name, "value"]
        np.testing.assert_allclose(found, medians(own["value"]), rtol=1e-3)
    both = months().assign(other=months(seed=3)["value"].to_numpy())
    made = with_share(train(both, column=("value", "other")), 1.0).predict()
    for name in ("value", "other"):
        np.testing.assert_allclose(made[name], medians(both[name]), rtol=1e-3)


def test_logarithms_are_undone(train):
    model = with_share(train(months(), transform="log"), 1.0)
    np.testing.assert_allclose(model.predict()["value"], medians(months()["value"]), rtol=1e-3)


def test_more_steps_than_trained_for_are_forecast(model):
    long = model.predict(horizon=2 * HORIZON)
    np.testing.assert_allclose(long["value"][:HORIZON], model.predict()["value"], **SAME)
    assert np.isfinite(long["value"]).all()


def test_few_forecasts_of_a_long_table_are_scored(train):
    rows = 3 * MOST_FORECASTS
    frame = seasonal_frame(rows, "D")[["date", "value"]]
    evaluation = train(frame, validation=50, test=rows // 2).evaluation
    assert evaluation.origins == MOST_FORECASTS


def test_it_has_no_weight_in_a_random_walk(train):
    steps = np.random.default_rng(0).normal(size=400)
    frame = seasonal_frame(400, "D")[["date"]].assign(value=100 + steps.cumsum())
    members = {"baselines": ["naive", "pretrained"], "combine": "weights"}
    model = train(frame, **members)
    assert model.bundle.manifest.weights["pretrained"]["value"] == 0
    assert model.bundle.pretrained is None
    assert model.evaluation.model == "naive (model)"


def test_what_it_cannot_take_part_in_is_refused(model, train, tmp_path):
    with pytest.raises(UsageError, match="cannot be exported") as error:
        model.export(tmp_path / "folder")
    assert "preset=trained" in error.value.hint
    with pytest.raises(UsageError, match="leave pretrained out"):
        train(months(), ensemble=2, intervals="ensemble")


@pytest.mark.parametrize(
    ("rows", "settings", "has"),
    [
        (330, {}, True),
        (330, {"preset": "fast"}, True),
        (330, {"preset": "trained"}, False),
        (330, {"baselines": "naive"}, False),
        (330, {"past_covariates": "other"}, False),
        (330, {"horizon": 201}, False),
        (100, {}, False),
    ],
    ids=str,
)
def test_the_default_has_it_where_it_can_help(rows, settings, has):
    parts = [seasonal_frame(rows, seed=seed).assign(shop=f"shop {seed}") for seed in range(25)]
    given = fc.configure(**{"column": "value", "horizon": HORIZON, "series": "shop"} | settings)
    config, _ = resolve_settings(pd.concat(parts), given, on_event=ignore)
    assert config.ensemble.has_pretrained == has


def test_a_backtest_trains_it(linear_training):
    plan = Plan(("model", "naive"), n_windows=2, jobs=1)
    settings = {**SETTINGS, "test": 0}
    rows = fc.backtest(months(), plan, **settings).scores
    errors = {row["model"]: row["mae"] for row in rows}
    assert errors["lstm" if "lstm" in errors else next(iter(errors))] > 0
