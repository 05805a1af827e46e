"""Tables of forecasts whose columns are series, with a row for each step of one."""

import pandas as pd

from ...config.sections import Data
from ...data.io.in_memory import from_frame
from ...data.io.opening import Opened, OpenedColumns
from ...data.panel import SERIES, VALUE
from .column_roles import ACTUAL, CUTOFF, SAMPLE
from .interval_columns import BOUND, without_bounds


def forecasts_as_long(given: Opened, data: Data) -> Opened:
    """The forecasts with a row for each step, as the truth is read in layout columns.

    Args:
        given: The forecasts: a column of times, then one for each series and end of an interval.
        data: How the truth is read: its time column.
    """
    # What `predict` and what `backtest` writes of such a table.
    if SERIES in given.names and {VALUE, ACTUAL} & set(given.names):
        return given
    keys = [name for name in given.names if name in (CUTOFF, SAMPLE, data.time)]
    if data.time not in given.names:
        keys += [given.names[0]] * (given.names[0] not in keys)
    table = given.read(text=[name for name in keys if name != SAMPLE])
    others = [name for name in table.names if name not in keys]
    series = without_bounds(others)
    plain = {name: table.columns[name].to_pandas() for name in keys}
    parts = []
    for name in series:
        own = {VALUE: table.numbers(name)}
        for each in others:
            bound = BOUND.fullmatch(each)
            if bound and bound["name"] == name:
                own[f"{VALUE}_{bound['side']}{bound['level']}"] = table.numbers(each)
        parts.append(pd.DataFrame({SERIES: name, **plain, **own}))
    return OpenedColumns(from_frame(pd.concat(parts, ignore_index=True), table.name))
