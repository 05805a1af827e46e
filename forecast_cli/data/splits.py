"""Training, validation and test: three stretches of rows, one after the other in time."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeGuard

import numpy as np
import pandas as pd

from ..config.sections import Split
from ..core.errors import DataError, UsageError
from ..core.windows import Floats, Ints
from .panel import Panel
from .time.time_index import when

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """Where the parts of each series begin and end.

    Args:
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        train_end: Shape `(n_series,)`: the row after the last training row of each series.
        validation_end: Shape `(n_series,)`: the row after the last validation row.
    """

    indptr: Ints
    train_end: Ints
    validation_end: Ints

    def bounds(self, part: Part) -> tuple[Ints, Ints]:
        """The first row of the part in each series, and the row after its last one."""
        edges = (self.indptr[:-1], self.train_end, self.validation_end, self.indptr[1:])
        place = PARTS.index(part)
        return edges[place], edges[place + 1]

    def rows(self, part: Part) -> int:
        """How many rows the part has, over all series."""
        begin, end = self.bounds(part)
        return int(np.sum(end - begin))

    def training_rows(self, values: Floats) -> Floats:
        """The rows of the training part alone, shape `(rows, features)`."""
        begin, end = self.bounds("train")
        return np.concatenate([values[a:b] for a, b in zip(begin, end, strict=True)])


def everything(panel: Panel) -> Splits:
    """All rows for training, as a refit wants it."""
    return Splits(panel.indptr, panel.indptr[1:], panel.indptr[1:])


def split_rows(panel: Panel, split: Split, *, horizon: int) -> Splits:
    """Cut every series in time order.

    A fraction is of the series' rows, and gives at least one horizon. Of several series, those
    that are too short for that are for training alone, as far as they lie before a date.

    Raises:
        DataError: The parts do not fit into any series, or the date is not within it.
        UsageError: A size cannot be right.
    """
    fractions = [size for size in (split.validation, split.test) if _is_fraction(size)]
    if sum(fractions) >= 1:
        raise UsageError(
            f"--validation {split.validation} and --test {split.test} leave nothing to train on.",
            "Their sum must be below 1.",
        )
    tests = [_test_rows(panel, split, *ends, horizon) for ends in pairwise(panel.indptr.tolist())]
    validations = [
        _rows("--validation", split.validation, rows, horizon) for rows in panel.lengths.tolist()
    ]
    test, validation = np.array(tests), np.array(validations)
    short = validation + test >= panel.lengths
    if short.all():
        most = int(np.argmax(panel.lengths))
        raise DataError(
            f"{panel.source} has {panel.lengths[most]} rows"
            f"{' in its longest series' if panel.count > 1 else ''}; {validation[most]} for "
            f"validation and {test[most]} for the test leave none to train on.",
            "Lower --validation, --test or --horizon.",
        )
    by_date = isinstance(split.test, str)
    usable = (test >= horizon) & (test < panel.lengths)
    if by_date and panel.count > 1 and not usable.any():
        raise DataError(
            f"--test {split.test} leaves no series both rows to train on and {horizon} steps for "
            "the test.",
            "Choose a date within the table, at least a horizon before its end.",
        )
    validation_end = panel.indptr[1:] - np.where(short & (not by_date), 0, test)
    return Splits(panel.indptr, validation_end - np.where(short, 0, validation), validation_end)


def _is_fraction(size: float | int | str) -> TypeGuard[float]:
    return not isinstance(size, str) and 0 < size < 1


def least_left(split: Split, rows: int, horizon: int) -> int:
    """How many rows of a series are left to train on, where sizes are no date."""
    sizes = (("--test", split.test), ("--validation", split.validation))
    return rows - sum(
        _rows(flag, size, rows, horizon) for flag, size in sizes if not isinstance(size, str)
    )


def rows_needed(split: Split, splits: Splits, *, window: int, horizon: int) -> int:
    """The least number of rows of a table that leaves a whole window to train on."""

    def left(rows: int) -> int:
        size = splits.rows("test") if isinstance(split.test, str) else split.test
        test = _rows("--test", size, rows, horizon)
        return rows - test - _rows("--validation", split.validation, rows, horizon)

    rows = window
    while (short := window - left(rows)) > 0:
        rows += short
    return rows


def _rows(flag: str, size: float | int, rows: int, horizon: int) -> int:
    """The number of rows that a size stands for."""
    if size == 0:
        return 0
    if 0 < size < 1:
        return max(round(size * rows), horizon)
    if not 0 < size < float("inf") or size != int(size):
        raise UsageError(
            f"{flag} {size} cannot be.", "Give a fraction below 1, a whole number of steps, or 0."
        )
    if size < horizon:
        raise UsageError(
            f"{flag} {int(size)} is less than the horizon of {horizon} steps, so that not one "
            "forecast fits into it.",
            f"Give at least {horizon}, or 0 for none.",
        )
    return int(size)


def _test_rows(panel: Panel, split: Split, first: int, last: int, horizon: int) -> int:
    if not isinstance(split.test, str):
        return _rows("--test", split.test, last - first, horizon)
    if panel.timeline is None:
        raise UsageError(
            f"--test {split.test} is a date, and the table has no time column.",
            "Give a fraction or a number of steps.",
        )
    times = panel.timeline.times[first:last]
    row = int(times.searchsorted(parse_date("--test", split.test, times)))
    if panel.count > 1:
        return len(times) - row
    if not 0 < row <= len(times) - horizon:
        raise DataError(
            f"--test {split.test} leaves {len(times) - row} rows for the test; the table goes "
            f"from {when(times[0])} to {when(times[-1])}, and the horizon is {horizon} steps.",
            "Choose a date within the table, at least a horizon before its end.",
        )
    return len(times) - row


def parse_date(flag: str, text: str, times: pd.DatetimeIndex) -> pd.Timestamp:
    """A date as typed, in the zone of the table.

    Args:
        flag: What it was typed for.
        text: As typed.
        times: Of the table.

    Raises:
        UsageError: It is no date in ISO 8601.
    """
    try:
        # 03/04/2020 is a day in March or in April; only ISO 8601 is plain.
        date = pd.Timestamp(text) if re.match(r"\d{4}-\d\d", text) else None
    except ValueError:
        date = None
    if not isinstance(date, pd.Timestamp):
        raise UsageError(
            f'{flag} "{text}" is {"neither a number nor" if flag == "--test" else "not"} a date.',
            ("Give a fraction below 1, a number of steps, or" if flag == "--test" else "Give")
            + " a date such as 2024-01-01.",
        )
    if date.tz is not None and times.tz is None:
        raise UsageError(
            f"{flag} {text} has an offset, and the times of the table have none.",
            "Leave the offset out, or name the table's --timezone.",
        )
    return date if date.tz is not None else date.tz_localize(times.tz)
