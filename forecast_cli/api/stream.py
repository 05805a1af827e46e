"""Forecasts of rows that come one by one, in Python."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..forecasting.stream.saved_stream import load_stream, save_stream
from ..forecasting.stream.stream import Stream


class RowStream:
    """Takes the rows of a table one after the other, and returns the forecast after each.

    Args:
        stream: At its beginning.
        state: A file that `save` wrote, to go on from; where there is none yet, the stream begins
            after the rows that the model keeps. None for no file.

    Raises:
        ModelFileError: The file is no state, or that of another model.
    """

    def __init__(self, stream: Stream, state: str | os.PathLike[str] | None = None) -> None:
        self._stream = stream
        if state is not None:
            load_stream(stream, state)

    def push(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take a row.

        Args:
            row: A mapping from column to cell: what names the series, the time, the columns of the
                model and its covariates.

        Returns:
            An entry for each step of the forecast: what names the series, `cutoff` (the time of the
            row), the time, each target and its intervals, in original units. Where rows are judged,
            an entry for the row itself comes first, with its forecast from before, `NAME_actual`,
            `p_value` and `anomaly`. Empty where the row is left out, or no forecast is due.
        """
        return self._stream.push(row)

    def over(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """Yield what `push` returns of each row, where that is not empty."""
        return self._stream.over(rows)

    @property
    def columns(self) -> list[str]:
        """The names in an entry, in their order."""
        return self._stream.records.columns

    @property
    def summary(self) -> list[str]:
        """What became of the rows so far, in lines."""
        return self._stream.tally.summary()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state after the rows so far, whole or not at all, for `state`.

        Raises:
            UsageError: It cannot be written there.
        """
        save_stream(self._stream, path)
