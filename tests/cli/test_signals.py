"""Signals end a command with its exit code, what is done so far saved, never with a traceback."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import forecast_cli as fc

QUICK = ["--column", "value", "--preset", "classic", "--timesteps", "6", "--units", "4"]
LONG = ["--epochs", "1000000", "--patience", "0"]
STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def start(folder, *arguments, shell=""):
    """A command in a process of its own; the shell may do something before it."""
    command = [sys.executable, "-u", "-m", "forecast_cli", *map(str, arguments)]
    if shell:
        command = ["sh", "-c", f'{shell}; exec "$@"', "sh", *command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, **pipes)


def wait_for(process, words):
    while words not in (line := process.stderr.readline()):
        assert line, "the command has ended"


def wait_until_python_has_started(process):
    """Wait until the command catches signals: what comes earlier is the interpreter's affair."""
    status, caught = Path(f"/proc/{process.pid}/status"), 0
    while not caught >> (signal.SIGTERM - 1) & 1 and process.poll() is None:
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        caught = int(lines["SigCgt"], 16)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.parametrize("sent", STOPPING, ids=lambda each: each.name)
def test_a_command_that_is_stopped_while_libraries_load_shows_no_traceback(golden, tmp_path, sent):
    for delay in (0.0, 0.1, 0.3):
        process = start(tmp_path, "predict", "-m", golden)
        wait_until_python_has_started(process)
        time.sleep(delay)
        process.send_signal(sent)
        _, err = process.communicate(timeout=60)
        # A quick machine may be done by then.
        assert process.returncode in (0, 130)
        assert "Traceback" not in err
        assert "Stopped by" in err or not process.returncode


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_training_that_is_told_to_end_saves_the_best_so_far(table, tmp_path, sent):
    process = start(tmp_path, "train", table, *QUICK, *LONG)
    wait_for(process, "epoch 1/")
    for _ in range(2):
        process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"{sent.name}: stopping after this epoch" in err
    assert out.startswith("forecast,mae")
    assert fc.load(tmp_path / "model.forecast").bundle.manifest.run.stopped == "interrupted"


@pytest.mark.tf
@pytest.mark.slow
def test_a_training_under_nohup_goes_on_when_the_terminal_is_closed(table, tmp_path):
    process = start(tmp_path, "train", table, *QUICK, *LONG, shell="trap '' HUP")
    wait_for(process, "epoch 1/")
    process.send_signal(signal.SIGHUP)
    time.sleep(1.0)
    assert process.poll() is None
    process.kill()
    _, err = process.communicate(timeout=60)
    assert "stopping" not in err


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("words", ["trained 2 epochs", "refitting on all data"])
def test_ctrl_c_after_the_training_finishes_what_is_left_and_saves(table, tmp_path, words):
    process = start(tmp_path, "train", table, *QUICK, "--epochs", 2, "--patience", 0, "--refit")
    wait_for(process, words)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "stopping after this" in err
    assert "the network from before it is saved" in err
    assert fc.load(tmp_path / "model.forecast").bundle.manifest.run.stopped == "epochs"


STOPPED = {
    "compare": ("--models", "lstm,rnn,gru", "--n-windows", 2),
    "backtest": ("--models", "lstm,rnn,gru", "--n-windows", 2),
    "tune": ("--trials", 1000, "--n-windows", 1),
}


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize("command", STOPPED)
def test_several_trainings_that_are_told_to_end_keep_what_is_finished(
    table, tmp_path, monkeypatch, command, sent
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    quick = ["--column", "value", "--preset", "classic", "--horizon", 2, "--epochs", 2]
    process = start(tmp_path, command, table, *quick, *STOPPED[command])
    wait_for(process, "trial 0:" if command == "tune" else "training rnn")
    process.send_signal(sent)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert f"{sent.name}: stopping after this" in err and "Traceback" not in err
    assert ("complete" if command == "tune" else "lstm") in out
    if command == "backtest":
        assert "gru" not in out.splitlines()[0]
        assert "left out, since not finished: gru" in err
        assert "repeat the same command to resume it" in err
        # What was finished is there for the next run.
        again = start(tmp_path, command, table, *quick, *STOPPED[command])
        assert "lstm was restored from an earlier run" in again.communicate(timeout=600)[1]
    else:
        assert fc.load(tmp_path / "model.forecast").bundle.manifest.evaluation
    # What is unfinished is kept where it took long, for --resume.
    kept = {"table.csv", "model.forecast", "model.forecast.partial", "cache"}
    assert {each.name for each in tmp_path.iterdir()} <= kept
