"""Intermittent demand and other values that are never below 0: from a table to its forecasts."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import DataError
from forecast_cli.training.pipeline import read_dataset

SETTINGS = {"column": "units", "series": "item", "horizon": 4, "timesteps": 6}
LEVELS = (50, 80, 95, 99)


def demand(series=6, rows=60, chance=0.25, seed=0):
    """Months of demand of some items: in most of them none."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(3.0, (series, rows)) * (rng.random((series, rows)) < chance)
    dates = pd.date_range("2019-01-01", periods=rows, freq="MS")
    items = np.repeat([f"P{number}" for number in range(series)], rows)
    return pd.DataFrame({"item": items, "month": np.tile(dates, series), "units": values.ravel()})


def numbers(frame):
    return frame.filter(like="units").to_numpy()


def texts(events, *, warning=False):
    notes = [each for each in events if getattr(each, "warning", None) == warning]
    return [each.text for each in notes]


@pytest.fixture(scope="module")
def model(linear):
    return linear(demand(), **SETTINGS)


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
@pytest.mark.parametrize("table", [None, demand()])
def test_nothing_is_forecast_below_zero(model, table, method):
    found = model.predict(table, horizon=9, level=LEVELS, intervals=method)
    assert numbers(found).min() == 0.0
    assert numbers(model.predict(table, samples=200, seed=1)).min() == 0.0


def test_what_was_before_is_not_below_zero_either(model):
    assert model.predict_in_sample(demand()).units_forecast.min() >= 0.0


def test_a_saved_model_keeps_the_bound(model, tmp_path):
    model.save(tmp_path / "counts.forecast")
    again = fc.load(tmp_path / "counts.forecast")
    pd.testing.assert_frame_equal(again.predict(level=LEVELS), model.predict(level=LEVELS))


def test_unless_it_is_asked_for(linear, model):
    free = linear(demand(), lower_bound="none", **SETTINGS)
    found, bounded = (numbers(each.predict(level=LEVELS)) for each in (free, model))
    assert found.min() < 0.0
    np.testing.assert_array_equal(np.maximum(found, 0.0), bounded)
    shifted = demand().assign(units=lambda frame: frame.units + 10.0)
    other = linear(shifted, lower_bound=8.5, **SETTINGS)
    assert numbers(other.predict(level=LEVELS)).min() == 8.5


def test_series_with_values_below_zero_have_no_bound(linear):
    returns = demand()
    returns.loc[100, "units"] = -2
    assert numbers(linear(returns, **SETTINGS).predict(level=LEVELS)).min() < 0.0


def test_the_bound_is_learned_from_the_training_rows_alone(linear, linear_training):
    later = demand()
    later.loc[later.groupby("item").tail(3).index, "units"] = -2
    notes, settings = [], SETTINGS | {"test": 6, "validation": 6}
    dataset = read_dataset(later, configure(settings), on_event=notes.append)
    assert dataset.scaling.lower.tolist() == [0.0]
    # The model is for what comes after all rows, and is said to go below 0.
    assert any("after the training rows are below 0" in text for text in texts(notes, warning=True))
    model = linear(later, **settings)
    assert numbers(model.predict(level=LEVELS)).min() < 0.0
    for refit in (True, False):
        saved = fc.train(
            later, preset="classic", **settings, refit=refit, cell="rnn", units=2, epochs=1
        )
        assert saved.bundle.manifest.lower in ((), (None,))


def test_the_bound_is_said_once_and_only_where_it_is_near():
    def said(frame, **more):
        notes, config = [], configure(SETTINGS | more)
        read_dataset(frame, config, on_event=notes.append)
        return [text for text in texts(notes) if "below 0" in text]

    assert len(said(demand())) == 1
    assert "`lower_bound=none`" in said(demand())[0]
    assert not said(demand(), lower_bound="none")
    assert not said(demand(), lower_bound=0)
    assert not said(demand().assign(units=lambda each: each.units + 100))


