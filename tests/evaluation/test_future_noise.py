"""Tests as if future covariates were forecasts: their errors reach scores and intervals alike."""

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.core.events import Note, ignore
from forecast_cli.data.dataset import Dataset
from forecast_cli.data.known_future import draw_errors
from forecast_cli.data.reading import read_panel
from forecast_cli.training.effect_removal import adjust
from forecast_cli.training.preparation import make_dataset

SETTINGS = {
    "column": "y", "future_covariates": ("x", "flag"), "horizon": 4, "timesteps": 6,
    "validation": 80, "test": 80,
}  # fmt: skip


def rows(seed: int = 1) -> pd.DataFrame:
    random, count = np.random.default_rng(seed), 300
    x, flag = random.normal(size=count).round(3), random.integers(0, 2, count)
    y = 10 + x + flag + random.normal(scale=0.3, size=count)
    days = pd.date_range("2021", periods=count)
    return pd.DataFrame({"day": days, "y": y.round(3), "x": x, "flag": flag})


def prepare(noise: float, **settings) -> Dataset:
    given = SETTINGS | {"column": ("y",), "future_noise": noise} | settings
    config = configure(given)
    panel = read_panel(rows(), config.data, on_event=ignore)
    return make_dataset(panel, config, on_event=ignore)


def test_errors_grow_from_the_origin_to_their_size_at_the_horizon():
    sizes = np.array([0.0, 2.0])
    errors = draw_errors(sizes, 40_000, 9)
    origins = np.arange(0, 39_000, 9)
    made = errors.added(np.zeros((len(origins), 9, 2)), origins)
    assert not made[..., 0].any()
    deviations = made[..., 1].std(axis=0)
    assert deviations == pytest.approx(2 * np.sqrt(np.arange(1, 10) / 9), rel=0.05)
    # A later forecast of the same row has the later part of the same error.
    early, late = (errors.added(np.zeros((1, 9, 2)), np.array([row]))[0, :, 1] for row in (5, 8))
    assert early[3:] - early[2] == pytest.approx(late[:6])


def test_windows_and_covariates_of_two_values_stay_as_measured():
    dataset, exact = prepare(0.5), prepare(0.0)
    assert dataset.noisy_covariates == ("x",)
    assert (dataset.scaled == exact.scaled).all()
    known, noisy = (each.rows_from(each.origins("test"), 4) for each in (exact, dataset))
    apart = np.abs(noisy - known).max(axis=(0, 1))
    assert apart[1] > 0 and not apart[[0, 2]].any()


def test_sizes_are_of_the_training_rows_and_of_original_values():
    table = rows()
    size = prepare(0.5).future_errors.sizes[1]
    x = table["x"][:140]
    assert size == pytest.approx(0.5 * x.std(ddof=0) / (x.max() - x.min()), rel=1e-4)


def test_larger_errors_make_larger_scores_and_wider_intervals(linear):
    # The map of the fixture hardly reads what is ahead.
    models = [linear(rows(), future_noise=noise, **SETTINGS) for noise in (0.0, 40.0, 160.0)]
    errors = [each.evaluation.own_scores["mae"]["y"] for each in models]
    widths = [each.evaluation.intervals[0].width["y"] for each in models]
    assert errors[0] < errors[1] < errors[2]
    assert widths[0] < widths[1] < widths[2]
    assert "Future values of x had simulated errors." in models[1].evaluation.verdict
    assert "simulated" not in models[0].evaluation.verdict
    # Predictions take future covariates as they are given, and the wider intervals.
    ahead = pd.DataFrame({"day": pd.date_range("2021-10-28", periods=4), "x": 0.0, "flag": 1})
    first, _, last = (each.predict(future=ahead, level=80) for each in models)
    assert (first["y"] == last["y"]).all()
    width, exact = (np.asarray(each["y_hi80"] - each["y_lo80"]) for each in (last, first))
    assert (width > 1.5 * exact).all()
    assert (np.diff(width / exact) > 0).all()


def test_no_errors_are_the_default_to_the_bit(linear):
    default, none = linear(rows(), **SETTINGS), linear(rows(), future_noise=0.0, **SETTINGS)
    assert default.evaluation == none.evaluation
    assert not none.bundle.manifest.future_errors


def test_a_saved_model_is_scored_with_the_errors_of_its_training(linear, tmp_path):
    model = linear(rows(), future_noise=80.0, refit=False, **SETTINGS)
    path = tmp_path / "m.forecast"
    model.save(path)
    again = fc.load(path).evaluate(rows())
    trained = model.evaluation.own_scores["mae"]["y"]
    assert again.summary.own_scores["mae"]["y"] == pytest.approx(trained, rel=1e-6)
    assert "had simulated errors" in again.verdict
    # Few rows are not asked how large the errors are.
    few = fc.load(path).evaluate(rows().iloc[200:])
    assert (
        few.summary.own_scores["mae"]["y"]
        > 1.5 * (linear(rows(), refit=False, **SETTINGS).evaluation.own_scores["mae"]["y"])
    )


def test_a_backtest_has_the_errors_for_every_candidate(linear, tmp_path):
    path = tmp_path / "m.forecast"
    linear(rows(), **SETTINGS).save(path)
    plan = fc.Plan(models=(str(path), "naive"), n_windows=20)
    own = {name: SETTINGS[name] for name in ("column", "future_covariates", "horizon")}
    found = [fc.backtest(rows(), plan, future_noise=noise, **own).scores for noise in (0.0, 80.0)]
    scores = [{row["model"]: row["mae"] for row in each} for each in found]
    assert scores[1]["m"] > 1.5 * scores[0]["m"]
    assert scores[1]["naive"] == scores[0]["naive"]


def test_effects_are_judged_and_weighted_with_the_errors():
    settings = {"preset": "auto"}
    exact, noisy = (adjust(prepare(each, **settings), None, ignore) for each in (0.0, 8.0))
    assert "x" in {term.name for term in exact.effects[0].terms}
    assert not noisy.effects[0].terms
    some = adjust(prepare(0.3, **settings), None, ignore)
    assert some.effects[0].terms
    origins = some.dataset.origins("validation")
    steps = origins[:, None] + np.arange(4)
    apart = np.abs(some.removed_from(origins) - some.removed[steps]).mean(axis=(0, 2))
    assert (np.diff(apart) > 0).all()
    same = exact.removed_from(origins)
    assert (same == exact.removed[steps]).all()


def test_the_setting_needs_what_it_changes():
    with pytest.raises(fc.ForecastError, match="`future_noise` needs `future_covariates`"):
        configure({"column": ("y",), "future_noise": 0.1})
    notes: list[object] = []
    config = configure(SETTINGS | {"column": ("y",), "future_covariates": ("flag",)})
    config = config.changed(data={"future_noise": 0.1})
    from forecast_cli.training.data_summary import describe

    panel = read_panel(rows(), config.data, on_event=ignore)
    describe(make_dataset(panel, config, on_event=ignore), notes.append)
    texts = [note.text for note in notes if isinstance(note, Note)]
    assert any("`future_noise` changes nothing" in text for text in texts)
