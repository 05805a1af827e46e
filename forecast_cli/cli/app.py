"""The command `forecast`, and the one place where errors become exit codes."""

import gc
import os
import sys
from typing import Annotated, NoReturn

import typer

from ..core.errors import ForecastError, Interrupted, UsageError
from .backtest import backtest
from .command import Command
from .compare import compare
from .config import config
from .console import show_error
from .evaluate import evaluate
from .future import future
from .inspect import inspect
from .options import spread
from .predict import predict
from .train import train
from .tune import tune

INTERRUPTED = Interrupted.exit_code

app = typer.Typer(
    name="forecast",
    help="Forecast time series with recurrent networks.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (train, predict, compare, tune, backtest, evaluate, future, inspect, config)
for _command in COMMANDS:
    app.command(cls=Command)(spread(_command))


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"forecast {version('forecast-cli')}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Forecast time series with recurrent networks."""


def main() -> None:
    """Run the command line and end the process."""
    # Loading libraries makes hundreds of thousands of objects that stay; looking through them for
    # garbage costs a tenth of a prediction. `train` turns it on again.
    gc.disable()
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; the exit code tells what happened (see `forecast_cli.errors`)."""
    as_json, debug = _wanted("json", arguments), _wanted("debug", arguments)
    if debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
    try:
        code = app(arguments, prog_name="forecast", standalone_mode=False)
        if code != INTERRUPTED:
            return code if isinstance(code, int) else 0
    except ForecastError as error:
        if debug:
            raise
        show_error(error, as_json=as_json)
        return error.exit_code
    except typer.TyperException as error:
        message = error.format_message().replace("Value error, ", "").removesuffix(".")
        if message:
            message += "" if message.endswith("?") else "."
            show_error(UsageError(message, _see_help(arguments)), as_json=as_json)
        return UsageError.exit_code
    except (typer.Abort, KeyboardInterrupt):
        pass
    show_error(Interrupted("Stopped by Ctrl-C; nothing was saved."), as_json=as_json)
    return INTERRUPTED


def _wanted(flag: str, arguments: list[str]) -> bool:
    """Whether a flag is set, also where the command line is too wrong to be parsed."""
    set_ = os.environ.get(f"FORECAST_{flag.upper()}", "").lower() in ("1", "true", "yes", "on")
    return set_ or f"--{flag}" in arguments


def _see_help(arguments: list[str]) -> str:
    known = [command.__name__ for command in COMMANDS]
    return " ".join(["See forecast", *[word for word in arguments[:1] if word in known], "--help."])


def leave(code: int) -> NoReturn:
    """End the process at once: taking pandas and TensorFlow apart would only cost time."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
