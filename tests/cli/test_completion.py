"""What a shell offers after a tab, asked as its own script asks, and in the shells themselves."""

import os
import pty
import re
import select
import shlex
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


# Seconds after which a shell that shows nothing new is given up.
PATIENCE = 20
COMMAND = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m forecast_cli "$@"\n'
# Lines, and what a Tab adds to them.
LINES = {
    "forecast pre": "dict",
    "forecast train sales.csv -c no": r"rth\ sales",
    "forecast train sales.csv -c o": r"\'neil",
    "forecast train sales.csv --series day,so": r"uth\ sales",
    "forecast backtest sales.csv --models se": "asonal-naive",
    "forecast backtest sales.csv --models naive,mi": "ne.forecast",
    "forecast train sa": "les.csv",
}


@pytest.fixture
def shell(tmp_path):
    """Return what calls a shell, in which completion is installed, in a folder with a table."""
    folder = tmp_path / "home"
    (tmp_path / "bin").mkdir()
    folder.mkdir()
    (tmp_path / "bin" / "forecast").write_text(COMMAND)
    (tmp_path / "bin" / "forecast").chmod(0o755)
    (folder / "sales.csv").write_text("day,north sales,south sales,o'neil\n2024-01-01,1,2,3\n")
    (folder / "mine.forecast").write_text("")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"HOME": str(folder), "PATH": path, "TERM": "xterm"}
    environment |= {"ZDOTDIR": str(folder), "XDG_CONFIG_HOME": str(folder / ".config")}

    def call(name: str, *words: str) -> str:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        install = ["forecast", "--install-completion", name]
        how = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
        done = subprocess.run(install, **how)
        assert done.returncode == 0 and f"{name} completion installed" in done.stdout, done.stderr
        if not words:
            return _type(name, folder, environment)
        done = subprocess.run([name, *words], **how)
        assert done.stderr == ""
        return done.stdout

    return call


def _type(name, folder, environment):
    """Type each line in a shell of its own terminal, and Tab after it; return what it showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(name, [name], environment)
    shown = _until(terminal, "[#%>] $")
    for line, added in LINES.items():
        os.write(terminal, line.encode())
        # The shell may draw the first letter by itself.
        typed = _until(terminal, re.escape(line[1:]))
        os.write(terminal, b"\t")
        shown += _until(terminal, re.escape(line[1:] + added), typed)
        # Ctrl-U clears the line.
        os.write(terminal, b"\x15")
    os.write(terminal, b"\x04")
    os.close(terminal)
    os.waitpid(process, 0)
    return shown


def _until(terminal, wanted, shown=""):
    """Return what a terminal shows until something wanted is there."""
    while not re.search(wanted, shown):
        assert select.select([terminal], [], [], PATIENCE)[0], f"no {wanted} in {shown}"
        text = os.read(terminal, 4096).decode(errors="replace")
        # Without what moves the cursor or sets colours.
        shown += re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])|[\r\x07]|.\x08", "", text)
    return shown


@pytest.mark.slow
def test_zsh_completes_at_the_first_tab(shell):
    shown = shell("zsh")
    assert all(line[1:] + added in shown for line, added in LINES.items())


@pytest.mark.slow
def test_fish_completes(shell):
    # The last word of each line, as fish finds it; quotes and files are its own.
    asked = "; ".join(f"complete --do-complete {shlex.quote(line)}" for line in LINES)
    offered = shell("fish", "-c", asked).splitlines()
    names = ["predict", "north sales", "o'neil", "day,south sales", "seasonal-naive"]
    wanted = [*names, "naive,mine.forecast", "sales.csv"]
    assert {each.partition("\t")[0] for each in offered} >= {*wanted}


@pytest.mark.slow
def test_bash_completes(shell):
    script = "source ~/.bash_completions/forecast.sh\n" + "\n".join(
        f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        f'_forecast_completion forecast; printf "%s\\n" "${{COMPREPLY[@]}}"'
        for line in LINES
    )
    offered = shell("bash", "--norc", "-c", script).splitlines()
    wanted = ["predict", r"north\ sales", r"o\'neil", r"day,south\ sales", "seasonal-naive"]
    assert {*offered} >= {*wanted, "naive,mine.forecast"}


def test_a_shell_can_be_named_and_an_unknown_one_is_refused(run):
    code, _, err = run("--show-completion", "tcsh")
    assert code == 2 and "bash, zsh, fish, powershell" in err
    if shutil.which("powershell") is None:
        code, _, err = run("--install-completion", "powershell")
        assert code == 2 and "forecast --show-completion powershell" in err
