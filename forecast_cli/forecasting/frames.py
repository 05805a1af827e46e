"""Forecasts as frames: names of the series, times, and values in original units."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..core.errors import UsageError
from ..core.padding import owner_series
from ..core.ragged import row_numbers
from ..core.scaling import rounded
from ..core.windows import Floats, Ints
from ..data.dataset import History
from ..data.dates.date_writing import write_dates
from ..data.known_future import steps_frame
from ..data.panel import SERIES, STEP, VALUE, Panel
from ..model.bundle import Bundle
from ..model.manifest import TimeAxis

FORECAST_SUFFIX = "_forecast"
# What numbers sample paths.
SAMPLE = "sample"
# The time of the last row that a forecast knows.
CUTOFF = "cutoff"
# What names the scenario of a row.
SCENARIO = "scenario"
NO_INTERVALS: dict[float, tuple[Floats, Floats]] = {}


def build_frame(
    bundle: Bundle,
    history: History,
    scaled: Floats,
    ends: dict[float, tuple[Floats, Floats]] = NO_INTERVALS,
) -> pd.DataFrame:
    """Forecasts in original units with their times.

    Args:
        bundle: The model.
        history: What they go on from.
        scaled: Shape `(n_series, steps, targets)`.
        ends: The lower and upper ends of intervals by level, ascending, each of the same shape.
    """
    lower, upper = ([each[side] for each in ends.values()] for side in (0, 1))
    tables = {"": scaled} | end_columns("", tuple(ends), lower, upper)
    flat = {end: _flat(bundle, history, each) for end, each in tables.items()}
    manifest = bundle.manifest
    return lay_out(history.panel, manifest.targets, flat, manifest.config.data.layout)


def lay_out(
    panel: Panel, targets: Sequence[str], tables: Mapping[str, Floats], layout: str | None
) -> pd.DataFrame:
    """Return forecasts with their times, in the layout of the table.

    Args:
        panel: What they go on from.
        targets: What is forecast.
        tables: The forecasts, and the ends of intervals by the ends of the names of their columns;
            shape `(n_series * steps, targets)` each, original units.
        layout: The `layout` of the table.
    """
    frame = steps_frame(panel, len(next(iter(tables.values()))) // panel.count)
    columns = {
        f"{target}{end}": values[:, place]
        for place, target in enumerate(targets)
        for end, values in tables.items()
    }
    if len(columns) < len(targets) * len(tables):
        raise UsageError(
            f"The targets {', '.join(targets)} and their intervals would share a name.",
            "Rename a column of the table, and train again.",
        )
    return _in_layout(frame.assign(**columns), panel.step_name, layout, list(tables))


def end_columns(
    name: str, level: Sequence[float], lower: Sequence[Floats], upper: Sequence[Floats]
) -> dict[str, Floats]:
    """The ends of intervals by the names of their columns, from the lowest to the highest.

    There are lower and upper ends of each level, which are in percent, ascending.

    >>> list(end_columns("y", (80, 95), [0, 0], [1, 1]))
    ['y_lo95', 'y_lo80', 'y_hi80', 'y_hi95']
    """
    low = {f"{name}_lo{each:g}": ends for each, ends in zip(level, lower, strict=True)}
    high = {f"{name}_hi{each:g}": ends for each, ends in zip(level, upper, strict=True)}
    return dict(reversed(low.items())) | high


def _flat(bundle: Bundle, history: History, scaled: Floats) -> Floats:
    """Scaled values, shape `(n_series, ..., targets)`, as rows in original units."""
    count, targets = scaled.shape[0], scaled.shape[-1]
    rows = scaled.reshape(count, -1, targets)
    return in_units(bundle, history, np.arange(count), rows).reshape(-1, targets)


def sample_frame(bundle: Bundle, history: History, scaled: Floats) -> pd.DataFrame:
    """Sample paths in original units with their times: a row for each step of each path.

    Args:
        bundle: The model.
        history: What they go on from.
        scaled: Shape `(n_series, samples, steps, targets)`.
    """
    if SAMPLE in (*history.panel.ids.columns, history.panel.step_name, *bundle.manifest.targets):
        raise UsageError(
            f'Sample paths are numbered as "{SAMPLE}", and a column of the table is called that.',
            "Rename that column of the table, and train again.",
        )
    count, samples, steps, _ = scaled.shape
    times = steps_frame(history.panel, steps)
    rows = np.arange(count * steps).reshape(count, 1, steps)
    frame = times.iloc[np.broadcast_to(rows, (count, samples, steps)).ravel()]
    numbers = np.tile(np.repeat(np.arange(1, samples + 1), steps), count)
    place = len(frame.columns) - 1
    frame = frame.reset_index(drop=True)
    frame.insert(place, SAMPLE, numbers)
    flat = _flat(bundle, history, scaled)
    return frame.assign(**dict(zip(bundle.manifest.targets, flat.T, strict=True)))


def _in_layout(
    frame: pd.DataFrame, time: str, layout: str | None, ends: Sequence[str]
) -> pd.DataFrame:
    """Forecasts in the layout of the table: where its columns are series, so are theirs."""
    if layout != "columns":
        return frame
    order = list(dict.fromkeys(frame[SERIES]))
    tables = {end: frame.pivot(index=time, columns=SERIES, values=f"{VALUE}{end}") for end in ends}
    wide = pd.DataFrame({f"{name}{end}": tables[end][name] for name in order for end in ends})
    return wide.rename_axis(columns=None).reset_index()


def beside_actual(bundle: Bundle, panel: Panel, origins: Ints, values: Floats) -> pd.DataFrame:
    """Return forecasts, shape `(samples, targets)`, with their times and actual values."""
    manifest, timeline = bundle.manifest, panel.timeline
    frame = panel.ids.iloc[owner_series(panel.indptr, origins)].reset_index(drop=True)
    frame[panel.step_name] = (
        timeline.times[origins] if timeline else row_numbers(panel.indptr)[origins] + 1
    )
    actual = panel.values[origins][:, manifest.target_places]
    forecasts = [f"{target}{FORECAST_SUFFIX}" for target in manifest.targets]
    columns = zip((*manifest.targets, *forecasts), (*actual.T, *values.T), strict=True)
    return frame.assign(**dict(columns))


def in_units(bundle: Bundle, history: History, series: Ints, scaled: Floats) -> Floats:
    """Return scaled forecasts in original units, shape `(samples, steps, targets)`.

    `series`, shape `(samples,)`, is the series of each.
    """
    scaling = history.scaling.only(bundle.manifest.target_places).each(series, steps=True)
    return rounded(scaling.inverse(scaled.astype(np.float64)))


def stack_scenarios(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the forecasts of all scenarios one below the other, their names in a first column.

    Raises:
        UsageError: A column has the name of that column.
    """
    first = next(iter(frames.values()))
    if SCENARIO in first:
        raise UsageError(
            f'The scenarios are named in a column "{SCENARIO}", and a column of the table is '
            "called that.",
            "Rename that column of the table, and train again.",
        )
    named = [each.assign(**{SCENARIO: name}) for name, each in frames.items()]
    stacked = pd.concat(named, ignore_index=True)
    ordered: pd.DataFrame = stacked[[SCENARIO, *first.columns]]
    return ordered


