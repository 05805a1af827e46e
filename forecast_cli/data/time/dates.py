"""Dates read without guessing, with the format to write them back in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.windows import Ints
from ..io.tables import Table
from .date_formats import EPOCHS, ISO, attempt, fitting_forms, iso_style, zoned

# The value of the setting `time` for a table whose rows are steps.
NO_TIME = "none"
SAMPLE = 60
# The beginnings of formats with the day before the month, or after it.
DAY_FIRST, DAY_LAST = ("%d/%m", "%d-%m"), ("%m/%d", "%m-%d")
# The name of a time whose parts are in several columns.
JOINED = "time"
PARTS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Dates:
    """The times of a column.

    Args:
        times: Shape `(rows,)`, in the order of the table.
        style: The `strftime` format in which to write such times; `%z` is written as `+01:00`.
    """

    times: pd.DatetimeIndex
    style: str


def parse_dates(
    table: Table,
    column: str,
    *,
    date_format: str | None = None,
    dayfirst: bool | None = None,
    timezone: str | None = None,
    groups: Ints | None = None,
) -> Dates:
    """Read a column of dates.

    Args:
        table: With this column as text, or with real timestamps in it.
        column: Its name.
        date_format: A `strptime` format, where the dates have an unusual one.
        dayfirst: Whether 03/04/2020 is in April; None to infer it.
        timezone: An IANA name: the zone of clock times, or into which those with an offset are
            converted.
        groups: Shape `(rows,)`, the series of each row; None for one: where the clocks change, the
            order of the rows of a series distinguishes the repeated hour.

    Raises:
        DataError: A cell is no date, or day and month are ambiguous.
    """
    if column not in table.names:
        dates = joined(table, column.split(","))
    else:
        dates = _parse_column(table, column, date_format, dayfirst, timezone)
    if timezone is None:
        return dates
    local = _in_zone(dates, timezone, table.name, groups)
    # Epochs are written as epochs.
    return replace(local, style=dates.style) if dates.style in EPOCHS else local


def _parse_column(
    table: Table, column: str, form: str | None, dayfirst: bool | None, timezone: str | None
) -> Dates:
    """Return the dates of a column, epochs with a timezone in UTC; see `parse_dates`."""
    cells = table.columns[column]
    if cells.null_count:
        row = pc.index(pc.is_null(cells), True).as_py()
        raise DataError(f'{table.place(row)}: column "{column}" holds no date.', "Add one.")
    if is_time(cells):
        return _from_timestamps(cells)
    text = pc.cast(cells, pa.string())
    dates = _parse_text(table, column, text, form, dayfirst)
    if timezone is None and dates.times.tz is not None:
        _check_offsets(table, column, text)
    if timezone is not None and dates.style in EPOCHS:
        # Epochs count from an instant, not from a local clock.
        return replace(dates, times=dates.times.tz_localize("UTC"))
    return dates


def _check_offsets(table: Table, column: str, text: pa.ChunkedArray) -> None:
    """Refuse offsets that change: without the zone those of future times are unknown."""
    offsets = [re.sub(r"^.*\d[T ][\d:.,]+", "", cell) for cell in text.to_pylist()]
    row = next((row for row, each in enumerate(offsets) if each != offsets[0]), None)
    if row is not None:
        raise DataError(
            f'{table.place(row)}: the offset in column "{column}" changes from {offsets[0]} to '
            f"{offsets[row]}.",
            "Specify the time zone, e.g. `timezone=Europe/Berlin`, so that future offsets are "
            "known.",
        )


def day_first(style: str) -> bool | None:
    """Whether the day comes before the month in a format; None where it is unambiguous.

    >>> day_first("%d/%m/%Y"), day_first("%m/%d/%Y"), day_first("%Y-%m-%d")
    (True, False, None)
    """
    if style.startswith(DAY_FIRST):
        return True
    return False if style.startswith(DAY_LAST) else None


def read_like(data: Data, style: str) -> Data:
    """Return the settings for a table that may be too short to infer the format of another."""
    if data.dayfirst is not None or data.date_format:
        return data
    return data.model_copy(update={"dayfirst": day_first(style)})


def joined(table: Table, parts: Sequence[str]) -> Dates:
    """Return times whose parts are in separate columns: year, month, day, hour, minute, second.

    Raises:
        DataError: The parts of a row are no valid time.
    """
    if len(parts) > len(PARTS):
        raise UsageError(
            f"Invalid `time`: {len(parts)} columns are too many for the parts of a time.",
            f"Give at most {', '.join(PARTS)}.",
        )
    words = [part.lower() for part in parts]
    # Parts with these names may be in any order.
    order = words if set(words) <= set(PARTS) else PARTS[: len(parts)]
    numbers = {name: table.numbers(part) for name, part in zip(order, parts, strict=True)}
    if "year" not in numbers:
        raise UsageError("A time in parts needs its year.", "Pass e.g. `time=year,month,day`.")
    first = np.ones_like(numbers["year"])
    times = pd.to_datetime(pd.DataFrame({"month": first, "day": first} | numbers), errors="coerce")
    bad = np.flatnonzero(times.isna().to_numpy())
    if len(bad):
        row = int(bad[0])
        held = ", ".join(f"{part} {table.columns[part][row].as_py()}" for part in parts)
        raise DataError(f"{table.place(row)}: {held} is no valid time.", "Fix the row, or drop it.")
    clock = "" if not {"hour", "minute", "second"} & set(order) else " %H:%M:%S"
    return Dates(pd.DatetimeIndex(times), "%Y-%m-%d" + clock)


def is_time(cells: pa.ChunkedArray) -> bool:
    """Whether cells are times by their type."""
    return bool(pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type))


def _from_timestamps(cells: pa.ChunkedArray) -> Dates:
    times = pd.DatetimeIndex(pd.to_datetime(cells.to_pandas()))
    plain = bool((times == times.normalize()).all()) and times.tz is None
    style = "%Y-%m-%d" if plain else "%Y-%m-%d %H:%M:%S"
    return Dates(times, style if times.tz is None else zoned(style))


def _parse_text(
    table: Table, column: str, text: pa.ChunkedArray, form: str | None, dayfirst: bool | None
) -> Dates:
    if form is None and (iso := _fast_iso(text)) is not None:
        return Dates(iso, iso_style(_longest(text)))
    series = pd.Series(text.to_pylist(), dtype=object)
    forms = [form] if form else [ISO, *fitting_forms(series[:SAMPLE].tolist())]
    if dayfirst is not None:
        forms = [each for each in forms if not each.startswith(DAY_LAST if dayfirst else DAY_FIRST)]
    try:
        parsed = {each: attempt(series, each) for each in forms}
    except ValueError as error:
        raise invalid_format(form, error) from None
    whole = {each: times for each, times in parsed.items() if times.notna().all()}
    if not whole:
        _complain(table, column, series, parsed)
    chosen, times = next(iter(whole.items()))
    for others in whole.values():
        if not times.equals(others):
            row = int((times != others).to_numpy().argmax())
            raise DataError(
                f'{table.place(row)}: column "{column}" holds "{series[row]}", which could be '
                f"{times[row].date()} or {others[row].date()}.",
                "Pass `dayfirst=true` or `dayfirst=false`.",
            )
    return Dates(pd.DatetimeIndex(times), iso_style(_longest(text)) if chosen == ISO else chosen)


def invalid_format(form: str | None, error: Exception) -> UsageError:
    """Return the error for a format of dates that cannot be used."""
    return UsageError(f'Invalid `date_format` "{form}": {error}.')


def _longest(text: pa.ChunkedArray) -> str:
    """Return the cell that shows most of the format: midnight may be without its clock time."""
    lengths = pc.utf8_length(text)
    return str(text[pc.index(lengths, pc.max(lengths)).as_py()].as_py())


def _complain(table: Table, column: str, series: pd.Series, parsed: dict[str, pd.Series]) -> None:
    """Name the first cell that does not match the format that matches most cells."""
    form, times = max(parsed.items(), key=lambda item: item[1].notna().sum())
    row = int(times.isna().to_numpy().argmax())
    fits = times.first_valid_index()
    like = f' Other rows look like "{series[fits]}".' if fits is not None else ""
    raise DataError(
        f'{table.place(row)}: column "{column}" holds "{series[row]}", which is not a known date '
        f"format{f' ({form} was expected)' if form != ISO else ''}.{like}",
        "Fix the cell, or specify `date_format`; where the rows are in order of time, oldest "
        "first, `time=none` uses them as steps.",
    )


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


def _fast_iso(text: pa.ChunkedArray) -> pd.DatetimeIndex | None:
    """Parse ISO dates by Arrow, shape `(rows,)`; None where some are none, or have offsets."""
    try:
        times = pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return pd.DatetimeIndex(times.to_numpy())


def _in_zone(dates: Dates, timezone: str, where: str, groups: Ints | None) -> Dates:
    """Return clock times as those of a zone, and times with an offset converted to it.

    Args:
        dates: The parsed times.
        timezone: Name of the zone.
        where: Place of the column in messages.
        groups: Shape `(rows,)`: the series of each row; None for one series.
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
