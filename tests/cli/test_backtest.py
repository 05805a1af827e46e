"""`forecast backtest` as a user meets it."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from forecast_cli.cli.console import Console
from forecast_cli.cli.options import OutputOptions
from forecast_cli.cli.progress import Progress
from forecast_cli.core.events import Stage

SIMPLE = ("--models", "naive,seasonal-naive", "--horizon", "3")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_in_a_pipe_stdout_is_the_long_table_and_stderr_the_scores(run, table, frame):
    code, out, err = run("backtest", table, "--column", "value", *SIMPLE, "--n-windows", 20)
    got = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert list(got) == ["cutoff", "date", "actual", "naive", "seasonal-naive"]
    assert len(got) == 20 * 3
    assert got["date"].tolist() == frame["date"].tail(60).dt.strftime("%Y-%m-%d").tolist()
    assert got["actual"].tolist() == frame["value"].tail(60).tolist()
    assert "model" in err
    assert "seasonal-naive wins: its error is" in err
    assert "over 20 forecasts" in err


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_the_long_table_is_written_in_every_form(run, table, tmp_path, form):
    name = f"out.{form}"
    code, out, _ = run("backtest", table, "--column", "value", *SIMPLE, "-o", name)
    assert (code, out) == (0, "")
    readers = {
        "csv": pd.read_csv,
        "json": pd.read_json,
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }
    assert len(readers[form](tmp_path / name)) == 10 * 3


def test_the_document_holds_everything(run, table):
    code, out, err = run("backtest", table, "--column", "value", *SIMPLE, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert list(document) == [
        "schema", "command", "version", "notes", "settings", "scores", "by_cutoff", "by_step",
        "verdict", "descriptions", "forecasts",
    ]  # fmt: skip
    assert document["settings"]["n_windows"] == 10
    assert document["settings"]["models"] == ["naive", "seasonal-naive"]
    assert len(document["by_cutoff"]) == 10
    assert len(document["by_step"]) == 3
    assert len(document["forecasts"]) == 30
    assert {row["model"] for row in document["scores"]} == {"naive", "seasonal-naive"}


@pytest.mark.slow
def test_on_a_terminal_stdout_shows_the_scores_instead(table, tmp_path):
    command = [sys.executable, "-m", "forecast_cli", "backtest", str(table), "--column", "value"]
    leader, follower = pty.openpty()
    done = subprocess.run(
        [*command, *SIMPLE], stdout=follower, stderr=subprocess.PIPE, cwd=tmp_path, check=True
    )
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "seasonal-naive" in shown
    assert "mase" in shown
    assert "actual" not in shown
    assert b"wins" in done.stderr


def test_quiet_leaves_the_table_alone(run, table):
    code, out, err = run("backtest", table, "--column", "value", *SIMPLE, "-q")
    assert (code, err) == (0, "")
    assert out.startswith("cutoff,date,actual")


def test_several_series_are_named_in_the_table(run, tmp_path, frame):
    both = pd.concat([frame.assign(shop="a"), frame.assign(shop="b")])
    both.to_csv(tmp_path / "both.csv", index=False)
    how = ("--column", "value", "--series", "shop", *SIMPLE)
    _, out, err = run("backtest", "both.csv", *how, "--n-windows", 3, "--step-size", 1)
    got = pd.read_csv(io.StringIO(out))
    assert list(got)[:4] == ["shop", "cutoff", "date", "actual"]
    assert got.groupby("shop").size().to_dict() == {"a": 9, "b": 9}
    assert "over 6 forecasts from 3 cutoffs" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--models", "niave"], 2, 'Did you mean "naive"'),
        (["--models", "naive", "--n-windows", "100", "--step-size", "12"], 3, "At most"),
        (["--refit-every", "sometimes"], 2, "must be never, always, or a number"),
        (["--models", "missing.forecast"], 4, "There is no model missing.forecast"),
        (["--models", "missing.toml"], 2, "missing.toml cannot be read"),
        (["--models", "naive", "-o", "table.csv"], 2, "it is not overwritten"),
    ],
)
def test_what_cannot_be_is_said(run, table, arguments, code, words):
    got, out, err = run("backtest", "table.csv", "--column", "value", *arguments)
    assert (got, out) == (code, "")
    assert words in err


def test_a_model_file_brings_its_own_columns(run, golden, tmp_path):
    dates = pd.date_range("2010-01-01", periods=40, freq="MS").strftime("%Y-%m")
    rows = pd.DataFrame({"date": dates, "value": range(100, 140), "other": range(90, 130)})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    code, out, _ = run("backtest", "rows.csv", "--models", f"{golden},naive", "--n-windows", 2)
    got = pd.read_csv(io.StringIO(out))
    assert code == 0
    assert list(got) == ["cutoff", "date", "column", "actual", golden.stem, "naive"]
    assert set(got["column"]) == {"value", "other"}


@pytest.mark.slow
def test_ctrl_c_scores_the_finished_windows_and_the_next_run_goes_on(table, tmp_path):
    pytest.importorskip("statsforecast")
    command = [sys.executable, "-m", "forecast_cli", "backtest", str(table), "--column", "value"]
    command += ["--models", "theta", "--n-windows", "40", "--step-size", "1", "--horizon", "3"]
    command += ["--jobs", "1", "-o", "out.csv"]
    said = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if line.startswith("4 of 40"):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    text = "".join(said)
    assert "stopping after this window with what is done so far; Ctrl-C again exits now" in text
    found = re.search(r"warning: stopped: scores are of (\d+) of 40 cutoffs; (\d+) finished", text)
    assert found and 4 <= int(found[1]) < 40 and found[1] == found[2]
    assert len(pd.read_csv(tmp_path / "out.csv")) == int(found[1]) * 3
    again = subprocess.run(command, capture_output=True, cwd=tmp_path, text=True, check=True)
    assert "of 40 folds were restored from an earlier run" in again.stderr
    assert len(pd.read_csv(tmp_path / "out.csv")) == 40 * 3


def test_a_second_ctrl_c_leaves_at_once(monkeypatch, capsys):
    left = threading.Event()
    monkeypatch.setattr(Progress, "_leave", lambda _: left.set())
    with (
        pytest.raises(KeyboardInterrupt),
        Progress(Console(OutputOptions(json=False, quiet=False, debug=False))) as progress,
    ):
        progress.on_event(Stage("3 windows", unit="window"))
        os.kill(os.getpid(), signal.SIGINT)
        while not progress.should_stop():
            time.sleep(0.01)
        assert not left.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert left.wait(10)
        progress.on_event(Stage("scoring"))
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)
    said = capsys.readouterr().err
    assert "stopping after this window with what is done so far; Ctrl-C again exits" in said


@pytest.mark.usefixtures("linear_training")
@pytest.mark.tf
def test_networks_stand_beside_simple_forecasts(run, table):
    tiny = (
        "--preset",
        "classic",
        "--units",
        2,
        "--epochs",
        1,
        "--timesteps",
        6,
        "--horizon",
        3,
        "--n-windows",
        3,
    )
    code, out, err = run("backtest", table, "--column", "value", *tiny)
    got = pd.read_csv(io.StringIO(out))
    assert code == 0
    ends = ["lstm_lo95", "lstm_lo80", "lstm_hi80", "lstm_hi95"]
    assert list(got)[3:] == ["lstm", *ends, "naive", "seasonal-naive"]
    assert "lstm: LSTM(2), lookback 6" in err
    assert "The best model, lstm, has an error" in err
