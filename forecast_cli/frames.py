"""Forecasts as frames: names of the series, times, and values in original units."""

import numpy as np
import pandas as pd

from .core.ragged import row_numbers
from .core.room import series_of
from .core.scaling import rounded
from .core.windows import Floats, Ints
from .data.ahead import steps_frame
from .data.dateforms import write_dates
from .data.panel import SERIES, VALUE, Panel
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .starts import Start

FORECAST_SUFFIX = "_forecast"


def frame_of(bundle: Bundle, start: Start, scaled: Floats) -> pd.DataFrame:
    """Scaled forecasts, shape `(n_series, steps, targets)`, in original units with their times."""
    manifest, panel = bundle.manifest, start.panel
    values = in_units(bundle, start, np.arange(panel.count), scaled)
    flat = values.reshape(-1, values.shape[2])
    frame = steps_frame(panel, values.shape[1])
    frame = frame.assign(**dict(zip(manifest.targets, flat.T, strict=True)))
    return _in_layout(frame, panel.step_name, manifest.config.data.layout)


def _in_layout(frame: pd.DataFrame, time: str, layout: str | None) -> pd.DataFrame:
    """Forecasts in the layout of the table: where its columns are series, so are theirs."""
    if layout != "columns":
        return frame
    order = list(dict.fromkeys(frame[SERIES]))
    wide = frame.pivot(index=time, columns=SERIES, values=VALUE)[order]
    return wide.rename_axis(columns=None).reset_index()


def beside_actual(bundle: Bundle, panel: Panel, origins: Ints, values: Floats) -> pd.DataFrame:
    """Forecasts of rows with their times and actual values."""
    manifest, timeline = bundle.manifest, panel.timeline
    frame = panel.ids.iloc[series_of(panel.indptr, origins)].reset_index(drop=True)
    frame[panel.step_name] = (
        timeline.times[origins] if timeline else row_numbers(panel.indptr)[origins] + 1
    )
    actual = panel.values[origins][:, manifest.target_places]
    forecasts = [f"{target}{FORECAST_SUFFIX}" for target in manifest.targets]
    columns = zip((*manifest.targets, *forecasts), (*actual.T, *values.T), strict=True)
    return frame.assign(**dict(columns))


def in_units(bundle: Bundle, start: Start, series: Ints, scaled: Floats) -> Floats:
    """Scaled forecasts in original units; `series` says which one each sample is of."""
    scaling = start.scaling.only(bundle.manifest.target_places).each(series, steps=True)
    return rounded(scaling.inverse(scaled.astype(np.float64)))


def in_table_style(frame: pd.DataFrame, time: TimeAxis | None) -> pd.DataFrame:
    """The same forecasts with their times as text, in the form that the table has."""
    if time is None or time.name not in frame:
        return frame
    texts = write_dates(pd.DatetimeIndex(frame[time.name]), time.style)
    return frame.assign(**{time.name: texts})
