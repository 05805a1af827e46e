"""Records of a stream as rows of the series of a model."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError, counted, listed
from ...core.windows import Floats
from ...data.calendar_features import calendar_values
from ...data.io.tables import LARGEST, MISSING_MARKERS
from ...data.panel import SERIES
from ...model.bundle import Bundle
from .clock import Clock

DELIMITERS = (",", ";", "\t", "|")
# Longer lines are read as far as this, and are no records.
LONGEST = 1_000_000

Record = Mapping[str, Any]
# What names one series of a model: the parts of its name as text; empty where there is one.
Key = tuple[str, ...]


class LineParser:
    """Turns one line after the other into records; the first one shows which form they have.

    Args:
        needed: The columns that a header must have.
        delimiter: Between the cells of CSV; None to find it in the header.
    """

    def __init__(self, needed: Sequence[str], delimiter: str | None = None) -> None:
        self.needed = tuple(needed)
        self.delimiter = delimiter
        self.header: list[str] = []
        self.is_json: bool | None = None
        # Of the line that was read last, from 1.
        self.number = 0

    def parse(self, line: str) -> Record | None:
        """Return the record of a line; None of a header or a blank line.

        Raises:
            ValueError: It holds none.
            DataError: The first line is no header of the needed columns.
        """
        self.number += 1
        text = line.strip("\ufeff\r\n")
        if not text.strip():
            return None
        if self.is_json is None:
            self.is_json = text.lstrip().startswith("{")
            if not self.is_json:
                self._begin(text)
                return None
        if len(text) >= LONGEST:
            raise ValueError(f"longer than {LONGEST:,} characters")
        return self._object(text) if self.is_json else self._cells(text)

    def _object(self, text: str) -> Record:
        """Return the record of a JSON object."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("no JSON") from None
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
        return found

    def _cells(self, text: str) -> Record | None:
        """Return the record of a line of CSV; None where the header comes again."""
        cells = self._split(text, self.delimiter or ",")
        if len(cells) != len(self.header):
            raise ValueError(
                f"{counted(len(cells), 'cell')}, and the header has {len(self.header)}"
            )
        if set(self.needed) <= set(cells):
            self.header = cells
            return None
        return dict(zip(self.header, cells, strict=True))

    def _begin(self, text: str) -> None:
        """Read the header."""
        tried = {each: self._split(text, each) for each in (self.delimiter, *DELIMITERS) if each}
        for delimiter, names in tried.items():
            if set(self.needed) <= set(names):
                self.delimiter, self.header = delimiter, names
                return
        most = max(tried.values(), key=len)
        lacking = [name for name in self.needed if name not in most]
        raise DataError(
            f"The first line is no header: it lacks the column{'s' * (len(lacking) > 1)} "
            f"{listed(lacking)}.",
            f"Begin with a line of the names {', '.join(self.needed)}, or give a JSON object a "
            "line.",
        )

    @staticmethod
    def _split(text: str, delimiter: str) -> list[str]:
        """Return the cells of a line."""
        try:
            return [
                cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True))
            ]
        except (csv.Error, StopIteration):
            raise ValueError("no CSV") from None


@dataclass(frozen=True)
class Row:
    """A row of a series.

    Args:
        key: The series.
        parts: Its name as it came.
        time: None where rows are steps.
        values: Shape `(features,)`, original units, NaN where missing.
        planned: Whether it only tells what is known of a step to come.
    """

    key: Key
    parts: tuple[Any, ...]
    time: pd.Timestamp | None
    values: Floats
    planned: bool = False


