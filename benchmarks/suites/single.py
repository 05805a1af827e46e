"""Single series, without a setting: nothing but the column and the horizon is said.

At each of three origins, which do not overlap, everybody learns from the rows before it alone, and
forecasts a season (13 weeks of weekly series), or in a second block two.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, geometric_mean, stdev
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd

import forecast_cli as fc
from forecast_cli.core.errors import ForecastError

from .classical import ARIMA_NOTE, METHODS, SIMPLE, classical
from .ours import each_in_child, train_here
from .series import LEFT_OUT, MOST_ROWS, SOURCES, TIME, Source, chosen
from .table import SECONDS, Asked, Line, Table, plain, progress, reached

Array = np.ndarray
OURS, SNAIVE, SPREAD = "ours", "seasonal-naive", "spread"
MASE = "MASE of seasonal naive"
ORIGINS = 3
BLOCKS = (1, 2)
MEAN_LIMIT, WORST_LIMIT = 0.60, 1.10
QUICK = ("airline", "tesla", "gasoline")


@dataclass(frozen=True)
class Score:
    """What one forecast was like.

    Args:
        series: Of what.
        seasons: How many of them ahead.
        origin: Which one, from the last to the first.
        forecaster: By whom.
        seed: Of our forecaster.
        mase: Its error in units of the in-sample seasonal naive; NaN where it gave none.
        seconds: That it took.
        failure: Why it gave none.
    """

    series: str
    seasons: int
    origin: int
    forecaster: str
    seed: int
    mase: float
    seconds: float
    failure: str = ""


def measure(asked: Asked) -> Table:
    """All series, each in a process of its own."""
    sources = chosen(asked.only or (QUICK if asked.quick else ()))
    jobs = [(source.name, asked) for source in sources]
    scores: dict[str, list[Score]] = {}
    for (name, _), found in each_in_child(series_scores, jobs, asked.jobs):
        scores[name] = found
        progress(f"single: {name}, {len(scores)}/{len(jobs)}")
    ordered = [score for source in sources for score in scores[source.name]]
    return table_of(ordered, sources, asked)


def series_scores(job: tuple[str, Asked]) -> list[Score]:
    """All forecasts of one series."""
    name, asked = job
    source = next(each for each in SOURCES if each.name == name)
    values, scores = source.values(asked.data), []
    for seasons in BLOCKS[:1] if asked.quick else BLOCKS:
        horizon = seasons * source.steps
        for origin in range(ORIGINS):
            row = len(values) - (origin + 1) * horizon
            progress(f"  {name}, {horizon} steps from row {row:,}")
            # A gap is filled from what precedes the origin alone.
            history = values.iloc[:row].interpolate().bfill()
            actual = values.iloc[row : row + horizon].to_numpy()
            unit = usual_error(values.iloc[:row].to_numpy(), source.season)
            for forecaster, seed, forecast in contenders(history, source, horizon, asked):
                began, failure = perf_counter(), ""
                try:
                    mase = float(np.nanmean(np.abs(forecast() - actual)) / unit)
                except ForecastError as error:
                    mase, failure = np.nan, f"{name}, {horizon} steps, row {row}: {error}"
                seconds = perf_counter() - began
                scores.append(
                    Score(name, seasons, origin, forecaster, seed, mase, seconds, failure)
                )
    return scores


def usual_error(history: Array, season: int) -> float:
    """The in-sample error of the seasonal naive, of what is known."""
    return float(np.nanmean(np.abs(history[season:] - history[:-season])))


def contenders(
    history: pd.Series, source: Source, horizon: int, asked: Asked
) -> Iterator[tuple[str, int, Callable[[], Array]]]:
    """Everybody, by name and seed."""
    rows, season = history.to_numpy(), source.season
    for name, simple in SIMPLE.items():
        yield name, 0, partial(simple, rows, horizon, season)
    for method in METHODS if asked.classical else ():
        yield method, 0, partial(classical, method, rows, horizon, season)
    for seed in asked.seeds:
        yield OURS, seed, partial(ours, history, horizon, seed, asked)


def ours(history: pd.Series, horizon: int, seed: int, asked: Asked) -> Array:
    """Train on a CSV with the column and the horizon alone, and forecast."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        history.to_csv(path, index_label=TIME)
        model: fc.Model = train_here(
            path, asked, column=str(history.name), horizon=horizon, seed=seed
        )
        forecast: Array = model.predict()[str(history.name)].to_numpy(float)
    return forecast


