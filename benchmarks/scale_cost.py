"""What a million and a hundred million series cost on clusters: a model of measured costs.

Commands are run on panels of several sizes, and their processor times are taken, which depend
little on what else the machine does. Each is a sum of costs: of a start, and of each row read,
window trained, series predicted and task. The costs are fitted by non-negative least squares, of
relative errors. One run that is not fitted tells how far the model is off.

Then clusters are simulated: tasks that are handed over one after the other, some of which take a
multiple of their time, and workers that are lost and replaced. Printed are the wall time and the
money, what of the time is lost to each, and the largest part.
"""

import heapq
import math
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from common import Row, at_most, finish, flags, forecast, options, run
from engines import MAKE as MAKE_FILES
from scale import HORIZON, MAKE, SEASON
from scipy.optimize import nnls

# Clusters by their cores.
CLUSTERS = (2, 16, 128, 1024)
# How far the model may be off the run that was not fitted.
MOST_OFF = 0.2


@dataclass(frozen=True)
class Amounts:
    """How often a run pays each cost; or the costs, in seconds of a processor.

    Args:
        prediction: Starts of `forecast predict`.
        training: Starts of `forecast train`.
        row: Rows that are read to be forecast.
        series: Series that are forecast.
        learned: Rows that are read to be learned from.
        window: Windows that are trained on, once for each epoch.
        task: Parts of a prediction that are handed over, opened, written and recorded.
    """

    prediction: float = 0.0
    training: float = 0.0
    row: float = 0.0
    series: float = 0.0
    learned: float = 0.0
    window: float = 0.0
    task: float = 0.0


@dataclass(frozen=True)
class Cluster:
    """Workers, and what happens to them.

    Args:
        workers: How many, of one core each.
        start: Seconds until a worker has loaded what it needs.
        dispatch: Seconds between two tasks that are handed over.
        slow: The share of tasks that take longer, as on a busy machine.
        slower: How much longer.
        lost: Workers that are lost in an hour, as a share.
        replaced: Seconds until a lost worker is noticed and replaced.
    """

    workers: int
    start: float = 5.0
    dispatch: float = 0.005
    slow: float = 0.02
    slower: float = 3.0
    lost: float = 0.01
    replaced: float = 60.0


def simulate(cluster: Cluster, seconds: float, tasks: int, seed: int = 0) -> float:
    """Return the wall time of equal tasks, in seconds.

    Args:
        cluster: What works on them.
        seconds: Of a task.
        tasks: How many.
        seed: Of what goes wrong.
    """
    draw = np.random.default_rng(seed)
    free = [cluster.start] * min(cluster.workers, tasks)
    handed, end, left = 0.0, 0.0, tasks
    while left:
        handed = max(handed + cluster.dispatch, free[0])
        took = seconds * (cluster.slower if draw.random() < cluster.slow else 1.0)
        until = draw.exponential(3600.0 / cluster.lost) if cluster.lost else math.inf
        if until < took:
            # The task is handed over again, to whoever is free then.
            heapq.heapreplace(free, handed + until + cluster.replaced)
            continue
        heapq.heapreplace(free, handed + took)
        left -= 1
        end = max(end, handed + took)
    return end


def fit(runs: Sequence[tuple[Amounts, float]]) -> Amounts:
    """Return the costs by which the processor times of runs are closest, relative to each."""
    amounts = np.array([astuple(each) for each, _ in runs])
    seconds = np.array([each for _, each in runs])
    shares = amounts / seconds[:, None]
    # Counts are up to millions, and costs down to microseconds: columns of one size.
    sizes = np.maximum(shares.max(axis=0), 1e-300)
    found, _ = nnls(shares / sizes, np.ones(len(runs)))
    return Amounts(*(found / sizes).tolist())


def total(costs: Amounts, amounts: Amounts) -> float:
    """Return the processor time of a run, in seconds."""
    return float(np.dot(astuple(costs), astuple(amounts)))


def main() -> int:
    arguments = parse()
    with TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        runs = measure(arguments, folder)
        held = predicted(arguments.held_out, arguments.held_out_days, folder, arguments.repeat)
    costs = fit(runs)
    rows = [
        Row(f"{each.name}", f"{1e6 * getattr(costs, each.name):,.1f} us") for each in fields(costs)
    ]
    for amounts, seconds in runs:
        off = total(costs, amounts) / seconds - 1.0
        rows.append(Row(f"fitted: {describe(amounts)}", f"{seconds:.1f} s, model {off:+.0%}"))
    off = total(costs, held[0]) / held[1] - 1.0
    label = f"held out: {describe(held[0])}, {held[1]:.1f} s, model {off:+.1%}"
    rows.append(at_most(label, abs(off), MOST_OFF, "{:.1%}"))
    for series in arguments.series:
        rows += cluster_rows(costs, series, arguments)
    return finish("Processor times, and clusters by a model of them", rows)


