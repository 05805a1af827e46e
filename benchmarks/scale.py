"""What very many series cost: time and memory of forecasts and of a training.

`scale.py` or `scale.py predict`, from 1,000 to 1,000,000 series: a network (LSTM of 16 units, 28
steps back, 7 ahead) is trained on the first thousand series of a simulated panel (`id,day,value`,
200 days each, a weekly season and noise). `forecast predict` then reads panels of more and more
series from Parquet and writes Parquet. Beside it statsforecast's seasonal naive forecast reads and
writes the same: less is hardly possible in Python; it reads the panel as a whole, and stops at
`--floor` series.

Counted are the wall time, the processor time and the most memory of the whole process. The growth
is the exponent of the processor time over the number of series, beyond what the smallest panel
takes: 1 where each series costs the same. With `--neuralforecast-python` an LSTM of the same size
of neuralforecast forecasts the same panels, up to `--floor` series.

`scale.py train`, from 10,000 to 200 million rows: the same network is trained for an epoch on
series of 2,000 days each, in blocks (`--cache`), in bounded memory. The growth is over the rows.
"""

import json
import math
import re
import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from common import Child, Row, at_most, finish, flags, forecast, options, rival, rounds, run

DAYS, SEASON, HORIZON = 200, 7, 7
TRAINED = 1000
# Of these sizes alone there is a goal: seconds and gigabytes for 100,000 series.
JUDGED, MOST_SECONDS, MOST_GB = 100_000, 20.0, 1.0
MOST_GROWTH = 1.05
# How much more the largest panel may take than one a tenth of its size.
MOST_MEMORY = 1.25
# Of a training: the days of a series, and the gigabytes that it may hold.
TRAINING_DAYS, TRAINING_GB = 2000, 2.0
MAKE = """
import sys
import numpy as np, pyarrow as pa
from pyarrow import parquet
count, days, season, path = *map(int, sys.argv[1:4]), sys.argv[4]
draw, step = np.random.default_rng(20), 5000
times = np.datetime64("2024-01-01", "us") + np.arange(days) * np.timedelta64(1, "D")
schema = pa.schema([("id", pa.string()), ("day", pa.timestamp("us")), ("value", pa.float64())])
with parquet.ParquetWriter(path, schema) as writer:
    for first in range(0, count, step):
        many = min(step, count - first)
        level, size = draw.uniform(20, 100, (many, 1)), draw.uniform(0.05, 0.3, (many, 1))
        phase = 2 * np.pi * (np.arange(days) + draw.uniform(0, season, (many, 1))) / season
        values = level * (1 + size * np.sin(phase) + 0.05 * draw.normal(size=(many, days)))
        names = np.repeat([f"s{first + number:07d}" for number in range(many)], days)
        columns = [pa.array(names), pa.array(np.tile(times, many)), values.round(3).ravel()]
        writer.write_table(pa.table(columns, schema=schema))
"""


def main() -> int:
    arguments = parse()
    return measure_training(arguments) if arguments.what == "train" else measure(arguments)


def measure(arguments: Namespace) -> int:
    """Measure predictions."""
    with TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        train(folder)
        if arguments.neuralforecast_python:
            panel_trained = panel(TRAINED, folder).name
            run(neuralforecast(arguments, panel_trained, "model"), folder)
        rows, cost = [], dict[int, float]()
        peaks = dict[int, int]()
        for size in arguments.series:
            make_panel(size, folder)
            children = rounds(commands(size, arguments), folder, arguments.repeat)
            best = {each: min(many, key=wall_time) for each, many in children.items()}
            rows += [row for name, child in best.items() for row in cost_rows(name, child, size)]
            cost[size], peaks[size] = best["predict"].processor, best["predict"].peak
            panel(size, folder).unlink()
    rows += growth_rows(cost, peaks, "series")
    return finish(f"Predictions of many series, best of {arguments.repeat}", rows)


