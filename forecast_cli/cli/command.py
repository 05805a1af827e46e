"""Commands that are built when they are called, and their help."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ..config.settings import SETTINGS
from .options import ANY_SETTING, MORE, OUTPUT, OUTPUT_OPTIONS
from .parameters import spread
from .spelling import DEPRECATED, OLD_VARIABLES, renew, variable_of
from .terminal import WIDEST, columns, quiet_output, styled, wrap

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
# Each command, a module of its own, by what one wants to do.
GROUPS = {
    "Start": {
        "examples": "Write small tables, and recipes that run on them.",
        "now": "Forecast a table at once, without training.",
    },
    "Use": {
        "train": "Train a model on a table and save it.",
        "predict": "Forecast the next steps from a saved model.",
        "future": "Write the table of future covariates, to fill in.",
        "serve": "Answer requests for forecasts over HTTP.",
        "export": "Write a saved model in a form that other programs read.",
    },
    "Judge": {
        "evaluate": "Score a saved model on new rows, or a table of forecasts.",
        "backtest": "Compare models and baselines from many forecast origins.",
    },
    "Improve": {
        "compare": "Compare presets, cells and baselines, and save the best.",
        "tune": "Search for better settings, and train with them.",
    },
    "Look": {
        "inspect": "Show what is in a model or in a table.",
        "plot": "Draw a chart of a model, a table or a forecast.",
        "explain": "Show what a forecast is made of.",
        "report": "Write one HTML page about a model, to send on.",
    },
}
# Those that the first screen names in its last lines.
MORE_COMMANDS = {
    "config": "Print the whole configuration, with where values come from.",
    "help": "Show the help of a command, or a page of the documentation.",
    "man": "Write the manual page.",
    "doctor": "Check the installation, and what each extra is for.",
}
COMMANDS = {
    name: text for group in (*GROUPS.values(), MORE_COMMANDS) for name, text in group.items()
}
HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}


def first_screen(groups: Mapping[str, Mapping[str, str]]) -> str:
    """Return what `forecast` alone shows: first steps, commands by purpose, where to read on."""
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

    All options are written, by group; unless `whole`, those that people use.
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


class Command(TyperCommand):
    """A command whose --help shows examples and its common options, --help all the others too.

    It takes the spellings of the version before, with a warning.
    """

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what follows the command in its usage."""
        arguments = [each for each in self.params if each.param_type_name == "argument"]
        return ["[OPTIONS]", *[str(each.metavar) for each in arguments]]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments."""
        if not ctx.resilient_parsing:
            show_help(ctx, args)
        return super().parse_args(ctx, renew(str(self.name), args))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the common options."""
        write_command(self, ctx, formatter, whole=False)

    def format_all(self, ctx: Any) -> str:
        """The help with all options, by panel."""
        formatter = ctx.make_formatter()
        write_command(self, ctx, formatter, whole=True)
        return str(formatter.getvalue()).rstrip()


class Commands(TyperGroup):
    """The commands, of which only the one that is called is loaded and built."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments."""
        if not ctx.resilient_parsing:
            show_help(ctx, args[:1])
            if not args:
                echo(ctx.get_help())
                raise typer.Exit(2)
            if args[:1] in (["--version"], ["-V"]):
                from importlib.metadata import version

                echo(f"forecast {version('forecast-cli')}")
                raise typer.Exit
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load and build a command."""
        if cmd_name in COMMANDS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = build(cmd_name)
        return self.commands.get(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write what the commands are for."""
        formatter.write(first_screen(GROUPS) + "\n")


def unknown_variables(command: str) -> dict[str, str]:
    """Return variables of the environment that no option has, and the nearest name of one.

    The options of the command that is called are known already.
    """
    from difflib import get_close_matches

    prefix = variable_of("")
    found = [name for name in sorted(os.environ) if name.startswith(prefix)]
    known = {each.variable for each in (*SETTINGS.values(), *ANY_SETTING, *OUTPUT_OPTIONS)}
    known |= {
        OLD_VARIABLES.get(old, variable_of(old)) for each in DEPRECATED.values() for old in each
    }
    for name in (command, *COMMANDS):
        if known.issuperset(found):
            return {}
        flags = [flag for each in build(name).params for flag in each.opts if flag[:2] == "--"]
        known |= {variable_of(flag) for flag in flags}
    names = {each.removeprefix(prefix): each for each in known}
    near = {each: get_close_matches(each.removeprefix(prefix), names, n=1) for each in found}
    return {each: names[near[each][0]] if near[each] else "" for each in found if each not in known}


def show_help(ctx: Any, words: list[str]) -> None:
    """Show the help and end where the words ask for it: typer would import pydantic for that."""
    asked = asks_for_help(words)
    if not asked:
        return
    whole = asked == "whole" and isinstance(ctx.command, Command)
    echo(ctx.command.format_all(ctx) if whole else ctx.get_help())
    raise typer.Exit


def echo(text: str) -> None:
    """Print a help; its styles are for terminals alone."""
    with quiet_output():
        typer.echo(text)


def load(name: str) -> Any:
    """The function of a command."""
    return getattr(import_module(f".{name}", __package__), name)


def build(name: str) -> Any:
    """A command with its options."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False, context_settings=HELP)
    app.command(name, cls=Command)(spread(load(name)))
    command = get_command(app)
    for each in command.params:
        each.process_value = _process_given(each)  # type: ignore[assignment, method-assign]
    return command


def _process_given(parameter: Any) -> Callable[[Any, Any], Any]:
    """What processes the value of an option: typer would build a validator for each without one."""
    process = parameter.process_value
    absent = () if parameter.multiple or parameter.nargs == -1 else None

    def process_value(ctx: Any, value: Any) -> Any:
        ready = value is None and not parameter.required and parameter.callback is None
        return absent if ready else process(ctx, value)

    return process_value
