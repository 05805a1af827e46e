"""Standard streams that take no more, or end too early."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forecast_cli as fc

FULL = Path("/dev/full")
QUICK = ["--column", "value", "--preset", "classic", "--timesteps", "6", "--units", "4",
         "--epochs", "1"]  # fmt: skip
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")


def command(*arguments):
    return [sys.executable, "-m", "forecast_cli", *map(str, arguments)]


def call(folder, *arguments, **streams):
    """A command with stdout or stderr on a full disk."""
    opened = {name: path.open("w") for name, path in streams.items()}
    try:
        return subprocess.run(
            command(*arguments),
            cwd=folder,
            text=True,
            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | opened),
        )
    finally:
        for each in opened.values():
            each.close()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help-all"], ["predict", "-m", "{golden}"], ["inspect", "{table}"]],
    ids=lambda each: each[0],
)
def test_a_full_disk_under_stdout_is_named(golden, table, tmp_path, arguments):
    given = [each.format(golden=golden, table=table) for each in arguments]
    done = call(tmp_path, *given, stdout=FULL)
    assert done.returncode == 2
    assert "The output cannot be written: No space left on device." in done.stderr


@pytest.mark.slow
def test_a_backtest_whose_output_finds_no_room_keeps_its_folds(table, tmp_path):
    pytest.importorskip("statsforecast")
    backtest = ("backtest", table, "-c", "value", "--models", "theta", "--n-windows", 2, "-j", 1)
    for arguments, streams in ((backtest, {"stdout": FULL}), ((*backtest, "-o", FULL), {})):
        done = call(tmp_path, *arguments, **streams)
        assert done.returncode == 2
        assert "The output cannot be written: No space left on device." in done.stderr
    done = call(tmp_path, *backtest)
    assert done.returncode == 0
    assert "2 of 2 folds were restored from an earlier run" in done.stderr


def test_an_error_as_json_is_shown_as_words_where_stdout_is_full(tmp_path):
    done = call(tmp_path, "predict", "-m", "none.forecast", "--json", stdout=FULL)
    assert done.returncode == 4
    assert "There is no model none.forecast." in done.stderr


@pytest.mark.slow
def test_a_full_disk_under_stderr_does_not_stop_a_command(golden, tmp_path):
    done = call(tmp_path, "predict", "-m", golden, stderr=FULL)
    assert done.returncode == 0
    assert done.stdout == call(tmp_path, "predict", "-m", golden).stdout


@pytest.mark.parametrize(
    "arguments", [["train", "--help-all"], ["inspect", "{table}"], ["inspect", "{golden}"]]
)
def test_a_reader_of_stdout_that_has_enough_ends_the_output_quietly(
    golden, table, tmp_path, arguments
):
    given = [each.format(golden=golden, table=table) for each in arguments]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command(*given), cwd=tmp_path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


@pytest.mark.tf
@pytest.mark.slow
def test_a_reader_of_stderr_that_has_enough_does_not_stop_a_training(table, tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("train", table, *QUICK), cwd=tmp_path, stdout=subprocess.PIPE, stderr=write
    )
    os.close(write)
    assert done.returncode == 0
    assert done.stdout.startswith(b"forecast,mae")
    assert fc.load(tmp_path / "model.forecast").config.data.column == ("value",)


@pytest.mark.slow
@pytest.mark.parametrize("end", [b"2020-05-01", b"2020-05-01,", b"2020-05-01,12\xff"])
def test_stdin_that_ends_in_mid_row_is_an_error_with_its_line(tmp_path, end):
    rows = b"date,value\n" + b"".join(b"2020-%02d-01,%d\n" % (n, n) for n in range(1, 5))
    done = subprocess.run(
        command("inspect", "-"), cwd=tmp_path, input=rows + end, capture_output=True
    )
    assert done.returncode in (0, 3), done.stderr
    assert b"Traceback" not in done.stderr
