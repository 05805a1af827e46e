"""Future covariates from a separate table."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np
import pandas as pd

from ..config.sections import Data, Dialect
from ..core.errors import DataError
from ..core.events import Listener, ignore
from ..core.windows import Floats, Ints
from .categories import category_numbers, note_unknown
from .columns import JOINED, NO_TIME
from .dates.date_formats import read_like
from .dates.parsing import located, parse_dates
from .dates.time_column import time_columns
from .groups import Groups, find_places, group_rows, settle_names
from .io.opening import open_with_notes
from .io.tables import Readable, Table, require_columns
from .panel import Panel
from .time.grid import steps_between
from .time.time_index import when

# Names at least so much alike may be of one series.
ALIKE = 0.8


def with_future(
    panel: Panel, source: Readable, data: Data, *, on_event: Listener = ignore
) -> Panel:
    """Return the panel with the future covariates of another table, which take precedence.

    Args:
        panel: Up to the ends of its series.
        source: A table with the time column, the names of the series and the covariates.
        data: How it is read.
        on_event: Receives notes.

    Raises:
        DataError: The table lacks columns or rows.
    """
    names = panel.columns.covariates.future
    # It may be written in another way than the table, as the tables that we write are.
    opened = open_with_notes(source, Dialect(na=data.na), on_event)
    time = panel.columns.time
    if time and "," in time and JOINED in opened.names:
        time = JOINED
    parts = time_columns(time, opened.names)
    series = panel.columns.series
    require_columns(opened.name, opened.names, [*parts, *series, *names])
    text = [*parts, *series]
    table = opened.read([*parts, *series, *names], text=text)
    _require_filled(panel, table, names)
    categories = panel.columns.covariates.categories
    note_unknown(table, {name: categories[name] for name in names if name in categories}, on_event)
    groups = group_rows(table, series)
    groups = settle_names(table, groups, data.similar_names, on_event, known=panel.ids)
    places = find_places(groups.ids, panel.ids)
    _require_named(panel, table, groups, places)
    codes = places[groups.codes]
    steps = _steps_after(panel, table, time, groups, codes, data)
    return replace(panel, ahead=_merge_ahead(panel, table, codes, steps))


def _require_filled(panel: Panel, table: Table, names: Sequence[str]) -> None:
    """Refuse a table without any value of a covariate, where the panel knows none either."""
    places = [panel.columns.features.index(name) for name in names]
    if np.isfinite(panel.ahead[..., places]).any():
        return
    if all(table.columns[name].null_count == len(table.columns[name]) for name in names):
        raise DataError(
            f"{table.name} is blank: it has no value of {', '.join(names)}.",
            "Fill in what is planned or expected for each step.",
        )


def _require_named(panel: Panel, table: Table, groups: Groups, places: Ints) -> None:
    """Refuse a table without rows of a series that has rows of one with nearly the same name.

    `places`, shape `(series,)`, are those of its series in the panel, -1 for none.
    """
    unknown = {groups.name(int(each)).casefold(): int(each) for each in np.flatnonzero(places < 0)}
    if not unknown:
        return
    bare = np.asarray(~np.isfinite(panel.ahead).any(axis=(1, 2)))
    bare[places[places >= 0]] = False
    for series in np.flatnonzero(bare).tolist():
        name = panel.name(series)
        close = get_close_matches(name.casefold(), unknown, n=1, cutoff=ALIKE)
        if close:
            first = int(np.argmax(groups.codes == unknown[close[0]]))
            raise DataError(
                f'{table.name} has no row of the series "{name}".',
                f'Did you mean it by "{groups.name(unknown[close[0]])}" in {table.place(first)}?',
            )


def _merge_ahead(panel: Panel, table: Table, codes: Ints, steps: Ints) -> Floats:
    """Return the known values after the ends of the series, those of the table among them.

    `codes` and `steps`, `(table rows,)`, are the series of each row, -1 for none, and its step, as
    `_steps_after` returns them. The values have the shape `(n_series, steps, features)`.
    """
    inside = np.flatnonzero((codes >= 0) & (steps > 0))
    again = np.flatnonzero(pd.DataFrame({"s": codes[inside], "t": steps[inside]}).duplicated())
    if len(again):
        raise DataError(
            f"{table.place(int(inside[again[0]]))} is a second row for its step.",
            "Give one row for each series and step.",
        )
    width = max(panel.ahead.shape[1], int(steps[inside].max(initial=0)))
    ahead = np.full((panel.count, width, panel.values.shape[1]), np.nan)
    ahead[:, : panel.ahead.shape[1]] = panel.ahead
    for name in panel.columns.covariates.future:
        known = panel.columns.covariates.categories.get(name)
        values = table.numbers(name) if known is None else category_numbers(table, name, known)
        # An empty cell leaves the panel's value.
        held = inside[np.isfinite(values[inside])]
        ahead[codes[held], steps[held] - 1, panel.columns.features.index(name)] = values[held]
    return ahead


def _steps_after(
    panel: Panel, table: Table, time: str | None, groups: Groups, codes: Ints, data: Data
) -> Ints:
    """Return how many steps after the end of its series each row is; 0 or less: before it.

    `codes`, the series of the panel of each row, -1 for none, has the shape `(table rows,)`, and
    so has what is returned.
    """
    lasts, timeline = panel.lasts, panel.timeline
    if time in (None, NO_TIME) or lasts is None or timeline is None:
        order = pd.Series(groups.codes).groupby(groups.codes).cumcount()
        return np.asarray(order + 1)
    reading = read_like(data, timeline.style).date_reading
    times = parse_dates(table, time, **reading, groups=groups.codes).times
    times = _in_zone_of(panel, lasts, table, times, groups)
    known, frequency = np.maximum(codes, 0), timeline.frequency
    steps = steps_between(lasts[known], times, frequency)
    expected = frequency.moved(lasts[known], np.maximum(steps, 0))
    wrong = np.asarray(expected != frequency.snapped(times))
    off = np.flatnonzero(np.asarray(times > lasts[known]) & (codes >= 0) & (wrong | (steps < 1)))
    if len(off):
        row = int(off[0])
        raise DataError(
            f"{table.place(row)}: {when(times[row])} does not follow {when(lasts[known[row]])} in "
            f"steps of {frequency.name}.",
            "Give a row for each future step.",
        )
    return steps


def _in_zone_of(
    panel: Panel, lasts: pd.DatetimeIndex, table: Table, times: pd.DatetimeIndex, groups: Groups
) -> pd.DatetimeIndex:
    """Return the times of a table, shape `(table rows,)`, in the zone of those of a panel.

    Times with an offset are refused where those of the panel have none.
    """
    if times.tz is not None and lasts.tz is None:
        raise DataError(
            f"{table.name} has times with an offset, and {panel.source} has none.",
            "Write both in the same way, or specify the zone of the local times with `timezone`.",
        )
    if times.tz is None and lasts.tz is not None:
        times = located(times, str(lasts.tz), groups.codes)
    return times if times.tz is None else times.tz_convert(lasts.tz)
