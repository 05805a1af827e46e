"""How much memory a training takes for each row of the table.

The most memory that `forecast train` holds at a time is measured, over that of
`python -c "import tensorflow"`, for a short and for a long table (`time,value`, regular minutes,
simulated). What it grows by for each row must not depend on the steps back: windows copied out
would take `timesteps` x 4 bytes a row. The figure of a table is the median of N runs.

The table is read and split as ever, validation and test are fractions, and every window of them
is scored. The network is small (4 units), and one epoch of 20 batches of 256 windows is trained,
since more steps take time and no more memory.
"""

import statistics
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from math import sin, tau
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from common import Command, Row, at_most, finish, flags, forecast, options, rounds

IMPORT = 'python -c "import tensorflow"'
START = datetime(2020, 1, 1)
DAY = 1440
BUDGET = 100.0
FLOAT_BYTES = 4


def main() -> int:
    arguments = parse()
    with TemporaryDirectory() as name:
        folder = Path(name)
        for rows in arguments.rows:
            write_series(folder / f"{rows}.csv", rows)
        children = rounds(commands(arguments), folder, arguments.repeat)
    peaks = {name: statistics.median(c.peak for c in each) for name, each in children.items()}
    rows = [Row(IMPORT, mega(peaks[IMPORT])), *over_import(peaks)]
    for timesteps in arguments.timesteps:
        rows += growth(peaks, timesteps, *arguments.rows)
    return finish(f"Memory of a training, median of {arguments.repeat}", rows)


def parse() -> Namespace:
    parser = options(__doc__, repeat=3)
    parser.add_argument(
        "--rows", type=int, nargs=2, default=(100_000, 2_000_000), metavar=("FEW", "MANY")
    )
    parser.add_argument("--timesteps", type=int, nargs="+", default=(10, 500), metavar="T")
    return parser.parse_args()


def write_series(path: Path, rows: int) -> None:
    """A table of regular minutes, row by row, so that the parent stays small."""
    with path.open("w") as file:
        file.write("time,value\n")
        file.writelines(line for line, _ in zip(series(), range(rows), strict=False))


def series() -> Iterator[str]:
    """Lines of a table without an end: a daily season and noise."""
    random = Random(16)
    for minute in count():
        value = 100 + 10 * sin(tau * minute / DAY) + random.gauss(0, 1)
        yield f"{START + timedelta(minutes=minute)},{value:.3f}\n"


def commands(arguments: Namespace) -> dict[str, Command]:
    """The import, and a training for each number of steps back and of rows."""
    network = flags(preset="classic", units=4, horizon=1)
    network += flags(epochs=1, batch_size=256, steps_per_epoch=20)
    trainings: dict[str, Command] = {
        label(timesteps, rows): forecast(
            "train", f"{rows}.csv", *flags(column="value", timesteps=timesteps), *network
        )
        for timesteps in arguments.timesteps
        for rows in arguments.rows
    }
    return {IMPORT: [sys.executable, "-c", "import tensorflow"], **trainings}


def label(timesteps: int, rows: int) -> str:
    return f"T {timesteps}, {rows:,} rows"


def over_import(peaks: Mapping[str, float]) -> list[Row]:
    """What each training takes beside TensorFlow."""
    return [
        Row(f"{name}, over the import", mega(peak - peaks[IMPORT]))
        for name, peak in peaks.items()
        if name != IMPORT
    ]


def growth(peaks: Mapping[str, float], timesteps: int, few: int, many: int) -> list[Row]:
    """Bytes a row, beside those of windows that are copied out."""
    more = peaks[label(timesteps, many)] - peaks[label(timesteps, few)]
    copied = f"{timesteps * FLOAT_BYTES:,} bytes"
    return [
        at_most(f"T {timesteps}, a row", more / (many - few), BUDGET, "{:.0f} bytes"),
        Row(f"T {timesteps}, a row, windows copied out (reckoned)", copied),
    ]


def mega(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
