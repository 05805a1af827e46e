"""What it costs to hand tasks to an engine: local processes, Dask and Ray, two workers each.

A panel (`id,day,value`, 200 days each) is predicted from a folder of Parquet files into a folder,
once from few files and once from many with the same series. What the many take more, divided by how
many more files there are, is the overhead of a task: of the engine, and of a file that is opened,
written and recorded. What an engine takes more than local processes for few files is its start.
"""

import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from common import Row, best_seconds, finish, flags, forecast, options, rounds, run

DAYS, WORKERS = 200, 2
ENGINES = ("local", "dask", "ray")
MAKE = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
series, files, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
folder.mkdir()
days, draw = pd.date_range("2024-01-01", periods=200), np.random.default_rng(20)
for number, own in enumerate(np.array_split(np.arange(series), files)):
    values = draw.gamma(4.0, 10.0, (len(own), len(days))).round(2)
    pd.DataFrame({
        "id": np.repeat([f"s{each:07d}" for each in own], len(days)),
        "day": np.tile(days, len(own)), "value": values.ravel(),
    }).to_parquet(folder / f"{number:05d}.parquet", index=False)
"""


def main() -> int:
    arguments = parse()
    with TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        sizes = {"few": arguments.few, "many": arguments.many}
        for kind, files in sizes.items():
            run([sys.executable, "-c", MAKE, str(arguments.series), str(files), kind], folder)
        settings = flags(column="value", time="day", series="id", preset="classic", units=16)
        settings += flags(timesteps=28, horizon=7, epochs=1, model="model.forecast")
        run(forecast("train", next((folder / "many").iterdir()), *settings), folder)
        commands = {
            f"{engine}, {kind}": forecast(
                "predict", kind, *flags(engine=engine, jobs=WORKERS, output=f"{engine}-{kind}/")
            )
            for engine in arguments.engines
            for kind in sizes
        }
        seconds = best_seconds(rounds(commands, folder, arguments.repeat))
    return finish(f"{arguments.series:,} series, {WORKERS} workers", rows(seconds, arguments))


def parse() -> Namespace:
    parser = options(__doc__, repeat=2)
    parser.add_argument("--series", type=int, default=20_000, metavar="N", help="[20000]")
    parser.add_argument("--few", type=int, default=10, metavar="FILES", help="[10]")
    parser.add_argument("--many", type=int, default=200, metavar="FILES", help="[200]")
    parser.add_argument("--engines", nargs="+", default=ENGINES, metavar="NAME")
    parser.add_argument("--folder", type=Path, help="where the panels are made")
    return parser.parse_args()


def rows(seconds: dict[str, float], arguments: Namespace) -> list[Row]:
    """The wall times, the overhead of a task, and what it takes to start an engine."""
    made, local = [], seconds.get("local, few")
    for engine in arguments.engines:
        few, many = (seconds[f"{engine}, {kind}"] for kind in ("few", "many"))
        task = (many - few) / (arguments.many - arguments.few)
        made += [
            Row(f"{engine}: {arguments.few} files", f"{few:.1f} s"),
            Row(f"{engine}: {arguments.many} files", f"{many:.1f} s"),
            Row(f"{engine}: overhead a task", f"{1000 * task:.0f} ms"),
        ]
        if local is not None and engine != "local":
            made.append(Row(f"{engine}: start", f"{few - local:.1f} s"))
    return made


if __name__ == "__main__":
    sys.exit(main())
