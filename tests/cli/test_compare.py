"""`forecast compare`: models and baselines from the same cutoffs, and the best model saved."""

import io
import json

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.backtesting.comparison import compare, sort_rows
from forecast_cli.config.resolution import configure
from forecast_cli.core.errors import UsageError

TINY = ("--preset", "classic", "--units", 2, "--epochs", 2, "--timesteps", 6, "--horizon", 3)
SETTINGS = {"preset": "classic", "units": (2,), "epochs": 2, "timesteps": 6, "horizon": 3}


def told(notes):
    return [note.text for note in notes if getattr(note, "warning", False)]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_models_stand_beside_baselines_and_the_best_is_saved(run, table, tmp_path):
    names = ("--models", "lstm,gru", "--n-windows", 4)
    code, out, err = run("compare", table, "--column", "value", *TINY, *names)
    got = pd.read_csv(io.StringIO(out)).set_index("model")
    assert code == 0, err
    assert {"lstm", "gru", "naive", "seasonal-naive", "drift"} == set(got.index)
    assert got.mae.is_monotonic_increasing
    best = got.loc[["lstm", "gru"]].mae.idxmin()
    assert f"The saved model is {best}. On the test split: " in err
    assert f"saved {best} as model.forecast" in err
    assert "set by hand" not in err and "is set (" not in err
    model = fc.load(tmp_path / "model.forecast")
    assert model.bundle.manifest.name == best == model.evaluation.model


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_the_rows_are_those_of_a_backtest_before_the_test_split_and_the_model_that_of_train(frame):
    plan = fc.Plan(models=("gru", "naive"), n_windows=4)
    result = fc.compare(frame, plan, column="value", test=24, **SETTINGS)
    rows = {row["model"]: row for row in result.rows}
    before = fc.backtest(frame[:-24], plan, column="value", **SETTINGS)
    for row in before.scores:
        assert rows[row["model"]]["mae"] == row["mae"]
    alone = fc.train(frame, column="value", cell="gru", test=24, **SETTINGS)
    assert result.bundle.manifest.evaluation == alone.evaluation
    # What lies in the test split has no part in the choice.
    changed = frame.copy()
    changed.loc[len(frame) - 24 :, "value"] = 1e6
    other = fc.compare(changed, plan, column="value", test=24, **SETTINGS)
    assert [row["mae"] for row in other.rows] == [row["mae"] for row in result.rows]


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_a_model_worse_than_a_baseline_is_not_saved_without_a_warning(frame):
    # The stand-in of a network forecasts about the last value.
    notes = []
    season = np.sin(np.arange(len(frame)) * 2 * np.pi / 12)
    config = configure({"column": ("value",), **SETTINGS})
    plan = fc.Plan(models=("lstm",), n_windows=3)
    compare(frame.assign(value=season), config, plan, on_event=notes.append)
    assert any(
        "no model is better than the seasonal-naive forecast" in text for text in told(notes)
    )


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_a_stop_keeps_the_best_of_the_models_that_are_finished(frame):
    notes, plan = [], fc.Plan(models=("lstm", "gru", "rnn"), n_windows=2)

    def stops():
        return any(getattr(each, "name", "").startswith("gru: ") for each in notes)

    how = {"on_event": notes.append, "should_stop": stops}
    result = fc.compare(frame, plan, column="value", **how, **SETTINGS)
    assert {row["model"] for row in result.rows} == {
        "lstm",
        "gru",
        "naive",
        "seasonal-naive",
        "drift",
    }
    assert result.model in ("lstm", "gru")
    text = (
        "stopped: scores are of 2 of 2 cutoffs; left out, since not finished: rnn; 2 finished folds"
    )
    assert any(each.startswith(text) for each in told(notes))
    assert result.bundle.manifest.run.stopped != "interrupted"


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_networks_that_were_trained_are_restored_where_the_model_could_not_be_saved(
    run, table, monkeypatch
):
    names = ("--column", "value", *TINY, "--models", "lstm,gru", "--n-windows", 4)
    whole = run("compare", table, *names)[1]
    with monkeypatch.context() as changed:
        changed.setattr("forecast_cli.model.bundle.save_bundle", refuse)
        code, _, err = run("compare", table, *names, "-m", "other.forecast")
    assert code == 2 and "the disk is full" in err
    code, out, err = run("compare", table, *names)
    assert code == 0
    whole, again = (pd.read_csv(io.StringIO(each)).drop(columns="seconds") for each in (whole, out))
    assert again.equals(whole)
    assert "lstm was restored from an earlier run" in err
    assert "gru was restored from an earlier run" in err
    assert "was restored" not in run("compare", table, *names)[2]


def refuse(*_):
    raise UsageError("the disk is full")


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_targets_stay_together_since_their_units_differ(frame):
    large = frame.assign(other=frame["other"] * 1000)
    config = configure({"column": ("other", "value"), **SETTINGS})
    rows = compare(large, config, fc.Plan(models=("gru", "rnn"), n_windows=2)).rows
    assert [row["column"] for row in rows] == ["other"] * 5 + ["value"] * 5
    for target in ("other", "value"):
        errors = [row["mae"] for row in rows if row["column"] == target]
        assert errors == sorted(errors)


@pytest.mark.parametrize(("several", "order"), [(True, "ba"), (False, "ab")])
def test_rows_are_sorted_by_the_measure_of_the_verdict(several, order):
    rows = [{"model": "a", "mae": 1.0, "mase": 0.9}, {"model": "b", "mae": 2.0, "mase": 0.5}]
    found = sort_rows(rows[::-1], ("y",), several=several)
    assert "".join(row["model"] for row in found) == order


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_one_json_document_by_the_old_name_of_an_option(run, table):
    short = ("--n-windows", 2)
    code, out, err = run("compare", table, "-c", "value", *TINY, "--cells", "rnn", *short, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert "--cells is deprecated: use --models rnn" in document["notes"]
    assert document["best"] == "rnn"
    assert document["descriptions"] == {"rnn": "rnn: SimpleRNN(2), lookback 6"}
    assert document["test"]["model"] == "rnn"


def test_what_makes_no_sense_is_refused(run, table, golden):
    for arguments, words in (
        (("--models", "lsmt"), 'Unknown model "lsmt". Did you mean "lstm"?'),
        (("--models", "naive"), "There is no model to train among --models"),
        (("--models", "lstm", "--cells", "lstm"), "--cells is an old name of --models."),
        (("--models", str(golden)), "is trained already"),
        (("--label", "other"), "--label is for labelled sequences"),
        (("-c", "vaule"), 'Did you mean "value"?'),
    ):
        column = () if "-c" in arguments or "--label" in arguments else ("-c", "value")
        code, out, err = run("compare", table, *column, *arguments)
        assert code in (2, 3)
        assert words in err and not out
