"""What a shell offers after a tab, asked as its own script asks."""

import os
import shutil
import subprocess
import sys

import pytest

SHELLS = ("bash", "zsh", "fish", "powershell")


@pytest.fixture
def complete(tmp_path):
    """Ask for the completion of a command line, in a folder with tables and models."""
    (tmp_path / "sales.csv").write_text("day;north sales;south sales\n2024-01-01;1;2\n")
    (tmp_path / "best.forecast").write_text("")

    def call(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        asked = {
            "_FORECAST_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
        }
        command = [sys.executable, "-m", "forecast_cli"]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | asked, capture_output=True, text=True
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    return call


@pytest.mark.parametrize("shell", SHELLS)
def test_a_column_of_the_named_table_is_offered(complete, shell):
    out = "\n".join(complete("forecast train sales.csv -c no", shell))
    assert "north" in out and "south" not in out and "day" not in out


def test_bash_gets_blanks_escaped_and_names_after_a_comma(complete):
    assert complete("forecast train sales.csv -c s") == [r"south\ sales"]
    assert complete("forecast train sales.csv --series day,n") == [r"day,north\ sales"]


def test_powershell_gets_quotes_where_a_value_needs_them(complete):
    # Without them a comma makes two values of one.
    offered = complete("forecast train sales.csv --series day,n", "powershell")
    assert [each.partition(":::")[0] for each in offered] == ["'day,north sales'"]
    offered = complete("forecast train sales.csv -c 'no", "powershell")
    assert [each.partition(":::")[0] for each in offered] == ["'north sales'"]
    assert complete("forecast train sales.csv -c d", "powershell")[0].startswith("day:::")


def test_models_are_offered_by_name_and_file(complete):
    assert complete("forecast backtest sales.csv --models se") == ["seasonal-naive"]
    assert complete("forecast backtest sales.csv --models naive,be") == [
        "naive,best",
        "naive,best.forecast",
    ]


def test_commands_options_choices_and_pages_are_offered(complete):
    assert complete("forecast pre") == ["predict"]
    assert complete("forecast train sales.csv --ce") == ["--cell"]
    assert complete("forecast train sales.csv --cell g") == ["gru"]
    assert complete("forecast help se") == ["serve", "security", "settings"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script(shell):
    asked = {"_FORECAST_COMPLETE": f"source_{shell}"}
    command = [sys.executable, "-m", "forecast_cli"]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True)
    assert f"complete_{shell}" in done.stdout and "forecast" in done.stdout
    if shell != "powershell" and shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")
