"""The search for totals: a last row, or a series, that holds the sums of the others."""

import re

import numpy as np
import pandas as pd

from ..core.errors import DataError, listed
from ..core.events import Listener, Note
from ..core.windows import Floats
from .io.footer import TOTAL
from .io.tables import Table
from .panel import Panel

# Names of series that are the sum of others.
WHOLE = re.compile(
    rf"({TOTAL.pattern})|"
    r"(?<![^\W\d_])(all|overall|alle?s?|tous|todos?|tutti|все|全部)(?![^\W\d_])",
    re.IGNORECASE,
)

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
    """Warn of series that are called totals and are the sums of others, part by part of the name.

    A global model would learn each value twice, and sums of forecasts count it twice.
    """
    ids, timeline = panel.ids.astype(str), panel.timeline
    named = {part: ids[part].map(lambda name: WHOLE.search(name) is not None) for part in ids}
    if timeline is None or panel.count < 3 or not any(each.any() for each in named.values()):
        return
    target = pd.Series(panel.values[:, panel.columns.target_places[0]])
    wide = target.groupby([timeline.times, panel.owners]).first().unstack().to_numpy()
    found: list[int] = []
    for part, whole in named.items():
        beside = ids.drop(columns=part).agg(" ".join, axis=1)
        for place in np.flatnonzero(whole).tolist():
            same = np.flatnonzero((beside == beside[place]) & ~whole)
            sums = wide[:, same].sum(axis=1)
            apart = np.abs(sums - wide[:, place])[np.isfinite(sums + wide[:, place])]
            if len(same) > 1 and len(apart) and (apart <= ROUNDING * np.nanmax(np.abs(sums))).all():
                found.append(place)
    if found:
        names = listed(found, say=lambda place: f'"{panel.name(place)}"')
        are = "seem to be sums" if len(found) > 1 else "seems to be the sum"
        text = f"{names} {are} of the other series, whose values then count twice"
        on_event(Note(f"{text}: leave such rows out, or forecast them alone", warning=True))
