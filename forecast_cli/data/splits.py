"""Training, validation and test: consecutive parts of each series, and windows within them."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..config.sections import Split
from ..core.errors import DataError, UsageError
from ..core.padding import LeftPadding, owner_series
from ..core.windows import Floats, Ints, window_starts
from .panel import Panel
from .time.time_index import when

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """The bounds of the parts of each series.

    Args:
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        train_end: Shape `(n_series,)`: the row after the last training row of each series.
        validation_end: Shape `(n_series,)`: the row after the last validation row.
    """

    indptr: Ints
    train_end: Ints
    validation_end: Ints

    def bounds(self, part: Part) -> tuple[Ints, Ints]:
        """Return the first row of the part and the row after its last one, `(n_series,)` each."""
        edges = (self.indptr[:-1], self.train_end, self.validation_end, self.indptr[1:])
        place = PARTS.index(part)
        return edges[place], edges[place + 1]

    def rows(self, part: Part) -> int:
        """Return how many rows the part has, over all series."""
        begin, end = self.bounds(part)
        return int(np.sum(end - begin))

    def training_rows(self, values: Floats) -> Floats:
        """Return those of the values, `(n_rows, features)`, of the training part."""
        begin, end = self.bounds("train")
        return np.concatenate([values[a:b] for a, b in zip(begin, end, strict=True)])


def all_training(panel: Panel) -> Splits:
    """Return splits with all rows for training, as for a refit."""
    return Splits(panel.indptr, panel.indptr[1:], panel.indptr[1:])


def split_rows(panel: Panel, split: Split, *, horizon: int, part: bool = False) -> Splits:
    """Split every series in order of time.

    A fraction is of the series' rows, and at least one horizon. Of several series, those that are
    too short are for training alone, as far as they are before a date.

    Args:
        panel: The series.
        split: The sizes of the parts.
        horizon: Steps ahead.
        part: Whether these are some of the series of a table, and others are long enough.

    Raises:
        DataError: The parts do not fit into any series, or the date is not within it.
        UsageError: A size is invalid.
    """
    _check_fractions(split)
    several = part or panel.count > 1
    tests = [
        _test_rows(panel, split, ends, horizon, several=several)
        for ends in pairwise(panel.indptr.tolist())
    ]
    validations = [
        _rows("validation", split.validation, rows, horizon) for rows in panel.lengths.tolist()
    ]
    test, validation = np.array(tests), np.array(validations)
    short = validation + test >= panel.lengths
    if short.all() and not part:
        raise _too_short(panel, validation, test)
    by_date = isinstance(split.test, str)
    usable = (test >= horizon) & (test < panel.lengths)
    if by_date and panel.count > 1 and not usable.any() and not part:
        raise DataError(
            f"`test={split.test}` leaves no series both rows to train on and {horizon} steps for "
            "the test.",
            "Choose a date within the table, at least a horizon before its end.",
        )
    validation_end = panel.indptr[1:] - np.where(short & (not by_date), 0, test)
    return Splits(panel.indptr, validation_end - np.where(short, 0, validation), validation_end)


def _check_fractions(split: Split) -> None:
    """Refuse fractions that leave no rows to train on."""
    sizes = (split.validation, split.test)
    if sum(size for size in sizes if not isinstance(size, str) and 0 < size < 1) >= 1:
        raise UsageError(
            f"`validation={split.validation}` and `test={split.test}` leave no rows to train on.",
            "Their sum must be below 1.",
        )


def _too_short(panel: Panel, validation: Ints, test: Ints) -> DataError:
    """Return the error for series that are all as short as these splits, `(n_series,)` each."""
    most = int(np.argmax(panel.lengths))
    return DataError(
        f"{panel.source} has {panel.lengths[most]} rows"
        f"{' in its longest series' if panel.count > 1 else ''}; {validation[most]} for "
        f"validation and {test[most]} for the test leave none to train on.",
        "Lower `validation`, `test` or `horizon`.",
    )


def least_left(split: Split, rows: int, horizon: int) -> int:
    """Return how many rows of a series are left to train on, where sizes are no date."""
    sizes = (("test", split.test), ("validation", split.validation))
    return rows - sum(
        _rows(name, size, rows, horizon) for name, size in sizes if not isinstance(size, str)
    )


def rows_needed(split: Split, splits: Splits, *, window: int, horizon: int) -> int:
    """Return the fewest rows of a table that leave a whole window to train on."""
    size = splits.rows("test") if isinstance(split.test, str) else split.test
    sizes = split.changed(test=size)
    rows = window
    while (short := window - least_left(sizes, rows, horizon)) > 0:
        rows += short
    return rows


def _rows(name: str, size: float | int, rows: int, horizon: int) -> int:
    """Return the number of rows that the size of a split means; `name` is its setting."""
    if size == 0:
        return 0
    if 0 < size < 1:
        return max(round(size * rows), horizon)
    if not 0 < size < float("inf") or size != int(size):
        raise UsageError(
            f"Invalid `{name}={size}`: must be a fraction below 1, a whole number of steps, or 0."
        )
    if size < horizon:
        raise UsageError(
            f"`{name}={int(size)}` is less than the horizon of {horizon} steps, so that not one "
            "forecast fits into it.",
            f"Give at least {horizon}, or 0 for none.",
        )
    return int(size)


def _test_rows(
    panel: Panel, split: Split, ends: tuple[int, int], horizon: int, *, several: bool
) -> int:
    """Return the number of test rows of one series, or of one of several, between its `ends`."""
    first, last = ends
    if not isinstance(split.test, str):
        return _rows("test", split.test, last - first, horizon)
    if panel.timeline is None:
        raise UsageError(
            f"`test={split.test}` is a date, and the table has no time column.",
            "Give a fraction or a number of steps.",
        )
    times = panel.timeline.times[first:last]
    row = int(times.searchsorted(parse_date("test", split.test, times)))
    if several:
        return len(times) - row
    if not 0 < row <= len(times) - horizon:
        raise DataError(
            f"`test={split.test}` leaves {len(times) - row} rows for the test; the table ranges "
            f"from {when(times[0])} to {when(times[-1])}, and the horizon is {horizon} steps.",
            "Choose a date within the table, at least a horizon before its end.",
        )
    return len(times) - row


def parse_date(setting: str, text: str, times: pd.DatetimeIndex) -> pd.Timestamp:
    """Parse a date given for a setting, in the zone of the table.

    Args:
        setting: Its name.
        text: The date.
        times: Of the table.

    Raises:
        UsageError: It is no date in ISO 8601.
    """
    try:
        # 03/04/2020 is a day in March or in April; only ISO 8601 is unambiguous.
        date = pd.Timestamp(text) if re.match(r"\d{4}-\d\d", text) else None
    except ValueError:
        date = None
    if not isinstance(date, pd.Timestamp):
        size = setting == "test"
        raise UsageError(
            f'`{setting}` "{text}" is {"neither a number nor" if size else "not"} a date.',
            ("Give a fraction below 1, a number of steps, or" if size else "Give")
            + " a date such as 2024-01-01.",
        )
    if date.tz is not None and times.tz is None:
        raise UsageError(
            f"`{setting}={text}` has an offset, and the times of the table have none.",
            "Leave the offset out, or specify the `timezone` of the table.",
        )
    return date if date.tz is not None else date.tz_localize(times.tz)


# The fewest rows of a short series that a window contains.
LEAST_KNOWN = 2


@dataclass(frozen=True)
class WindowPlaces:
    """What the places of windows go by.

    Args:
        splits: Training, validation and test.
        padding: In front of short series; places are those of the rows with it.
        missing: Shape `(n_rows,)`: whether a value of the row was missing and is filled; None where
            windows may end with such rows.
        every_row: Whether each row of a window has targets of its own.
    """

    splits: Splits
    padding: LeftPadding
    missing: npt.NDArray[np.bool_] | None = None
    every_row: bool = False

    def starts(self, part: Part, *, timesteps: int, horizon: int) -> Ints:
        """Return the first rows of the windows of a split, shape `(samples,)`, ascending.

        Args:
            part: The split.
            timesteps: Steps of the lookback.
            horizon: Steps ahead.
        """
        begin, end = (each + self.padding.shift for each in self.splits.bounds(part))
        first = self.padding.first_starts(timesteps=timesteps, least=LEAST_KNOWN)
        # A series without a training row has no scores.
        trained = self.splits.train_end > self.splits.indptr[:-1]
        end = np.where(trained, end, begin)
        starts = window_starts(first, begin, end, timesteps=timesteps, horizon=horizon)
        if self.missing is None or not self.missing.any():
            return starts
        # A gap that reaches up to the targets was filled with values of the targets.
        ends = self.padding.original(starts + timesteps - 1)
        if self.every_row:
            count = np.concatenate([[0], np.cumsum(self.missing)])
            first = self.splits.indptr[owner_series(self.splits.indptr, ends)]
            begins = np.maximum(ends + 1 - timesteps, first)
            whole: Ints = starts[count[ends + 1] == count[begins]]
            return whole
        return starts[~self.missing[ends]]