def test_a_bound_above_values_is_refused_and_the_advice_works(linear):
    with pytest.raises(DataError, match="holds 0, which is below `lower_bound=1`") as refused:
        linear(demand(), lower_bound=1, **SETTINGS)
    assert "`lower_bound=0`" in refused.value.hint
    linear(demand(), lower_bound=0, **SETTINGS)
    linear(demand(), lower_bound="none", **SETTINGS)


def test_a_table_with_values_below_zero_lifts_the_bound_and_is_warned_about(model):
    said, table = [], demand()
    table.loc[table.index[-60:], "units"] -= 4
    found = model.predict(table, level=LEVELS, on_event=said.append)
    assert numbers(found).min() < 0.0
    assert any('values of "units" below 0' in text for text in texts(said, warning=True))


def test_forecasts_that_are_cut_by_much_are_warned_about(model):
    manifest = model.bundle.manifest.model_copy(update={"lower": (2.0,)})
    cut, said = fc.Model(replace(model.bundle, manifest=manifest)), []
    assert numbers(cut.predict(on_event=said.append)).min() == 2.0
    assert any("would be far below 2" in text for text in texts(said, warning=True))
    said.clear()
    model.predict(on_event=said.append)
    assert not texts(said, warning=True)


def seldom(rows=120):
    """Items with a demand of about 10, some of them very seldom, one of them late."""
    rng, parts = np.random.default_rng(3), []
    for number, chance in enumerate([0.4, 0.35, 0.3, 0.25, 0.02, 0.02]):
        values = rng.integers(8, 13, rows) * (rng.random(rows) < chance)
        values[[10, 80]] = (10, 12) if chance < 0.1 else values[[10, 80]]
        dates = pd.date_range("2015-01-01", periods=rows, freq="MS")
        parts.append(pd.DataFrame({"item": f"P{number}", "month": dates, "units": values}))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
def test_what_is_seldom_asked_for_does_not_widen_the_intervals_of_others(linear, method):
    model = linear(seldom(), **SETTINGS)
    found = model.predict(level=LEVELS, intervals=method)
    ends = [found[f"units_lo{each}"] for each in reversed(LEVELS)]
    ends += [found.units, *[found[f"units_hi{each}"] for each in LEVELS]]
    assert (np.diff(np.array(ends), axis=0) >= 0).all()
    # No interval reaches further than three demands at once.
    assert np.array(ends).max() < 3 * 12


def test_a_new_item_has_intervals_of_the_size_of_its_own_demand(linear):
    model, table = linear(seldom(), **SETTINGS), seldom()
    new = table[table.item == "P0"].assign(item="new", units=lambda each: each.units * 100)
    large = model.predict(new, level=95).units_hi95.to_numpy()
    small = model.predict(table[table.item == "P0"], level=95).units_hi95.to_numpy()
    np.testing.assert_allclose(large, 100 * small, rtol=0.1)


def test_sample_paths_of_demand_have_the_mean_of_the_forecast(linear):
    model = linear(demand(12, 150, seed=5), **SETTINGS)
    paths, point = model.predict(samples=2000, seed=0), model.predict()
    errors = model.bundle.calibration.of_forecasts.mean()
    assert paths.units.mean() >= point.units.mean() + min(errors, 0.0)
    assert (paths.units == 0.0).mean() > 0.3


@pytest.mark.parametrize("models", ["croston,sba,tsb", "naive,sba"])
def test_a_backtest_takes_them_by_name(run, tmp_path, models):
    demand().to_csv(tmp_path / "demand.csv", index=False)
    code, out, _ = run(
        "backtest", "demand.csv", "--series", "item", "--column", "units", "--models", models,
        "--horizon", 3, "--n-windows", 2, "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    scores = {row["model"]: row for row in found["scores"]}
    assert [*scores] == models.split(",")
    # The one with the lowest squared errors is the best one.
    best = max(scores, key=lambda name: scores[name]["skill"])
    assert found["verdict"].startswith(best)
    assert best != "naive"
    assert "root mean squared errors are compared" in found["verdict"]
