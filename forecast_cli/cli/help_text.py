"""The help: a first screen by what one wants to do, and the examples and options of a command."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .options import MORE, OUTPUT
from .terminal import WIDEST, columns, styled, wrap

EXAMPLES = "Examples:"
TITLE = "Forecast time series with recurrent networks, and compare them with baselines."
# What gets one going.
FIRST_STEPS = {
    "forecast examples": "write small tables to try",
    "forecast train sample_data/prices.csv -c Close": "train a model and save it",
    "forecast predict --level 80,95": "the next steps, with intervals",
}
READ_ON = {
    "forecast COMMAND --help": "examples and options; --help all: every option",
    "forecast help pages": "docs; also: config, doctor, man, --install-completion",
}
# Columns before the first steps.
INDENT = 2


def first_screen(groups: Mapping[str, Mapping[str, str]]) -> str:
    """Return what `forecast` alone shows: first steps, the commands by purpose, where to read on.

    Args:
        groups: By purpose the commands and what they do.
    """
    width = min(columns(), WIDEST)
    lines = [*wrap(TITLE, width), *_pairs(FIRST_STEPS, width, INDENT), ""]
    names = max(len(name) for group in groups.values() for name in group) + 2
    margin = max(map(len, groups)) + 2
    for group, commands in groups.items():
        title = styled(group, "bold", sys.stdout) + " " * (margin - len(group))
        for name, summary in commands.items():
            text = wrap(summary, width - margin - names)
            lines.append(f"{title}{name:<{names}}{text[0]}")
            lines += [" " * (margin + names) + more for more in text[1:]]
            title = " " * margin
    lines += ["", *_pairs(READ_ON, width, 0)]
    return "\n".join(lines)


def _pairs(texts: Mapping[str, str], width: int, indent: int) -> list[str]:
    """Return lines of commands with what they do behind them, or below where that is narrow."""
    edge = indent + max(map(len, texts)) + 2
    lines = []
    for command, text in texts.items():
        if edge + len(text) <= width:
            lines.append(f"{' ' * indent}{command:<{edge - indent}}{text}")
        else:
            lines.append(f"{' ' * indent}{command}")
            lines += [f"{' ' * indent}  {each}" for each in wrap(text, width - indent - 2)]
    return lines


def write_command(command: Any, ctx: Any, formatter: Any, *, whole: bool) -> None:
    """Write the usage, the examples and the options of a command.

    Args:
        command: The command.
        ctx: Its context.
        formatter: What is written to.
        whole: Whether all options are written, by group; else those that people use.
    """
    command.format_usage(ctx, formatter)
    write_text(formatter, command.help or "", whole=whole)
    panels: dict[str, list[tuple[str, str]]] = {}
    hidden = 0
    for parameter in command.get_params(ctx):
        panel = getattr(parameter, "rich_help_panel", None) or OUTPUT
        if parameter.param_type_name == "argument":
            panel = "Arguments"
        elif panel.startswith(MORE) and not whole:
            hidden += 1
            continue
        panel = panel.removeprefix(MORE) if whole or panel == "Arguments" else "Options"
        panels.setdefault(panel, []).append(_record(parameter, whole=whole))
    for panel in sorted(panels, key=lambda name: (name != "Arguments", name == OUTPUT)):
        with section(formatter, panel):
            formatter.write_dl(panels[panel], col_max=32 if whole else 26)
    if hidden:
        formatter.write_paragraph()
        formatter.write_text(f"{hidden} more options: forecast {command.name} --help all")


def _record(parameter: Any, *, whole: bool) -> tuple[str, str]:
    """Return an option or argument and its help, unless whole without what follows a semicolon."""
    text = parameter.help or ""
    if not whole:
        text = shorten(text)
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper(), text
    names = sorted([*parameter.opts, *parameter.secondary_opts], key=lambda name: name[:2] == "--")
    takes = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
    return ", ".join(names) + takes, text


def shorten(text: str) -> str:
    """Return a help without what follows its first semicolon, but for choices and default.

    >>> shorten("Random seed; the same seed gives the same model. [0]")
    'Random seed. [0]'
    >>> shorten("What chooses; or nothing. (auto, best) [auto; classic for labels]")
    'What chooses. (auto, best) [auto]'
    """
    words, bracket, default = text.partition(" [")
    listed = re.search(r"\. (\([^)]*\))$", words)
    if ("; " in words) and (clause := words.partition("; ")[0]):
        words = f"{clause}." + (f" {listed[1]}" if listed else "")
    default = default.removesuffix("]").partition("; ")[0]
    return f"{words} [{default}]" if bracket else words


def write_text(formatter: Any, text: str, *, whole: bool) -> None:
    """Write the paragraphs of a docstring, unless whole the first, and its examples as they are."""
    words, _, examples = text.partition(EXAMPLES)
    for paragraph in words.strip().split("\n\n")[: None if whole else 1]:
        formatter.write_paragraph()
        formatter.write_text(" ".join(paragraph.split()))
    if examples:
        with section(formatter, EXAMPLES.removesuffix(":")):
            for line in examples.strip().splitlines():
                formatter.write(f"  {line.strip()}\n")


@contextmanager
def section(formatter: Any, title: str) -> Iterator[None]:
    """Write a titled part of a help; the title is bold on a terminal."""
    with formatter.section(styled(title, "bold", sys.stdout)):
        yield


def asks_for_help(words: list[str]) -> str:
    """Return which help the words of a command line ask for: "", "short" or "whole".

    >>> asks_for_help(["a.csv", "-h"]), asks_for_help(["--help", "all"]), asks_for_help(["a"])
    ('short', 'whole', '')
    """
    words = words[: words.index("--")] if "--" in words else words
    if "--help-all" in words:
        return "whole"
    for at, word in enumerate(words):
        if word in ("-h", "--help"):
            return "whole" if words[at + 1 : at + 2] == ["all"] else "short"
    return ""
