"""M4: one forecast of every series from the end of train, scored by the formulas of M4.

Source: Makridakis, Spiliotis and Assimakopoulos (2020), The M4 Competition. The published figures
are those of its organisers, of Oreshkin et al. (2020) for N-BEATS, and of the benchmarks of later
models; of some the weighted average alone is known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from common import forecast, run

from forecast_cli.baselines.naive import BaselineInput, naive, naive2, seasonal_naive

from .ours import knows_preset, predict_as_command, train_as_command
from .table import (
    PUBLISHED,
    SECONDS,
    Asked,
    Figures,
    Line,
    Table,
    over_seeds,
    plain,
    progress,
    reached,
)

Array = np.ndarray
SMAPE, MASE, OWA = "sMAPE", "MASE", "OWA"
COLUMNS = (SMAPE, MASE, OWA, SECONDS)
QUICK_SERIES = 20


@dataclass(frozen=True)
class Part:
    """A part of M4.

    Args:
        name: As its files are called.
        freq: As pandas calls it.
        horizon: Steps ahead.
        season: Steps in a season, as M4 counts them.
        naive2: sMAPE and MASE of Naive2, which OWA is measured by.
        limits: What is to be reached.
        published: Others' sMAPE, MASE and OWA; NaN where it is not known.
        fast: What the preset `fast` is to reach.
    """

    name: str
    freq: str
    horizon: int
    season: int
    naive2: tuple[float, float]
    limits: Figures
    published: Mapping[str, tuple[float, float, float]]
    fast: Figures | None = None


HOURLY = Part(
    "Hourly", "h", 48, 24, (18.383, 2.395), {OWA: 0.40, SECONDS: 600},
    {
        "the organisers' Keras RNN": (14.698, 3.048, 1.036),
        "DeepAR (LSTM)": (16.40, 3.530, 1.183),
        "AutoARIMA": (13.70, 1.030, 0.588),
        "N-BEATS, one model": (12.00, 1.340, 0.606),
        "ES-RNN, the winner (LSTM)": (9.328, 0.893, 0.440),
        "best entry: Doornik": (np.nan, np.nan, 0.410),
        "TiRex, pretrained xLSTM, zero-shot": (7.85, 0.722, 0.364),
    },
    {OWA: 0.45, SECONDS: 60},
)  # fmt: skip
WEEKLY = Part(
    "Weekly", "W", 13, 1, (9.161, 2.777), {OWA: 0.66, SECONDS: 180},
    {
        "the organisers' Keras RNN": (15.220, 5.132, 1.755),
        "DeepAR (LSTM)": (10.80, 4.620, 1.421),
        "AutoARIMA": (8.99, 2.360, 0.916),
        "ES-RNN, the winner (LSTM)": (7.817, 2.356, 0.851),
        "best entry: Forecast Pro": (np.nan, np.nan, 0.739),
        "N-BEATS, one model": (6.49, 1.970, 0.709),
        "TiRex, pretrained xLSTM, zero-shot": (6.01, 1.990, 0.686),
    },
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """The series of a part.

    Args:
        path: The table to train on.
        names: Of the series.
        train: The values of each, in order of time.
        actual: Shape `(n_series, horizon)`: what came.
    """

    path: Path
    names: list[str]
    train: list[Array]
    actual: Array


def measure_hourly(asked: Asked) -> Table:
    return measure(asked, HOURLY)


def measure_weekly(asked: Asked) -> Table:
    return measure(asked, WEEKLY)


def measure(asked: Asked, part: Part) -> Table:
    """Train, forecast and score, beside the simple forecasts."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        series = read(asked, part, folder)
        runs = ours(folder, series, part, asked)
        lines = over_seeds("ours", runs)
        more, short = reached(part.limits, runs)
        lines += more
        notes = [f"OWA by Naive2 {part.naive2[0]} and {part.naive2[1]}; seconds: forecast train"]
        if part.fast and not asked.preset and knows_preset("fast"):
            fast = ours(folder, series, part, replace(asked, preset="fast"))
            more, slow = reached(part.fast, fast)
            lines += [*over_seeds("ours, --preset fast", fast), *more]
            short |= slow
        elif part.fast and not asked.preset:
            notes.append("there is no preset fast in this version")
    lines.append(zero_shot(series, part))
    lines += simple(series, part)
    lines += [published(name, figures) for name, figures in part.published.items()]
    details = [{"seed": seed, **run} for seed, run in zip(asked.seeds, runs, strict=True)]
    title = (
        f"M4 {part.name}, {len(series.names)} series, {part.horizon} steps from the end of train"
    )
    return Table(title, "forecaster", COLUMNS, lines, notes, details, short)


