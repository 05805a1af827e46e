"""Short series of competitions, each by itself and as panels, beside statistical methods.

One forecast of every series, from the end of its training part. With `--held-out` the last horizon
of the training parts is forecast instead, and the test parts stay unread: choices are made there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

import forecast_cli as fc

from .classical import METHODS, classical_intervals, seasonal_naive
from .table import Asked, Line, Table, plain, progress

Array = np.ndarray
MASE, SMAPE, SECONDS = "MASE", "sMAPE", "s a series"
LEVELS = (80.0, 95.0)
COVERAGE, WIDTH = "{:g} % hold", "width {:g} %"
COLUMNS = (
    MASE,
    SMAPE,
    *(name.format(each) for each in LEVELS for name in (COVERAGE, WIDTH)),
    SECONDS,
)
SERIES, TIME, VALUE = "series", "date", "y"
ZERO_SHOT, PANEL, ALONE, MEAN, NAIVE = (
    "forecast now",
    "default, as a panel",
    "default, each by itself",
    "mean of the three",
    "seasonal-naive",
)
QUICK_SERIES, CHUNK = 6, 12


@dataclass(frozen=True)
class Source:
    """A table of short series.

    Args:
        name: Of its files.
        horizon: Steps ahead.
        season: Steps in a season.
    """

    name: str
    horizon: int
    season: int


SOURCES = (
    Source("tourism_quarterly", 8, 4),
    Source("m3_quarterly", 8, 4),
    Source("m1_monthly", 18, 12),
)


@dataclass(frozen=True)
class Made:
    """Forecasts of some series by one forecaster.

    Args:
        point: Shape `(series, horizon)`.
        ends: Shape `(levels, 2, series, horizon)`; None where there are no intervals.
        seconds: Of processor time, a series.
    """

    point: Array
    ends: Array | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Series:
    """What is forecast.

    Args:
        table: The rows before, in long form.
        before: The same, by series.
        actual: Shape `(series, horizon)`.
    """

    table: pd.DataFrame
    before: list[Array]
    actual: Array
    source: Source = field(repr=False)


def measure(asked: Asked) -> Table:
    """All tables, or those whose name holds what `--only` names."""
    lines, details = [], []
    for source in SOURCES:
        if asked.only and not any(each in source.name for each in asked.only):
            continue
        series = read(asked, source)
        lines.append(Line(f"{source.name}, {len(series.before)} series", {}))
        for name, made in forecasts(series, asked):
            figures = scores(made, series)
            lines.append(plain(f"  {name}", figures))
            details.append({"table": source.name, "forecaster": name, **figures})
            progress(f"{source.name}, {name}: {figures[MASE]:.3f}")
    where = "the last horizon of the training parts" if asked.held_out else "the test parts"
    notes = [
        "MASE in units of the in-sample seasonal naive; widths in the same units; seconds of "
        "processor time",
    ]
    title = f"Short series, column and horizon only, {where}"
    return Table(title, "forecaster", COLUMNS, lines, notes, details)


def read(asked: Asked, source: Source) -> Series:
    """Read a table; where choices are made, without the test part."""
    path = asked.data / "short" / f"{source.name}-train.csv"
    table = pd.read_csv(path, parse_dates=[TIME])
    names = list(dict.fromkeys(table[SERIES]))
    if asked.held_out:
        ahead = table.groupby(SERIES, sort=False).tail(source.horizon)
        table = table.drop(ahead.index)
        counts = table.groupby(SERIES, sort=False)[VALUE].transform("size")
        table = table[counts >= 2 * source.season + 2]
    else:
        ahead = pd.read_csv(path.with_name(f"{source.name}-test.csv"))
    names = [each for each in names if each in set(table[SERIES])]
    names = names[:: max(1, len(names) // QUICK_SERIES)] if asked.quick else names
    table = table[table[SERIES].isin(set(names))].reset_index(drop=True)
    before = dict(iter(table.groupby(SERIES, sort=False)[VALUE]))
    later = dict(iter(ahead.groupby(SERIES, sort=False)[VALUE]))
    return Series(
        table,
        [before[each].to_numpy(float) for each in names],
        np.stack([later[each].to_numpy(float)[: source.horizon] for each in names]),
        source,
    )


def forecasts(series: Series, asked: Asked) -> Iterator[tuple[str, Made]]:
    """Everybody's forecasts."""
    yield NAIVE, Made(_each(seasonal_naive, series))
    yield ZERO_SHOT, timed(lambda: fc.now(series.table, **reading(series)), series)
    yield PANEL, timed(lambda: trained(series.table, asked, **reading(series)), series)
    yield ALONE, in_parts(partial(alone, asked=asked), series, asked.jobs)
    if not asked.classical:
        return
    every = []
    for method in METHODS:
        every.append(in_parts(partial(by_method, method), series, asked.jobs))
        yield method, every[-1]
    yield MEAN, Made(np.mean([each.point for each in every], axis=0))


