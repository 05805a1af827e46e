"""Series that are new to a model: scaled by their first rows, as in a prediction of these."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...core.events import Listener
from ...core.windows import Floats
from ...data.panel import Panel
from ...data.time.time_index import Timeline
from ..history import make_history
from ..saved_model_data import units_for
from .clock import Clock
from .live_model import LiveModel
from .row_reader import Key
from .series_forecaster import SeriesForecaster, Step


def begin_series(
    model: LiveModel, clock: Clock | None, key: Key, steps: Sequence[Step], on_event: Listener
) -> SeriesForecaster:
    """Return the forecaster of a new series after its first rows.

    Args:
        model: The model.
        clock: Of its times; None where rows are steps.
        key: The name of the series.
        steps: Its first rows, as many as the lookback, gaps included.
        on_event: Notified of a series that is new.
    """
    times = [time for _, time in steps]
    panel = one_row_each(model, clock, [key], np.array([row for row, _ in steps]), times)
    history = make_history(model.bundle, panel, on_event)
    calibration = model.bundle.calibration
    unit: Floats = np.ones(len(model.places))
    if calibration is not None:
        unit = units_for(model.bundle, history, calibration)[0]
    series = SeriesForecaster(model, model.scaling_from(history), unit, None, clock)
    for place, (row, time) in enumerate(steps):
        series.inputs.push(row, fill=place == len(steps) - 1)
        series.last = time
    return series


def one_row_each(
    model: LiveModel,
    clock: Clock | None,
    keys: Sequence[Key],
    rows: Floats,
    times: Sequence[pd.Timestamp | None],
) -> Panel:
    """Return rows as a panel: one of each series, or all of a single one.

    Args:
        model: The model.
        clock: Of its times; None where rows are steps.
        keys: The names of the series.
        rows: Shape `(n_rows, features)`, original units, series by series.
        times: Of the rows.
    """
    columns, count = model.columns, len(keys)
    timeline = None
    if clock is not None:
        timeline = Timeline(pd.DatetimeIndex(list(times)), clock.frequency, clock.style)
    ids = pd.DataFrame(list(keys), columns=list(columns.series), index=pd.RangeIndex(count))
    nothing = np.empty((count, 0, len(columns.features)))
    indptr = np.arange(count + 1) * (len(rows) // count)
    return Panel(columns, rows, indptr, timeline, "the stream", model.data, ids, nothing)
