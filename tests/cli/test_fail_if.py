"""`--fail-if` of evaluate and backtest: the exit code says that forecasts became worse."""

import json

import numpy as np
import pytest

from forecast_cli.core.errors import DataError
from forecast_cli.evaluation.conditions import find_met, parse_condition


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