def reading(series: Series) -> dict[str, Any]:
    """How the table is read, and what is forecast."""
    named = {"series": SERIES} if SERIES in series.table else {}
    return {"column": VALUE, "horizon": series.source.horizon, "level": LEVELS, **named}


def trained(table: pd.DataFrame, asked: Asked, *, level: Sequence[float], **how: Any) -> Any:
    """Train by the default preset without a test split, and forecast."""
    settings: dict[str, Any] = {"preset": asked.preset} if asked.preset else {}
    model = fc.train(table, test=0, refit=True, seed=asked.seeds[0], **how, **settings)
    return model.predict(level=list(level))


def timed(make: Callable[[], pd.DataFrame], series: Series) -> Made:
    """Forecasts of all series by one call."""
    began = process_time()
    table = make()
    return unpacked(table, series, (process_time() - began) / len(series.before))


def unpacked(table: pd.DataFrame, series: Series, seconds: float) -> Made:
    """The forecasts in a table, in the order of the series."""
    shape = len(series.before), series.source.horizon
    if SERIES in table:
        order = {name: place for place, name in enumerate(dict.fromkeys(series.table[SERIES]))}
        table = table.sort_values(SERIES, key=lambda names: names.map(order), kind="stable")
    columns = [[f"{VALUE}_{side}{each:g}" for side in ("lo", "hi")] for each in LEVELS]
    point = table[VALUE].to_numpy(float).reshape(shape)
    if not all(name in table for pair in columns for name in pair):
        return Made(point, None, seconds)
    ends = np.array([[table[name].to_numpy(float) for name in pair] for pair in columns])
    return Made(point, ends.reshape(len(LEVELS), 2, *shape), seconds)


def alone(part: Series, asked: Asked) -> Made:
    """Each series by itself, as a table of two columns."""
    began, made = process_time(), []
    for name, rows in part.table.groupby(SERIES, sort=False):
        table = rows.drop(columns=SERIES)
        one = Series(table, [rows[VALUE].to_numpy(float)], np.empty((1, 0)), part.source)
        made.append(unpacked(trained(table, asked, **reading(one)), one, 0.0))
        progress(f"  {part.source.name}, {name}")
    return joined(made, (process_time() - began) / len(made))


def by_method(method: str, part: Series) -> Made:
    """A statistical method, with its intervals."""
    began, made = process_time(), []
    for history in part.before:
        point, ends = classical_intervals(
            method, history, part.source.horizon, part.source.season, LEVELS
        )
        made.append(Made(point[None], ends[:, :, None]))
    return joined(made, (process_time() - began) / len(made))


def joined(parts: Sequence[Made], seconds: float) -> Made:
    """Forecasts of all series."""
    ends = [each.ends for each in parts if each.ends is not None]
    whole = np.concatenate(ends, axis=2) if len(ends) == len(parts) else None
    return Made(np.concatenate([each.point for each in parts]), whole, seconds)


def in_parts(function: Callable[[Series], Made], series: Series, jobs: int) -> Made:
    """The same of a few series at a time, in processes of their own."""
    names = list(dict.fromkeys(series.table[SERIES]))
    parts = []
    for first in range(0, len(names), CHUNK):
        places = range(first, min(first + CHUNK, len(names)))
        own = {names[place] for place in places}
        table = series.table[series.table[SERIES].isin(own)]
        before = [series.before[place] for place in places]
        parts.append(Series(table, before, series.actual[list(places)], series.source))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(function, parts))
    seconds = sum(each.seconds * len(each.point) for each in made) / len(names)
    return joined(made, seconds)


def _each(function: Callable[[Array, int, int], Array], series: Series) -> Array:
    how = series.source.horizon, series.source.season
    return np.stack([function(each, *how) for each in series.before])


def scores(made: Made, series: Series) -> Mapping[str, float]:
    """The figures of one forecaster, as means over all series."""
    season, actual = series.source.season, series.actual
    usual = np.array([np.abs(each[season:] - each[:-season]).mean() for each in series.before])
    error = np.abs(made.point - actual)
    both = np.abs(made.point) + np.abs(actual)
    known = usual > 0
    found = {
        MASE: float((error.mean(axis=1)[known] / usual[known]).mean()),
        SMAPE: float(np.mean(200.0 * error / np.where(both > 0, both, 1.0))),
    }
    if made.ends is not None:
        for level, (low, high) in zip(LEVELS, made.ends, strict=True):
            found[COVERAGE.format(level)] = float(((actual >= low) & (actual <= high)).mean())
            width = (high - low).mean(axis=1)[known] / usual[known]
            found[WIDTH.format(level)] = float(width.mean())
    return found | ({SECONDS: made.seconds} if made.seconds else {})
