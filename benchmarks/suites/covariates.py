"""Tables with covariates known ahead: the default with and without them, and what others make.

Everybody learns from the rows before the test split and forecasts from each of its origins; the
covariates of the steps ahead are those that came. A simulated table shows what columns cost that
have nothing to do with the target.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from common import PRICES, flags, forecast, run

import forecast_cli as fc
from forecast_cli.core.events import ignore
from forecast_cli.core.padding import owner_series
from forecast_cli.data.dataset import Dataset
from forecast_cli.data.missing import last_known
from forecast_cli.evaluation.metrics.point import ErrorSums
from forecast_cli.training.pipeline import read_dataset

from .covariate_rivals import ARIMA_ORIGINS, ARIMA_ROWS, ARIMAX, Problem, rivals
from .ours import MODEL
from .table import SECONDS, Asked, Figures, Line, Table, over_seeds, plain, progress, reached

OURS, WITHOUT, SNAIVE = "ours", "ours without covariates", "seasonal naive"
NOISE = "noise MAE"
# What a rival may be better by, what noise may cost, and the energy's limits.
LEVEL, COST, ENERGY, ENERGY_SECONDS = 1.02, 1.03, 18.0, 60.0
ELECTRICITY, STORES = 0.65, 0.49
NOISE_ROWS, NOISE_COLUMNS = 6000, 40
LIBRARIES = {ARIMAX: "statsforecast"}


@dataclass(frozen=True)
class Case:
    """A table, and what is forecast of it.

    Args:
        name: For `--only` and the columns of the result.
        path: Below the folder with the tables; those of sample_data/ are absolute.
        settings: As keyword arguments of `forecast_cli.train`.
        future: The covariates known ahead.
        metrics: The measures shown, the one that is compared first.
        seasons: Steps in a season, as rivals need to know them.
        by_hand: Whether the regression by hand suits it.
    """

    name: str
    path: Path
    settings: Mapping[str, Any]
    future: tuple[str, ...]
    metrics: tuple[str, ...]
    seasons: tuple[int, ...]
    by_hand: bool = False

    def column(self, metric: str) -> str:
        """The column of a measure."""
        return f"{self.name} {metric.upper()}"

    def file(self, data: Path) -> Path:
        """The table."""
        return data / self.path


SAMPLES = PRICES.parent
CASES = (
    Case(
        "energy", SAMPLES / "energy.csv", {"column": "demand", "horizon": 48, "test": "2024-12-01"},
        ("temperature", "holiday"), ("mae",), (24, 168), by_hand=True,
    ),
    Case(
        "stores", SAMPLES / "stores.csv", {"column": "sales", "series": "store", "horizon": 14},
        ("price", "promo"), ("mase",), (7,),
    ),
    Case(
        "electricity", Path("panel/electricity-short-with-ex-vars.csv"),
        {"column": "y", "series": "unique_id", "horizon": 24}, ("Exog*", "day_*"), ("mase",),
        (24, 168),
    ),
    Case(
        "m5", Path("panel/m5_sales_exog_small.csv"),
        {"column": "y", "series": "unique_id", "missing": "interpolate"},
        ("sell_price", "event_type_*"), ("rmsse", "mase"), (7,),
    ),
)  # fmt: skip


@dataclass
class Found:
    """What was measured: figures of ours by seed, and of others, by name and column."""

    ours: dict[int, dict[str, float]]
    without: dict[int, dict[str, float]]
    others: dict[str, dict[str, float]] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)

    def add(self, who: str, seed: int, figures: Figures) -> None:
        """Keep figures for the file of details."""
        self.details += [
            {"forecaster": who, "seed": seed, "measure": name, "value": value}
            for name, value in figures.items()
        ]


def measure(asked: Asked) -> Table:
    """All tables, one after the other."""
    found = Found({seed: {} for seed in asked.seeds}, {seed: {} for seed in asked.seeds})
    cases = [each for each in CASES if not asked.only or each.name in asked.only]
    for case in cases[:2] if asked.quick else cases:
        measure_ours(case, asked, found)
        measure_rivals(case, asked, found)
    if not asked.only or "noise" in asked.only:
        measure_noise(asked, found)
    return table_of(found, asked)


def measure_ours(case: Case, asked: Asked, found: Found) -> None:
    """Train with and without covariates, with each seed."""
    for seed in asked.seeds:
        for covariates, kept in ((case.future, found.ours), ((), found.without)):
            who = OURS if covariates else WITHOUT
            progress(f"{case.name}: {who}, seed {seed}")
            scores, seconds = train(case.file(asked.data), case.settings, covariates, seed, asked)
            own, *simple = scores
            figures = measures(case, scores[own])
            if case.name == "energy" and covariates:
                figures[SECONDS] = seconds
            progress(f"  {figures}")
            kept[seed] |= figures
            found.add(who, seed, figures)
            naive = [measures(case, scores[each]) for each in simple if each.startswith("seasonal")]
            best = min(naive, key=lambda each: next(iter(each.values())))
            found.others.setdefault(SNAIVE, {}).update(best)


def train(
    table: Path, settings: Mapping[str, Any], covariates: Sequence[str], seed: int, asked: Asked
) -> tuple[dict[str, dict[str, float]], float]:
    """Run `forecast train`: each forecaster's measures, the model's first, and the seconds."""
    command = forecast("train", table, *flags(**settings), *flags(seed=seed), "--no-refit")
    command += [part for each in covariates for part in ("--future-covariate", each)]
    command += ["--preset", asked.preset] if asked.preset else []
    command += [part for each in asked.assignments for part in ("--set", each)]
    with TemporaryDirectory() as folder:
        child = run([*command, "-m", MODEL, "--json"], Path(folder))
    scores = json.loads(child.output)["evaluation"]["scores"]
    plainer = {
        name: {metric: next(iter(by_target.values())) for metric, by_target in each.items()}
        for name, each in scores.items()
    }
    return plainer, child.seconds


def measures(case: Case, scores: Mapping[str, float]) -> dict[str, float]:
    """The measures of a case by column."""
    return {case.column(metric): scores[metric] for metric in case.metrics}


def measure_rivals(case: Case, asked: Asked, found: Found) -> None:
    """Let others forecast the same rows."""
    settings = dict(case.settings, future_covariates=case.future)
    dataset = read_dataset(case.file(asked.data), fc.configure(settings), on_event=ignore)
    problem = problem_of(dataset, case)
    for name, make in rivals(by_hand=case.by_hand):
        if missing(name, asked):
            continue
        began = perf_counter()
        figures = measures(case, score(dataset, make(problem)))
        progress(f"{case.name}: {name}, {perf_counter() - began:.0f} s, {figures}")
        found.others.setdefault(name, {}).update(figures)
        found.add(name, 0, figures)


def missing(name: str, asked: Asked) -> bool:
    """Whether a rival takes no part; says so where its library is not installed."""
    library = LIBRARIES.get(name, "sklearn")
    if name == ARIMAX and not asked.classical:
        return True
    if find_spec(library) is None:
        progress(f"{name} is left out: {library} is not installed")
        return True
    return False


def problem_of(dataset: Dataset, case: Case) -> Problem:
    """The rows of a dataset as rivals take them."""
    panel = dataset.panel
    if panel.timeline is None:
        raise ValueError(f"{panel.source} has no times")
    places = panel.columns.places(panel.columns.covariates.future)
    target = last_known(dataset.filled[:, dataset.targets], panel.indptr)[:, 0]
    return Problem(
        target,
        dataset.filled[:, places],
        panel.timeline.times,
        panel.owners,
        dataset.splits.bounds("test")[0],
        dataset.origins("test"),
        dataset.horizon,
        case.seasons,
    )


def score(dataset: Dataset, forecasts: np.ndarray) -> dict[str, float]:
    """The measures of forecasts from the test origins, shape `(samples, horizon)`.

    Origins with NaN are left out.
    """
    made = np.isfinite(forecasts).all(axis=1)
    origins, panel, forecasts = dataset.origins("test")[made], dataset.panel, forecasts[made]
    actual = panel.values[origins[:, None] + np.arange(dataset.horizon)][..., dataset.targets]
    sums = ErrorSums(dataset.naive, dataset.horizon)
    sums.add(actual, forecasts[..., None], owner_series(panel.indptr, origins))
    return {name: float(each[0]) for name, each in sums.overall().items()}


def measure_noise(asked: Asked, found: Found) -> None:
    """Train on a simulated table with two covariates that matter, and with noise beside them."""
    for seed in asked.seeds:
        errors = []
        with TemporaryDirectory() as folder:
            path = Path(folder) / "noise.csv"
            simulated(seed).to_csv(path, index=False)
            for covariates in (("matters_*",), ("matters_*", "noise_*")):
                progress(f"simulated: {' and '.join(covariates)}, seed {seed}")
                scores, _ = train(path, {"column": "y", "horizon": 24}, covariates, seed, asked)
                errors.append(next(iter(scores.values()))["mae"])
        figures = {NOISE: errors[1] / errors[0]}
        progress(f"  {figures}")
        found.ours[seed] |= figures
        found.add(OURS, seed, figures | {f"{NOISE}, without noise": errors[0]})


def simulated(seed: int) -> pd.DataFrame:
    """Hourly rows: a day's profile, two covariates that matter, 40 that do not, a memory.

    Half of the columns of noise are white, half vary slowly, as weather does.
    """
    rng = np.random.default_rng([seed, 17])
    times = pd.date_range("2024-01-01", periods=NOISE_ROWS, freq="h", name="time")
    hour = 2 * np.pi * np.asarray(times.hour) / 24
    first, second = slow(rng, 0.97), slow(rng, 0.9)
    target = 100 + 20 * np.cos(hour) + 8 * np.abs(first) - 6 * second + 5 * slow(rng, 0.8)
    columns = {"y": target, "matters_1": first, "matters_2": second}
    for number in range(NOISE_COLUMNS):
        columns[f"noise_{number + 1}"] = slow(rng, 0.97 if number % 2 else 0.0)
    return pd.DataFrame(columns, index=times).round(3).reset_index()


def slow(rng: np.random.Generator, memory: float) -> np.ndarray:
    """Autoregressive noise with a deviation of 1, shape `(NOISE_ROWS,)`."""
    values = rng.standard_normal(NOISE_ROWS)
    for row in range(1, NOISE_ROWS):
        values[row] = memory * values[row - 1] + np.sqrt(1 - memory**2) * values[row]
    return values


def table_of(found: Found, asked: Asked) -> Table:
    """Ours, ours without covariates, the others, and what is to be reached."""
    runs = list(found.ours.values())
    columns = [each for each in dict.fromkeys(runs[0]) if each != SECONDS]
    lines = over_seeds(OURS, runs)
    if any(found.without.values()):
        lines += over_seeds(WITHOUT, list(found.without.values()))
    lines += [plain(name, figures) for name, figures in found.others.items()]
    goals, short = reached(limits(found), runs)
    lines += goals
    ahead, behind = reached(best_rivals(found), runs)
    if ahead[0].cells:
        lines += [Line(f"  {LEVEL} x the best rival: at most", ahead[0].cells), ahead[1]]
    notes = [
        "MASE and RMSSE: mean over series, in units of the seasonal naive in training; seconds: "
        "training on the energy as a whole process; of m5, where most values are 0, RMSSE counts",
        f"{NOISE}: on a simulated table with 40 columns of noise beside 2 that matter, relative to "
        "that without them",
        "rivals: fitted once on all rows before the test split, validation included, then forecast "
        f"from every origin; AutoARIMA on the last {ARIMA_ROWS} rows, with an approximate search, "
        f"and filtered on as many before each of at most {ARIMA_ORIGINS} origins, evenly taken",
        "HistGradientBoosting: lags of 1 to a season and of one and two of each season, calendar, "
        "covariates at the target step; fed its forecasts; scikit-learn's defaults but the loss",
    ]
    title = f"Covariates known ahead, {len(asked.seeds)} seeds of ours"
    return Table(title, "forecaster", [*columns, SECONDS], lines, notes, found.details,
                 short or behind)  # fmt: skip


def limits(found: Found) -> dict[str, float]:
    """What the figures of ours are to be at most, of those that were measured."""
    snaive = found.others.get(SNAIVE, {})
    without = [each for each in found.without.values() if "m5 RMSSE" in each]
    every = {
        "energy MAE": ENERGY,
        "stores MASE": STORES * snaive.get("stores MASE", np.nan),
        "electricity MASE": ELECTRICITY,
        "m5 RMSSE": fmean(each["m5 RMSSE"] for each in without) if without else np.nan,
        NOISE: COST,
        SECONDS: ENERGY_SECONDS,
    }
    seen = next(iter(found.ours.values()))
    return {name: limit for name, limit in every.items() if name in seen}


def best_rivals(found: Found) -> dict[str, float]:
    """What is level with the best library, by the measure that counts of each table.

    The regression by hand knows how the energy was simulated: it has its own limit.
    """
    compared = {case.column(case.metrics[0]) for case in CASES}
    names = [name for name in found.others if name.startswith(("AutoARIMA", "HistGradient"))]
    best: dict[str, float] = {}
    for name in names:
        for column, value in found.others[name].items():
            if column in compared:
                best[column] = min(LEVEL * value, best.get(column, np.inf))
    return best
