"""Completion in the shells themselves, where they are installed."""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys

import pytest

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
