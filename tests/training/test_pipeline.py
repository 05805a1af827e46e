"""From a table to a model and its forecasts, by the Python API."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.core.events import Epoch, Note

pytestmark = pytest.mark.tf
QUICK = {"preset": "classic", "timesteps": 6, "units": 4, "epochs": 2, "patience": 0}


def numbers(model):
    return model.bundle.weights, model.bundle.manifest.scaling, model.predict().to_csv()


def test_a_model_survives_its_file(trained, tmp_path):
    trained.save(tmp_path / "m.forecast")
    loaded = fc.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(loaded.predict(), trained.predict())
    assert loaded.config == trained.config
    assert loaded.bundle.epochs == trained.bundle.epochs


def test_the_forecast_has_the_dates_and_names_of_the_table(trained):
    forecast = trained.predict()
    assert list(forecast) == ["date", "value"]
    assert forecast["date"].tolist() == list(pd.date_range("2020-01-01", periods=3, freq="MS"))
    assert np.isfinite(forecast["value"]).all()


def test_going_on_from_the_same_table_is_the_same_forecast(trained, frame):
    pd.testing.assert_frame_equal(trained.predict(frame), trained.predict())


def test_newer_rows_move_the_forecast_and_its_dates(trained, frame):
    newer = frame.assign(date=frame["date"] + pd.DateOffset(years=20))
    assert trained.predict(newer)["date"][0] == pd.Timestamp("2040-01-01")


@pytest.mark.slow
@pytest.mark.parametrize("scaler", ["minmax", "standard", "robust", "none"])
def test_the_test_part_changes_neither_weights_nor_scaler(frame, scaler):
    settings = {**QUICK, "column": "value", "horizon": 3, "scaler": scaler, "test": 48}
    before = fc.train(frame, **settings)
    changed = frame.copy()
    changed.loc[len(frame) - 48 :, "value"] = np.linspace(-1000, 1000, 48)
    after = fc.train(changed, **settings)
    assert after.bundle.weights == before.bundle.weights
    assert after.bundle.manifest.scaling == before.bundle.manifest.scaling
    assert after.evaluation != before.evaluation


@pytest.mark.slow
def test_same_data_config_and_seed_give_the_same_model_to_the_bit(frame):
    first, second, other = (
        fc.train(frame, column="value", horizon=3, dropout=0.2, seed=seed, **QUICK)
        for seed in (3, 3, 4)
    )
    assert numbers(first) == numbers(second)
    assert numbers(first) != numbers(other)


@pytest.mark.slow
@pytest.mark.usefixtures("linear_training")
@pytest.mark.parametrize("mode", ["many-to-one", "many-to-many"])
@pytest.mark.parametrize("column", ["value", ["value", "other"]])
def test_the_scores_are_those_of_a_slow_loop(frame, mode, column):
    model = fc.train(frame, column=column, horizon=4, mode=mode, test=24, **QUICK)
    errors = []
    for origin in range(len(frame) - 24, len(frame) - 4 + 1):
        forecast = model.predict(frame[:origin])["value"]
        errors.append(forecast.to_numpy() - frame["value"].to_numpy()[origin : origin + 4])
    errors = np.array(errors)
    scores = model.evaluation.own_scores
    assert model.evaluation.origins == 21
    assert scores["mae"]["value"] == pytest.approx(np.abs(errors).mean(), rel=1e-6)
    assert scores["rmse"]["value"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-6)


def test_the_baselines_stand_beside_the_network(trained):
    assert list(trained.evaluation.scores) == ["lstm", "naive", "seasonal-naive", "drift"]
    assert trained.evaluation.best_baseline in trained.evaluation.verdict


@pytest.mark.usefixtures("linear_training")
def test_a_target_among_several_columns_is_forecast_alone(frame):
    model = fc.train(frame, column=["value", "other"], target="other", horizon=3, **QUICK)
    assert list(model.predict()) == ["date", "other"]
    with pytest.raises(fc.UsageError, match="it would need the future values of value"):
        model.predict(horizon=4)


def test_feeding_back_needs_every_column(frame):
    with pytest.raises(fc.UsageError, match="must forecast every column that it reads"):
        fc.train(frame, column=["value", "other"], target="other", horizon=3, mode="many-to-one")


@pytest.mark.usefixtures("linear_training")
def test_many_to_one_goes_on_from_its_own_forecasts(frame):
    model = fc.train(frame, column="value", horizon=3, mode="many-to-one", **QUICK)
    first = model.predict(horizon=1)
    extended = pd.concat([frame[["date", "value"]], first], ignore_index=True)
    second = model.predict(extended, horizon=1)["value"][0]
    assert model.predict()["value"][1] == pytest.approx(second, rel=1e-6)


@pytest.mark.usefixtures("linear_training")
def test_rows_are_steps_without_a_time_column(frame):
    model = fc.train(frame[["value"]], column="value", horizon=2, **QUICK)
    assert model.predict()["step"].tolist() == [1, 2]


@pytest.mark.usefixtures("linear_training")
def test_missing_values_are_filled_as_asked(frame):
    frame.loc[[20, 21, 200], "value"] = np.nan
    with pytest.raises(fc.DataError, match="3 missing values"):
        fc.train(frame, column="value", **QUICK)
    with pytest.raises(fc.DataError, match=r"steps of months \(MS\) cannot skip time"):
        fc.train(frame, column="value", missing="drop", **QUICK)
    for how in (
        {"missing": "interpolate"},
        {"missing": "ffill"},
        {"missing": "drop", "time": "none"},
    ):
        model = fc.train(frame, column="value", horizon=3, **how, **QUICK)
        assert np.isfinite(model.predict()["value"]).all()


@pytest.mark.slow
def test_refit_trains_on_all_rows_for_the_epochs_found(frame):
    settings = {**QUICK, "epochs": 6, "patience": 2, "column": "value", "horizon": 3}
    plain, refit = fc.train(frame, **settings), fc.train(frame, refit=True, **settings)
    assert refit.evaluation == plain.evaluation
    assert refit.bundle.weights != plain.bundle.weights
    best = plain.bundle.manifest.run.best_epoch
    whole = fc.train(frame, validation=0, test=0, **{**settings, "epochs": best, "patience": 0})
    assert refit.bundle.weights == whole.bundle.weights
    assert refit.bundle.manifest.scaling == whole.bundle.manifest.scaling


@pytest.mark.usefixtures("linear_training")
def test_no_test_split_gives_no_scores(frame):
    model = fc.train(frame, column="value", horizon=3, validation=0, test=0, **QUICK)
    assert model.evaluation is None
    assert model.bundle.manifest.splits.train == len(frame)


@pytest.mark.usefixtures("linear_training")
def test_listeners_hear_what_is_chosen_and_every_epoch(frame):
    heard = []
    plain = {"preset": "classic", "units": 4, "epochs": 2}
    fc.train(frame, column="value", on_event=heard.append, **plain)
    notes = " ".join(event.text for event in heard if isinstance(event, Note))
    assert "horizon 12, chosen from a season of 12" in notes
    assert "timesteps 24, chosen from season 12" in notes
    assert [event.number for event in heard if isinstance(event, Epoch)] == [1, 2]


@pytest.mark.slow
def test_stopping_keeps_the_best_so_far(frame):
    settings = {**QUICK, "epochs": 50, "column": "value", "horizon": 3}
    heard = []
    model = fc.train(
        frame,
        on_event=lambda event: heard.append(event) if isinstance(event, Epoch) else None,
        should_stop=lambda: len(heard) == 2,
        **settings,
    )
    assert model.bundle.manifest.run.stopped == "interrupted"
    assert model.bundle.weights == fc.train(frame, **{**settings, "epochs": 2}).bundle.weights


@pytest.mark.usefixtures("linear_training")
def test_a_zone_is_kept_over_the_change_of_the_clocks():
    times = pd.date_range("2024-03-01", "2024-03-30 22:00", freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"load": np.sin(np.arange(len(times)) / 4)}, index=times)
    model = fc.train(frame, column="load", horizon=6, **QUICK)
    expected = pd.date_range("2024-03-30 23:00", periods=6, freq="h", tz="Europe/Berlin")
    assert model.predict()["time"].tolist() == list(expected)


@pytest.mark.slow
def test_it_learns_what_can_be_learned():
    rows = np.sin(np.arange(600) * 2 * np.pi / 12)
    model = fc.train(
        pd.DataFrame({"wave": rows}), column="wave", horizon=6, timesteps=24, units=32, epochs=60,
        preset="classic",
    )  # fmt: skip
    errors = {name: score["mae"]["wave"] for name, score in model.evaluation.scores.items()}
    # The rows are those of the season before to the last digit.
    assert errors["seasonal-naive"] < 1e-12
    assert errors[model.evaluation.model] < 0.02 < errors["naive"]


@pytest.mark.slow
def test_a_random_walk_is_not_sold_as_a_success():
    rng = np.random.default_rng(0)
    walk = pd.DataFrame({"price": 100 + rng.normal(size=800).cumsum()})
    model = fc.train(walk, column="price", horizon=5, epochs=5, preset="classic")
    assert "does not beat the baselines" in model.evaluation.verdict


@pytest.mark.usefixtures("linear_training")
def test_a_simple_forecast_without_error_is_said_and_saved(tmp_path):
    line = pd.DataFrame({"y": [*np.sin(np.arange(100.0)), *[0.0] * 50]})
    model = fc.train(line, column="y", horizon=3, **QUICK)
    assert model.evaluation.skill is None
    assert "naive makes no error at all" in model.evaluation.verdict
    model.save(tmp_path / "m.forecast")
    assert fc.load(tmp_path / "m.forecast").evaluation == model.evaluation


@pytest.mark.usefixtures("linear_training")
def test_few_forecasts_are_too_few_to_tell(frame):
    model = fc.train(frame.tail(40), column="value", horizon=4, test=6, **QUICK)
    assert "3 forecasts are too few to draw a conclusion" in model.evaluation.verdict


@pytest.mark.usefixtures("linear_training")
def test_a_filled_gap_lets_no_in_sample_forecast_look_ahead(frame):
    frame.loc[100:101, "value"] = np.nan
    model = fc.train(frame, column="value", horizon=3, missing="interpolate", **QUICK)
    before = model.predict_in_sample(frame)
    changed = frame.copy()
    changed.loc[102, "value"] += 50
    after = model.predict_in_sample(changed)
    rows = before["date"] <= frame["date"][102]
    columns = ["date", "value_forecast"]
    pd.testing.assert_frame_equal(before.loc[rows, columns], after.loc[rows, columns])


@pytest.mark.usefixtures("linear_training")
def test_a_transform_comes_before_the_scaler_and_is_undone(frame):
    settings = {**QUICK, "column": "value", "horizon": 3, "anchor": "last"}
    model = fc.train(frame, transform="log", **settings)
    shifted = fc.train(frame.assign(value=np.log(frame["value"])), **settings)
    expected = np.exp(shifted.predict()["value"].to_numpy())
    assert model.predict()["value"].to_numpy() == pytest.approx(expected, rel=1e-5)
    with pytest.raises(fc.DataError, match="log needs values above 0"):
        fc.train(frame.assign(value=0.0), column="value", transform="log")
    low = frame.assign(value=[*frame["value"][:-1], -5.0])
    said = []
    found = model.predict(low, on_event=said.append)["value"]
    assert np.isfinite(found).all() and (found > 0).all()
    assert any('1 of 240 values (the first in row 240) of "value" are' in str(e) for e in said)


@pytest.mark.slow
def test_an_anchor_keeps_a_growing_series_growing():
    growing = pd.DataFrame({"y": np.arange(300.0) + np.sin(np.arange(300))})
    settings = {"preset": "classic", "column": "y", "horizon": 5, "timesteps": 10, "epochs": 30}
    plain = fc.train(growing, **settings).evaluation
    anchored = fc.train(growing, anchor="last", skip="linear", **settings).evaluation
    assert anchored.own_scores["mae"]["y"] < plain.own_scores["mae"]["y"] / 2


@pytest.mark.usefixtures("linear_training")
def test_anchoring_on_a_season_needs_one_in_the_window(frame):
    with pytest.raises(fc.UsageError, match="the season is 12 steps, the window 6"):
        fc.train(frame, column="value", timesteps=6, anchor="season", preset="classic")
    plain = {"preset": "classic", "units": 4, "epochs": 2}
    model = fc.train(frame, column="value", anchor="season", **plain)
    assert model.config.network.season_length == 12
