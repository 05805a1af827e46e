"""The known covariates of the steps after each series, and errors of them for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import DataError, counted, listed
from ..core.windows import Floats, Ints
from .calendar_features import calendar_values
from .panel import Panel, cut
from .time.time_index import when

# The most missing steps that a message lists.
MOST_NAMED = 3
# Dates are written with four digits.
LAST_YEAR = 9999


def times_ahead(panel: Panel, steps: int) -> pd.DatetimeIndex | None:
    """Return the times of the next steps of all series, shape `(n_series * steps,)`.

    None where rows are steps.

    Raises:
        DataError: They are after the year 9999.
    """
    lasts, timeline = panel.lasts, panel.timeline
    if lasts is None or timeline is None:
        return None
    require_years(panel, steps)
    counts = np.tile(np.arange(1, steps + 1), panel.count)
    return timeline.frequency.moved(lasts.repeat(steps), counts)


def require_years(panel: Panel, steps: int) -> None:
    """Refuse steps ahead that no date of four digits can name.

    Raises:
        DataError: The last one is after the year 9999.
    """
    lasts, timeline = panel.lasts, panel.timeline
    if lasts is None or timeline is None:
        return
    latest = pd.DatetimeIndex([lasts.max()])
    try:
        late = timeline.frequency.moved(latest, np.array([steps])).year[0] > LAST_YEAR
    except (ValueError, OverflowError):
        late = True
    if late:
        raise DataError(
            f"{panel.source}: {counted(steps, 'step')} after {when(latest[0])} would be after the "
            f"year {LAST_YEAR}.",
            "Check the dates, or choose a shorter `horizon`.",
        )


def rows_ahead(panel: Panel, steps: int) -> Floats:
    """Return the known values of the next steps: future, static and calendar covariates.

    Returns:
        Shape `(n_series, steps, features)`, original units, NaN where nothing is known.
    """
    columns = panel.columns
    rows = np.full((panel.count, steps, len(columns.features)), np.nan)
    known = panel.ahead[:, :steps]
    rows[:, : known.shape[1]] = known
    last = panel.values[panel.indptr[1:] - 1]
    static = columns.places(columns.covariates.static)
    rows[:, :, static] = last[:, None, static]
    if columns.covariates.calendar:
        times = times_ahead(panel, steps)
        if times is not None:
            made = calendar_values(times, panel.data.calendar_features)
            places = columns.places(columns.covariates.calendar)
            rows[:, :, places] = made.reshape(panel.count, steps, -1)
    return rows


def require_ahead(panel: Panel, rows: Floats) -> None:
    """Refuse a forecast without the future covariates of its steps.

    Args:
        panel: What is forecast.
        rows: Shape `(n_series, steps, features)`, as `rows_ahead` returns them.

    Raises:
        DataError: Some are missing; the message names the series and times.
    """
    columns = panel.columns
    steps = rows.shape[1]
    for name in columns.covariates.future:
        holes = np.argwhere(np.isnan(rows[:, :, columns.features.index(name)]))
        if not len(holes):
            continue
        times = times_ahead(panel, steps)
        # A midnight among hours is written as one.
        write = str if times is None or (times != times.normalize()).any() else when

        def place(hole: Ints, times: pd.DatetimeIndex | None = times, write: Any = write) -> str:
            series, step = hole
            time = f"step {step + 1}" if times is None else write(times[series * steps + step])
            return f"{panel.name(series)} {time}".strip()

        where = listed(list(holes), most=MOST_NAMED, say=place)
        raise DataError(
            f'{panel.source}: the future covariate "{name}" is missing for {len(holes)} of '
            f"{panel.count * steps} steps ahead: {where}.",
            "Pass a table of them with `future` (the command future writes one to fill in), or add "
            "those rows to the table." + _closed_hint(panel),
        )


def before(panel: Panel, date: pd.Timestamp) -> Panel:
    """Return the panel up to a date, with the known covariates of later rows as `ahead`.

    Raises:
        DataError: A series begins no earlier, or ends before the step before the date.
    """
    following = times_ahead(panel, 1)
    if panel.timeline is None or following is None:
        raise DataError(f"{panel.source} has no times.", "Leave `start` out.")
    times = panel.timeline.times
    late = np.flatnonzero(following < date)
    if len(late):
        raise DataError(
            f"The next step of {_called(panel, int(late[0]))} is {when(following[late[0]])}, "
            f"before {when(date)}.",
            "Choose an earlier `start`, other series with `only`, or give the rows in between.",
        )
    earlier = np.asarray(times < date)
    counts = np.add.reduceat(earlier.astype(np.int64), panel.indptr[:-1])
    none = np.flatnonzero(counts == 0)
    if len(none):
        raise DataError(
            f"{_called(panel, int(none[0]))} has no row before {when(date)}.",
            "Choose a later `start`, or give earlier rows.",
        )
    return cut(panel, panel.indptr[:-1] + counts)


def _closed_hint(panel: Panel) -> str:
    """Return what to add to the hint where a missing day may be closed."""
    frequency = panel.timeline.frequency if panel.timeline else None
    if frequency is None or frequency.alias != "B" or frequency.open_days:
        return ""
    return " If such days are closed, train with `calendar`, e.g. `calendar=XNYS`."


def _called(panel: Panel, series: int) -> str:
    name = panel.name(series)
    return f"{panel.source}, series {name}" if name else panel.source


def steps_frame(panel: Panel, steps: int) -> pd.DataFrame:
    """Return the names of the series and the times of their next steps, a row for each step."""
    times = times_ahead(panel, steps)
    frame = panel.ids.loc[panel.ids.index.repeat(steps)].reset_index(drop=True)
    counted = np.tile(np.arange(1, steps + 1), panel.count)
    return frame.assign(**{panel.step_name: counted if times is None else times})


def frame_ahead(panel: Panel, steps: int) -> pd.DataFrame:
    """Return the frame of future covariates to fill in: series, time, and the known values."""
    frame = steps_frame(panel, steps)
    rows = rows_ahead(panel, steps)
    for each in panel.columns.covariates.future:
        column = rows[:, :, panel.columns.features.index(each)].ravel()
        names = panel.columns.covariates.categories.get(each)
        frame[each] = column
        if names is not None:
            frame[each] = [names[int(number) - 1] if number > 0 else None for number in column]
    return frame


SEED = 0


@dataclass(frozen=True)
class FutureErrors:
    """Errors of future covariates, which in use are often forecasts: they grow with the steps.

    The error is a random walk from the forecast origin on, so that its deviation grows with the
    square root of the steps, and its steps are those of the rows: a later forecast of the same row
    errs less, and in the same direction.

    Args:
        sizes: Shape `(features,)`: the deviation at the last step of the horizon, scaled; 0 where
            values are as they came.
        walk: Shape `(n_rows + 1, features with errors)`: the sum of the steps before each row.
    """

    sizes: Floats
    walk: Floats

    def added(self, rows: Floats, origins: Ints) -> Floats:
        """Return rows from forecast origins on, with their errors.

        Args:
            rows: Shape `(samples, steps, features)`, scaled.
            origins: Shape `(samples,)`: the row of the panel of the first step.
        """
        places, noisy = np.flatnonzero(self.sizes), rows.copy()
        steps = origins[:, None] + 1 + np.arange(rows.shape[1])
        noisy[..., places] += self.walk[steps] - self.walk[origins][:, None]
        return noisy


def draw_errors(sizes: Floats, rows: int, horizon: int) -> FutureErrors | None:
    """Return the errors for a table; None where no covariate has any.

    Args:
        sizes: As in `FutureErrors`.
        rows: Of the panel.
        horizon: Steps ahead.
    """
    if not sizes.any():
        return None
    # The same for every model, so that models are compared by the same errors.
    steps = np.random.default_rng(SEED).standard_normal((rows, np.count_nonzero(sizes)))
    walk = np.cumsum(steps * sizes[sizes > 0] / np.sqrt(horizon), axis=0)
    return FutureErrors(sizes, np.pad(walk, ((1, 0), (0, 0))))


def measure_sizes(rows: Floats, values: Floats, places: Sequence[int], share: float) -> Floats:
    """Return the deviations of the errors, shape `(features,)`.

    Args:
        rows: Shape `(n_rows, features)`: the training rows, scaled.
        values: The same as read, NaN where missing.
        places: Of the future covariates that are numbers. One of two values, such as a holiday, is
            a plan and no measurement: it has no errors.
        share: Of the deviation of each covariate.
    """
    sizes = np.zeros(rows.shape[1])
    for place in places if share else ():
        known = np.isfinite(values[:, place])
        if len(np.unique(values[known, place])) > 2:
            sizes[place] = share * rows[known, place].std()
    return sizes
