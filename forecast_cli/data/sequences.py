"""Tables of labelled sequences as arrays: sequences end to end, with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ..config.sections import Data
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, ignore
from ..core.ragged import cumulate
from ..core.windows import Floats, Ints
from .columns import NO_TIME
from .dates.parsing import parse_dates
from .dates.time_column import time_columns
from .groups import Groups, group_rows, name_series, settle_names
from .io.opening import open_with_notes
from .io.tables import Readable, Table, is_text, require_columns

# The names of the feature in a row of numbers, and of the number of a sequence without a name.
VALUE = "value"
SEQUENCE = "sequence"


@dataclass(frozen=True)
class Sequences:
    """Many sequences as one array.

    Args:
        features: The names of the features of a step.
        columns: The columns of the table that hold the steps.
        values: Shape `(n_rows, features)`, float64, original units, NaN where missing.
        indptr: Shape `(n_sequences + 1,)`: sequence `i` is rows `indptr[i]:indptr[i + 1]`.
        ids: A row for each sequence, a column for each part of its name.
        labels: A column for each label, of numbers, text or truth values; None where not read.
        source: What messages call the table.
    """

    features: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats
    indptr: Ints
    ids: pd.DataFrame
    labels: pd.DataFrame | None
    source: str

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def lengths(self) -> Ints:
        """Steps of each sequence, shape `(n_sequences,)`."""
        return np.diff(self.indptr)

    def name(self, place: int) -> str:
        """Return the name of a sequence for messages."""
        return name_series(self.ids, place)


def read_sequences(
    source: Readable,
    data: Data,
    *,
    labelled: bool = True,
    columns: Sequence[str] = (),
    on_event: Listener = ignore,
) -> Sequences:
    """Read sequences, one a row or one for each name of a series.

    Args:
        source: What `open_table` opens.
        data: Its `layout`, `label`, `series`, `step_features`, `column` and `time`.
        labelled: Whether labels are needed; they are not in a prediction.
        columns: The columns that hold the steps, where they are known.
        on_event: Receives notes.

    Raises:
        DataError: The table lacks columns or rows, or they cannot be read.
    """
    if data.layout != "rows" and not data.series:
        raise UsageError(
            "Nothing specifies which rows belong to one sequence.",
            "Name the column that identifies the sequence with `series`, or, where each row is a "
            "sequence, pass `layout=rows`.",
        )
    table = open_with_notes(source, data.dialect, on_event).read()
    needed = [*data.series, *(data.label if labelled else ()), *data.column, *columns]
    require_columns(table.name, table.names, needed)
    known = tuple(columns) or data.column or _columns(table, data, on_event)
    labels = _labels(table, data.label) if labelled else None
    read = _from_rows if data.layout == "rows" else _from_long
    sequences = read(table, data, known, labels)
    if data.missing == "error":
        _check_missing(sequences)
    return sequences


def _columns(table: Table, data: Data, on_event: Listener) -> tuple[str, ...]:
    """Return every numeric column without another role."""
    others = [name for name in table.names if name not in (*data.label, *data.series, data.time)]
    numeric = [name for name in others if _is_numeric(table, name)]
    skipped = [name for name in others if name not in numeric]
    if skipped and data.layout == "rows":
        # Every column is a step: one that is not numeric must cause an error.
        return tuple(others)
    if skipped:
        on_event(Note(f"columns ignored because they are not numeric: {', '.join(skipped)}"))
    if not numeric:
        raise DataError(
            f"{table.name} has no numeric column besides the label.", "Name one with `column`."
        )
    return tuple(numeric)


def _is_numeric(table: Table, name: str) -> bool:
    """Whether a column holds numbers, as types or as text."""
    kind = table.columns[name].type
    if is_text(kind):
        return table.is_all_numbers(name)
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _labels(table: Table, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the labels of every row of the table, of which none may be missing."""
    for name in names:
        missing = np.flatnonzero(table.columns[name].is_null().to_numpy(zero_copy_only=False))
        if len(missing):
            raise DataError(
                f'{table.place(int(missing[0]))}: the label "{name}" is missing.',
                "Add it, or drop the row; predictions need no labels.",
            )
    return pd.DataFrame({name: _label(table, name) for name in names})