def read(asked: Asked, part: Part, folder: Path) -> Series:
    """Read both files; the table to train on is the file itself."""
    path = (asked.data / "m4" / f"{part.name}-train.csv").resolve()
    train = pd.read_csv(path, index_col=0)
    test = pd.read_csv(path.with_name(f"{part.name}-test.csv"), index_col=0)
    if asked.quick:
        train = train.iloc[:QUICK_SERIES].dropna(axis=1, how="all")
        path = folder / path.name
        train.to_csv(path)
    actual = test.loc[train.index].to_numpy(float)[:, : part.horizon]
    values = [row[np.isfinite(row)] for row in train.to_numpy(float)]
    return Series(path, [str(name) for name in train.index], values, actual)


def ours(folder: Path, series: Series, part: Part, asked: Asked) -> list[Figures]:
    """The scores of each seed."""
    runs: list[Figures] = []
    for seed in asked.seeds:
        progress(f"M4 {part.name}, {asked.preset or 'default'}, seed {seed}")
        arguments = ["--layout", "rows", "--freq", part.freq, "--horizon", str(part.horizon)]
        arguments += ["--test", "0", "--refit", "--seed", str(seed)]
        seconds = train_as_command(folder, series.path, arguments, asked)
        made = by_series(predict_as_command(folder), series)
        runs.append(scores(made, series, part) | {SECONDS: seconds})
        progress(f"  {', '.join(f'{name} {value:.3f}' for name, value in runs[-1].items())}")
    return runs


def zero_shot(series: Series, part: Part) -> Line:
    """The pretrained network, which was trained on none of the series."""
    progress(f"M4 {part.name}, forecast now")
    with TemporaryDirectory() as name:
        how = ["--layout", "rows", "--freq", part.freq, "--horizon", str(part.horizon)]
        done = run(forecast("now", series.path, *how, "-q", "-o", "forecast.csv"), Path(name))
        made = by_series(pd.read_csv(Path(name) / "forecast.csv"), series)
    return plain("forecast now", scores(made, series, part) | {SECONDS: done.seconds})


def by_series(table: pd.DataFrame, series: Series) -> Array:
    """The last column of a forecast, shape `(n_series, horizon)`, in the order of the series."""
    value = next(each for each in table.columns[2:] if "_lo" not in each)
    steps = table.set_index([table.columns[0], table.columns[1]])[value].unstack()
    found: Array = steps.sort_index(axis=1).loc[series.names].to_numpy(float)
    return found


def scores(made: Array, series: Series, part: Part) -> dict[str, float]:
    """sMAPE, MASE and OWA of forecasts of shape `(n_series, horizon)`."""
    error = np.abs(made - series.actual)
    smape = float(np.mean(200 * error / (np.abs(made) + np.abs(series.actual))))
    usual = [np.abs(each[part.season :] - each[: -part.season]).mean() for each in series.train]
    mase = float(np.mean(error.mean(axis=1) / usual))
    owa = (smape / part.naive2[0] + mase / part.naive2[1]) / 2
    return {SMAPE: smape, MASE: mase, OWA: owa}


def simple(series: Series, part: Part) -> list[Line]:
    """The simple forecasts; Naive2 shows that the constants are right."""
    values = np.concatenate(series.train)[:, None]
    ends = np.cumsum([len(each) for each in series.train])
    first = np.concatenate([[0], ends[:-1]])
    given = BaselineInput(values, ends, first, part.horizon, part.season)
    forecasters: dict[str, Callable[[BaselineInput], Array]] = {
        "naive": naive,
        "seasonal-naive": seasonal_naive,
        "Naive2": naive2,
    }
    lines = []
    for name, forecaster in forecasters.items():
        began = perf_counter()
        made = forecaster(given)[:, :, 0]
        seconds = perf_counter() - began
        lines.append(plain(name, scores(made, series, part) | {SECONDS: seconds}))
    return lines


def published(name: str, figures: tuple[float, float, float]) -> Line:
    known = zip((SMAPE, MASE, OWA), figures, strict=True)
    return plain(name, {column: each for column, each in known if np.isfinite(each)}, PUBLISHED)
