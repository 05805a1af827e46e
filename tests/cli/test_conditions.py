"""`--fail-if` and `--keep-better`: the exit code says that forecasts or models became worse."""

import json

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.cli.conditions import find_met, parse_condition
from forecast_cli.core.errors import DataError

from ..frames import seasonal_frame


@pytest.fixture
def forecast(frame, tmp_path):
    """A forecast of the last twelve months that is too high by 2."""
    rows = frame.tail(12)[["date", "value"]].copy()
    rows["value"] += 2.0
    rows.to_csv(tmp_path / "forecast.csv", index=False)


@pytest.fixture
def evaluate(run, forecast, table):
    return lambda *words: run("evaluate", "forecast.csv", table, *words)


def test_scores_that_meet_no_condition_end_as_ever(evaluate):
    plain = evaluate()
    assert plain[0] == 0
    assert evaluate("--fail-if", "mae > 2.1", "--fail-if", "bias<0") == plain


def test_a_condition_that_is_met_is_an_exit_code_after_the_same_table(evaluate):
    code, out, err = evaluate("--fail-if", "mae >= 1.9", "--fail-if", "bias > 1.5")
    assert code == 6 and out == evaluate()[1]
    last = err.splitlines()[-1]
    assert "mae of forecast is 2, above 1.9; bias of forecast is 2, above 1.5" in last


def test_a_baseline_may_be_the_limit(evaluate):
    worse, better = evaluate("--fail-if", "mae > naive"), evaluate("--fail-if", "mae < naive")
    assert sorted((worse[0], better[0])) == [0, 6]
    assert "of naive (--fail-if)" in (worse[2] + better[2])


def test_a_document_has_the_conditions_that_are_met(evaluate):
    code, out, _ = evaluate("--fail-if", "mae > 1", "--fail-if", "mae > 3", "--json")
    assert code == 6
    assert json.loads(out)["conditions_met"] == ["mae of forecast is 2, above 1"]
    code, out, _ = evaluate("--fail-if", "mae > 3", "--json")
    assert (code, json.loads(out)["conditions_met"]) == (0, [])


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("mae", '"mase > 1.2"'),
        ("mae > ", "Invalid condition"),
        ("meas > 2", 'Did you mean "mase"?'),
        ("mae > naiv", 'Did you mean "naive"?'),
    ],
)
def test_a_condition_that_means_nothing_is_refused(evaluate, condition, message):
    code, out, err = evaluate("--fail-if", condition)
    assert (code, out) == (2, "") and message in err


def test_a_measure_that_is_not_defined_is_no_success():
    condition = parse_condition("mase > 1")
    with pytest.raises(DataError, match="mase of lstm is not defined"):
        find_met([condition], {"lstm": {"mase": None}}, "lstm")


def test_each_target_counts(run, frame, tmp_path):
    truth = frame.tail(12)[["date", "value"]].assign(other=np.arange(12.0))
    truth.to_csv("truth.csv", index=False)
    truth.assign(other=truth["other"] + 5).to_csv("given.csv", index=False)
    words = ("evaluate", "given.csv", "truth.csv", "-c", "value", "-c", "other")
    code, _, err = run(*words, "--fail-if", "mae > 1")
    assert code == 6 and "other: mae of forecast is 5, above 1" in err and "value:" not in err


def test_a_backtest_compares_the_first_model(run, table):
    words = ("backtest", table, "-c", "value", "--models", "drift,naive", "--n-windows", "2", "-q")
    code, out, err = run(*words, "--fail-if", "mae > 0")
    assert code == 6 and "mae of drift is" in err and out == run(*words)[1]
    code, out, _ = run(*words, "--fail-if", "mae < 0", "--json")
    assert code == 0 and json.loads(out)["conditions_met"] == []


TRAINS = pytest.mark.usefixtures("linear_training")
QUICK = ["-c", "value", "--preset", "classic", "--timesteps", "6", "-H", "3", "--epochs", "1"]


@pytest.fixture
def tables(tmp_path):
    """A table, and the same with later rows."""
    frame = seasonal_frame()
    frame.iloc[:-30].to_csv(tmp_path / "before.csv", index=False)
    frame.to_csv(tmp_path / "now.csv", index=False)
    return "before.csv", "now.csv"


def ratio(new, old, table, start) -> float:
    """The MAE of a model relative to that of another one, from the forecasts themselves."""
    frame = pd.read_csv(table, parse_dates=["date"])
    errors = []
    for path in (new, old):
        model = fc.load(path)
        dates = frame["date"][frame["date"] >= start].iloc[: -model.bundle.manifest.horizon + 1]
        made = [model.predict(frame, start=f"{date:%Y-%m-%d}")["value"] for date in dates]
        truth = [frame["value"][frame["date"] >= date][:3] for date in dates]
        errors.append(
            np.mean([abs(a.to_numpy() - b.to_numpy()) for a, b in zip(made, truth, strict=True)])
        )
    return errors[0] / errors[1]


