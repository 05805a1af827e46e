import json
import sys

import pandas as pd
import pytest

from forecast_cli.config.layers import Gru, Lstm, Rnn
from forecast_cli.config.network import cudnn_obstacle


def test_a_model_shows_its_layers_and_how_it_was_made(run, golden):
    code, out, _ = run("inspect", golden)
    assert code == 0
    for words in ("LSTM", "(3, 2)", "lookback 4", "3 steps ahead", "minmax", "naive"):
        assert words in out


def test_a_model_as_json_holds_config_splits_and_scores(run, golden):
    document = json.loads(run("inspect", golden, "--json")[1])
    assert document["config"]["window"]["timesteps"] == 4
    assert document["splits"]["train"] == 42
    assert document["evaluation"]["scores"]["lstm"]["mae"].keys() == {"value", "other"}
    assert len(document["epochs"]) == 5


def test_a_table_is_described_with_a_command_that_works(run, table):
    code, out, _ = run("inspect", table)
    assert code == 0
    assert "240 rows" in out
    assert "date, 2000-01-01 to 2019-12-01" in out
    assert "months (MS)" in out
    assert f"forecast train {table} --column value" in out


def test_trouble_is_named_with_the_flags_for_it(run, frame, tmp_path):
    frame.loc[3, "value"] = float("nan")
    frame.drop(index=10).to_csv(tmp_path / "gap.csv", index=False)
    report = json.loads(run("inspect", "gap.csv", "--json")[1])
    assert report["frequency"] is None
    assert report["columns"][0] | {"mean": 0} == {
        "column": "value",
        "kind": "numbers",
        "missing": 1,
        "least": frame["value"].drop(index=10).min(),
        "mean": 0,
        "greatest": frame["value"].drop(index=10).max(),
    }
    assert report["train"].endswith("--column value --missing interpolate")


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (pd.bdate_range("2024-01-01", periods=30).delete(7), "business days (B)"),
        (["2024-01-01"] * 30, "29 duplicate timestamps"),
        (range(30), "none: rows are steps"),
    ],
)
def test_what_the_times_are_is_said(run, dates, words, tmp_path):
    frame = pd.DataFrame({"when": dates})
    frame.assign(value=range(len(frame))).to_csv(tmp_path / "t.csv", index=False)
    assert words in run("inspect", "t.csv")[1]


def test_broken_dates_are_not_answered_by_taking_rows_as_steps(run, tmp_path):
    dates = ["11:34", *pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d")[::-1]]
    pd.DataFrame({"date": dates, "y": range(31)}).to_csv(tmp_path / "t.csv", index=False)
    out = run("inspect", "t.csv")[1]
    assert '"11:34", which is not a known date format' in out
    assert "Start with" not in out


def test_german_dates_are_found_whatever_the_header(run, tmp_path):
    dates = pd.date_range("2022-10-01", periods=30).strftime("%d.%m.%Y")[::-1]
    pd.DataFrame({"Datum": dates, "Wert": range(30)}).to_csv(tmp_path / "t.csv", index=False)
    assert "Datum, 2022-10-01 to 2022-10-30" in run("inspect", "t.csv")[1]


def test_a_missing_model_is_an_error_of_model_files(run):
    code, _, err = run("inspect", "none.forecast")
    assert (code, "There is no model none.forecast" in err) == (4, True)


def test_a_network_says_whether_cudnn_could_run_it(run, golden):
    assert "every recurrent layer meets its conditions" in run("inspect", golden)[1]


def test_on_a_terminal_facts_are_broken_between_words_and_go_on_below_themselves(
    run, golden, monkeypatch
):
    whole = run("inspect", golden)[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("inspect", golden)[1].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("created"))
    assert lines[at + 1].startswith(" " * 12) and lines[at + 1][12] != " "
    fact = next(line for line in whole.splitlines() if line.startswith("created"))
    end = next(n for n in range(at + 1, len(lines)) if not lines[n].startswith(" "))
    assert max(map(len, lines[at:end])) < 60
    assert " ".join(" ".join(lines[at:end]).split()) == " ".join(fact.split())


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (Lstm(), None),
        (Gru(), None),
        (Lstm(activation="relu"), "activation is relu, not tanh"),
        (Lstm(recurrent_dropout=0.1), "recurrent_dropout is 0.1"),
        (Gru(reset_after=False), "reset_after is False"),
        (Gru(use_cudnn=False), "use_cudnn is off"),
        (Rnn(), "no kernel for SimpleRNN"),
    ],
)
def test_the_condition_of_cudnn_that_fails_is_named(layer, why):
    assert cudnn_obstacle(layer) is None if why is None else why in cudnn_obstacle(layer)
