"""Commands that are built when they are called, and whose help is short."""

import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ..config.settings import SETTINGS
from .options import ANY_SETTING, MORE, OUTPUT, OUTPUT_OPTIONS, spread
from .spelling import DEPRECATED, OLD_VARIABLES, renew, variable_of
from .streams import quiet_output

# Each command, a module of its own, in the words of the help.
COMMANDS = {
    "train": "Train a model on a table and save it.",
    "predict": "Forecast the next steps from a saved model.",
    "compare": "Compare presets, cells and baselines, and train and save the best model.",
    "tune": "Search for better settings than those of train, and train with them.",
    "backtest": "Compare several models and baselines from many forecast origins.",
    "evaluate": "Score a saved model on new rows, or a table of forecasts.",
    "future": "Write the table of future covariates that a forecast needs, to fill in.",
    "explain": "Show what a forecast is made of.",
    "plot": "Draw a chart of a model, a table or a forecast.",
    "report": "Write a page about a model and its forecasts: one HTML file to send on.",
    "export": "Write a saved model in a form that other programs read.",
    "inspect": "Show what is in a model or in a table.",
    "config": "Print the whole configuration as TOML, with where each value comes from.",
}
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EXAMPLES = "Examples:"


class Command(TyperCommand):
    """A command whose --help shows examples and its common options, --help-all the others too.

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
        self._write(ctx, formatter, whole=False)

    def format_all(self, ctx: Any) -> str:
        """The help with all options, by panel."""
        formatter = ctx.make_formatter()
        self._write(ctx, formatter, whole=True)
        return str(formatter.getvalue()).rstrip()

    def _write(self, ctx: Any, formatter: Any, *, whole: bool) -> None:
        self.format_usage(ctx, formatter)
        write_text(formatter, self.help or "")
        panels: dict[str, list[tuple[str, str]]] = {}
        hidden = 0
        for parameter in self.get_params(ctx):
            record = _record(parameter)
            panel = getattr(parameter, "rich_help_panel", None) or OUTPUT
            if parameter.param_type_name == "argument":
                panel = "Arguments"
            elif panel.startswith(MORE) and not whole:
                hidden += 1
                continue
            panel = panel.removeprefix(MORE) if whole or panel == "Arguments" else "Options"
            panels.setdefault(panel, []).append(record)
        for panel in sorted(panels, key=lambda name: (name != "Arguments", name == OUTPUT)):
            with section(formatter, panel):
                formatter.write_dl(panels[panel], col_max=32)
        if hidden:
            formatter.write_paragraph()
            formatter.write_text(f"{hidden} more options: forecast {self.name} --help-all")


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
            if args[:1] == ["--version"]:
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
        self.format_usage(ctx, formatter)
        write_text(formatter, self.help or "")
        with section(formatter, "Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with section(formatter, "Options"):
            formatter.write_dl([_record(each) for each in self.get_params(ctx)])


def unknown_variables(command: str) -> dict[str, str]:
    """Return variables of the environment that no option has, and the nearest name of one.

    Args:
        command: The one that is called, whose options are known already.
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
    words = words[: words.index("--")] if "--" in words else words
    if "--help-all" in words and isinstance(ctx.command, Command):
        echo(ctx.command.format_all(ctx))
    elif {*words} & {*ctx.help_option_names}:
        echo(ctx.get_help())
    else:
        return
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
    return get_command(app)


def _record(parameter: Any) -> tuple[str, str]:
    """An option or argument and its help."""
    if parameter.param_type_name == "argument":
        return parameter.metavar or parameter.name.upper(), parameter.help or ""
    names = sorted([*parameter.opts, *parameter.secondary_opts], key=lambda name: name[:2] == "--")
    takes = "" if parameter.is_flag else f" {parameter.metavar or 'VALUE'}"
    return ", ".join(names) + takes, parameter.help or ""


def write_text(formatter: Any, text: str) -> None:
    """Write the paragraphs of a docstring, wrapped, and its examples as they are."""
    words, _, examples = text.partition(EXAMPLES)
    for paragraph in words.strip().split("\n\n"):
        formatter.write_paragraph()
        formatter.write_text(" ".join(paragraph.split()))
    if examples:
        with section(formatter, EXAMPLES.removesuffix(":")):
            for line in examples.strip().splitlines():
                formatter.write(f"  {line.strip()}\n")


class section:
    """A titled part of a help; the title is bold on a terminal."""

    def __init__(self, formatter: Any, title: str) -> None:
        bold = "NO_COLOR" not in os.environ
        self.inner = formatter.section(typer.style(title, bold=True) if bold else title)

    def __enter__(self) -> None:
        self.inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.inner.__exit__(*error)
