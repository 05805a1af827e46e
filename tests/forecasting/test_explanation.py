"""What a forecast is made of: its parts sum to it, and are what a linear model has."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.data.columns import usual_values
from forecast_cli.data.dataset import split_history
from forecast_cli.data.splits import Splits
from forecast_cli.forecasting.covariate_effects import permutation_importance
from forecast_cli.forecasting.history import make_history, read_as_trained
from forecast_cli.forecasting.network_forecaster import NetworkForecaster

ROWS, HORIZON = 90, 4


def sales(shops=("A",), *, ahead=0, extra=0):
    draw = np.random.default_rng(2)
    dates = pd.date_range("2024-01-01", periods=ROWS + ahead)
    return pd.concat(
        pd.DataFrame(
            {
                "shop": shop,
                "date": dates,
                "sales": 1000 + 100 * draw.standard_normal(len(dates)),
                "other": 10 + draw.standard_normal(len(dates)),
                "price": draw.uniform(2, 3, len(dates)) * (number + 1),
                "promo": (draw.random(len(dates)) < 0.2).astype(int),
                "weather": np.resize(["dry", "dry", "wet"], len(dates)),
                "seen": draw.standard_normal(len(dates)),
                **{f"x{place}": draw.standard_normal(len(dates)) for place in range(extra)},
            }
        ).assign(
            sales=lambda frame: frame["sales"].where(frame.index < ROWS),
            other=lambda frame: frame["other"].where(frame.index < ROWS),
        )
        for number, shop in enumerate(shops)
    )


FUTURE = ("price", "promo", "weather")


@pytest.fixture(scope="module")
def table():
    return sales(("A", "B"), ahead=HORIZON)


@pytest.fixture(scope="module")
def model(linear, table):
    return linear(
        table, column="sales", series="shop", future_covariates=FUTURE, past_covariates="seen",
        horizon=HORIZON, timesteps=14,
    )  # fmt: skip


def assert_parts_sum(found, predicted, target="sales"):
    effects = found.effects
    np.testing.assert_allclose(effects["forecast"], predicted, rtol=1e-12)
    np.testing.assert_allclose(effects[found.parts].sum(axis=1), effects["forecast"], rtol=1e-11)


def test_the_parts_of_every_series_and_step_sum_to_the_forecast(model, table):
    found = model.explain()
    assert list(found.effects) == [
        "shop", "date", "forecast", "level", "trend", "season", *FUTURE, "seen",
    ]  # fmt: skip
    assert_parts_sum(found, model.predict()["sales"])
    one = model.explain(table, only="B", start="2024-03-10", horizon=2)
    expected = model.predict(table, only="B", start="2024-03-10", horizon=2)
    assert one.effects["date"].tolist() == expected["date"].tolist()
    assert_parts_sum(one, expected["sales"])


@pytest.mark.parametrize("settings", [
    {"transform": "log"},
    {"scaler": "minmax", "future_covariates": ("price",)},
    {"column": ("sales", "other"), "target": ("other", "sales"), "past_covariates": ()},
    {"calendar_features": ("dayofweek",), "missing": "mask", "preset": "classic"},
    {"intervals": "quantile", "level": (80,)},
    {"past_covariates": (), "future_covariates": ()},
])  # fmt: skip
def test_the_parts_sum_to_the_forecast_however_it_is_made(linear, table, settings):
    settings = {
        "column": "sales", "series": "shop", "future_covariates": FUTURE,
        "past_covariates": "seen", "horizon": HORIZON, "timesteps": 14,
    } | settings  # fmt: skip
    table = table if settings["future_covariates"] else table[table["sales"].notna()]
    model = linear(table, **settings)
    predicted = model.predict()[list(model.bundle.manifest.targets)].to_numpy().ravel()
    assert_parts_sum(model.explain(), predicted)


def test_the_effects_on_a_linear_model_are_what_it_gains_over_the_usual_value(model, table):
    # The transform is none: the network is linear in each covariate.
    found = model.explain().effects
    base = model.predict()["sales"]
    for shop in "AB":
        price = table[(table["shop"] == shop)]["price"]
        rows = round(0.7 * ROWS)
        usual = model.bundle.usual["AB".index(shop), model.bundle.manifest.features.index("price")]
        assert usual == pytest.approx(np.median(price[:rows]), abs=0.2)
        where = found["shop"] == shop
        at_usual = model.predict(what_if=f"price={float(usual)!r}")
        at_usual = at_usual[at_usual["scenario"] != "base"]["sales"]
        gain = base[where].to_numpy() - at_usual[where.to_numpy()].to_numpy()
        np.testing.assert_allclose(found.loc[where, "price"], gain, atol=1e-2)


def test_a_flag_has_an_effect_only_where_it_moves_the_forecast(model, table):
    plan = model.future().assign(promo=0)
    assert (model.explain(future=plan).effects["promo"] == 0).all()
    assert (model.explain(future=plan.assign(promo=1)).effects["promo"] != 0).all()


def test_many_covariates_are_explained_from_sampled_orders_and_sum_all_the_same(linear):
    table, notes = sales(ahead=HORIZON, extra=12), []
    names = tuple(f"x{place}" for place in range(12))
    model = linear(table, column="sales", future_covariates=names, horizon=HORIZON, timesteps=7)
    found = model.explain(seed=1, on_event=notes.append)
    assert_parts_sum(found, model.predict()["sales"])
    assert found.covariates == [*names]
    assert "sampled orders" in notes[-1].text
    pd.testing.assert_frame_equal(found.effects, model.explain(seed=1).effects)


def test_usual_values_are_medians_and_of_categories_the_most_frequent(model, table):
    panel = read_as_trained(model.bundle, table, {}, lambda _: None)
    usual = usual_values(panel.values, panel.indptr, panel.columns)
    features = panel.columns.features
    for number, (_, rows) in enumerate(table[table["sales"].notna()].groupby("shop")):
        assert usual[number, features.index("price")] == pytest.approx(rows["price"].median())
        assert usual[number, features.index("promo")] == 0
        dry = panel.columns.covariates.categories["weather"].index("dry") + 1
        assert usual[number, features.index("weather")] == dry
    assert np.isnan(usual[:, features.index("sales")]).all()


class Follows:
    """A network that forecasts one covariate of the steps ahead."""

    quantile_count, horizon = 0, HORIZON

    def __init__(self, place):
        self.place = place

    def __call__(self, windows, ahead):
        return ahead[..., [self.place]].astype(np.float32)


def test_only_what_a_network_reads_is_important(linear):
    table = sales(("A", "B"))
    table["sales"] = table["price"] + 0.01 * table["seen"]
    model = linear(
        table, column="sales", series="shop", future_covariates=("promo", "price"),
        horizon=HORIZON, timesteps=7, scaler="none",
    )  # fmt: skip
    panel = read_as_trained(model.bundle, table, {}, lambda _: None)
    history = make_history(model.bundle, panel, lambda _: None)
    begins = panel.indptr[:-1] + 40
    dataset = split_history(
        history, model.config, Splits(panel.indptr, begins, begins), naive=np.ones((2, 2, 1))
    )
    network = NetworkForecaster(dataset, Follows(1))
    found, count = permutation_importance(network, dataset.origins("test"))
    assert count == 2 * (ROWS - 40 - HORIZON + 1)
    assert found["promo"] == {"sales": 0.0}
    assert found["price"]["sales"] > 100


def test_training_keeps_weights_and_importance(linear_training, table):
    model = fc.train(
        table, column="sales", series="shop", future_covariates=("price", "promo"),
        horizon=HORIZON, timesteps=7, preset="classic", epochs=1,
    )  # fmt: skip
    found = model.explain()
    assert found.members.to_dict("records") == [{"member": "network", "weight_percent": 100.0}]
    assert {*found.importance["covariate"]} == {"price", "promo"}
    assert found.importance_of == "the validation split"
    later = table.assign(date=table["date"] + pd.Timedelta(days=60))
    assert "forecasts in new rows of" in model.explain(later).importance_of


def test_older_files_are_explained_as_far_as_they_tell(golden):
    for path in sorted(golden.parent.glob("format-*.forecast")):
        model = fc.load(path)
        if model.bundle.manifest.labels is not None:
            with pytest.raises(fc.UsageError, match="label"):
                model.explain()
            continue
        found = model.explain(on_event=lambda _: None)
        predicted = model.predict()[list(model.bundle.manifest.targets)].to_numpy().ravel()
        assert_parts_sum(found, predicted)
        assert found.importance_of == ""


def test_a_covariate_may_be_called_like_a_part_and_a_series_may_not(linear):
    table = sales(ahead=HORIZON).rename(columns={"price": "level", "shop": "trend"})
    model = linear(table, column="sales", future_covariates="level", horizon=2, timesteps=7)
    assert model.explain().covariates == ["level (covariate)"]
    table = table[table["sales"].notna()]
    model = linear(table, column="sales", series="trend", horizon=2, timesteps=7)
    with pytest.raises(fc.UsageError, match="Rename that column"):
        model.explain()


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "model.forecast")


def test_the_command_writes_effects_and_tells_the_rest(run, saved, model):
    code, out, _ = run("explain")
    got, expected = pd.read_csv(io.StringIO(out)), model.explain()
    assert code == 0 and list(got) == list(expected.effects)
    np.testing.assert_allclose(got[expected.parts], expected.effects[expected.parts])
    code, out, _ = run("explain", "model.forecast", "--only", "A", "-H", "1", "-o", "a.csv")
    assert (code, out) == (0, "") and len(pd.read_csv("a.csv")) == 1
    document = json.loads(run("explain", "--json")[1])
    assert {"model", "notes", "effects", "members", "importance", "importance_of"} < {*document}
    assert len(document["effects"]) == len(expected.effects)


def test_the_command_finds_model_and_table_by_what_they_are(run, saved, table):
    table.to_csv("new.csv", index=False)
    code, out, err = run("explain", "new.csv", "-H", "1")
    assert code == 0 and "importance: percent" in err and "new.csv" in err
    assert run("explain", "model.forecast", "new.csv", "-H", "1")[1] == out
    assert run("explain", "new.csv", "-m", "model.forecast", "-H", "1")[1] == out
    assert run("explain", "model.forecast", "-m", "model.forecast")[0] == 2
    code, _, err = run("explain", "missing.forecast")
    assert code == 4 and "no model missing.forecast" in err


def test_a_terminal_shows_the_largest_effects_and_the_sum_of_the_others(
    run, linear, monkeypatch, tmp_path
):
    names = tuple(f"x{place}" for place in range(8))
    table = sales(ahead=HORIZON, extra=8)
    model = linear(table, column="sales", future_covariates=names, horizon=HORIZON, timesteps=7)
    model.save(tmp_path / "model.forecast")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    code, out, _ = run("explain")
    assert code == 0 and "3 others" in re.sub(r"\x1b\[\d*m", "", out)
