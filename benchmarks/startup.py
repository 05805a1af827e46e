"""How long the commands take that should be instant: wall times of whole processes.

Every command is run N times in turn; the shortest time counts. What a command imports is read
from `python -X importtime`, in a process of its own that is not timed.
"""

import re
import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from common import (
    Command,
    Row,
    add_table,
    at_least,
    at_most,
    best_seconds,
    bounded,
    finish,
    flags,
    forecast,
    options,
    rival,
    rounds,
    run,
)

EPOCHS = 2
HEAVY = ("numpy", "pandas", "sklearn", "tensorflow", "keras")
UNNEEDED = ("sklearn", "tensorflow", "keras", "plotext", "matplotlib")

PASS, PANDAS = "python -c pass", 'python -c "import pandas"'
VERSION, HELP, PREDICT = "forecast --version", "forecast --help", "forecast predict"
KERAS = "plain Keras script: load, predict"


def main() -> int:
    parser = options(__doc__, repeat=7)
    add_table(parser)
    arguments = parser.parse_args()
    arguments.csv = arguments.csv.resolve()
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_models(arguments, folder)
        children = rounds(commands(arguments), folder, arguments.repeat)
        imports = [
            import_row("--version", HEAVY, folder),
            import_row("--help", HEAVY, folder),
            import_row("predict", UNNEEDED, folder),
        ]
    rows = [*time_rows(best_seconds(children)), *imports]
    return finish(f"Start-up, best of {arguments.repeat}", rows)


def make_models(arguments: Namespace, folder: Path) -> None:
    """A model of either kind on the same column."""
    settings = flags(column=arguments.column, timesteps=10, horizon=1, epochs=EPOCHS)
    run(forecast("train", arguments.csv, *settings, "--preset", "classic"), folder)
    run(rival("keras_tutorial.py", *table_of(arguments), *flags(epochs=EPOCHS)), folder)


def table_of(arguments: Namespace) -> tuple[Path, str]:
    return arguments.csv, arguments.column


def commands(arguments: Namespace) -> dict[str, Command]:
    """What is timed, by name."""
    return {
        PASS: [sys.executable, "-c", "pass"],
        VERSION: forecast("--version"),
        HELP: forecast("--help"),
        PANDAS: [sys.executable, "-c", "import pandas"],
        PREDICT: forecast("predict"),
        KERAS: rival("keras_predict.py", *table_of(arguments)),
    }


def time_rows(seconds: dict[str, float]) -> list[Row]:
    """The wall times and their ratios."""
    plain = {name: Row(name, f"{value:.3f} s") for name, value in seconds.items()}
    bounds = {name: at_most(name, seconds[name], 0.15, "{:.3f} s") for name in (VERSION, HELP)}
    return [
        *(plain | bounds).values(),
        at_most("predict / import pandas", seconds[PREDICT] / seconds[PANDAS], 1.7, "{:.2f} x"),
        at_least(
            "plain Keras script / predict", seconds[KERAS] / seconds[PREDICT], 8.0, "{:.2f} x"
        ),
    ]


def import_row(argument: str, banned: tuple[str, ...], folder: Path) -> Row:
    """Which packages a command imports, of those that it should not."""
    command = [sys.executable, "-X", "importtime", "-m", "forecast_cli", argument]
    child = run(command, folder)
    found = set(re.findall(r"^import time:.*\|\s*(\w+)", child.errors, re.MULTILINE))
    there = [name for name in banned if name in found]
    return bounded(
        f"imports of forecast {argument}",
        ", ".join(there) or "none of them",
        f"no {', '.join(banned)}",
        not there,
    )


if __name__ == "__main__":
    sys.exit(main())
