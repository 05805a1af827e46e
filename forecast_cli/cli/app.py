"""The command `forecast`, and the one place where errors become exit codes."""

import gc
import os
import re
import sys
from difflib import get_close_matches
from typing import Annotated, Any, NoReturn

import typer

from ..core.brief import visible
from ..core.errors import ForecastError, Interrupted, UsageError, nearest
from ..core.libraries import explain_missing
from .command import COMMANDS, HELP, Commands, build, unknown_variables
from .completion import prepare
from .console import show_error
from .inputs import CALLED
from .signals import INTERRUPTED, received
from .spelling import fit_hint
from .terminal import flush, print_message, protect

# What the parser says of a value that is none of the choices of an option.
NO_CHOICE = re.compile(
    r"Invalid value for (?P<where>.*): '(?P<given>.*)' is not one of (?P<names>'.*')"
)
MOST_GUESSES = 3
app = typer.Typer(
    name="forecast",
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


def explain_misuse(error: Any, command: str, commands: list[str]) -> UsageError | None:
    """Return an error of the parser of the command line as ours; None where it has no message.

    It names the `command` that was called, empty where none was, and resembling `commands`.
    """
    message = error.format_message().replace("Value error, ", "").removesuffix(".")
    see = f"See {' '.join(['forecast', *([command] if command else []), '--help'])}."
    if not message:
        return None
    if (name := getattr(error, "option_name", "")) and hasattr(error, "possibilities"):
        return UsageError(f"No such option: {name}.", f"{_guess_option(name, error)}{see}")
    if invalid := _explain_value(error):
        return invalid
    if found := NO_CHOICE.fullmatch(message):
        where, names = found["where"].split("'")[1], re.findall(r"'([^']*)'", found["names"])
        return UsageError(f'Invalid {where} "{found["given"]}".', nearest(found["given"], names))
    if found := re.fullmatch(r"No such command '(.*?)'.*", message):
        guess = get_close_matches(found[1].lower(), commands, n=1)
        meant = f"Did you mean {guess[0]}? " if guess else ""
        return UsageError(f'There is no command "{found[1]}".', f"{meant}{see}")
    return UsageError(message + ("" if message.endswith("?") else "."), see)


def _explain_value(error: Any) -> UsageError | None:
    """Return the error of a value that is not what its option takes; None for other errors."""
    from ..config.invalid import describe_invalid

    cause, flags = error.__cause__, _flags_of(getattr(error, "param", None))
    if not flags or not hasattr(cause, "errors"):
        return None
    first = cause.errors(include_url=False)[0]
    given, why = str(first["input"]), describe_invalid(first)
    given = given if re.fullmatch(r"-?[\d.]+", given) else f'"{given}"'
    return UsageError(f"Invalid {flags[0]} {given}: {why}.") if why else None


def _guess_option(name: str, error: Any) -> str:
    """Return the options of the command with names like one, as a question."""
    known = [flag for each in error.ctx.command.params for flag in _flags_of(each)]
    near = get_close_matches(name, known, n=MOST_GUESSES, cutoff=0.7)
    begun = sorted(flag for flag in known if flag.startswith(name) and len(name) > 3)
    guesses = list(dict.fromkeys([*begun, *near]))[:MOST_GUESSES]
    return f"Did you mean {' or '.join(guesses)}? " if guesses else ""


def _flags_of(parameter: Any) -> list[str]:
    """Return the long flags of an option; none of what is no option."""
    names = (*parameter.opts, *parameter.secondary_opts) if parameter is not None else ()
    return [name for name in names if name[:2] == "--"]


@app.callback()
def start(
    # Its default is None since typer would import pydantic for False.
    version: Annotated[
        bool | None, typer.Option("-V", "--version", help="Show the version.")
    ] = None,
) -> None:
    """Forecast time series with recurrent networks, and compare them with baselines.

    Examples:
        forecast train prices.csv --column Close
        forecast predict --horizon 5 --level 80,95
        forecast backtest sales.csv --column sales --models lstm,ets,seasonal-naive
    """


def main() -> None:
    """Run the command line and end the process."""
    # Loading libraries makes hundreds of thousands of objects that stay; looking through them for
    # garbage costs a tenth of a prediction. `train` turns it on again.
    gc.disable()
    # pydantic would search all installed packages for its plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    protect()
    try:
        code = run(sys.argv[1:])
    except ForecastError:
        code = _show_origin()
    leave(code)


def _show_origin() -> int:
    """Print where an error comes from, without secrets of addresses; return the exit code."""
    import traceback

    from ..data.io.remote import masked

    for line in traceback.format_exc().splitlines():
        print(visible(masked(line)), file=sys.stderr)
    return ForecastError.exit_code


def run(arguments: list[str]) -> int:
    """Run a command; return its exit code (see `forecast_cli.errors`)."""
    as_json, debug = _wanted("json", arguments), _wanted("debug", arguments)
    CALLED.set(tuple(arguments))
    command = "".join(word for word in arguments[:1] if word in COMMANDS)
    if debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
    try:
        code = _call_installed(arguments)
        if code != INTERRUPTED:
            return code if isinstance(code, int) else 0
    except ForecastError as error:
        if debug:
            raise
        show_error(_fitting(error, arguments), as_json=as_json, command=command)
        return error.exit_code
    except typer.TyperException as error:
        if misuse := explain_misuse(error, command, list(COMMANDS)):
            show_error(misuse, as_json=as_json, command=command)
        return UsageError.exit_code
    except (typer.Abort, KeyboardInterrupt):
        pass
    stopped = Interrupted(f"Stopped by {received()}; nothing was saved.")
    show_error(stopped, as_json=as_json, command=command)
    return INTERRUPTED


def _call_installed(arguments: list[str]) -> Any:
    """Call a command; what lacks a library of trainings, or memory, says so."""
    try:
        return _call(arguments)
    except ModuleNotFoundError as error:
        if missing := explain_missing(error, f"`forecast {' '.join(arguments[:1])}`"):
            raise missing from None
        raise
    except MemoryError as error:
        reason = f": {str(error).rstrip('.')}" if str(error) else ""
        raise UsageError(
            f"There is not enough memory{reason}.",
            "Use fewer rows or columns, or a machine with more of it.",
        ) from None


def _call(arguments: list[str]) -> Any:
    """Call a command, or show what the commands are."""
    if not arguments or arguments[0] not in COMMANDS:
        prepare(arguments)
        return app(arguments, prog_name="forecast", standalone_mode=False)
    name, *rest = arguments
    if not _wanted("quiet", arguments):
        for variable, near in unknown_variables(name).items():
            meant = f": did you mean {near}?" if near else "; docs/settings.md lists their names"
            print_message("warning", f"no option has the variable {variable}{meant}")
    return build(name).main(rest, prog_name=f"forecast {name}", standalone_mode=False)


def _fitting(error: ForecastError, arguments: list[str]) -> ForecastError:
    """Return an error whose hint names only options of the command that was called."""
    if error.hint and arguments[:1] and arguments[0] in COMMANDS:
        options = [str(each.name) for each in build(arguments[0]).params]
        error.hint = fit_hint(error.hint, options)
    return error


def _wanted(flag: str, arguments: list[str]) -> bool:
    """Whether a flag is set, also where the command line is too wrong to be parsed."""
    set_ = os.environ.get(f"FORECAST_{flag.upper()}", "").lower() in ("1", "true", "yes", "on")
    return set_ or f"--{flag}" in arguments


def leave(code: int) -> NoReturn:
    """End the process at once: taking pandas and TensorFlow apart would only cost time."""
    flush()
    os._exit(code)
