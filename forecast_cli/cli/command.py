"""Commands that are built when they are called, and whose help is short."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ..config.settings import SETTINGS
from .help_text import asks_for_help, first_screen, write_command
from .options import ANY_SETTING, OUTPUT_OPTIONS
from .parameters import spread
from .spelling import DEPRECATED, OLD_VARIABLES, renew, variable_of
from .streams import quiet_output
from .terminal import WIDEST

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