@pytest.mark.slow
@TRAINS
@pytest.mark.tf
def test_the_better_of_two_models_is_kept_whichever_is_trained_first(run, tables, tmp_path):
    before, now = tables
    replaced = []
    for first, second in (("3", "4"), ("4", "3")):
        assert run("train", now, *QUICK, "--units", second, "-m", "alone.forecast")[0] == 0
        code, _, err = run("train", before, *QUICK, "--units", first, "--keep-better")
        # There is no model yet.
        assert code == 0 and "saved model.forecast" in err
        old = (tmp_path / "model.forecast").read_bytes()
        (tmp_path / "old.forecast").write_bytes(old)
        code, out, _ = run("train", now, *QUICK, "--units", second, "--keep-better", "--json")
        found = json.loads(out)["keep_better"]
        start = fc.load("alone.forecast").bundle.manifest.splits.test_begins
        expected = ratio("alone.forecast", "old.forecast", now, start)
        assert found["start"] == start and found["ratio"] == pytest.approx(expected, rel=1e-5)
        assert found["replaced"] == (found["ratio"] <= 1) == (code == 0)
        kept = (tmp_path / "model.forecast").read_bytes() == old
        assert kept != found["replaced"] and code in (0, 6)
        replaced.append(found["replaced"])
        (tmp_path / "model.forecast").unlink()
    assert sorted(replaced) == [False, True]


@TRAINS
@pytest.mark.tf
def test_a_worse_model_ends_with_a_message(run, tables, tmp_path):
    before, now = tables
    for units in ("3", "4", "3"):
        # One of the last two is worse than the one before it.
        code, out, err = run("train", now if out_of(tmp_path) else before, *QUICK, "--units", units,
                             "--keep-better", "--report", "page.html")  # fmt: skip
        if code:
            break
        (tmp_path / "page.html").unlink()
    assert code == 6 and out and not (tmp_path / "page.html").exists()
    assert err.splitlines()[-1].startswith("error: The new model is worse: on ")
    assert "model.forecast is unchanged (--keep-better)." in err and "saved" not in err


def out_of(folder) -> bool:
    return (folder / "model.forecast").exists()


@TRAINS
@pytest.mark.tf
def test_a_refitted_model_is_compared_as_it_was_before(run, tables):
    """Refitted on all rows, it has learned from every row that it could be compared on."""
    before, now = tables
    run("train", before, *QUICK, "--refit", "--keep-better")
    code, out, _ = run("train", now, *QUICK, "--refit", "--keep-better", "--json")
    found = json.loads(out)["keep_better"]
    # The old model was refitted on all rows before the last thirty.
    first = pd.read_csv(now, parse_dates=["date"])["date"].iloc[-30]
    assert pd.Timestamp(found["start"]) == first and found["forecasts"] == 28
    # Networks of these tests depend on their settings alone, so that the two are the same.
    assert found["ratio"] == pytest.approx(1.0, abs=0.05) and code == 6 * (found["ratio"] > 1)


@TRAINS
@pytest.mark.tf
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["before.csv"], 3, "0 rows that the model has not learned from, and a forecast has 3"),
        (["now.csv", "-H", "2"], 2, "forecasts 3 steps, and --horizon 2 is not compared"),
        (["-"], 2, "reads the table twice"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_the_training(
    run, tables, tmp_path, arguments, code, said
):
    run("train", tables[0], *QUICK, "--refit")
    old = (tmp_path / "model.forecast").read_bytes()
    given = [*arguments[:1], *QUICK, *arguments[1:], "--keep-better"]
    found, out, err = run("train", *given)
    assert (found, out) == (code, "") and said in err and "epoch" not in err
    assert (tmp_path / "model.forecast").read_bytes() == old


@TRAINS
@pytest.mark.tf
def test_what_cannot_be_compared_afterwards_is_saved_beside(run, tables, tmp_path):
    before, now = tables
    run("train", before, *QUICK)
    old = (tmp_path / "model.forecast").read_bytes()
    code, _, err = run("train", now, *QUICK, "--test", "0", "--keep-better")
    assert code == 3 and "no test split" in err and "the new model is model-new.forecast" in err
    assert (tmp_path / "model.forecast").read_bytes() == old
    assert fc.load("model-new.forecast").bundle.manifest.horizon == 3