def table_of(scores: Sequence[Score], sources: Sequence[Source], asked: Asked) -> Table:
    """Each series relative to the seasonal naive, and the geometric means."""
    others = ["naive", *(METHODS if asked.classical else ())]
    frame = pd.DataFrame(scores)
    blocks = sorted(frame["seasons"].unique())
    lines: list[Line] = []
    relative: list[dict[str, float]] = []
    # By seed, then by series and block.
    seeds: dict[int, list[float]] = {seed: [] for seed in asked.seeds}
    for seasons in blocks:
        for source in sources:
            part = frame[(frame["series"] == source.name) & (frame["seasons"] == seasons)]
            figures, own = relatives(part, others)
            relative.append(figures)
            for seed, each in own.items():
                seeds[seed].append(each)
            name = f"{source.name}, {seasons * source.steps} steps"
            lines.append(plain(name, figures, ""))
    goals, short = summary(relative, list(seeds.values()), len(blocks), others)
    failures = [score.failure for score in scores if score.failure]
    notes = [
        "MASE relative to that of the seasonal naive, both means over "
        f"{ORIGINS} origins; ours: mean over {len(asked.seeds)} seeds, spread: standard deviation",
        "seconds: a training and its forecast, within a process that trains many; one in "
        f"{len(blocks) * ORIGINS * len(asked.seeds)} loads TensorFlow",
        f"hourly tables: the last {MOST_ROWS:,} rows; {LEFT_OUT}",
        *([ARIMA_NOTE] if asked.classical else ()),
        *(f"FAILED: {each}" for each in failures),
    ]
    columns = [MASE, OURS, SPREAD, *others, SECONDS]
    title = f"Single series, {len(sources)} of them, column and horizon only"
    details = [asdict(score) for score in scores]
    return Table(
        title, "series", columns, [*lines, *goals], notes, details, short or bool(failures)
    )


def relatives(
    part: pd.DataFrame, others: Sequence[str]
) -> tuple[dict[str, float], dict[int, float]]:
    """The figures of one series and horizon, and those of our forecaster by seed."""
    means = part.groupby("forecaster")["mase"].mean()
    mine = part[part["forecaster"] == OURS]
    own = (mine.groupby("seed")["mase"].agg(lambda each: each.mean(skipna=False))) / means[SNAIVE]
    figures = {MASE: means[SNAIVE], OURS: own.mean(skipna=False)}
    figures |= {SPREAD: own.std()} if len(own) > 1 else {}
    figures |= {name: means[name] / means[SNAIVE] for name in others}
    return figures | {SECONDS: mine["seconds"].mean()}, own.to_dict()


def summary(
    relative: Sequence[dict[str, float]],
    seeds: Sequence[Sequence[float]],
    blocks: int,
    others: Sequence[str],
) -> tuple[list[Line], bool]:
    """The geometric means and the worst series, with what is to be reached.

    Args:
        relative: Of each series, block by block.
        seeds: Of each seed the same of ours.
        blocks: How many horizons there are.
        others: Who takes part beside us.

    Returns:
        The lines, and whether something was not reached.
    """
    names, count = (OURS, *others), len(relative) // blocks
    lines = []
    for block in range(blocks if blocks > 1 else 0):
        part = relative[block * count : (block + 1) * count]
        name = f"geometric mean, {block + 1} season{'s' if block else ''}"
        lines.append(plain(name, {each: middle([row[each] for row in part]) for each in names}))
    means = [{OURS: middle(each)} for each in seeds]
    all_means = {each: middle([row[each] for row in relative]) for each in others}
    spread = {SPREAD: stdev([each[OURS] for each in means])} if len(means) > 1 else {}
    own = fmean(each[OURS] for each in means)
    lines.append(plain("geometric mean, all", {OURS: own} | spread | all_means))
    goals, short = reached({OURS: MEAN_LIMIT}, means)
    lines += goals
    rivals = {each: all_means[each] for each in METHODS if each in all_means}
    if rivals:
        best = min(rivals, key=lambda each: rivals[each])
        ahead, behind = reached({OURS: rivals[best]}, means)
        lines += [Line(f"  {best} not ahead: at most", ahead[0].cells), ahead[1]]
        short |= behind
    worst = {each: max((row[each] for row in relative), key=_last_if_missing) for each in names}
    lines.append(plain("worst", worst))
    goals, bad = reached({OURS: WORST_LIMIT}, [worst])
    return lines + goals, short or bad


def middle(values: Sequence[float]) -> float:
    """The geometric mean of those that are known; what failed is told by itself."""
    known = [max(each, 1e-9) for each in values if np.isfinite(each)]
    return geometric_mean(known) if known else float("nan")


def _last_if_missing(value: float) -> float:
    return value if np.isfinite(value) else np.inf
