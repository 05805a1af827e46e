"""The rows that a model file keeps, so that a prediction needs no table."""

import numpy as np
import pandas as pd

from ..core.ragged import cumulate
from ..core.windows import Ints
from ..data.groups import one_series
from ..data.panel import Panel
from ..data.time.frequency import Frequency
from ..data.time.steps import Timeline
from ..model.bundle import Bundle
from ..model.manifest import TimeAxis


def kept_panel(bundle: Bundle) -> Panel:
    """The rows that the model file keeps, as a panel."""
    manifest, series = bundle.manifest, bundle.series
    rows = np.array(series.rows if series else [len(bundle.history)])
    indptr = cumulate(rows)
    nothing = np.empty((len(rows), 0, bundle.history.shape[1]))
    return Panel(
        manifest.columns,
        bundle.history,
        indptr,
        _kept_timeline(bundle, rows),
        "the model",
        manifest.config.data,
        series.frame if series else one_series(),
        nothing if bundle.ahead is None else bundle.ahead,
    )


def _kept_timeline(bundle: Bundle, rows: Ints) -> Timeline | None:
    """The times of the rows that the model file keeps; exact at the end of each series."""
    time, series = bundle.manifest.time, bundle.series
    if time is None:
        return None
    ends = series.lasts if series else (time.last,)
    if time.timezone is None:
        lasts = pd.DatetimeIndex([pd.Timestamp(each) for each in ends])
    else:
        # Their offsets may differ, where the clocks were changed in between.
        lasts = pd.to_datetime(list(ends), utc=True).tz_convert(time.timezone)
    frequency = restore_frequency(time)
    before = np.concatenate([np.arange(1 - count, 1) for count in rows.tolist()])
    return Timeline(frequency.moved(lasts.repeat(rows), before), frequency, time.style)


def restore_frequency(time: TimeAxis) -> Frequency:
    """The frequency that the model was trained on."""
    parsed = Frequency.parse(time.freq)
    return Frequency(parsed.alias, parsed.step, parsed.months, time.day, time.open_days)
