"""Tables that are in memory already: frames, series, Arrow tables and arrays."""

import datetime as dt
from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ...core.errors import DataError, UsageError
from .tables import ArrowStream, Table

# The name of a column that has none.
VALUE = "value"
# The names that a time index without a name may get, in order of preference.
TIME_NAMES = ("time", "date", "timestamp", "index")


def from_memory(source: object, name: str = "the table") -> Table | None:
    """Return a table that is in memory with its columns in Arrow form; None for anything else.

    Args:
        source: A pandas frame or series, an array of shape `(rows,)` or `(rows, columns)`, or an
            object with `__arrow_c_stream__`. The columns of a two-dimensional array are called
            `x0`, `x1` and so on; a series or a one-dimensional array without a name is `value`.
        name: What messages call the table.

    Raises:
        DataError: It has no rows, or two columns of one name.
        UsageError: An array has more than two dimensions.
    """
    if isinstance(source, pd.DataFrame):
        return from_frame(source, name)
    if isinstance(source, pd.Series):
        return from_frame(source.to_frame(VALUE if source.name is None else source.name), name)
    if isinstance(source, np.ndarray):
        return from_frame(_array_columns(source), name)
    return _from_stream(source, name) if isinstance(source, ArrowStream) else None


def from_frame(frame: pd.DataFrame, name: str = "the table") -> Table:
    """Return a pandas frame as a table; an index of times becomes the first column.

    Raises:
        DataError: It has no rows, or two columns of one name.
    """
    frame = _with_index(frame)
    names = [str(each) for each in frame.columns]
    _require_content(name, names, len(frame))
    frame = frame.set_axis(names, axis=1)
    return _table(name, pa.table({each: _arrow(frame[each]) for each in names}))


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the index as columns, where it holds times or has a name."""
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return _with_index(frame.reset_index())
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    elif index.dtype == object and len(index) and all(isinstance(each, dt.date) for each in index):
        index = pd.DatetimeIndex(index)
    if isinstance(index, pd.DatetimeIndex):
        names: list[Hashable] = [str(index.name or TIME_NAMES[0]), *TIME_NAMES]
        free = next((each for each in names if each not in frame.columns), None)
        return frame if free is None else frame.set_axis(index, axis=0).reset_index(names=free)
    if index.name is not None and index.name not in frame.columns:
        return frame.reset_index()
    return frame


def _arrow(column: pd.Series) -> pa.Array:
    """Return a column in Arrow form; objects of several kinds become text."""
    try:
        cells = pa.array(column, from_pandas=True)
        return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array(column.astype("string"), from_pandas=True)


def _array_columns(array: npt.NDArray[Any]) -> pd.DataFrame:
    """Return an array of shape `(rows,)` or `(rows, columns)` as a frame."""
    if array.dtype.names:
        return pd.DataFrame(array)
    if array.ndim == 1:
        return pd.DataFrame({VALUE: array})
    if array.ndim == 2:
        return pd.DataFrame(array, columns=[f"x{number}" for number in range(array.shape[1])])
    raise UsageError(
        f"An array of shape {array.shape} is not a table.",
        "Give one of shape (rows,) or (rows, columns).",
    )


def _from_stream(source: ArrowStream, name: str) -> Table:
    """Return a table, or a single column, that comes as an Arrow stream."""
    try:
        columns = pa.table(source)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        columns = pa.table({getattr(source, "name", None) or VALUE: pa.chunked_array(source)})
    _require_content(name, columns.column_names, columns.num_rows)
    return _table(name, plain_columns(columns))


def plain_columns(columns: pa.Table) -> pa.Table:
    """Return the columns with dictionaries replaced by their values, and views as text."""
    names = columns.column_names
    return pa.table(dict(zip(names, map(_plain, columns.columns), strict=True)))


def _plain(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as numbers, times or text of Arrow's first kinds."""
    if pa.types.is_dictionary(cells.type):
        decoded = [_plain(pa.chunked_array([each.dictionary])).take(each.indices)
                   for each in cells.chunks]  # fmt: skip
        return pa.chunked_array([part for each in decoded for part in each.chunks])
    return cells.cast(pa.string()) if pa.types.is_string_view(cells.type) else cells


def _require_content(name: str, names: list[str], rows: int) -> None:
    """Refuse a table with two columns of one name, or without rows."""
    for each in names:
        if names.count(each) > 1:
            raise DataError(f'{name} has {names.count(each)} columns named "{each}".')
    if not rows or not names:
        raise DataError(f"{name} has no rows.", "A row for each step is needed.")


def _table(name: str, columns: pa.Table) -> Table:
    """Return the columns as a table whose rows are counted from 1 in messages."""
    return Table(name, columns, lambda row: f"{name}, row {row + 1}")
