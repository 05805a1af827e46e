"""How long it takes to read a large table of which one column is wanted: whole processes.

A table of regular minutes and five columns of numbers is written, ten million rows by default.
Every reader runs N times in turn; the shortest time counts. Beside pandas, which gives a frame of
text and numbers, stands the panel that a training starts from: times parsed, sorted, and checked
over all rows.
"""

import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from common import Command, Row, at_most, best_seconds, finish, options, rounds

COLUMNS = ("a", "b", "c", "d", "e")
PANDAS = 'pandas.read_csv(engine="pyarrow", usecols=["a"])'
COLUMN = "forecast: column a"
PANDAS_TIME = 'pandas.read_csv(engine="pyarrow", usecols=["time", "a"], parse_dates=["time"])'
PANEL = "forecast: column a with its times, as a panel"
BUDGET = 2.0

OURS = (
    "from forecast_cli.data.io.opening import open_table; "
    "open_table({path!r}).read(['a']).numbers('a')"
)
WHOLE = (
    "from forecast_cli.config.schema import Data\n"
    "from forecast_cli.data.reading import read_panel; "
    "read_panel({path!r}, Data(column='a'))"
)


def main() -> int:
    arguments = parse()
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "large.csv"
        write_table(path, arguments.rows)
        best = best_seconds(rounds(commands(path), folder, arguments.repeat))
    rows = [
        Row("import pandas", f"{best['import pandas']:.2f} s"),
        Row(PANDAS, f"{best[PANDAS]:.2f} s"),
        Row(COLUMN, f"{best[COLUMN]:.2f} s"),
        at_most("the same, over pandas", best[COLUMN] / best[PANDAS], BUDGET, "{:.2f}"),
        Row(PANDAS_TIME, f"{best[PANDAS_TIME]:.2f} s"),
        Row(PANEL, f"{best[PANEL]:.2f} s"),
    ]
    return finish(f"Reading {arguments.rows:,} rows, best of {arguments.repeat}", rows)


def parse() -> Namespace:
    parser = options(__doc__, repeat=3)
    parser.add_argument("--rows", type=int, default=10_000_000)
    return parser.parse_args()


def write_table(path: Path, rows: int) -> None:
    """A table of regular minutes, `time,a,b,c,d,e`."""
    draw = np.random.default_rng(0)
    minutes = np.datetime64("2005-01-01") + np.arange(rows).astype("timedelta64[m]")
    columns = {name: draw.normal(size=rows).round(4) for name in COLUMNS}
    times = pa.array(minutes.astype("datetime64[s]"))
    pa_csv.write_csv(pa.table({"time": times, **columns}), path)


def commands(path: Path) -> dict[str, Command]:
    def pandas(more: str) -> Command:
        code = f"import pandas; pandas.read_csv({str(path)!r}, engine='pyarrow', {more})"
        return [sys.executable, "-c", code]

    return {
        "import pandas": [sys.executable, "-c", "import pandas"],
        PANDAS: pandas("usecols=['a']"),
        COLUMN: [sys.executable, "-c", OURS.format(path=str(path))],
        PANDAS_TIME: pandas("usecols=['time', 'a'], parse_dates=['time']"),
        PANEL: [sys.executable, "-c", WHOLE.format(path=str(path))],
    }


if __name__ == "__main__":
    raise SystemExit(main())
