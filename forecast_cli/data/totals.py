"""The search for a last row that holds the sums of the rows above it."""

import numpy as np

from ..core.errors import DataError
from ..core.windows import Floats
from .io.tables import Table

LEAST_ROWS = 5
SAMPLE = 100
# A sum of many rows exceeds each of them by far.
FAR = 2
ROUNDING = 1e-6


def total_error(table: Table) -> DataError:
    """Return the error for a table whose last row may be a total."""
    last = table.columns.num_rows - 1
    return DataError(
        f"{table.place(last)} holds the sums of the {last:,} rows above it.",
        "If it is a total, pass `skip_footer=1`; if it is a row, `skip_footer=0`.",
    )


def ends_with_total(cells: Floats) -> bool:
    """Whether the last row holds the sums of the others; `cells` has shape `(columns, rows)`."""
    if cells.shape[1] < LEAST_ROWS:
        return False
    rows, last = cells[:, :-1], cells[:, -1]
    # Most tables are ruled out by a few rows.
    for part in (rows[:, :SAMPLE], rows):
        if not (last > FAR * np.nan_to_num(np.abs(part)).max(axis=1)).all():
            return False
    sums = np.nansum(rows, axis=1)
    return bool((np.abs(sums - last) <= ROUNDING * np.abs(last)).all())
