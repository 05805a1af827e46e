"""Dates read without guessing, the format to write them back in, and the zone of their days."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note, ignore
from ...core.windows import Ints
from ..io.number_formats import plain_digits
from ..io.tables import Table, is_text
from ..time.time_index import Dates
from .date_cells import Reading, read_text
from .date_formats import EPOCHS
from .date_questions import implausible, is_implausible
from .date_writing import zoned
from .time_parts import joined

ZONE = re.compile(r"(Z| ?UTC| ?GMT| ?[+-]\d\d(:?\d\d)?)$")


class DateReading(TypedDict, total=False):
    """How a column of dates is read.

    Args:
        date_format: A `strptime` format, where the dates have an unusual one.
        dayfirst: Whether 03/04/2020 is in April; None to infer it.
        timezone: An IANA name: the zone of clock times, or into which those with an offset are
            converted.
        day_zone: The zone of the days, where it is another one.
        fiscal_start: The first month of fiscal years, 1 to 12.
    """

    date_format: str | None
    dayfirst: bool | None
    timezone: str | None
    day_zone: str | None
    fiscal_start: int | None


def parse_dates(
    table: Table,
    column: str,
    *,
    groups: Ints | None = None,
    on_event: Listener = ignore,
    **how: Unpack[DateReading],
) -> Dates:
    """Read a column of dates.

    Args:
        table: With this column as text, or with real timestamps in it.
        column: Its name.
        groups: Shape `(rows,)`, the series of each row; None for one: where the clocks change, the
            order of the rows of a series distinguishes the repeated hour.
        on_event: Receives notes on what was inferred.
        how: See `DateReading`.

    Raises:
        DataError: A cell is no date, or day and month are ambiguous.
    """
    reading = Reading(how.get("date_format"), how.get("dayfirst"), how.get("fiscal_start"))
    timezone, day_zone = how.get("timezone"), how.get("day_zone")
    names = [column] if column in table.names else column.split(",")
    table = _with_plain_digits(table, names, on_event)
    if column not in table.names:
        dates = joined(table, column.split(","), reading, timezone, on_event)
    else:
        dates = _parse_column(table, column, reading, timezone or day_zone, on_event)
    if reading.form is None:
        _require_plausible(table, column, dates)
    if timezone is not None:
        local = _in_zone(dates, timezone, table.name, groups)
        # Epochs are written as epochs.
        dates = replace(local, style=dates.style) if dates.style in EPOCHS else local
    return dates if day_zone is None else in_day_zone(dates, day_zone)


def _require_plausible(table: Table, column: str, dates: Dates) -> None:
    """Refuse years that seem to be those of another calendar, or mistyped."""
    years = dates.times.year
    bad = next((year for year in years.unique() if is_implausible(year)), None)
    if bad is not None:
        form = dates.style if column in table.names else None
        raise implausible(table.place(int(np.argmax(years == bad))), column, bad, form)


def _with_plain_digits(table: Table, names: Sequence[str], on_event: Listener) -> Table:
    """Return the table with the digits 0 to 9 in some columns, for those of other scripts."""
    for name in names:
        text = table.columns[name] if name in table.names else None
        if text is None or not is_text(text.type) or (plain := plain_digits(text)) is None:
            continue
        on_event(Note(f'"{name}": {text[0].as_py()} is read as {plain[0].as_py()}'))
        columns = table.columns.set_column(table.names.index(name), name, plain)
        table = replace(table, columns=columns)
    return table


def _parse_column(
    table: Table, column: str, reading: Reading, timezone: str | None, on_event: Listener
) -> Dates:
    """Return the dates of a column, epochs with a timezone in UTC; see `parse_dates`."""
    cells = table.columns[column]
    if cells.null_count:
        row = pc.index(pc.is_null(cells), True).as_py()
        raise DataError(
            f'{table.place(row)}: column "{column}" holds no date.',
            "Add one, or remove the row where it is none.",
        )
    if is_time(cells):
        return _from_timestamps(cells)
    if (
        pa.types.is_floating(cells.type)
        and not pc.any(pc.not_equal(cells, pc.trunc(cells))).as_py()
    ):
        # Larger ones are no dates, which their text shows.
        with suppress(pa.ArrowInvalid):
            cells = pc.cast(cells, pa.int64())
    text = pc.cast(cells, pa.string())
    dates = read_text(table, column, text, reading, on_event)
    if timezone is None and dates.times.tz is not None:
        _check_offsets(table, column, text, dates.times)
    if timezone is not None and dates.style in EPOCHS:
        # Epochs count from an instant, not from a local clock.
        return replace(dates, times=dates.times.tz_localize("UTC"))
    return dates


def _check_offsets(
    table: Table, column: str, text: pa.ChunkedArray, times: pd.DatetimeIndex
) -> None:
    """Refuse offsets of times, `(rows,)`, that change: without the zone future ones are unknown."""
    offsets = [found[0] if (found := ZONE.search(cell)) else "" for cell in text.to_pylist()]
    row = next((row for row, each in enumerate(offsets) if each != offsets[0]), None)
    if row is not None:
        zone = likely_day_zone(times) or "Europe/Berlin"
        raise DataError(
            f'{table.place(row)}: the offset in column "{column}" changes from {offsets[0]} to '
            f"{offsets[row]}.",
            f"Specify the time zone, e.g. `timezone={zone}`, so that future offsets are known.",
        )


def is_time(cells: pa.ChunkedArray) -> bool:
    """Whether cells are times by their type."""
    return bool(pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type))


def _from_timestamps(cells: pa.ChunkedArray) -> Dates:
    times = pd.DatetimeIndex(pd.to_datetime(cells.to_pandas()))
    plain = bool((times == times.normalize()).all()) and times.tz is None
    style = "%Y-%m-%d" if plain else "%Y-%m-%d %H:%M:%S"
    return Dates(times, style if times.tz is None else zoned(style))


def located(times: pd.DatetimeIndex, timezone: str, groups: Ints | None) -> pd.DatetimeIndex:
    """Return clock times in a zone; the order distinguishes the repeated hour in autumn.

    Args:
        times: Shape `(rows,)`, without a zone.
        timezone: Its IANA name.
        groups: Shape `(rows,)`, the series of each row; None for one.
    """
    located = times.tz_localize(timezone, ambiguous="NaT")
    ambiguous = np.flatnonzero(located.isna())
    if not len(ambiguous):
        return located
    codes = np.zeros(len(times), np.int64) if groups is None else groups
    found = located.to_numpy(object)
    for series in np.unique(codes[ambiguous]).tolist():
        rows = np.flatnonzero(codes == series)
        way = -1 if len(rows) > 1 and times[rows[0]] > times[rows[-1]] else 1
        own = times[rows[::way]].tz_localize(timezone, ambiguous="infer")
        found[rows] = own[::way]
    return pd.DatetimeIndex(found)


def _in_zone(dates: Dates, timezone: str, where: str, groups: Ints | None) -> Dates:
    """Return clock times as those of a zone, and times with an offset converted to it.

    `where` is the column in messages; `groups`, shape `(rows,)`, the series of each row, if any.
    """
    times, style = dates.times, zoned(dates.style)
    try:
        if times.tz is not None:
            return Dates(times.tz_convert(timezone), style)
        return Dates(located(times, timezone, groups), style)
    except (KeyError, ModuleNotFoundError) as error:
        raise UsageError(
            f'Unknown time zone "{timezone}".', "Pass e.g. `timezone=Europe/Berlin`."
        ) from error
    except ValueError as error:
        raise DataError(
            f"{where} has times that do not exist, or are ambiguous, in {timezone}: "
            f"{str(error).split('. ')[0].rstrip('.')}.",
            "Write the times with their offset, or in UTC.",
        ) from None


# The zones that are tried; others with the same clock changes have the same days.
ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Halifax", "America/Santiago", "America/Sao_Paulo", "Europe/London", "Europe/Berlin",
    "Europe/Athens", "Asia/Jerusalem", "Africa/Cairo", "Australia/Sydney", "Australia/Adelaide",
    "Pacific/Auckland",
)  # fmt: skip
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)


def in_day_zone(dates: Dates, zone: str) -> Dates:
    """Return the same times by the clocks of a zone, whose days are those of the table.

    Raises:
        DataError: They are clock times of an unknown zone.
        UsageError: There is no such zone.
    """
    if dates.times.tz is None:
        raise DataError(
            f"`day_zone={zone}` needs times whose zone is known.",
            "Specify it, e.g. `timezone=UTC`.",
        )
    try:
        times = dates.times.tz_convert(zone)
    except (KeyError, ModuleNotFoundError) as error:
        raise UsageError(
            f'Unknown time zone "{zone}".', "Pass e.g. `day_zone=Europe/Berlin`."
        ) from error
    return Dates(times, dates.style if dates.style in EPOCHS else zoned(dates.style))


def find_day_zone(dates: Dates, data: Data, on_event: Listener) -> tuple[Dates, Data]:
    """Return the times by the clocks of the zone in which they all are midnight, if there is one.

    They are stamped at two hours that follow each other, as 04:00 and 05:00 UTC are the midnight
    of New York in summer and winter.

    Args:
        dates: As parsed.
        data: How; where a zone is given, nothing is changed.
        on_event: Receives a note.

    Returns:
        The times, and the settings with which other tables are read alike.
    """
    if data.timezone or data.day_zone:
        return dates, data
    zone = likely_day_zone(dates.times)
    if zone is None:
        return dates, data
    wall = dates.times.tz_localize(None)
    hours = sorted(set(wall.strftime("%H:%M")))
    on_event(Note(f"{' and '.join(hours)} UTC are midnight in {zone}: rows are its days"))
    known = replace(dates, times=wall.tz_localize("UTC"))
    settings = {"timezone": "UTC", "day_zone": zone}
    return in_day_zone(known, zone), data.changed(**settings)


def likely_day_zone(times: pd.DatetimeIndex) -> str | None:
    """Return the zone in which times, shape `(n,)`, in UTC, are all midnight; None without one.

    >>> likely_day_zone(pd.DatetimeIndex(["2024-03-09 05:00", "2024-03-11 04:00"]))
    'America/New_York'
    """
    if times.tz is not None and str(times.tz) != "UTC":
        return None
    wall = times.tz_localize(None)
    clock = np.asarray(wall.as_unit("us").asi8) % (DAY // pd.Timedelta(1, "us"))
    least, most = pd.Timedelta(int(clock.min()), "us"), pd.Timedelta(int(clock.max()), "us")
    if most - least not in (HOUR, 23 * HOUR):
        return None
    if not ((clock == clock.min()) | (clock == clock.max())).all():
        return None
    known = wall.tz_localize("UTC")
    for zone in ZONES:
        local = known.tz_convert(zone).tz_localize(None)
        if (local == local.normalize()).all():
            return zone
    return None
