"""Networks for each series: trained on its rows alone, by any number of workers, in one file."""

import json
import shutil

import joblib
import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.errors import DataError, Interrupted, UsageError
from forecast_cli.core.events import Done, Note
from forecast_cli.training import per_series

pytestmark = pytest.mark.tf
SMALL = {
    "column": "y", "series": "shop", "time": "day", "per_series": True, "preset": "classic",
    "units": 3, "timesteps": 6, "horizon": 2, "epochs": 3,
}  # fmt: skip
SHOPS = ("north", "south", "east", "west")


def panel(shops=SHOPS, rows=60):
    """Simulated series of unlike lengths, each by its name alone."""
    parts = []
    for shop in shops:
        draw = np.random.default_rng([ord(letter) for letter in shop])
        days = pd.date_range("2024-01-01", periods=rows + 5 * len(shop))
        steps = np.arange(len(days))
        values = 50 + 10 * np.sin(2 * np.pi * steps / 7) + draw.normal(size=len(days))
        parts.append(pd.DataFrame({"shop": shop, "day": days, "y": values.round(2)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(autouse=True)
def in_this_process():
    """Tasks are worked on here, two series each, unless a test says otherwise."""
    with pytest.MonkeyPatch.context() as patch, joblib.parallel_config(n_jobs=1):
        patch.setattr(per_series, "TASK_SERIES", 2)
        yield


@pytest.fixture(scope="module")
def model():
    with joblib.parallel_config(n_jobs=1):
        return fc.train(panel(), **SMALL)


def weights_of(model, shop):
    names = [each[0] for each in model.bundle.series.ids]
    return model.bundle.networks[names.index(shop)]


def test_a_single_epoch_is_named_as_one():
    notes = []
    hear = lambda event: notes.append(event.text) if isinstance(event, Note) else None  # noqa: E731
    fc.train(panel(SHOPS[:2]), **SMALL | {"epochs": 1}, on_event=hear)
    assert any("of 2 series: 1 epoch each, loss" in each for each in notes), notes


def test_there_is_a_network_for_each_series(model):
    rows = model.bundle.networks
    assert len(rows) == len(SHOPS)
    assert len(np.unique(rows, axis=0)) == len(SHOPS)
    assert model.bundle.manifest.description == "for each series: LSTM(3), lookback 6"
    assert list(model.history.network) == [1, 2, 3, 4]
    assert "per_series" in str(model.config)


def test_other_series_do_not_matter(model):
    other = fc.train(panel(("west", "south")), **SMALL)
    for shop in ("west", "south"):
        assert (weights_of(other, shop) == weights_of(model, shop)).all()
    few = other.predict(panel(("south",)))
    all_of_them = model.predict(panel())
    same = all_of_them[all_of_them.shop == "south"].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, same)


def test_another_seed_gives_other_networks(model):
    other = fc.train(panel(), **SMALL | {"seed": 1})
    assert (other.bundle.networks != model.bundle.networks).any(axis=1).all()


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter(model):
    with joblib.parallel_config(n_jobs=2):
        other = fc.train(panel(), **SMALL)
    assert (other.bundle.networks == model.bundle.networks).all()
    assert other.bundle.onnx == model.bundle.onnx


def test_what_is_saved_forecasts_the_same(model, tmp_path):
    model.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(loaded.predict(level=80), model.predict(panel(), level=80))
    ours, theirs = (each.evaluate(panel()).summary for each in (loaded, model))
    assert ours.scores == theirs.scores
    shuffled = panel(("west", "north", "east", "south"))
    mixed = loaded.predict(shuffled).sort_values(["shop", "day"], ignore_index=True)
    pd.testing.assert_frame_equal(
        mixed, model.predict().sort_values(["shop", "day"], ignore_index=True)
    )
    seen = loaded.predict_in_sample(panel())
    assert seen.y_forecast.notna().all()


def test_scores_intervals_and_the_verdict_are_there(model):
    evaluation = model.evaluation
    assert {"lstm", "naive", "seasonal-naive"} <= set(evaluation.scores)
    assert "baselines" in evaluation.verdict
    assert [each.level for each in evaluation.intervals] == [80.0, 95.0]
    made = model.predict(level=80)
    assert (made.y_lo80 < made.y).all()
    assert (made.y < made.y_hi80).all()


def test_several_devices_are_for_other_trainings(model):
    made = fc.train(panel(), **SMALL, devices=2)
    assert (made.bundle.networks == model.bundle.networks).all()


@pytest.mark.slow
def test_an_ensemble_of_each_series_with_covariates_quantiles_and_a_refit():
    table = panel(("north", "south"), rows=90)
    table["price"] = np.tile([1.0, 2.0, 3.0], len(table))[: len(table)]
    settings = {name: each for name, each in SMALL.items() if name != "preset"}
    made = fc.train(
        table, **settings, ensemble=2, baselines=["naive"], combine="weights",
        past_covariates="price", refit=True, preset="classic",
    )  # fmt: skip
    assert made.bundle.manifest.run.refitted
    assert "for each series: 2 LSTM networks" in made.bundle.manifest.description
    assert len(made.predict()) == 4
    quantiles = fc.train(table, **SMALL | {"intervals": "quantile"})
    widths = quantiles.predict(level=80)
    assert (widths.y_lo80 <= widths.y_hi80).all()


@pytest.mark.slow
def test_the_default_preset_makes_small_networks_of_each_series():
    settings = {name: each for name, each in SMALL.items() if name not in ("preset", "units")}
    made = fc.train(panel(("north", "south"), rows=90), **settings | {"timesteps": None})
    assert made.config.network.layers[0].units == 16
    assert not made.config.network.pretrained
    assert made.bundle.member is None


def test_a_training_that_was_stopped_goes_on_with_what_is_missing(model, tmp_path):
    path, tasks = tmp_path / "m.forecast", []

    def count(event):
        if isinstance(event, Done) and event.what == "series":
            tasks.append(event.number)

    def stop():
        return bool(tasks)

    with pytest.raises(Interrupted, match="1 task of 2"):
        fc.train(panel(), **SMALL, path=path, on_event=count, should_stop=stop)
    assert (tasks, path.exists()) == ([2], False)
    finished = fc.train(panel(), **SMALL, path=path, resume=True, on_event=count)
    assert tasks == [2, 4]
    assert (finished.bundle.networks == model.bundle.networks).all()
    assert not list(tmp_path.glob("*.partial"))


def test_an_unfinished_training_of_other_rows_is_not_resumed(tmp_path):
    path = tmp_path / "m.forecast"
    with pytest.raises(Interrupted):
        fc.train(panel(), **SMALL, path=path, should_stop=lambda: True)
    with pytest.raises(UsageError, match="other rows"):
        fc.train(panel(rows=70), **SMALL, path=path, resume=True)


def test_a_series_that_is_new_has_no_network(model):
    table = panel(("north", "centre"))
    for call in (model.predict, model.evaluate, model.predict_in_sample):
        with pytest.raises(DataError, match=r"1 series is new to the model.*: centre"):
            call(table)


def test_a_series_without_a_window_to_train_on_is_named():
    table = panel()
    short = pd.DataFrame(
        {"shop": "short", "day": pd.date_range("2024-01-01", periods=5), "y": range(5)}
    )
    with pytest.raises(DataError, match=r"no window of 6 steps.*: short"):
        fc.train(pd.concat([table, short]), **SMALL)


OPEN = dict.fromkeys(("preset", "units", "timesteps")) | {"epochs": 100}
REFUSED = {
    "one series": ({"series": None}, "several series"),
    "states": ({"stateful": True, "mode": "many-to-one"}, "without states"),
    "a time limit": ({"time_budget": 60}, "no time limit"),
    "the pretrained network": ({**OPEN, "preset": "pretrained"}, "pretrained one"),
    "a pretrained member": ({"baselines": ["pretrained"]}, "pretrained"),
    "effects": ({"covariate_effects": True}, "covariate_effects"),
    "dropout": ({"intervals": "dropout", "dropout": 0.1}, "intervals"),
    "blocks": ({"memory": 1.0}, "per_series"),
    "other weights": ({"init_model": "pretrained", **OPEN}, "networks for each"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_settings_that_do_not_go_together(kind):
    more, said = REFUSED[kind]
    with pytest.raises(UsageError, match=said):
        fc.train(panel(), **SMALL | more)


def test_what_only_one_network_of_all_series_can_be(model, tmp_path):
    path = tmp_path / "m.forecast"
    model.save(path)
    with pytest.raises(UsageError, match="cannot be exported"):
        model.export(tmp_path / "x")
    with pytest.raises(UsageError, match="a stream is forecast by one for all"):
        model.stream()
    settings = {"column": "y", "series": "shop", "time": "day"}
    with pytest.raises(UsageError, match="network for each series"):
        fc.train(panel(), init_model=model, **settings)


def test_the_command(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel().to_csv("panel.csv", index=False)
    flags = "--series shop -c y --per-series --preset classic --units 3 -t 6 -H 2 -e 3 -q"
    code, _, err = run("train", "panel.csv", *flags.split(), "--jobs", "1")
    assert code == 0, err
    code, out, _ = run("inspect", "model.forecast", "--json")
    assert json.loads(out)["config"]["training"]["per_series"] is True
    panel().to_parquet("panel.parquet")
    assert run("predict", "panel.parquet", "-o", "made/", "-q")[0] == 0
    made = pd.read_parquet("made")
    assert made.groupby("shop").size().to_dict() == dict.fromkeys(sorted(SHOPS), 2)
    shutil.rmtree("made")
    monkeypatch.setenv("FORECAST_JOBS", "2")
    settings = ("--preset", "classic", "-u", "3", "-t", "6", "-H", "2", "-e", "1", "-q")
    assert run("train", "panel.csv", "--series", "shop", "-c", "y", *settings)[0] == 0
