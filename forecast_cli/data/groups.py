"""The series of the rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa

from ..core.errors import DataError
from ..core.windows import Ints
from .io.tables import Table, is_text

# The most columns that together identify a series.
MOST_KEYS = 4
# At most one row in so many may be a duplicate.
STRAY = 100


@dataclass(frozen=True)
class Groups:
    """The series of each row.

    Args:
        ids: A row for each series, a column for each part of its name; without columns where
            there is one series without a name.
        codes: Shape `(rows,)`: the series of each row of the table, by its place in `ids`.
    """

    ids: pd.DataFrame
    codes: Ints

    def name(self, series: int) -> str:
        """Return the name of a series for messages; empty where it has none."""
        return name_series(self.ids, series)


def name_series(ids: pd.DataFrame, series: int) -> str:
    """Return the name of a series for messages; empty where it has none."""
    return " ".join(str(part) for part in ids.iloc[series]) if len(ids.columns) else ""


def one_series() -> pd.DataFrame:
    """Return the names of one series that has none."""
    return pd.DataFrame(index=pd.RangeIndex(1))


def group_rows(table: Table, series: Sequence[str]) -> Groups:
    """Return the series of the rows of a table, in the order in which they appear.

    Raises:
        DataError: A row has no name.
    """
    if not series:
        return Groups(one_series(), np.zeros(table.columns.num_rows, np.int64))
    names = pd.DataFrame({name: table.columns[name].to_pandas() for name in series})
    missing = np.argwhere(names.isna().to_numpy())
    if len(missing):
        row, part = missing[0]
        raise DataError(
            f'{table.place(int(row))}: column "{series[part]}" is empty, and it names the series.',
            "Fill the cell, or drop the row.",
        )
    for name in series:
        if not pd.api.types.is_integer_dtype(names[name]):
            # A model file stores only integers and text as names.
            names[name] = names[name].map(str)
    if len(series) == 1:
        codes, first = pd.factorize(names[series[0]])
        return Groups(pd.DataFrame({series[0]: np.asarray(first)}), codes)
    several = names.groupby(list(series), sort=False).ngroup().to_numpy()
    rows = np.unique(several, return_index=True)[1]
    return Groups(names.iloc[rows].reset_index(drop=True), several)


def likely_series(table: Table, time: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that seem to name the series: with the time they identify each row.

    Args:
        table: All of it.
        time: The time column, or its parts.

    Returns:
        Empty where none do, or none are needed.
    """
    frame = table.columns.to_pandas()
    # A few duplicate rows do not indicate series, and do not hide them.
    few = len(frame) // STRAY
    if frame.duplicated(list(time)).sum() <= few:
        return ()
    words = [
        name for name in table.names
        if name not in time and not pa.types.is_floating(table.columns[name].type)
        and 1 < frame[name].nunique() <= len(frame) // 2
    ]  # fmt: skip
    words.sort(key=lambda name: not is_text(table.columns[name].type))
    for count in range(1, MOST_KEYS + 1):
        for names in combinations(words[:8], count):
            if frame.duplicated([*time, *names]).sum() <= few:
                return names
    return ()
