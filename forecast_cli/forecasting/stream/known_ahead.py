"""What is known of the steps ahead of one series: future, static and calendar covariates."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...core.scaling import Scaling
from ...core.windows import Floats
from ...data.calendar_features import calendar_values
from ...data.columns import Columns


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
