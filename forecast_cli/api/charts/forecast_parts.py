"""Tables of forecasts, as `predict` writes them, by series and column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError, UsageError, nearest
from ...core.events import Listener, ignore
from ...core.windows import Floats
from ...data.dates.parsing import parse_dates
from ...data.dates.time_column import find_time
from ...data.io.opening import open_with_notes
from ...data.io.tables import Readable, require_columns
from ...data.panel import SERIES, STEP, Panel
from ...evaluation.tables.column_roles import BOUND, CUTOFF, SAMPLE, bound_name, bounded
from ...forecasting.prediction_request import parted


@dataclass(frozen=True)
class ForecastPart:
    """The forecast of one series and target.

    Args:
        times: Shape `(steps,)`; None where steps are counted.
        point: Shape `(steps,)`, original units.
        ends: The lower and upper ends of the intervals by level in percent, the widest first.
    """

    times: pd.DatetimeIndex | None
    point: Floats
    ends: dict[float, tuple[Floats, Floats]]


def forecasts_alone(
    frame: pd.DataFrame, only: Sequence[str], most: int
) -> tuple[str, dict[str, ForecastPart]]:
    """Return a table of forecasts without actual values: its time column, and what it forecasts.

    Args:
        frame: The table.
        only: The series to return; the first `most` where empty.
        most: How many series are returned where none is named.

    Raises:
        DataError: No column has intervals.
        UsageError: There is no series of a name.
    """
    names = [str(name) for name in frame]
    times = [name for name in names if pd.api.types.is_datetime64_any_dtype(frame[name])]
    time = times[0] if times else STEP
    columns = sorted(bounded(names), key=names.index)
    if not columns:
        raise DataError(
            "The table of forecasts has no column with intervals.",
            "Name the table that it continues: DATA.",
        )
    is_number = pd.api.types.is_numeric_dtype
    keys = [name for name in names if name != time and not is_number(frame[name])]
    series = frame[keys].astype(str).agg(" ".join, axis=1) if keys else pd.Series("", frame.index)
    chosen = choose(series.unique(), only)
    found = {
        f"{column} of {name}" if name else column: find_part(frame[series == name], column, time)
        for name in (chosen if only else chosen[:most])
        for column in columns
    }
    return time, found


def choose(names: Iterable[str], only: Sequence[str]) -> list[str]:
    """Return the names of series that are asked for, or all where none are.

    Raises:
        UsageError: There is none of such a name.

    >>> choose(["north", "south", "east"], ["south, north"])
    ['south', 'north']
    """
    known = list(names)
    asked = [each for text in only for each in parted(text, known)]
    for name in asked:
        if name not in known:
            raise UsageError(f'There is no series "{name}".', nearest(name, known))
    return asked or known


def find_part(frame: pd.DataFrame, column: str, time: str) -> ForecastPart:
    """Return the forecast in a column."""
    bounds = [found for name in frame if (found := BOUND.fullmatch(str(name)))]
    own = [each for each in bounds if each["name"] == column and each["side"] == "lo"]

    def numbers(side: str, level: float) -> Floats:
        return frame[bound_name(column, side, level)].to_numpy(float)

    levels = sorted((float(each["level"]) for each in own), reverse=True)
    ends = {level: (numbers("lo", level), numbers("hi", level)) for level in levels}
    times = pd.DatetimeIndex(frame[time]) if time in frame and time != STEP else None
    return ForecastPart(times, frame[column].to_numpy(float), ends)


def is_forecast(source: Readable, on_event: Listener = ignore) -> bool:
    """Whether a table holds a column with intervals, as `predict` writes them."""
    names = open_with_notes(source, Data().dialect, on_event).names
    return bool(bounded(names) & {*names})


def read_forecast(source: Readable, panel: Panel | None, on_event: Listener) -> pd.DataFrame:
    """Return a table of forecasts as `predict` returns it; `panel` has the actual values.

    Raises:
        DataError: It holds something else.
    """
    opened = open_with_notes(source, Data().dialect, on_event)
    for name in (CUTOFF, SAMPLE):
        if name in opened.names:
            raise DataError(
                f'{opened.name} has a column "{name}": not one forecast, but several.',
                "Score them: forecast evaluate. A chart shows one forecast.",
            )
    if panel is None:
        head = opened.head()
        time = find_time(head, Data(), on_event) or STEP
        keys = [n for n in head.names if n != time and not head.is_all_numbers(n)]
    else:
        time, keys = panel.step_name, [str(each) for each in panel.ids.columns]
        wide = panel.data.layout == "columns" and SERIES not in opened.names
        keys = [] if wide else keys
        require_columns(opened.name, opened.names, [*keys, time])
    table = opened.read(text=[*keys, time] if time != STEP else keys)
    others = [n for n in table.names if n not in (*keys, time) and table.is_all_numbers(n)]
    columns: dict[str, Any] = {name: table.columns[name].to_pandas() for name in keys}
    if time in table.names and time != STEP:
        columns[time] = parse_dates(table, time).times
    return pd.DataFrame(columns | {name: table.numbers(name) for name in others})