class RowReader:
    """Reads records, mappings from column to cell.

    Args:
        bundle: The model.
        data: How its table is read.
        clock: Reads its times; None where rows are steps.
    """

    def __init__(self, bundle: Bundle, data: Data, clock: Clock | None) -> None:
        manifest = bundle.manifest
        self.columns, self.clock = manifest.columns, clock
        self.time = manifest.time.name if manifest.time else None
        self.markers = {*MISSING_MARKERS, *data.na}
        self.decimal, self.thousands = data.decimal, data.thousands
        self.calendar = manifest.config.data.calendar_features
        covariates = self.columns.covariates
        self.categories = {
            name: {each: place for place, each in enumerate(known, start=1)}
            for name, known in covariates.categories.items()
        }
        self.read_ones = (*self.columns.columns, *covariates.past, *covariates.future)
        self.names = [(name, self.columns.features.index(name)) for name in self.read_ones]
        self.static = [(name, self.columns.features.index(name)) for name in covariates.static]
        self.static_places = [place for _, place in self.static]
        self.calendar_places = list(self.columns.places(covariates.calendar))
        own = (name for name in self.categories if name not in covariates.static)
        self.category_places = list(self.columns.places(tuple(own)))
        self.wide = manifest.config.data.layout == "columns"
        self.series = self.columns.series
        self.known = [str(each[0]) for each in bundle.series.ids] if bundle.series else []

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that every record of CSV has."""
        time = (self.time,) if self.time else ()
        if self.wide:
            return time
        future = self.columns.covariates.future
        return (*self.series, *time, *(name for name in self.read_ones if name not in future))

    def rows(self, record: Mapping[str, Any], lasts: Mapping[Key, Any]) -> Iterator[Row]:
        """Yield the rows of a record: one, or one of each series where its columns are series.

        Raises:
            ValueError: It cannot be read; the message says why.
        """
        if self.wide and SERIES not in record:
            held = [name for name in self.known if name in record]
            if not held:
                raise ValueError("no column is that of a series")
            value = self.columns.columns[0]
            for name in held:
                if not math.isnan(self.number(record[name])):
                    yield self._row({**record, SERIES: name, value: record[name]}, lasts)
            return
        yield self._row(record, lasts)

    def _row(self, record: Mapping[str, Any], lasts: Mapping[Key, Any]) -> Row:
        """Return the row of a record."""
        parts = tuple(self._cell(record, name) for name in self.series)
        key = tuple(str(each).strip() for each in parts)
        if any(not each for each in key):
            raise ValueError("the name of the series is empty")
        time = None
        if self.clock and self.time:
            time = self.clock.read(self._cell(record, self.time), lasts.get(key))
        values = np.full(len(self.columns.features), np.nan)
        planned = self._is_planned(record)
        for name, place in self.names:
            if planned and name not in self.columns.covariates.future:
                continue
            if name in self.columns.covariates.future and name not in record:
                continue
            values[place] = self._value(name, self._cell(record, name))
        for name, place in self.static:
            if name in record:
                values[place] = self._value(name, record[name])
        if time is not None and self.calendar_places:
            self.put_calendar(values[None], pd.DatetimeIndex([time]))
        return Row(key, parts, time, values, planned)

    def put_calendar(self, rows: Floats, times: pd.DatetimeIndex) -> None:
        """Compute the calendar features of rows, shape `(n, features)`, in place."""
        if self.calendar_places:
            rows[:, self.calendar_places] = calendar_values(times, self.calendar)

    def _is_planned(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has future covariates, and no value of a column."""
        future = self.columns.covariates.future
        if not future or not any(name in record for name in future):
            return False
        return all(
            name not in record or self._is_missing(record[name]) for name in self.columns.columns
        )

    def _cell(self, record: Mapping[str, Any], name: str) -> Any:
        """Return the cell of a column."""
        if name not in record:
            raise ValueError(f'no "{name}"')
        cell = record[name]
        if cell is None and name in (self.time, *self.series):
            raise ValueError(f'"{name}" is missing')
        return cell

    def _value(self, name: str, cell: Any) -> float:
        """Return a cell as a number."""
        known = self.categories.get(name)
        if known is None:
            try:
                return self.number(cell)
            except ValueError as error:
                raise ValueError(f'"{name}" {error}') from None
        # A missing category is an unknown one in rows that came, and missing in those to come.
        return math.nan if self._is_missing(cell) else float(known.get(str(cell).strip(), 0))

    def _is_missing(self, cell: Any) -> bool:
        """Whether a cell holds nothing."""
        if isinstance(cell, str):
            return cell.strip() in self.markers
        return cell is None or (isinstance(cell, float) and math.isnan(cell))

    def number(self, cell: Any) -> float:
        """Return a cell as a number, NaN where it holds nothing.

        Raises:
            ValueError: It holds something else.
        """
        if self._is_missing(cell):
            return math.nan
        if isinstance(cell, str):
            value = _parse(cell.strip(), self.decimal, self.thousands)
        elif isinstance(cell, bool) or not isinstance(cell, int | float | np.number):
            raise ValueError(f"is {cell!r}, no number"[:80])
        else:
            value = float(cell)
        if f"{value:g}" in self.markers or str(cell) in self.markers:
            return math.nan
        if not abs(value) < LARGEST:
            raise ValueError(f"is {cell}, which is no usual number"[:80])
        return value


def _parse(text: str, decimal: str | None, thousands: str | None) -> float:
    """Return the number of a text."""
    plain = text.replace(thousands, "") if thousands else text
    plain = plain.replace("\u2212", "-")
    if decimal == ",":
        plain = plain.replace(",", ".")
    try:
        if "_" in plain:
            raise ValueError
        return float(plain)
    except ValueError:
        raise ValueError(f'is "{text[:40]}", no number') from None


def named(parts: Sequence[Any]) -> str:
    """Return the name of a series for messages; empty where it has none."""
    return " ".join(map(str, parts))
