"""The last rows of a series, with their gaps filled: what a network reads next."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...core.scaling import Scaling
from ...core.windows import Floats
from ...data.calendar_features import calendar_values
from ...data.columns import Columns

# How the gaps of a model are filled that was trained without any.
FILLED_BY = "interpolate"
# Rows that are kept beside the window, so that few pushes move the others.
SPARE = 256


class Window:
    """The last rows of one series, in constant memory.

    Args:
        timesteps: Rows that the network reads.
        scaling: Of the series: its numbers have shape `(features,)`.
        policy: How gaps are filled: `interpolate`, `ffill`, `season`, `mask` or `drop`.
        season: Steps in a season.
    """

    def __init__(self, timesteps: int, scaling: Scaling, policy: str, season: int = 1) -> None:
        features = scaling.center.shape[-1]
        self.timesteps = timesteps
        self.scaling = scaling
        self.policy = policy
        self.raw: Floats = np.full((timesteps + SPARE, features), np.nan)
        self.scaled: Floats = np.full(self.raw.shape, np.nan, scaling.dtype)
        self.begin = self.end = 0
        # Rows read in all; the number of the last one with a missing value.
        self.count, self.hole = 0, -timesteps - 1
        # Of what has left the window: the last value of each column, its row, and those by phase.
        self.before: Floats = np.full(features, np.nan)
        self.before_row: Floats = np.zeros(features)
        self.phases: Floats = np.full((season if policy == "season" else 0, features), np.nan)

    @property
    def rows(self) -> Floats:
        """The rows as they came, shape `(rows, features)`, at most `timesteps`; NaN is missing."""
        return self.raw[self.begin : self.end]

    @property
    def inputs(self) -> Floats:
        """The same rows filled and scaled, of the scaling's dtype."""
        return self.scaled[self.begin : self.end]

    @property
    def filled(self) -> Floats:
        """The same rows filled, original units; not of the policy `mask`."""
        return self._filled() if np.isnan(self.rows).any() else self.rows

    def push(self, row: Floats, *, fill: bool = True) -> None:
        """Add a row.

        Args:
            row: Shape `(features,)`, original units, NaN where missing.
            fill: Whether the gaps are filled now; not of rows that others follow at once.
        """
        if self.end == len(self.raw):
            for each in (self.raw, self.scaled):
                each[: self.end - self.begin] = each[self.begin : self.end]
            self.begin, self.end = 0, self.end - self.begin
        self.raw[self.end] = row
        self.end += 1
        self.count += 1
        if self.end - self.begin > self.timesteps:
            self._drop()
        if np.isnan(row).any():
            self.hole = self.count - 1
        if self.policy != "mask" and self.hole >= self.count - (self.end - self.begin):
            if fill:
                self.scaled[self.begin : self.end] = self.scaling.transform(self._filled())
        else:
            self.scaled[self.end - 1] = self.scaling.transform(row)

    def _drop(self) -> None:
        """Remember of the first row what fills gaps, and leave it."""
        row, number = self.raw[self.begin], self.count - (self.end - self.begin)
        known = ~np.isnan(row)
        if len(self.phases):
            self.phases[number % len(self.phases), known] = row[known]
        if known.all():
            self.before, self.before_row[:] = row.copy(), number
        else:
            self.before[known], self.before_row[known] = row[known], number
        self.begin += 1

    def _filled(self) -> Floats:
        """The rows without gaps, shape `(rows, features)`, original units."""
        filled = self.rows.copy()
        first = self.count - len(filled)
        numbers = np.arange(first, self.count, dtype=np.float64)
        for place in np.flatnonzero(np.isnan(filled).any(axis=0)).tolist():
            column = filled[:, place]
            missing = np.isnan(column)
            if self.policy == "season":
                column[missing] = self._seasonal(column, first, place)[missing]
                missing = np.isnan(column)
            known, values = numbers[~missing], column[~missing]
            if not np.isnan(self.before[place]):
                known = np.concatenate([[self.before_row[place]], known])
                values = np.concatenate([[self.before[place]], values])
            if not len(known):
                continue
            if self.policy == FILLED_BY:
                column[missing] = np.interp(numbers[missing], known, values)
            else:
                at = np.searchsorted(known, numbers[missing]) - 1
                column[missing] = values[np.maximum(at, 0)]
        return filled

    def _seasonal(self, column: Floats, first: int, place: int) -> Floats:
        """The last known value of the phase of each row, shape `(rows,)`; NaN where none is."""
        latest, season = self.phases[:, place].copy(), len(self.phases)
        found: Floats = np.empty(len(column))
        for row, value in enumerate(column):
            phase = (first + row) % season
            if not np.isnan(value):
                latest[phase] = value
            found[row] = latest[phase]
        return found

    def copy(self) -> "Window":
        """Return the same rows apart."""
        other = object.__new__(Window)
        other.__dict__ |= self.__dict__
        for name in ("raw", "scaled", "before", "before_row", "phases"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def dump(self) -> dict[str, Any]:
        """What a restart needs, as arrays of constant shapes."""
        features = self.raw.shape[1]
        rows = np.full((self.timesteps, features), np.nan)
        held = self.rows
        rows[self.timesteps - len(held) :] = held
        return {
            "rows": rows,
            "counts": np.array([len(held), self.count, self.hole]),
            "before": self.before,
            "before_row": self.before_row,
            "phases": self.phases,
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned."""
        held, self.count, self.hole = (int(each) for each in saved["counts"])
        self.begin, self.end = 0, held
        self.raw[:held] = saved["rows"][self.timesteps - held :]
        self.before, self.before_row = saved["before"].copy(), saved["before_row"].copy()
        self.phases = saved["phases"].copy()
        filled = self.rows if self.policy == "mask" else self._filled()
        self.scaled[:held] = self.scaling.transform(filled)


class KnownAhead:
    """The future covariates of the steps after the last row of a series.

    Args:
        columns: Of the model.
        calendar: Its calendar features.
    """

    def __init__(self, columns: Columns, calendar: tuple[str, ...]) -> None:
        covariates = columns.covariates
        self.features = len(columns.features)
        self.future = list(columns.places(covariates.future))
        self.static = list(columns.places(covariates.static))
        self.dated = list(columns.places(covariates.calendar))
        self.calendar = calendar
        # By the number of the step, of all that were taken so far.
        self.rows: dict[int, Floats] = {}
        self.now = 0

    def step(self) -> None:
        """Go on to the next step."""
        self.now += 1
        if self.rows:
            self.rows.pop(self.now, None)

    def put(self, step: int, row: Floats) -> None:
        """Take up what a row, shape `(features,)`, knows of a step ahead, from 1."""
        own = np.full(self.features, np.nan)
        own[self.future] = row[self.future]
        before = self.rows.get(self.now + step)
        self.rows[self.now + step] = own if before is None else np.where(np.isnan(own), before, own)

    def complete(self, row: Floats) -> None:
        """Fill future covariates that the next row lacks, in place."""
        known = self.rows.get(self.now + 1)
        if known is not None:
            lacking = [place for place in self.future if np.isnan(row[place])]
            row[lacking] = known[lacking]

    def scaled(
        self, last: Floats, scaling: Scaling, times: pd.DatetimeIndex | None, steps: int
    ) -> Floats | None:
        """Return what is known of the next steps, shape `(1, steps, features)`, float32.

        Args:
            last: Shape `(features,)`: the last row, original units.
            scaling: Of the series.
            times: Of the steps, where there are calendar features.
            steps: How many.

        Returns:
            None where a future covariate is missing.
        """
        rows = np.full((steps, self.features), np.nan)
        if self.future:
            for step in range(steps):
                known = self.rows.get(self.now + step + 1)
                if known is None or np.isnan(known[self.future]).any():
                    return None
                rows[step] = known
        rows[:, self.static] = last[self.static]
        if times is not None:
            rows[:, self.dated] = calendar_values(times, self.calendar)
        scaled: Floats = replace(scaling, before="none").transform(rows)[None].astype(np.float32)
        return scaled

    def dump(self) -> tuple[Any, Floats]:
        """Return the numbers of the steps that something is known of, and the rows of them."""
        steps = np.array([each - self.now for each in self.rows], np.int64)
        return steps, np.array(list(self.rows.values())).reshape(-1, self.features)

    def load(self, steps: Any, rows: Floats) -> None:
        """Take up what `dump` returned."""
        self.now = 0
        self.rows = {int(step): row for step, row in zip(steps, rows, strict=True)}
