"""Covariates computed from the times of rows: the hour, the day of the week, holidays."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from ..config.sections import Data
from ..core.errors import DataError, UsageError
from ..core.windows import Floats
from .columns import calendar_columns, split_features
from .panel import Panel
from .time.cyclic_features import cycles, default_cycles
from .time.holidays import holidays_on

AUTO = "auto"


def calendar_values(times: pd.DatetimeIndex, features: Sequence[str]) -> Floats:
    """Return the calendar features of times, in local time.

    Args:
        times: Shape `(n,)`.
        features: As in the configuration.

    Returns:
        Shape `(n, columns)`, those of `calendar_columns`, between -1 and 1.
    """
    wall = times.tz_localize(None).to_numpy()
    of_cycles, codes = split_features(features)
    holidays = [holidays_on(wall, code)[:, None] for code in codes]
    return np.hstack([cycles(wall, of_cycles), *holidays])


def found_features(panel: Panel, data: Data) -> tuple[str, ...]:
    """Return the calendar features as given, or those that suit the step between rows."""
    if AUTO not in data.calendar_features or panel.timeline is None:
        return tuple(dict.fromkeys(data.calendar_features))
    frequency = panel.timeline.frequency
    default = default_cycles(frequency.days, frequency.months, int(panel.lengths.max()))
    others = [each for each in data.calendar_features if each != AUTO]
    if not (default or others):
        raise UsageError(
            f"auto finds no calendar feature for {frequency.name}.",
            "Name some, or leave `calendar_features` out.",
        )
    return tuple(dict.fromkeys([*default, *others]))


def with_usual_calendar(panel: Panel) -> Panel:
    """Return the panel with the calendar features that suit its step, where it has none so far.

    Rows without times, and steps that no feature suits, are left as they are.
    """
    if panel.columns.covariates.calendar or panel.timeline is None:
        return panel
    with suppress(UsageError):
        features = found_features(panel, panel.data.changed(calendar_features=(AUTO,)))
        data = panel.data.changed(calendar_features=features)
        return replace(with_calendar(panel, features), data=data)
    return panel


def with_calendar(panel: Panel, features: tuple[str, ...]) -> Panel:
    """Return the panel with columns computed from the times of its rows."""
    if not features:
        return panel
    if panel.timeline is None:
        raise DataError(
            f"{panel.source} has no times to compute calendar features from.",
            "Specify the time column with `time`, or leave `calendar_features` out.",
        )
    for name in calendar_columns(features):
        if name in panel.columns.features:
            raise UsageError(
                f'The calendar feature {name} and the column "{name}" have the same name.',
                "Rename the column, or leave one of them out.",
            )
    made = calendar_values(panel.timeline.times, features)
    covariates = panel.columns.covariates.changed(calendar=calendar_columns(features))
    more = np.full((*panel.ahead.shape[:2], made.shape[1]), np.nan)
    return replace(
        panel,
        columns=replace(panel.columns, covariates=covariates),
        values=np.hstack([panel.values, made]),
        ahead=np.concatenate([panel.ahead, more], axis=2),
    )
