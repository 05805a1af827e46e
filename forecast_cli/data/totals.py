"""The search for totals: a last row, or a series, that holds the sums of the others."""

import numpy as np
import pandas as pd

from ..core.errors import DataError, listed
from ..core.events import Listener, Note
from ..core.windows import Floats, Ints
from .io.tables import Table
from .panel import Panel

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


def note_total_series(panel: Panel, on_event: Listener) -> None:
    """Warn of series that are the sums of others, in one part of their names.

    A global model would learn each value twice, and sums of forecasts count it twice.
    """
    if panel.timeline is None or panel.count < 3:
        return
    # Few rows of each series rule most tables out.
    last = np.arange(len(panel.values)) >= (panel.indptr[1:] - LEAST_ROWS)[panel.owners]
    if not (some := _sums(panel, np.flatnonzero(last))):
        return
    found = sorted(some & _sums(panel, np.arange(len(panel.values))))
    if found:
        names = listed(found, say=lambda place: f'"{panel.name(place)}"')
        are = "seem to be sums" if len(found) > 1 else "seems to be the sum"
        text = f"{names} {are} of the other series, whose values then count twice"
        on_event(Note(f"{text}: leave such rows out, or forecast them alone", warning=True))


def _sums(panel: Panel, rows: Ints) -> set[int]:
    """Return the series that hold the sums of others in some rows, shape `(n,)`."""
    owner, ids = panel.owners[rows], panel.ids.astype(str)
    values = panel.values[rows, panel.columns.target_places[0]]
    times = panel.timeline.times[rows] if panel.timeline else rows
    found: set[int] = set()
    for part in ids:
        others = ids.drop(columns=part)
        same = (
            others.groupby([*others], sort=False).ngroup().to_numpy() if len(others.columns) else 0
        )
        beside = np.broadcast_to(same, len(ids))[owner]
        groups = pd.DataFrame({"y": values, "n": values != 0}).groupby([times, beside])
        total, count = (groups[name].transform("sum").to_numpy() for name in ("y", "n"))
        # Two equal series beside zeros are no sum.
        good = (np.abs(2 * values - total) <= ROUNDING * np.abs(total)) & (count > 2)
        whole = pd.Series(good | np.isnan(values) | (values == 0) & (total == 0)).groupby(owner)
        often = pd.Series(good).groupby(owner).sum()
        found |= {*often.index[whole.all() & (often >= LEAST_ROWS)].tolist()}
    return found