def measure_training(arguments: Namespace) -> int:
    """Measure trainings in blocks."""
    made, cost, peaks = list[Row](), dict[int, float](), dict[int, int]()
    with TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        for rows in arguments.rows:
            series = max(1, rows // TRAINING_DAYS)
            make_panel(series, folder, TRAINING_DAYS)
            command = training(panel(series, folder).name, series, cache="arrays", epochs=1)
            children = rounds({f"{rows:,} rows": command}, folder, arguments.repeat)
            best = min(children.popitem()[1], key=processor_time)
            size = panel(series, folder).stat().st_size
            made += training_rows(best, rows, size)
            cost[rows], peaks[rows] = best.processor, best.peak
            panel(series, folder).unlink()
            shutil.rmtree(folder / "arrays")
    made += growth_rows(cost, peaks, "rows")
    return finish(f"Trainings in blocks, an epoch, best of {arguments.repeat}", made)


def training(table: str, series: int, **more: object) -> list[str | Path]:
    """The command of a training in blocks; its peak is bounded."""
    settings = flags(column="value", time="day", series="id", preset="classic", units=16)
    settings += flags(timesteps=28, horizon=HORIZON, batch_size=256, memory=TRAINING_GB, **more)
    return forecast("train", table, *settings, "--json", "--model", f"{series}.forecast")


def training_rows(child: Child, rows: int, size: int) -> list[Row]:
    """The rows of the training on one table of so many rows and bytes."""
    label, run = f"{rows:,} rows", json.loads(child.output)["run"]
    per_second = f"{size / child.processor / 1e6:.2f} MB"
    return [
        Row(f"{label}: wall time", f"{child.seconds:.1f} s"),
        Row(f"{label}: processor time", f"{child.processor:.1f} s"),
        at_most(f"{label}: peak memory", child.peak / 1e9, TRAINING_GB, "{:.2f} GB"),
        Row(f"{label}: Parquet a second of processor time", per_second),
        Row(f"{label}: rows a second of processor time", f"{rows / child.processor:,.0f}"),
        Row(
            f"{label}: windows a second of processor time",
            f"{run['windows'] * run['epochs'] / child.processor:,.0f}",
        ),
    ]


def wall_time(child: Child) -> float:
    return child.seconds


def processor_time(child: Child) -> float:
    return child.processor


def parse() -> Namespace:
    parser = options(__doc__, repeat=1)
    sizes = (1_000, 10_000, 100_000, 1_000_000)
    rows = (10_000, 100_000, 1_000_000, 10_000_000, 200_000_000)
    parser.add_argument("what", nargs="?", choices=("predict", "train"), default="predict")
    parser.add_argument("--rows", type=int, nargs="+", default=rows, metavar="N")
    parser.add_argument("--series", type=int, nargs="+", default=sizes, metavar="N")
    parser.add_argument("--floor", type=int, default=100_000, metavar="N", help="[100000]")
    parser.add_argument(
        "--neuralforecast-python", metavar="PATH", help="an interpreter that has neuralforecast"
    )
    parser.add_argument("--folder", type=Path, help="where the panels are made")
    return parser.parse_args()


def panel(size: int, folder: Path) -> Path:
    return folder / f"{size}.parquet"


def make_panel(size: int, folder: Path, days: int = DAYS) -> None:
    """Make a panel in a process of its own, so that this one stays small."""
    sizes = map(str, (size, days, SEASON))
    run([sys.executable, "-c", MAKE, *sizes, panel(size, folder)], folder)


def train(folder: Path) -> None:
    """Train the network that forecasts all panels."""
    make_panel(TRAINED, folder)
    settings = flags(column="value", time="day", series="id", preset="classic", units=16)
    settings += flags(timesteps=28, horizon=HORIZON, epochs=2, model="model.forecast")
    run(forecast("train", panel(TRAINED, folder), *settings), folder)


def commands(size: int, arguments: Namespace) -> dict[str, list[str | Path]]:
    """What reads and writes a panel."""
    made = {"predict": forecast("predict", f"{size}.parquet", "-o", "forecast.parquet")}
    if size <= arguments.floor:
        made["seasonal naive"] = rival("statsforecast_naive.py", f"{size}.parquet", "naive.parquet")
        if arguments.neuralforecast_python:
            output = flags(output="neural.parquet")
            made["neuralforecast"] = neuralforecast(arguments, f"{size}.parquet", "model", *output)
    return made


def neuralforecast(arguments: Namespace, *given: str) -> list[str | Path]:
    """The script that trains with neuralforecast, or forecasts."""
    return rival("neuralforecast_predict.py", *given, python=arguments.neuralforecast_python)


def cost_rows(name: str, child: Child, size: int) -> list[Row]:
    """The rows of one command and size."""
    label, peak = f"{size:,} series, {name}", child.peak / 1e9
    judged = name == "predict" and size == JUDGED
    wall, memory = f"{label}: wall time", f"{label}: peak memory"
    rows = [
        at_most(wall, child.seconds, MOST_SECONDS, "{:.1f} s")
        if judged
        else Row(wall, f"{child.seconds:.1f} s"),
        Row(f"{label}: processor time", f"{child.processor:.1f} s"),
        at_most(memory, peak, MOST_GB, "{:.2f} GB") if judged else Row(memory, f"{peak:.2f} GB"),
        Row(f"{label}: processor time a series", f"{1e6 * child.processor / size:.0f} us"),
    ]
    if shares := re.search(r" series in .*?: (.*%)", child.errors):
        rows.append(Row(f"{label}: {shares[1]}", ""))
    return rows


def growth_rows(cost: Mapping[int, float], peaks: Mapping[int, int], what: str) -> list[Row]:
    """The fitted exponent of the processor time, and the growth of the memory."""
    sizes = sorted(cost)
    rows = []
    if len(larger := sizes[1:]) > 1:
        few, start = sizes[0], cost[sizes[0]]
        logs = [(math.log(size - few), math.log(cost[size] - start)) for size in larger]
        exponent = slope(logs)
        rows.append(at_most("growth, exponent", exponent, MOST_GROWTH, "{:.2f}"))
        last, before = sizes[-1], sizes[-2]
        name = f"peak memory, {last:,} over {before:,} {what}"
        rows.append(at_most(name, peaks[last] / peaks[before], MOST_MEMORY, "{:.2f} x"))
    return rows


def slope(points: list[tuple[float, float]]) -> float:
    """The slope of the line of least squares."""
    middle = [sum(axis) / len(points) for axis in zip(*points, strict=True)]
    across = sum((x - middle[0]) * (y - middle[1]) for x, y in points)
    return float(across / sum((x - middle[0]) ** 2 for x, _ in points))


if __name__ == "__main__":
    sys.exit(main())
