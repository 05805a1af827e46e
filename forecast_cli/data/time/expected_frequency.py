"""Refusal of tables whose frequency is another than that of the model they are read for."""

import numpy as np
import pandas as pd

from ...core.errors import DataError
from ...core.windows import Ints
from ..io.tables import Table
from .frequency import Frequency
from .time_index import infer_frequency, likely_frequency, steps_broken, when

# With this share of its steps of one frequency a table is of that frequency; with less than the
# other, it is not of the model's.
CLEAR, FITTING = 0.8, 0.5
# A table with more than this share of its rows on closed days is not one of business days.
CLOSED = 0.1


def require_frequency(
    table: Table, times: pd.DatetimeIndex, codes: Ints, expected: Frequency, *, given: str | None
) -> None:
    """Refuse a table whose longest series is clearly of another frequency.

    Irregular steps are none: they are gaps, which other checks report. `times`, in any order, and
    the series of each, `codes`, have the shape `(rows,)`. `given` is the frequency that was
    specified in training, whose table may have had gaps.

    Raises:
        DataError: It is; the message has both frequencies in words.
    """
    own = times[codes == np.argmax(np.bincount(codes))].unique().sort_values()
    if len(own) < 3 or _fits(own, expected):
        return
    found = infer_frequency(own) or likely_frequency(own)
    same = (found.days, found.months, found.alias == "B") == (
        expected.days, expected.months, expected.alias == "B",
    )  # fmt: skip
    if same or (given and "B" in (found.alias, expected.alias)):
        return
    if 1.0 - steps_broken(own, found).mean() < CLEAR:
        return
    first = ", ".join(when(time) for time in own[:3])
    finer = found.after(own[0], 1)[0] < expected.after(own[0], 1)[0]
    raise DataError(
        f"{table.name}: the model is {expected.adjective}, this table is {found.adjective} "
        f"({first} ...).",
        f"{'Aggregate the rows to' if finer else 'Give a table with'} the steps of the model, or "
        "train another model on this table.",
    )


def _fits(times: pd.DatetimeIndex, expected: Frequency) -> bool:
    """Whether most steps between times, shape `(n,)`, ascending, are those of the frequency."""
    if expected.alias == "B":
        steps = expected.open_days_between(times[:-1], times[1:])
        closed = float(expected.closed(times).mean())
        return closed <= CLOSED and float((steps == 1).mean()) > FITTING
    fitting = 1.0 - steps_broken(times, expected).mean()
    weekdays = expected.alias == "D" and infer_frequency(times)
    return bool(fitting > FITTING and not (weekdays and weekdays.alias == "B"))
