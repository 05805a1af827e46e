"""Conversion of tables whose columns or rows are series to a row for each step of a series."""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..config.sections import Data
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..core.windows import Floats
from .columns import JOINED, NO_TIME, matching
from .dates.parsing import parse_dates
from .dates.time_column import find_time, time_columns
from .dates.time_parts import without_whole_years
from .groups import NAME_WORDS
from .io.body import is_date
from .io.footer import TOTAL
from .io.opening import Opened, open_in_memory
from .io.tables import Table, is_text, name_rows, require_columns
from .panel import SERIES, VALUE
from .time.time_index import infer_frequency
from .totals import ends_with_total, total_error
from .year_rows import find_parts, from_years

# What statistical offices add to the years of columns.
FOOTNOTE = re.compile(r"\[.*\]$")
LEAST_TIMES = 3


def as_long(opened: Opened, data: Data, on_event: Listener) -> tuple[Opened, Data]:
    """Return the table with a row for each step, and the settings to read that.

    Raises:
        DataError: A cell is not a number, or there is no series.
    """
    if data.layout == "columns":
        return _from_columns(opened, data, on_event)
    if data.layout == "years":
        own = {"layout": "long", "column": (VALUE,), "time": JOINED}
        return from_years(opened, on_event), data.changed(**own)
    if data.layout == "rows":
        return _from_rows(opened, data, on_event)
    if data.layout is None and (found := find_parts(opened.names)):
        _check_parts(opened, data, list(found[1]), on_event)
    return opened, data


def _check_parts(opened: Opened, data: Data, parts: Sequence[str], on_event: Listener) -> None:
    """Say that the columns are the parts of years, or ask which are meant where none is named."""
    if not data.column:
        raise UsageError(
            f"Each row of {opened.name} is a year, of which {parts[0]} to {parts[-1]} are columns.",
            "Pass `layout=years` to forecast them as one series, or name one of them with `column` "
            "to forecast it by year.",
        )
    named = [name for name in data.column if name in parts]
    if named:
        text = f'"{named[0]}" is one of {len(parts)} columns of a year, forecast by year'
        on_event(Note(f"{text} (`layout=years` reads all of them as one series)", warning=True))


def _from_columns(opened: Opened, data: Data, on_event: Listener) -> tuple[Opened, Data]:
    """Convert a table in which each column is a series."""
    time = find_time(opened.head(), data, on_event)
    parts = time_columns(time, opened.names)
    for name in parts:
        if name in (SERIES, VALUE):
            raise UsageError(
                f'The time column is called "{name}", a name that layout columns needs itself.',
                "Rename it.",
            )
    names = _named_or_all(opened, data, parts)
    table = without_whole_years(opened.read([*parts, *names], text=parts), parts, on_event)
    cells = np.stack([table.numbers(name) for name in names])
    _check_held(cells, table.name, lambda row: names[row])
    if opened.lined and data.skip_footer is None and ends_with_total(cells):
        raise total_error(table)
    # Empty cells before the first value and after the last are dropped once the times are sorted.
    series, rows = np.indices(cells.shape).reshape(2, -1)
    on_event(Note(f"{len(names)} columns as series: {_few(names)}"))
    arrays = {each: table.columns[each].take(pa.array(rows)) for each in parts}
    arrays[SERIES] = pa.array(np.array(names, dtype=object)[series], pa.string())
    arrays[VALUE] = pa.array(cells.ravel(), from_pandas=True)
    long = Table(
        table.name,
        pa.table(arrays),
        lambda row: f'{table.place(int(rows[row]))}, column "{names[int(series[row])]}"',
    )
    own = {"layout": "long", "series": (SERIES,), "column": (VALUE,), "time": time or NO_TIME}
    return open_in_memory(long), data.changed(**own)


def _from_rows(opened: Opened, data: Data, on_event: Listener) -> tuple[Opened, Data]:
    """Convert a table in which each row is a series: its name, then its values."""
    require_columns(opened.name, opened.names, data.series)
    series = data.series or naming_columns(opened.head())
    if not series:
        text = "no column seems to name the rows, so they are counted (`series` specifies one)"
        on_event(Note(text, warning=True))
    table = opened.read(text=series)
    steps = () if data.column else step_columns(opened.names)
    names = steps or _named_or_all(opened, data, series)
    rest = [name for name in opened.names if name.strip() and name not in (*series, *names)]
    if steps and rest:
        on_event(Note(f"columns that are no steps left out: {_few(rest)}"))
    cells = np.column_stack([table.numbers(name) for name in names])
    keys = {each: _name_parts(table, series, each) for each in series} or {
        SERIES: pa.chunked_array([np.arange(1, len(cells) + 1)])
    }
    _check_named_once(table, keys)
    _leave_out_empty(cells, table, on_event)
    held = between_values(cells)
    rows, places = np.nonzero(held)
    on_event(Note(f"{len(np.unique(rows)):,} rows as series, named by {', '.join(keys)}"))
    arrays = {each: column.take(pa.array(rows)) for each, column in keys.items()}
    times = times_of_columns(opened.name, names, data) if JOINED not in keys else None
    if times is not None:
        on_event(Note(f"the names of the columns are the times: {names[0]} to {names[-1]}"))
        arrays[JOINED] = times.take(pa.array(places))
    arrays[VALUE] = pa.array(cells[held], from_pandas=True)
    long = Table(
        table.name,
        pa.table(arrays),
        lambda row: f'{table.place(int(rows[row]))}, column "{names[int(places[row])]}"',
    )
    time = NO_TIME if times is None else JOINED
    own = {"layout": "long", "series": tuple(keys), "column": (VALUE,), "time": time}
    return open_in_memory(long), data.changed(**own)


