"""The series of a model file: their names, stored rows and last times."""

from typing import Self

import pandas as pd
from pydantic import Field, model_validator

from ..config.layers import Frozen


class SeriesRecord(Frozen):
    """Several series, in the order of the arrays.

    Args:
        columns: The columns that identify a series.
        ids: The parts of each name.
        rows: Number of last rows of each that are stored.
        lasts: The time of the last row of each, ISO 8601; empty where rows are steps.
        fresh: The time of the first row of each that the network was not trained on, in the same
            form.
        known: The time of the last row of each whose values were not filled; empty where these are
            the last rows.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    ids: tuple[tuple[int | float | str, ...], ...]
    rows: tuple[int, ...]
    lasts: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.ids)
        if any(len(each) != len(self.columns) for each in self.ids) or len(self.rows) != count:
            raise ValueError("the names of the series and their rows must be equally many")
        if min(self.rows, default=0) < 1:
            raise ValueError("a series has no row")
        if any(times and len(times) != count for times in (self.lasts, self.fresh, self.known)):
            raise ValueError("not every series has a last time")
        return self

    @property
    def frame(self) -> pd.DataFrame:
        """The names as a frame, a row for each series."""
        return pd.DataFrame(list(self.ids), columns=list(self.columns))
