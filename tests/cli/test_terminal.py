"""Messages on a terminal: their colours, and lines that fit."""

import sys

import pytest

from forecast_cli.cli.console import Console, show_error
from forecast_cli.cli.options import OutputOptions
from forecast_cli.core.errors import DataError

LONG = DataError(
    "There is no file sales-of-all-shops-in-the-north-2024-12-31.csv in this folder.",
    "Did you mean sales-of-all-shops-in-the-south-2024-12-31.csv?",
)


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr a terminal of 60 columns; called in the test, whose stderr is its own."""

    def make():
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", "60")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)

    return make


def test_an_error_is_one_line_in_a_pipe(capsys):
    show_error(LONG, as_json=False)
    assert capsys.readouterr().err == f"error: {LONG}\n"


def test_an_error_begins_red_on_a_terminal_and_is_broken_between_words(terminal, capsys):
    terminal()
    show_error(LONG, as_json=False)
    err = capsys.readouterr().err
    assert err.startswith("\x1b[1;31merror:\x1b[0m There is no file")
    lines = err.replace("\x1b[1;31m", "").replace("\x1b[0m", "").splitlines()
    assert len(lines) > 2 and max(map(len, lines)) <= 60
    assert " ".join(lines) == f"error: {LONG}"


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_none_is_wanted_or_shown(terminal, capsys, monkeypatch, variable):
    terminal()
    monkeypatch.setenv(*variable)
    show_error(LONG, as_json=False)
    assert "\x1b" not in capsys.readouterr().err


def test_only_the_first_word_of_a_warning_is_yellow(terminal, capsys):
    terminal()
    options = OutputOptions(json=False, quiet=False, debug=False)
    Console(options).warn(["the series resembles a random walk"])
    assert "\x1b[33mwarning:\x1b[0m the series" in capsys.readouterr().err


def test_a_table_that_is_too_wide_goes_on_below_and_folds_no_date(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    names = ["Close", "Close_lo95", "Close_lo80", "Close_hi80", "Close_hi95"]
    rows = [
        {"Date": f"2026-01-0{day} 12:00:00", **dict.fromkeys(names, 121.1234 + day)}
        for day in range(1, 4)
    ]
    Console(OutputOptions(json=False, quiet=False, debug=False)).table(rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert sum("2026-01-01 12:00:00" in line for line in lines) == 2
    assert all(any(name in line for line in lines) for name in names)