def put_beside(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return stacked scenarios beside each other; of two also how much higher the second one is.

    `keys` are as `key_columns` returns them.
    """
    own = [name for name in frame if name in keys]
    values = [name for name in frame if name not in (SCENARIO, *keys)]
    names = list(dict.fromkeys(frame[SCENARIO]))
    parts: list[pd.DataFrame] = [
        frame[frame[SCENARIO] == name].reset_index(drop=True) for name in names
    ]
    wide: pd.DataFrame = parts[0][own].copy()
    for value in values:
        prefix = f"{value}: " if len(values) > 1 else ""
        for name, part in zip(names, parts, strict=True):
            wide[f"{prefix}{name}"] = part[value]
        if len(parts) == 2:
            wide[f"{prefix}change"] = parts[1][value] - parts[0][value]
    return wide


def key_columns(series: Sequence[str], time: TimeAxis | None) -> list[str]:
    """Return what may identify a row of forecasts: names of series, times, numbers of paths."""
    return [*series, SERIES, time.name if time else STEP, SAMPLE]


def with_cutoff(frame: pd.DataFrame, series: Sequence[str], time: TimeAxis | None) -> pd.DataFrame:
    """Return forecasts with the time of the last known row in a column before their own times.

    It is a step before the first time of each series; without times there is no such column.

    Raises:
        UsageError: A column has the name of that column.
    """
    if time is None or time.name not in frame:
        return frame
    if CUTOFF in frame:
        raise UsageError(
            f'The time of the last known row is written to a column "{CUTOFF}", and a column of '
            "the table is called that.",
            "Write a file, or rename that column of the table, and train again.",
        )
    names = [each for each in (SCENARIO, *key_columns(series, time)) if each in frame]
    names.remove(time.name)
    frame = frame.copy()
    times = frame[time.name]
    first = frame.groupby(names, sort=False)[time.name].transform("first") if names else times[0]
    before = time.frequency.moved(
        pd.DatetimeIndex(pd.Series(first, index=frame.index)), np.full(len(frame), -1)
    )
    frame.insert(list(frame).index(time.name), CUTOFF, before)
    return frame


def in_table_style(frame: pd.DataFrame, time: TimeAxis | None) -> pd.DataFrame:
    """The same forecasts with their times as text, in the form that the table has."""
    if time is None or time.name not in frame:
        return frame
    names = [each for each in (CUTOFF, time.name) if each in frame]
    return frame.assign(
        **{each: write_dates(pd.DatetimeIndex(frame[each]), time.style) for each in names}
    )