def _label(table: Table, name: str) -> Any:
    """Return a label of every row, as numbers where all are numbers."""
    if not _is_numeric(table, name) or pa.types.is_integer(table.columns[name].type):
        return table.columns[name].to_pandas()
    return table.numbers(name)


def _from_rows(
    table: Table, data: Data, columns: tuple[str, ...], labels: pd.DataFrame | None
) -> Sequences:
    """Read a sequence from each row; empty cells at its end make it shorter."""
    wide = data.step_features or 1
    if len(columns) % wide:
        raise UsageError(
            f"{len(columns)} columns cannot be split into steps of {wide} columns each.",
            "Set another `step_features`, or name the columns with `column`.",
        )
    cells = np.column_stack([table.numbers(name) for name in columns])
    steps = cells.reshape(len(cells), -1, wide)
    held: npt.NDArray[np.bool_] = np.asarray(np.isfinite(steps).any(axis=2))
    most = steps.shape[1]
    lengths = most - np.argmax(held[:, ::-1], axis=1)
    empty = np.flatnonzero(np.logical_not(held.any(axis=1)))
    if len(empty):
        raise DataError(f"{table.place(int(empty[0]))} holds no step.", "Drop the row.")
    inside = np.arange(most) < lengths[:, None]
    features = (VALUE,) if wide == 1 else columns[:wide]
    names = {name: table.columns[name].to_pandas() for name in data.series}
    ids = pd.DataFrame(names or {SEQUENCE: np.arange(1, len(cells) + 1)})
    return Sequences(features, columns, steps[inside], cumulate(lengths), ids, labels, table.name)


def _from_long(
    table: Table, data: Data, columns: tuple[str, ...], labels: pd.DataFrame | None
) -> Sequences:
    """Read a sequence from the rows of each name, in order of the table or of its time column."""
    groups = settle_names(table, group_rows(table, data.series), data.similar_names, ignore)
    order = _order(table, data, groups.codes)
    indptr = cumulate(np.bincount(groups.codes))
    if labels is not None:
        _check_constant(table, labels, groups)
        labels = labels.iloc[order[indptr[:-1]]].reset_index(drop=True)
    values = np.column_stack([table.numbers(name) for name in columns])[order]
    return Sequences(columns, columns, values, indptr, groups.ids, labels, table.name)


def _order(table: Table, data: Data, group: npt.NDArray[Any]) -> Ints:
    """Return the rows of each sequence, shape `(rows,)`, in order."""
    if data.time in (None, NO_TIME):
        return np.argsort(group, kind="stable")
    require_columns(table.name, table.names, time_columns(data.time, table.names))
    if data.time in table.names and _is_numeric(table, data.time):
        # Counted steps, as well as dates of digits alone, are sorted as numbers.
        return np.lexsort((table.numbers(data.time), group))
    dates = parse_dates(table, data.time, **data.date_reading)
    return np.lexsort((dates.times.asi8, group))


def _check_constant(table: Table, labels: pd.DataFrame, groups: Groups) -> None:
    """Refuse a sequence with two labels."""
    for label in labels:
        first = labels[label].groupby(groups.codes).transform("first")
        bad = np.flatnonzero((labels[label] != first).to_numpy())
        if len(bad):
            row, code = int(bad[0]), int(groups.codes[bad[0]])
            before = int(np.argmax(groups.codes == code))
            raise DataError(
                f'{table.place(row)}: the label "{label}" of {groups.name(code)} is '
                f"{labels[label][row]}, and {labels[label][before]} in {table.place(before)}.",
                "A sequence must have the same label in all its rows.",
            )


def _check_missing(sequences: Sequences) -> None:
    missing = np.flatnonzero(np.isnan(sequences.values).any(axis=1))
    if not len(missing):
        return
    place = int(np.searchsorted(sequences.indptr, missing[0], side="right")) - 1
    step = int(missing[0] - sequences.indptr[place]) + 1
    raise DataError(
        f"{sequences.source}: step {step} of sequence {sequences.name(place)} is missing, one of "
        f"{len(missing)} in all.",
        "Set `missing` to mask, interpolate or ffill.",
    )
