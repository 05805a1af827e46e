"""What the benchmarks share: children with their wall time and peak memory, and the table."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import IO

HERE = Path(__file__).resolve().parent
PRICES = HERE.parent / "sample_data" / "prices.csv"
RIVALS = HERE / "rivals"
SHORT = "FALLS SHORT"

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Child:
    """A process that has ended well.

    Args:
        seconds: Wall time, from before it was started until it was gone.
        peak: The most memory that it held at a time (resident), in bytes.
        output: What it wrote to stdout.
        errors: What it wrote to stderr.
        processor: The processor time that it took, its own children included.
    """

    seconds: float
    peak: int
    output: str
    errors: str
    processor: float = 0.0


def forecast(*arguments: str | Path) -> list[str | Path]:
    """The command `forecast`: the script beside this interpreter, or else the module."""
    script = Path(sys.executable).with_name("forecast")
    start = [script] if script.is_file() else [sys.executable, "-m", "forecast_cli"]
    return [*start, *arguments]


def flags(**settings: object) -> list[str]:
    """Settings as flags with their values.

    >>> flags(batch_size=32)
    ['--batch-size', '32']
    """
    pairs = [(f"--{name.replace('_', '-')}", str(value)) for name, value in settings.items()]
    return [part for pair in pairs for part in pair]


def rival(name: str, *arguments: str | Path, python: str = sys.executable) -> list[str | Path]:
    """One of the scripts in rivals/."""
    return [python, RIVALS / name, *arguments]


def run(command: Command, folder: Path) -> Child:
    """Run a command in a folder.

    The settings of whoever measures (FORECAST_...) are kept from it, and Python keeps what it
    compiles, as where the package is installed. The kernel counts the memory of the parent before
    the command was loaded as the child's, so the parent has to stay small.

    Raises:
        SystemExit: The command failed; its last lines are shown.
    """
    kept_out = ("FORECAST_", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(kept_out)}
    with TemporaryFile() as output, TemporaryFile() as errors:
        began = perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=errors, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [_text(stream) for stream in (output, errors)]
    if process.returncode:
        tail = "\n".join((texts[0] + texts[1]).splitlines()[-20:])
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{tail}")
    unit = 1 if sys.platform == "darwin" else 1024
    processor = usage.ru_utime + usage.ru_stime
    return Child(seconds, usage.ru_maxrss * unit, texts[0], texts[1], processor)


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def rounds(commands: Mapping[str, Command], folder: Path, repeat: int) -> dict[str, list[Child]]:
    """Run all commands in turn, and that again and again, so that noise strikes them alike."""
    children: dict[str, list[Child]] = {name: [] for name in commands}
    for number in range(1, repeat + 1):
        for name, command in commands.items():
            print(f"round {number}/{repeat}: {name}", file=sys.stderr, flush=True)
            children[name].append(run(command, folder))
    return children


def best_seconds(children: Mapping[str, list[Child]]) -> dict[str, float]:
    """The shortest wall time of each command."""
    return {name: min(child.seconds for child in each) for name, each in children.items()}


@dataclass(frozen=True)
class Row:
    """A row of the table: what was measured, the figure, and what it should have been."""

    name: str
    figure: str
    budget: str = ""
    verdict: str = ""


def at_most(name: str, value: float, limit: float, form: str) -> Row:
    """A row with an upper bound; `form` says how to write both figures, e.g. `{:.2f} s`."""
    return bounded(name, form.format(value), f"at most {form.format(limit)}", value <= limit)


def at_least(name: str, value: float, limit: float, form: str) -> Row:
    """A row with a lower bound."""
    return bounded(name, form.format(value), f"at least {form.format(limit)}", value >= limit)


def bounded(name: str, figure: str, budget: str, kept: bool) -> Row:
    """A row with a budget, kept or not."""
    return Row(name, figure, budget, "pass" if kept else SHORT)


def finish(title: str, rows: Sequence[Row]) -> int:
    """Print the table.

    Returns:
        The exit code: 1 where a budget is not kept.
    """
    cells = [("measured", "figure", "budget", ""), *[_cells(row) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    pads: list[Callable[[str, int], str]] = [str.ljust, str.rjust, str.ljust, str.ljust]
    lines = [
        "  ".join(pad(cell, width) for pad, cell, width in zip(pads, line, widths, strict=True))
        for line in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    print(title, machine(), "", *map(str.rstrip, lines), sep="\n")
    return int(any(row.verdict == SHORT for row in rows))


def _cells(row: Row) -> tuple[str, str, str, str]:
    return row.name, row.figure, row.budget, row.verdict


def machine() -> str:
    """What it was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(": ")[2] if models else name
    return f"{cores} cores, {name}, Python {platform.python_version()}"


def options(description: str | None, *, repeat: int) -> argparse.ArgumentParser:
    """The parser of a benchmark, with the option that all of them have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--repeat", type=int, default=repeat, metavar="N", help=f"rounds [{repeat}]"
    )
    return parser


def add_table(parser: argparse.ArgumentParser) -> None:
    """The options that name the series."""
    parser.add_argument("csv", nargs="?", type=Path, default=PRICES, help="[the sample prices]")
    parser.add_argument("--column", default="Close", metavar="NAME", help="[Close]")
