"""No name in a table or of a file reaches a terminal as a command to it."""

import io
import json
import sys

import numpy as np
import pandas as pd
import pytest

from forecast_cli.core.brief import CONTROLS

NAME = "va\x1b[31mlue\u202e\x9b"
SPELLED = r"va\x1b[31mlue\u202e\x9b"


@pytest.fixture
def hostile(tmp_path):
    dates = pd.date_range("2020-01-01", periods=40, freq="D")
    shops = ["a\x1b]0;owned\x07", "b\u2066"]
    steps = np.arange(40.0)
    frame = pd.concat(
        [pd.DataFrame({"date": dates, NAME: steps, "sh\x1bop": shop}) for shop in shops]
    )
    frame.to_csv(tmp_path / "t\x1b[2J.csv", index=False)
    return "t\x1b[2J.csv"


def no_controls(text):
    found = CONTROLS.search(text)
    assert not found, text[max(0, found.start() - 40) : found.end() + 40]


COMMANDS = {
    "inspect": ("inspect", "TABLE", "-c", NAME, "--series", "sh\x1bop"),
    "json": ("inspect", "TABLE", "-c", NAME, "--series", "sh\x1bop", "--json"),
    "no column": ("train", "TABLE", "-c", "x\x1b", "--preset", "classic"),
    "no file": ("inspect", "TABLE.none"),
    "no option": ("inspect", "TABLE", "--x\x1b[2J"),
    "no value": ("train", "TABLE", "--horizon", "\x1b[2J"),
    "backtest": (
        "backtest", "TABLE", "-c", NAME, "--series", "sh\x1bop", "--models", "naive",
        "--horizon", "2", "--n-windows", "2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_controls_a_terminal(run, hostile, name, terminal, monkeypatch):
    arguments = [each.replace("TABLE", hostile) for each in COMMANDS[name]]
    if terminal:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
    code, out, err = run(*arguments)
    assert code == (2 if name in ("no option", "no value") else 3 if name.startswith("no") else 0)
    no_controls(err)
    if terminal or name == "json":
        no_controls(out)
    if name == "json":
        assert json.loads(out)


def test_a_pipe_has_the_data_as_they_are(capsys):
    from forecast_cli.cli.console import Console
    from forecast_cli.cli.options import OutputOptions

    rows = [{NAME: "a\x1b]0;owned\x07", "x": 1.5}]
    Console(OutputOptions(json=False, quiet=False, debug=False)).table(rows)
    assert pd.read_csv(io.StringIO(capsys.readouterr().out)).to_dict("records") == rows
