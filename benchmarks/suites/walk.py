"""Random walks: simulated ones, and closing prices, where the last value is hard to beat.

The network is trained once on what precedes the last hundred rows, with nothing said but the
column and the horizon; then it forecasts from twenty origins there, on all rows before each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, geometric_mean
from time import perf_counter

import numpy as np
import pandas as pd

from .ours import each_in_child, train_here
from .series import CLOSES, SOURCES, TIME, chosen, walks
from .table import SECONDS, Asked, Line, Table, over_seeds, plain, progress, reached

OURS, LAST, SPREAD = "ours", "MAE of last value", "spread"
ORIGINS, HORIZON = 20, 5
LIMIT = 1.01
QUICK = ("simulated 0", "Tesla")


@dataclass(frozen=True)
class Walked:
    """What forecasts of a series were like.

    Args:
        last: The mean absolute error of the last value, over origins and steps.
        ours: Ours by seed, relative to that.
        seconds: Of each training and its forecasts.
    """

    last: float
    ours: Mapping[int, float]
    seconds: tuple[float, ...]


def measure(asked: Asked) -> Table:
    """All walks, each in a process of its own."""
    names = [*walks(), *(source.name for source in SOURCES if source.name in CLOSES)]
    parts = asked.only or (QUICK if asked.quick else ())
    names = [each for each in names if not parts or any(p.lower() in each.lower() for p in parts)]
    found: dict[str, Walked] = {}
    for (name, _), walked in each_in_child(walk, [(name, asked) for name in names], asked.jobs):
        found[name] = walked
        progress(f"random walk: {name}, {len(found)}/{len(names)}")
    return table_of({name: found[name] for name in names}, asked)


def walk(job: tuple[str, Asked]) -> Walked:
    """Train on a series once with each seed, and forecast from each origin."""
    name, asked = job
    values = owner_series(name, asked)
    first = len(values) - ORIGINS * HORIZON
    rows = [first + HORIZON * place for place in range(ORIGINS)]
    numbers, column = values.to_numpy(), str(values.name)
    actual = np.array([numbers[row : row + HORIZON] for row in rows])
    last = float(np.abs(numbers[np.array(rows) - 1][:, None] - actual).mean())
    table = values.rename_axis(TIME).reset_index()
    ours, seconds = {}, []
    for seed in asked.seeds:
        progress(f"  {name}, seed {seed}")
        began = perf_counter()
        model = train_here(table.iloc[:first], asked, column=column, horizon=HORIZON, seed=seed)
        forecasts = [model.predict(table.iloc[:row])[column].to_numpy() for row in rows]
        seconds.append(perf_counter() - began)
        ours[seed] = float(np.abs(np.array(forecasts) - actual).mean()) / last
    return Walked(last, ours, tuple(seconds))


def owner_series(name: str, asked: Asked) -> pd.Series:
    """A walk by its name."""
    simulated = walks()
    if name in simulated:
        return simulated[name]
    return chosen((name,))[0].values(asked.data)


def table_of(found: Mapping[str, Walked], asked: Asked) -> Table:
    """Each series, the geometric mean and the worst."""
    lines: list[Line] = []
    for name, walked in found.items():
        own = list(walked.ours.values())
        figures = {LAST: walked.last, OURS: fmean(own), SECONDS: fmean(walked.seconds)}
        spread = {SPREAD: float(np.std(own, ddof=1))} if len(own) > 1 else {}
        lines.append(plain(name, figures | spread, ""))
    means = [
        {OURS: geometric_mean([walked.ours[seed] for walked in found.values()])}
        for seed in asked.seeds
    ]
    lines += over_seeds("geometric mean", means)
    goals, short = reached({OURS: LIMIT}, means)
    worst = {OURS: max(fmean(walked.ours.values()) for walked in found.values())}
    worse, bad = reached({OURS: LIMIT}, [worst])
    lines += [*goals, plain("worst", worst), *worse]
    notes = [
        f"MAE relative to that of the last value, over {ORIGINS} origins of {HORIZON} steps; ours: "
        f"mean over {len(asked.seeds)} seeds, spread: standard deviation",
        "trained once, before the first origin; seconds: a training and all its forecasts",
    ]
    details = [
        {"series": name, "seed": seed, "relative": each}
        for name, walked in found.items()
        for seed, each in walked.ours.items()
    ]
    columns = [LAST, OURS, SPREAD, SECONDS]
    return Table("Random walks", "series", columns, lines, notes, details, short or bad)
