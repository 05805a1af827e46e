"""A saved model scored on rows: what training would say of them, and nothing that it learned."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.evaluation.model_evaluation import evaluate_model
from forecast_cli.forecasting.prediction import predict
from forecast_cli.forecasting.prediction_request import PredictionRequest

ROWS, TEST = 200, 40
DATES = pd.date_range("2020-01-01", periods=ROWS)
QUICK = {"column": "y", "horizon": 3, "timesteps": 6, "validation": 30, "test": TEST}
SHOPS = {"series": "shop"}
COVARIATES = {**SHOPS, "past_covariates": "p", "future_covariates": "x",
              "static_covariates": "size", "calendar_features": "dayofweek"}  # fmt: skip


def one(name, seed, rows=ROWS, first=0):
    draw = np.random.default_rng(seed)
    y = 50.0 * seed + 5 * np.sin(np.arange(rows) / 3) + draw.normal(size=rows)
    p, x = draw.normal(size=(2, rows)).round(4)
    dates = DATES[0] + pd.Timedelta(first, "D") + pd.to_timedelta(np.arange(rows), "D")
    return pd.DataFrame(
        {"shop": name, "date": dates, "y": y.round(4), "p": p, "x": x, "size": 1.0 * seed}
    )


def shops():
    return pd.concat([one("A", 1), one("B", 2), one("C", 3, 120, first=80)], ignore_index=True)


def alone():
    return one("A", 1).drop(columns="shop")


def table(flat):
    return shops() if "series" in flat else alone()


def overall(judgement, measure, name=None, column=None):
    (found,) = [
        row[name or judgement.summary.model] for row in judgement.report.overall
        if row["measure"] == measure and row.get("column") == column
    ]  # fmt: skip
    return found


def heard():
    notes = []
    return notes, lambda event: notes.append(event)


CASES = {
    "one": {},
    "two": {"column": ("y", "p")},
    "one step": {"mode": "many-to-one"},
    "log": {"transform": "log", "scaler": "standard"},
    "series": SHOPS,
    "one scaler": {**SHOPS, "scale_by": "all"},
    "covariates": COVARIATES,
    "adaptive": {**SHOPS, "intervals": "conformal"},
    "quantile": {**SHOPS, "intervals": "quantile"},
    "cqr": {"intervals": "cqr"},
}


@pytest.mark.parametrize("name", CASES)
def test_on_the_rows_of_the_test_it_says_what_training_said(linear, name):
    flat = {**QUICK, **CASES[name]}
    frame = table(flat)
    model = linear(frame, **flat)
    judgement, expected = evaluate_model(model.bundle, frame), model.evaluation
    assert judgement.report.forecasts == expected.origins
    assert judgement.skill == pytest.approx(expected.skill)
    assert judgement.verdict == expected.verdict
    targets = model.bundle.manifest.targets
    for target in targets:
        column = target if len(targets) > 1 else None
        for forecaster, measures in expected.scores.items():
            for measure, values in measures.items():
                found = overall(judgement, measure, forecaster, column)
                assert found == pytest.approx(values[target], rel=1e-9)
        for each in expected.intervals:
            for measure in ("coverage", "width"):
                found = overall(judgement, f"{measure}{each.level:g}", column=column)
                assert found == pytest.approx(getattr(each, measure)[target], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("flat", [{}, SHOPS])
@pytest.mark.parametrize("more", [0, 6])
def test_on_new_rows_it_is_a_slow_loop_of_predictions(linear, flat, more):
    """Of a table of new rows alone, the first window is what its first forecast goes on from."""
    flat = {**QUICK, **flat}
    frame = table(flat)
    new = frame[frame["date"] >= DATES[154]]
    model = linear(frame[frame["date"] < DATES[154 + more]], **{**flat, "test": TEST - 6 + more})
    judgement = evaluate_model(model.bundle, new, level=(80.0,))
    errors, inside, widths = [], [], []
    for row in range(160, ROWS - 2):
        wanted = PredictionRequest(begin=DATES[row].isoformat(), level=(80.0,))
        forecast = predict(model.bundle, new, wanted)
        both = forecast.merge(new, on=[*(["shop"] if "series" in flat else []), "date"])
        errors.append((both["y_x"] - both["y_y"]).abs())
        inside.append((both["y_y"] >= both["y_lo80"]) & (both["y_y"] <= both["y_hi80"]))
        widths.append(both["y_hi80"] - both["y_lo80"])
    assert judgement.report.forecasts == 38 * (3 if "series" in flat else 1)
    assert overall(judgement, "mae") == pytest.approx(np.concatenate(errors).mean(), rel=1e-6)
    assert overall(judgement, "coverage80") == pytest.approx(100 * np.concatenate(inside).mean())
    assert overall(judgement, "width80") == pytest.approx(np.concatenate(widths).mean(), rel=1e-6)


def test_rows_that_the_model_learned_from_are_not_scored(linear):
    model = linear(alone(), **QUICK)
    notes, on_event = heard()
    assert evaluate_model(model.bundle, alone(), on_event=on_event).report.forecasts == TEST - 2
    assert any(DATES[160].date().isoformat() in note.text for note in notes)
    newer = one("A", 1, ROWS + 50).drop(columns="shop")
    assert evaluate_model(model.bundle, newer).report.forecasts == TEST + 50 - 2


def test_a_refitted_model_has_learned_from_all_its_rows(linear):
    bundle = linear(alone(), **QUICK).bundle
    manifest = bundle.manifest
    run = manifest.run.model_copy(update={"refitted": True})
    bundle = replace(bundle, manifest=manifest.model_copy(update={"run": run}))
    newer = one("A", 1, ROWS + 50).drop(columns="shop")
    assert evaluate_model(bundle, newer).report.forecasts == 50 - 2
    seen = rf"The rows from {DATES[160].date()} on were its test split.*`refit=false`"
    with pytest.raises(
        fc.DataError, match=rf"Nothing in .*was trained on rows.*{seen}.*Give newer rows"
    ):
        evaluate_model(bundle, alone())
    notes, on_event = heard()
    evaluate_model(bundle, alone(), begin=DATES[160].isoformat(), on_event=on_event)
    (warning,) = [note.text for note in notes if note.warning]
    assert "are in-sample and therefore optimistic" in warning and re.search(seen, warning)


def test_the_rows_from_a_date_on_are_tested_and_scored_again_without_a_refit(linear):
    """What is tested from a date on has the same scores when it is evaluated later."""
    day = DATES[170].date().isoformat()
    model = linear(alone(), **{**QUICK, "test": day, "refit": False})
    again = evaluate_model(model.bundle, alone())
    assert again.report.forecasts == ROWS - 170 - 2 == model.evaluation.origins
    assert again.summary.scores == model.evaluation.scores


def test_a_model_without_a_test_has_learned_from_all_its_rows(linear):
    bundle = linear(alone(), **{**QUICK, "test": 0}).bundle
    newer = one("A", 1, ROWS + 50).drop(columns="shop")
    assert evaluate_model(bundle, newer).report.forecasts == 50 - 2


def test_from_a_date_on(linear):
    model = linear(alone(), **QUICK)
    assert (
        evaluate_model(model.bundle, alone(), begin="2020-07-01").report.forecasts == ROWS - 182 - 2
    )
    notes, on_event = heard()
    found = evaluate_model(model.bundle, alone(), begin=DATES[100].isoformat(), on_event=on_event)
    assert found.report.forecasts == 98
    assert [note.warning for note in notes if "was trained on" in note.text] == [True]
    with pytest.raises(fc.UsageError, match="not a date"):
        evaluate_model(model.bundle, alone(), begin="soon")


def test_series_with_unlike_ends_are_scored_on_what_none_was_trained_on(linear):
    """The test of a series that ends late begins late; until then the network learned from it."""
    frame = pd.concat([one("early", 1, 100), one("late", 2, ROWS)], ignore_index=True)
    model = linear(frame, **{**QUICK, "test": 20, **SHOPS})
    judgement = evaluate_model(model.bundle, frame)
    assert judgement.report.forecasts == model.evaluation.origins == 2 * 18
    assert overall(judgement, "mae") == pytest.approx(model.evaluation.own_scores["mae"]["y"])


def test_a_series_that_is_too_short_for_a_test_is_not_scored_on_what_was_trained_on(linear):
    frame = pd.concat([one("long", 1), one("short", 2, 15, first=ROWS - 15)], ignore_index=True)
    model = linear(frame, **{**QUICK, **SHOPS})
    assert evaluate_model(model.bundle, frame).report.forecasts == model.evaluation.origins


def test_a_series_that_training_has_not_seen_is_scored_from_its_first_window_on(linear):
    frame = shops()
    model = linear(frame[frame["shop"] != "C"], **{**QUICK, **SHOPS})
    found = {row["shop"]: row for row in evaluate_model(model.bundle, frame).report.by_series}
    assert set(found) == {"A", "B", "C"}
    counted = evaluate_model(model.bundle, frame).report.forecasts
    assert counted == 2 * (TEST - 2) + 120 - 6 - 2


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
def test_a_new_series_of_another_size_has_intervals_of_its_size(linear, method):
    frame = shops()
    model = linear(frame[frame["shop"] != "C"], **{**QUICK, **SHOPS})
    larger = frame.copy()
    larger["y"] = frame["y"].where(frame["shop"] != "C", frame["y"] * 1000)
    first, second = (
        {
            row["shop"]: row
            for row in evaluate_model(model.bundle, each, intervals=method).report.by_series
        }
        for each in (frame, larger)
    )
    for measure in ("mae", "width80", "winkler95"):
        assert second["C"][measure] == pytest.approx(1000 * first["C"][measure], rel=1e-4)
        assert second["A"][measure] == first["A"][measure]
    assert second["C"]["coverage80"] == pytest.approx(first["C"]["coverage80"], abs=1.0)


def test_without_times_all_rows_are_scored_and_it_warns(linear):
    frame = alone()[["y"]]
    model = linear(frame, **QUICK)
    notes, on_event = heard()
    assert evaluate_model(model.bundle, frame, on_event=on_event).report.forecasts == ROWS - 6 - 2
    assert [note.warning for note in notes] == [True]
    with pytest.raises(fc.UsageError, match="there is no time"):
        evaluate_model(model.bundle, frame, begin="2020-03-01")


def test_nothing_to_score_says_what_is_needed(linear):
    model = linear(alone(), **QUICK)
    with pytest.raises(fc.DataError, match=r"6 rows before it and 3 after.*2020-06-09"):
        evaluate_model(model.bundle, alone().head(162))


def test_missing_values_do_not_count_and_nothing_is_forecast_out_of_a_filled_gap(linear):
    frame = alone()
    model = linear(frame, **QUICK)
    frame.loc[180:184, "y"] = np.nan
    judgement = evaluate_model(model.bundle, frame, reading={"missing": "interpolate"})
    assert judgement.report.forecasts == TEST - 2 - 5
    assert 0 < overall(judgement, "mae") < 50


def test_what_the_model_cannot_do_is_refused(linear):
    model = linear(alone(), **QUICK)
    with pytest.raises(fc.UsageError, match="not trained for intervals by cqr"):
        evaluate_model(model.bundle, alone(), intervals="cqr")
    with pytest.raises(fc.UsageError, match="no mask"):
        evaluate_model(model.bundle, alone(), reading={"missing": "mask"})
    bare = linear(alone(), **{**QUICK, "validation": 0}).bundle
    assert bare.calibration is None
    assert "coverage80" not in {
        row["measure"] for row in evaluate_model(bare, alone()).report.overall
    }
    with pytest.raises(fc.UsageError, match="`validation` above 0"):
        evaluate_model(bare, alone(), level=(80.0,))


@pytest.mark.parametrize("series", [{}, SHOPS])
def test_times_with_a_zone(linear, series):
    flat = {**QUICK, **series}
    frame = table(flat)
    frame["date"] = frame["date"].dt.tz_localize("Europe/Berlin")
    model = linear(frame, **flat)
    assert evaluate_model(model.bundle, frame).report.forecasts == model.evaluation.origins
    assert evaluate_model(model.bundle, frame, begin=DATES[160].isoformat()).report.forecasts > 0
