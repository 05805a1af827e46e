"""`forecast man`."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Annotated, Any

from ..config.settings import SETTINGS
from .command import COMMANDS, EXAMPLES, GROUPS, MORE_COMMANDS, TITLE, build
from .options import describe, option

Output = Annotated[
    str,
    option(
        "--output", "-o", metavar="PATH", env=False, default="man on a terminal, else stdout",
        help="Where to write it, e.g. ~/.local/share/man/man1/forecast.1.",
    ),
]  # fmt: skip
EXIT_CODES = {
    "0": "The command did what was asked.",
    "1": "An unexpected error.",
    "2": "An invalid option or argument.",
    "3": "A table that cannot be used.",
    "4": "A file is no model, or not one that this version reads.",
    "5": "A training that failed.",
    "6": "A condition of --fail-if is met.",
    "130": "Ctrl-C.",
}
FILES = {
    "forecast.toml": "Settings, in the working folder; forecast config writes one.",
    "~/.config/forecast/config.toml": "Settings of the user, below those; XDG_CONFIG_HOME moves "
    "it.",
    "model.forecast": "Where train saves a model, and predict looks for one.",
}
ENVIRONMENT = {
    "FORECAST_NAME": "The option --name, below flags and above the files.",
    "NO_COLOR": "No colours and no bold text.",
    "COLUMNS": "The width of what is printed.",
}


def man(output: Output = "-") -> None:
    """Write the manual page.

    On a terminal it is shown by man, where that is installed.

    Examples:
        forecast man
        forecast man > forecast.1
        forecast man -o ~/.local/share/man/man1/forecast.1
    """
    from .outputs import write

    page = "\n".join(_lines()) + "\n"
    if output == "-" and sys.stdout.isatty() and (viewer := shutil.which("man")):
        subprocess.run([viewer, "-l", "-"], input=page, text=True, check=False)
    else:
        write(page.encode(), output)


def _lines() -> Iterator[str]:
    """The lines of the page, in the language of man."""
    yield f'.TH FORECAST 1 "" "forecast {version("forecast-cli")}" "User Commands"'
    yield from (".SH NAME", rf"forecast \- {_escape(TITLE[0].lower() + TITLE[1:-1])}")
    yield from (".SH SYNOPSIS", r"\fBforecast\fR \fICOMMAND\fR [\fIOPTIONS\fR] ...")
    yield ".SH COMMANDS"
    for group, commands in (GROUPS | {"More": MORE_COMMANDS}).items():
        yield f".SS {group}"
        yield from _terms({f"forecast {name}": text for name, text in commands.items()})
    for name in COMMANDS:
        yield from _command(name, build(name))
    for group in dict.fromkeys(each.group for each in SETTINGS.values()):
        yield f'.SH "SETTINGS: {group.upper()}"'
        yield from _terms(
            {
                ", ".join(filter(None, (each.short, each.spelled))): describe(
                    each.help, each.default, each.choices
                )
                for each in SETTINGS.values()
                if each.group == group
            }
        )
    for title, texts in (
        ("FILES", FILES),
        ("ENVIRONMENT", ENVIRONMENT),
        ("EXIT STATUS", EXIT_CODES),
    ):
        yield f".SH {title}"
        yield from _terms(texts)
    yield from (".SH SEE ALSO", "forecast help pages lists the documentation.")


def _command(name: str, command: Any) -> Iterator[str]:
    """The section of a command: what it does, its examples, and its own options."""
    text, _, examples = (command.help or "").partition(EXAMPLES)
    yield from (f'.SH "FORECAST {name.upper()}"', _escape(" ".join(text.split())), ".PP", ".nf")
    yield from (_escape(line.strip()) for line in examples.strip().splitlines())
    yield ".fi"
    yield from _terms(
        {
            ", ".join(each.opts): each.help
            for each in command.params
            if each.opts[0].startswith("-") and each.name not in SETTINGS and each.help
        }
    )


def _terms(texts: Mapping[str, str]) -> Iterator[str]:
    """Terms, each with its text."""
    for term, text in texts.items():
        yield from (".TP", rf"\fB{_escape(term)}\fR", _escape(text))


def _escape(text: str) -> str:
    """A line as it is: without what man would take for a command."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text