def times_of_columns(where: str, names: Sequence[str], data: Data) -> pa.Array | None:
    """Return the names of columns of steps as text of times; None where they are no regular times.

    Raises:
        DataError: They look like times, but cannot be read, or are ambiguous.
    """
    if len(names) < LEAST_TIMES or data.time == NO_TIME:
        return None
    array = pa.array([FOOTNOTE.sub("", name).strip() for name in names], pa.string())
    table = Table(where, pa.table({JOINED: array}), lambda row: f'{where}, column "{names[row]}"')
    reading = Data(**data.date_reading)
    try:
        if find_time(table, reading, ignore) is None:
            return None
        times = parse_dates(table, JOINED, **data.date_reading).times
    except DataError:
        if all(map(_is_step, names)):
            raise
        return None
    return None if infer_frequency(times) is None else array


def _leave_out_empty(cells: Floats, table: Table, on_event: Listener) -> None:
    """Report series without a value, which are left out unless there are no others.

    `cells` has the shape `(n_series, steps)`.
    """
    empty = np.flatnonzero(~np.isfinite(cells).any(axis=1))
    if len(empty) == len(cells):
        _check_held(cells, table.name, table.place)
    if len(empty):
        text = f"rows without a value left out: {name_rows(table, empty.tolist())}"
        on_event(Note(text, warning=True))


def _named_or_all(opened: Opened, data: Data, taken: Sequence[str]) -> tuple[str, ...]:
    """Return the columns given by name or pattern, or all without another role."""
    # A column without a name comes from delimiters at the ends of the lines.
    free = [name for name in opened.names if name not in taken and name.strip()]
    found = [
        each for name in data.column for each in matching(name, opened.names, free, opened.name)
    ]
    require_columns(opened.name, opened.names, found)
    return tuple(dict.fromkeys(found)) or tuple(free)


def _check_named_once(table: Table, keys: Mapping[str, pa.ChunkedArray]) -> None:
    """Refuse two rows for one series."""
    again = np.flatnonzero(pa.table(dict(keys)).to_pandas().duplicated().to_numpy())
    if len(again):
        row = int(again[0])
        name = " ".join(str(column[row].as_py()) for column in keys.values())
        raise DataError(
            f"{table.place(row)} is a second row for {name}.",
            "In layout rows each row is a series; name the columns that identify it with `series`.",
        )


def naming_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that name the rows: of those before the steps, which their names tell.

    Otherwise the first columns of text, or a first one whose name is that of an identifier.
    """
    names = [name for name in table.names if name.strip()]
    if steps := step_columns(names):
        before = names[: names.index(steps[0])]
        plain = [name for name in before if not _is_measure(table, name)] or before
        whole = [name for name in plain if not table.columns[name].null_count]
        again = not whole or table.columns.select(whole).to_pandas().duplicated().any()
        return tuple(plain if again else whole)
    first = list(itertools.takewhile(lambda name: not _is_numeric(table, name), names))
    if not first and NAME_WORDS.search(names[0]):
        first = names[:1]
    return tuple(first) if len(first) < len(names) else ()


def step_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns named by times, after those that name the rows; none where few are.

    Columns of totals and others after them are no steps.
    """
    places = [place for place, name in enumerate(names) if _is_step(name)]
    if not places or places[-1] - places[0] + 1 != len(places) or len(places) < LEAST_TIMES:
        return ()
    after = [name for name in names[places[-1] + 1 :] if name.strip()]
    if not places[0] or not all(map(TOTAL.match, after)):
        return ()
    return tuple(names[place] for place in places)


def _name_parts(table: Table, series: Sequence[str], name: str) -> pa.ChunkedArray:
    """Return a column of names; where others name the rows too, a part may be empty."""
    cells = table.columns[name]
    return pc.fill_null(cells, "") if len(series) > 1 and is_text(cells.type) else cells


def _is_measure(table: Table, name: str) -> bool:
    """Whether a column holds numbers with decimals, such as latitudes, which are no names."""
    cells = table.columns[name]
    if not is_text(cells.type):
        return bool(pa.types.is_floating(cells.type))
    return _is_numeric(table, name) and any("." in cell for cell in cells.drop_null().to_pylist())


def _is_step(name: str) -> bool:
    """Whether a name is a time, as 1970, 2020-01 or `1970 [YR1970]`."""
    return is_date(FOOTNOTE.sub("", name))


def _is_numeric(table: Table, name: str) -> bool:
    """Whether all cells are numbers."""
    cells = table.columns[name]
    if not is_text(cells.type):
        return True
    return any(pc.all(each.fits(cells), min_count=0).as_py() for each in table.written)


def _check_held(cells: Floats, source: str, place: Callable[[int], str]) -> None:
    """Refuse a series without a value; `cells` has shape `(n_series, steps)`."""
    empty = np.flatnonzero(~np.isfinite(cells).any(axis=1))
    if len(empty):
        raise DataError(f"{source}: {place(int(empty[0]))} holds no value.", "Leave it out.")


def between_values(cells: Floats) -> npt.NDArray[np.bool_]:
    """Return which cells, `(n_series, steps)`, are from the first to the last value of a row."""
    known = np.isfinite(cells)
    after = np.maximum.accumulate(known, axis=1)
    before = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(after & before)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= 8 else (*names[:3], "...", names[-1]))
