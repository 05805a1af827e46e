"""How fast a training is, beside Keras as it comes and beside a plain PyTorch loop.

The tutorial job is a whole process: closing prices, min-max, windows of 10, one step ahead, one
LSTM(50), 20 epochs of batch 32, the test, a saved model; the shortest of N runs counts.

Throughput is all windows over all seconds of the epochs after the first, which compiles; the best
of N runs counts. All rows are trained on, without validation, and every tool sees the same
windows. Single epochs would tell less: those of Keras come in a fast and a slow kind.
There are so many epochs that `forecast` compiles with XLA and writes the steps of windows out, as
it does by itself for such work.
"""

import json
import subprocess
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from common import (
    Child,
    Command,
    Row,
    add_table,
    at_least,
    at_most,
    best_seconds,
    finish,
    flags,
    forecast,
    options,
    rival,
    rounds,
)

OURS, KERAS, TORCH = "forecast", "Keras", "PyTorch"


@dataclass(frozen=True)
class Job:
    """A training whose throughput is measured, and how many times that of others is asked for."""

    timesteps: int
    units: int
    batch: int
    epochs: int
    over_keras: float
    over_torch: float

    def __str__(self) -> str:
        return f"T {self.timesteps}, {self.units} units, batch {self.batch}"


JOBS = (Job(10, 50, 32, 60, 4.0, 3.0), Job(24, 128, 256, 50, 1.3, 1.5))


def main() -> int:
    parser = options(__doc__, repeat=3)
    add_table(parser)
    parser.add_argument(
        "--torch-python",
        type=Path,
        default=Path(sys.executable),
        metavar="PATH",
        help="an interpreter that has PyTorch [this one]",
    )
    arguments = parser.parse_args()
    arguments.csv = arguments.csv.resolve()
    with TemporaryDirectory() as name:
        rows = tutorial_rows(arguments, Path(name))
        for job in JOBS:
            rows += throughput_rows(arguments, job, Path(name))
    return finish(f"Training, best of {arguments.repeat}", rows)


def tutorial_rows(arguments: Namespace, folder: Path) -> list[Row]:
    """The tutorial job by either tool."""
    settings = flags(timesteps=10, horizon=1, epochs=20, patience=0, batch_size=32)
    settings += flags(preset="classic")
    ours = forecast("train", arguments.csv, "--column", arguments.column, *settings)
    theirs = rival("keras_tutorial.py", arguments.csv, arguments.column)
    commands: dict[str, Command] = {OURS: ours, "plain Keras script": theirs}
    seconds = best_seconds(rounds(commands, folder, arguments.repeat))
    ratio = seconds[OURS] / seconds["plain Keras script"]
    return [
        *[Row(f"tutorial job: {name}", f"{value:.2f} s") for name, value in seconds.items()],
        at_most("tutorial job: forecast / plain Keras", ratio, 0.5, "{:.2f} x"),
    ]


def throughput_rows(arguments: Namespace, job: Job, folder: Path) -> list[Row]:
    """Windows a second of all tools, and ours over theirs."""
    children = rounds(commands_of(arguments, job), folder, arguments.repeat)
    speeds = {name: max(map(speed, each)) for name, each in children.items()}
    rows = [Row(f"{job}: {name}", f"{value:,.0f} windows/s") for name, value in speeds.items()]
    ratio = speeds[OURS] / speeds[KERAS]
    rows.append(at_least(f"{job}: forecast / Keras", ratio, job.over_keras, "{:.2f} x"))
    if TORCH not in speeds:
        return [*rows, Row(f"{job}: {TORCH}", "not installed")]
    ratio = speeds[OURS] / speeds[TORCH]
    return [*rows, at_least(f"{job}: forecast / PyTorch", ratio, job.over_torch, "{:.2f} x")]


def commands_of(arguments: Namespace, job: Job) -> dict[str, Command]:
    """The same training by every tool that is there."""
    table = (arguments.csv, arguments.column)
    shape = flags(timesteps=job.timesteps, units=job.units, epochs=job.epochs)
    shape += flags(batch_size=job.batch)
    alone = flags(preset="classic", horizon=1, validation=0, test=0, patience=0)
    commands: dict[str, Command] = {
        OURS: forecast("train", table[0], "--column", table[1], *shape, *alone, "--json"),
        KERAS: rival("keras_fit.py", *table, *shape),
    }
    python = str(arguments.torch_python.absolute())
    if has_torch(python):
        commands[TORCH] = rival("torch_loop.py", *table, *shape, python=python)
    return commands


def has_torch(python: str) -> bool:
    """Whether an interpreter finds PyTorch; it is not loaded."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def speed(child: Child) -> float:
    """Windows a second after the first epoch."""
    told: dict[str, Any] = json.loads(child.output)
    if "epochs" in told:
        epochs = [(epoch["windows"], epoch["seconds"]) for epoch in told["epochs"]]
    else:
        epochs = [(told["windows"], seconds) for seconds in told["seconds"]]
    windows, seconds = map(sum, zip(*epochs[1:], strict=True))
    return float(windows / seconds)


if __name__ == "__main__":
    sys.exit(main())
