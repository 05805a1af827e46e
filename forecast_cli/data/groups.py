"""The series that the rows of a table belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa

from ..core.errors import DataError
from ..core.windows import Ints
from .io.tables import Table, is_text

# More columns than this together name no series.
MOST_KEYS = 4
# One row in so many may stand there twice.
STRAY = 100


@dataclass(frozen=True)
class Groups:
    """Which series each row belongs to.

    Args:
        ids: A row for each series, a column for each part of its name; without columns where
            there is one series without a name.
        codes: Shape `(rows,)`: the series of each row of the table, by its place in `ids`.
    """

    ids: pd.DataFrame
    codes: Ints

    def name(self, series: int) -> str:
        """What messages call a series; empty where it has no name."""
        return name_series(self.ids, series)


def name_series(ids: pd.DataFrame, series: int) -> str:
    """What messages call a series; empty where it has no name."""
    return " ".join(str(part) for part in ids.iloc[series]) if len(ids.columns) else ""


def one_series() -> pd.DataFrame:
    """The names of one series that has none."""
    return pd.DataFrame(index=pd.RangeIndex(1))


def group_rows(table: Table, series: Sequence[str]) -> Groups:
    """Tell the series of a table apart; they keep the order in which they come.

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
            "Name it, or leave the row out.",
        )
    for name in series:
        if not pd.api.types.is_integer_dtype(names[name]):
            # As they are written: a model file keeps no other kinds, and 1 is not "1".
            names[name] = names[name].map(str)
    if len(series) == 1:
        codes, first = pd.factorize(names[series[0]])
        return Groups(pd.DataFrame({series[0]: np.asarray(first)}), codes)
    several = names.groupby(list(series), sort=False).ngroup().to_numpy()
    rows = np.unique(several, return_index=True)[1]
    return Groups(names.iloc[rows].reset_index(drop=True), several)


def likely_series(table: Table, time: Sequence[str]) -> tuple[str, ...]:
    """The columns that seem to name the series of a table: with the time, no row comes twice.

    Args:
        table: All of it.
        time: The time column, or its parts.

    Returns:
        Empty where none do, or none have to.
    """
    frame = table.columns.to_pandas()
    # A few rows that stand there twice make no series, and do not hide them.
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
