"""What docs/interface.md promises to scripts is what the commands do."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from forecast_cli.cli.command import COMMANDS as ALL
from forecast_cli.core import errors

from ..frames import seasonal_frame

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
SMALL = ("--preset", "classic", "-H", "3", "--timesteps", "4", "--epochs", "1")
# The keys of every document.
HEAD = {"schema", "command", "version", "notes"}
# A command line for each row of the table of keys; the last words of its key tell what it reads.
COMMANDS = {
    "inspect MODEL": ["inspect", "model.forecast"],
    "predict": ["predict", "--level", "80"],
    "now": ["now", "new.csv", "-c", "value"],
    "future": ["future", "-m", "many.forecast"],
    "explain": ["explain"],
    "evaluate": ["evaluate", "new.csv", "-m", "model.forecast"],
    "backtest": ["backtest", "new.csv", "-c", "value", "-H", "3", "--models", "naive,drift"],
    "export": ["export", "-o", "exported"],
    "plot": ["plot", "model.forecast"],
    "report": ["report", "model.forecast"],
    "inspect TABLE": ["inspect", "new.csv"],
    "examples": ["examples"],
    "doctor": ["doctor", "--no-test"],
    "config --for": ["config", "--for", "new.csv", "-c", "value"],
    "train": ["train", "new.csv", "-c", "value", "-m", "new.forecast", *SMALL],
    "compare": ["compare", "new.csv", "-c", "value", "-m", "new.forecast", "--cells", "gru,lstm",
                *SMALL],
    "tune": ["tune", "new.csv", "-c", "value", "-m", "new.forecast", "--trials", "1", "-H", "3"],
}  # fmt: skip


def rows_of(heading):
    """The rows of the table below a heading."""
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line[:2] == "| "]
    return rows[2:]


def keys_of(command):
    """The keys of a command that are always there, and those that may be."""
    (text,) = [keys for names, keys in rows_of("Keys of `--json`")
               if f"`{command}`" in names.split(", ")]  # fmt: skip
    always, _, sometimes = text.partition("; ")
    return set(re.findall(r"`(\w+)`", always)), set(re.findall(r"`(\w+)`", sometimes))


@pytest.fixture
def files(tmp_path):
    golden = ROOT / "tests" / "golden"
    shutil.copy(golden / "format-8.forecast", tmp_path / "model.forecast")
    shutil.copy(golden / "format-3.forecast", tmp_path / "many.forecast")
    seasonal_frame(72).drop(columns="other").to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


def test_the_exit_codes_are_those_of_the_errors():
    kinds = [each for each in vars(errors).values()
             if isinstance(each, type) and issubclass(each, errors.ForecastError)]  # fmt: skip
    assert [int(code) for code, _ in rows_of("Exit codes")] == sorted(
        {0, *(each.exit_code for each in kinds)}
    )
    named = re.findall(r"`(\w+)`", PAGE.split("`code` is ")[1].split("\n\n")[0])
    assert {*named} == {each.code for each in kinds} - {"error"}


@pytest.mark.usefixtures("linear_training")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", COMMANDS)
def test_json_documents_have_the_keys(run, files, command):
    code, out, err = run(*COMMANDS[command], "--json")
    assert code == 0, err
    always, sometimes = keys_of(command)
    found = {*json.loads(out)}
    assert always | HEAD <= found <= always | sometimes | HEAD


def test_every_command_with_a_document_is_listed():
    listed = {name.split()[0] for names, _ in rows_of("Keys of `--json`")
              for name in re.findall(r"`([^`]+)`", names)}  # fmt: skip
    assert listed == {*ALL} - {"help", "man"}


def test_the_columns_of_a_forecast(run, files):
    def columns(*words):
        code, out, err = run(*words)
        assert code == 0, err
        return out.splitlines()[0].split(",")

    assert columns("predict", "--level", "80,95") == [
        "date", "value", "value_lo95", "value_lo80", "value_hi80", "value_hi95"
    ]  # fmt: skip
    assert columns("predict", "--samples", "2") == ["sample", "date", "value"]
    new = pd.read_csv(files / "new.csv").tail(30).to_csv(index=False)
    (files / "new.csv").write_text(new)
    assert columns("predict", "new.csv", "--in-sample") == ["date", "value", "value_forecast"]
    assert columns("future", "-m", "many.forecast") == ["shop", "date", "promo"]
    assert columns("explain") == ["date", "forecast", "level", "trend", "season"]
    backtest = columns("backtest", "new.csv", "-c", "value", "-H", "3", "--models", "naive")
    assert backtest == ["cutoff", "date", "actual", "naive"]