def parse() -> Namespace:
    parser = options(__doc__, repeat=1)
    sizes, many = (1_000, 10_000, 100_000, 1_000_000), (1_000_000, 100_000_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, metavar="N")
    parser.add_argument("--learned", type=int, nargs="+", default=(500, 5_000), metavar="N")
    parser.add_argument("--held-out", type=int, default=50_000, metavar="N", help="series [50000]")
    parser.add_argument("--held-out-days", type=int, default=300, metavar="N", help="[300]")
    parser.add_argument("--series", type=int, nargs="+", default=many, metavar="N")
    parser.add_argument("--days", type=int, default=200, metavar="N", help="of each series [200]")
    parser.add_argument("--task-rows", type=int, default=1_000_000, metavar="N", help="[1000000]")
    parser.add_argument("--price", type=float, default=0.05, help="of a core for an hour [0.05]")
    parser.add_argument("--folder", type=Path, help="where the panels are made")
    return parser.parse_args()


def describe(amounts: Amounts) -> str:
    """Return what a run does more than once."""
    return ", ".join(
        f"{getattr(amounts, each.name):,.0f} {each.name}"
        for each in fields(amounts)
        if getattr(amounts, each.name) > 1
    )


def measure(arguments: Namespace, folder: Path) -> list[tuple[Amounts, float]]:
    """Run the commands that are fitted."""
    runs = [learned(size, epochs, folder) for size in arguments.learned for epochs in (1, 4)]
    for size in arguments.sizes:
        runs.append(predicted(size, 200, folder, arguments.repeat))
    for size in arguments.sizes[:-1]:
        runs.append(predicted(size // 5, 1000, folder, arguments.repeat))
    runs += [predicted(10_000, 200, folder, arguments.repeat, parts) for parts in (10, 200)]
    return runs


def make(series: int, days: int, path: Path) -> None:
    """Make a panel in a process of its own."""
    sizes = map(str, (series, days, SEASON))
    run([sys.executable, "-c", MAKE, *sizes, path], path.parent)


def learned(series: int, epochs: int, folder: Path) -> tuple[Amounts, float]:
    """Train on a panel of 200 days; the last model predicts."""
    path, days = folder / "learned.parquet", 200
    make(series, days, path)
    settings = flags(column="value", time="day", series="id", preset="classic", units=16)
    settings += flags(timesteps=28, horizon=HORIZON, epochs=epochs, patience=0, batch_size=256)
    child = run(forecast("train", path, *settings, *flags(model="model.forecast")), folder)
    train = days - 20 - 40
    windows = series * (train - 28 - HORIZON + 1)
    return Amounts(training=1, learned=series * days, window=windows * epochs), child.processor


def predicted(
    series: int, days: int, folder: Path, repeat: int, parts: int = 0
) -> tuple[Amounts, float]:
    """Predict a panel: to a file, or files of 200 days in so many parts to a folder."""
    table = folder / "panel"
    if parts:
        run([sys.executable, "-c", MAKE_FILES, str(series), str(parts), "panel"], folder)
    else:
        table = folder / "panel.parquet"
        make(series, days, table)
    output = "made/" if parts else "made.parquet"
    children = [run(forecast("predict", table, "-o", output), folder) for _ in range(repeat)]
    for path in sorted(table.iterdir()) if parts else [table]:
        path.unlink()
    if parts:
        table.rmdir()
    seconds = min(child.processor for child in children)
    return Amounts(prediction=1, row=series * days, series=series, task=parts), seconds


def cluster_rows(costs: Amounts, series: int, arguments: Namespace) -> list[Row]:
    """The wall time and money of a prediction by each cluster, and what costs most of it."""
    rows = []
    number = max(1, series * arguments.days // arguments.task_rows)
    work = replace(Amounts(), row=series * arguments.days, series=series, task=number)
    task = total(costs, work) / number
    for workers in CLUSTERS:
        whole = Cluster(workers, start=costs.prediction)
        wall = simulate(whole, task, number)
        without = {
            "start": replace(whole, start=0.0),
            "handing over": replace(whole, dispatch=0.0),
            "slow tasks": replace(whole, slow=0.0),
            "lost workers": replace(whole, lost=0.0),
        }
        losses = {name: wall - simulate(each, task, number) for name, each in without.items()}
        ideal = task * number / workers
        losses["too few tasks"] = max(0.0, task * math.ceil(number / workers) - ideal)
        name, most = max(losses.items(), key=lambda each: each[1])
        label = f"{series:,} series, {workers:,} cores"
        money = wall * workers / 3600 * arguments.price
        rows += [
            Row(f"{label}: wall time", f"{wall:,.0f} s"),
            Row(f"{label}: cores busy", f"{ideal / wall:.0%}"),
            Row(f"{label}: money at {arguments.price} a core and hour", f"{money:,.3f}"),
            Row(f"{label}: largest loss, {name}", f"{most:,.1f} s"),
        ]
    return rows


if __name__ == "__main__":
    sys.exit(main())
