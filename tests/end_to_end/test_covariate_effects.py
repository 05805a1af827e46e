"""Covariates count: forecasts respond to what is known ahead, by about the right amount."""

import io

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.model.loading import load_bundle

pytestmark = [pytest.mark.tf, pytest.mark.slow]
DAYS, AHEAD = 700, 7
SETTINGS = {"horizon": AHEAD, "future_covariates": ["cold", "fair", "lot"], "preset": "fast"}


def simulated():
    """Heating below 15 degrees by 3 a degree, 20 at a fair, and a column that does nothing."""
    rng = np.random.default_rng(0)
    day = np.arange(DAYS + AHEAD)
    cold = 12 + 8 * np.sin(2 * np.pi * day / 365) + 3 * rng.standard_normal(len(day))
    fair = (rng.random(len(day)) < 0.1).astype(int)
    week = 10 * np.sin(2 * np.pi * day / 7)
    values = (
        200 + week + 3 * np.maximum(0, 15 - cold) + 20 * fair + 2 * rng.standard_normal(len(day))
    )
    return pd.DataFrame(
        {"day": pd.date_range("2023-01-02", periods=len(day)), "load": values.round(2),
         "cold": cold.round(1), "fair": fair, "lot": rng.normal(size=len(day)).round(3)}
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    table = simulated()
    model = fc.train(table[:DAYS], column="load", epochs=2, refit=False, **SETTINGS)
    return model, table[DAYS:].drop(columns="load")


def forecast(model, future, **changes):
    return model.predict(future=future.assign(**changes))["load"].to_numpy()


def test_colder_days_and_fairs_raise_the_forecast_by_as_much_as_the_simulation(trained):
    model, future = trained
    mild = forecast(model, future, cold=12.0, fair=0)

    assert (forecast(model, future, cold=2.0, fair=0) - mild).mean() == pytest.approx(30, rel=0.25)
    assert (forecast(model, future, cold=12.0, fair=1) - mild).mean() == pytest.approx(20, rel=0.25)
    assert abs(forecast(model, future, cold=12.0, fair=0, lot=2.0) - mild).max() < 2


def test_baselines_forecast_with_covariates_and_without_them(trained):
    weights = {name: each["load"] for name, each in trained[0].bundle.manifest.weights.items()}
    without = {name: each for name, each in weights.items() if "without" in name}
    assert {*without} == {
        f"{name} without covariates" for name in trained[0].config.ensemble.baselines
    }
    assert sum(weights.values()) == pytest.approx(1, abs=1e-6)
    # Where covariates explain most, the forecasts that know them count.
    assert sum(without.values()) < 0.1


def test_a_refit_keeps_the_weights_with_covariates_and_without_them(trained):
    model, future = trained
    again = fc.train(simulated()[:DAYS], column="load", epochs=2, refit=True, **SETTINGS)
    assert again.bundle.manifest.weights == model.bundle.manifest.weights
    assert again.bundle.effects != model.bundle.effects
    assert np.isfinite(forecast(again, future)).all()


def test_effects_are_in_the_model_file_and_stay_where_it_is_trained_on(trained, tmp_path):
    model, _ = trained
    path = tmp_path / "model.forecast"
    model.save(path)
    effects = load_bundle(path).effects
    assert {term.name for each in effects for term in each.terms} >= {"cold", "fair"}

    again = fc.train(simulated()[:DAYS], column="load", init_model=path, epochs=1, **{
        "future_covariates": SETTINGS["future_covariates"]})  # fmt: skip
    again.save(tmp_path / "again.forecast")
    assert load_bundle(tmp_path / "again.forecast").effects == effects


def test_they_can_be_left_out():
    table = simulated()[:200]
    model = fc.train(table, column="load", epochs=1, covariate_effects=False, **SETTINGS)
    buffer = io.StringIO(model.bundle.manifest.model_dump_json())
    assert not model.bundle.effects and '"covariate_effects":false' in buffer.getvalue()
