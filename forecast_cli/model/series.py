"""The series of a model file: what names them, how much of each is kept, and where they end."""

from typing import Self

import pandas as pd
from pydantic import Field, model_validator

from ..config.layers import Frozen


class SeriesRecord(Frozen):
    """Several series, in the order of the arrays.

    Args:
        columns: What names a series.
        ids: The parts of each name.
        rows: How many of the last rows of each are kept.
        lasts: The time of the last row of each, ISO 8601; empty where rows are steps.
        fresh: The time from which on the network has learned nothing of each, likewise.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    ids: tuple[tuple[int | float | str, ...], ...]
    rows: tuple[int, ...]
    lasts: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        count = len(self.ids)
        if any(len(each) != len(self.columns) for each in self.ids) or len(self.rows) != count:
            raise ValueError("the names of the series and their rows do not fit together")
        if min(self.rows, default=0) < 1:
            raise ValueError("a series has no row")
        if any(times and len(times) != count for times in (self.lasts, self.fresh)):
            raise ValueError("not every series has a last time")
        return self

    @property
    def frame(self) -> pd.DataFrame:
        """The names as a frame, a row for each series."""
        return pd.DataFrame(list(self.ids), columns=list(self.columns))
