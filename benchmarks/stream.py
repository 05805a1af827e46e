"""How long a row of a stream waits for its forecast, and whether memory grows.

`forecast predict --follow` is a process with pipes: one row is written, and the time until the last
line of its forecast is read is taken. Then rows come as fast as they are taken, and the memory of
the process is read after a tenth of them and at the end. Nothing else should run beside it.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from common import Row, add_table, at_most, finish, flags, forecast, options, run

TUTORIAL = flags(preset="classic", timesteps=10, units=50, horizon=1, epochs=5)
WATCHED = ["--level", "80,95", "--anomalies"]
# Rows that are not timed: libraries are loaded with the first ones.
WARM = 50


def main() -> int:
    parser = options(__doc__, repeat=2000)
    add_table(parser)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the flood [1000000]")
    arguments = parser.parse_args()
    table, column = arguments.csv.resolve(), ["--column", arguments.column]
    with TemporaryDirectory() as name:
        folder = Path(name)
        models = {
            "tutorial": TUTORIAL,
            "default preset": [],
            "steps": [*TUTORIAL, "--time", "none"],
        }
        for model, settings in models.items():
            run(
                forecast("train", table, *column, *settings, "--model", f"{model}.forecast"), folder
            )
        lines = days(table, arguments.column, arguments.repeat + WARM)
        rows = []
        for model, more in (("tutorial", []), ("tutorial", WATCHED), ("default preset", [])):
            seconds = wait_times(folder, f"{model}.forecast", more, lines)
            called = " ".join([model, *more])
            budget = 1.0 if not more and model == "tutorial" else None
            rows += time_rows(called, [1000 * each for each in seconds], budget)
        rows += flood(folder, "steps.forecast", arguments.column, arguments.rows)
    return finish("Streams", rows)


def days(table: Path, column: str, count: int) -> list[str]:
    """A header, and rows of the business days after the table."""
    last = table.read_text().splitlines()[-1].split(",")[0]
    dates = np.busday_offset(np.datetime64(last), np.arange(1, count + 1), roll="backward")
    values = values_of(count)
    made = zip(dates, values, strict=True)
    return [f"Date,{column}\n", *(f"{day},{value:.2f}\n" for day, value in made)]


def values_of(count: int) -> np.ndarray:
    """Values that move around 120."""
    return 120 + np.random.default_rng(0).normal(scale=1.0, size=count)


def start(folder: Path, model: str, more: Sequence[str]) -> Any:
    """The command with pipes."""
    command = forecast("predict", "-m", model, "--follow", "-q", *more)
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, text=True, **pipes)


def wait_times(folder: Path, model: str, more: Sequence[str], lines: list[str]) -> list[float]:
    """The seconds from each row to the last line of its forecast."""
    seconds = []
    with start(folder, model, more) as process:
        process.stdin.write(lines[0])
        process.stdin.flush()
        process.stdout.readline()
        # The default preset chooses its own horizon: the first row shows how many lines come.
        process.stdin.write(lines[1])
        process.stdin.flush()
        answer = [process.stdout.readline()]
        expected = horizon_of(folder / model) + ("--anomalies" in more)
        answer += [process.stdout.readline() for _ in range(expected - 1)]
        for line in lines[2:]:
            began = perf_counter()
            process.stdin.write(line)
            process.stdin.flush()
            for _ in range(expected):
                process.stdout.readline()
            seconds.append(perf_counter() - began)
        process.stdin.close()
    return seconds[WARM:]


def horizon_of(model: Path) -> int:
    """The steps of a forecast of a model."""
    import forecast_cli as fc

    return fc.load(model).bundle.manifest.horizon


def time_rows(name: str, milliseconds: list[float], budget: float | None) -> list[Row]:
    """The median and the 99th percentile."""
    middle, late = median(milliseconds), quantiles(milliseconds, n=100)[98]
    first = f"{name}, a row, median"
    form = "{:.2f} ms"
    return [
        Row(first, form.format(middle)) if budget is None else at_most(first, middle, budget, form),
        Row(f"{name}, a row, p99", form.format(late)),
    ]


def flood(folder: Path, model: str, column: str, count: int) -> list[Row]:
    """The rows a second, and by how much the memory grows from a tenth of them on."""
    values = values_of(10_000)
    part = "".join(f"{value:.2f}\n" for value in values)
    with start(folder, model, ["--every", str(10 * count)]) as process:
        status = Path(f"/proc/{process.pid}/status")
        process.stdin.write(f"{column}\n")
        sizes, began = [], perf_counter()
        for _ in range(max(10, count // len(values))):
            process.stdin.write(part)
            process.stdin.flush()
            sizes.append(int(status.read_text().split("VmRSS:")[1].split()[0]) / 1024)
        process.stdin.close()
        process.stdout.read()
    seconds = perf_counter() - began
    grown = sizes[-1] - sizes[len(sizes) // 10]
    return [
        Row("rows a second, without forecasts", f"{count / seconds:,.0f}"),
        at_most(f"memory over {count:,} rows, growth", grown, 5.0, "{:.1f} MB"),
        Row("memory at the end", f"{sizes[-1]:.0f} MB"),
    ]


if __name__ == "__main__":
    sys.exit(main())
