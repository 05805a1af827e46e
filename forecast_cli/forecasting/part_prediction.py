"""Forecasts of a table of very many series, made some series at a time in bounded memory."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import pandas as pd

from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..data.calendar_features import AUTO
from ..data.ended_series import known_ends, note_ends
from ..data.groups import name_series
from ..data.io.row_batches import RowBatches
from ..data.known_future import require_years
from ..data.panel import Panel
from ..data.series_table import SeriesTable, divide, is_divisible
from ..model.bundle import Bundle
from ..model.runtime import Runtime, batch_size
from .history import data_as_trained, make_history, read_as_trained, require_rows
from .level_check import check_levels
from .prediction import predict_from
from .prediction_request import ENDED, PredictionRequest, steps_wanted

# More rows are not read at once: arrays of few rows are reused, and stay in the caches.
MOST_ROWS = 400_000
# What a row needs in memory while it is read and scaled, and each of its values, about.
ROW_BYTES, VALUE_BYTES = 250, 60
# What the network and libraries that are loaded later need.
LATER_BYTES = 80_000_000
NUMBER = re.compile(r"\d[\d,.]*")


@dataclass
class Seconds:
    """How long the parts of the work took, in seconds.

    Args:
        finding: The names of all series in the file, and where their rows are.
        reading: The rows, as regular steps.
        preparing: Levels, filling and scaling, and all that is made of the network's forecasts.
        network: The network itself.
        writing: The forecasts.
    """

    finding: float = 0.0
    reading: float = 0.0
    preparing: float = 0.0
    network: float = 0.0
    writing: float = 0.0


@dataclass
class PartNotes:
    """Passes the notes of a first part on as they are, and counts the like in later ones.

    Args:
        on_event: Receives them.
        seen: The notes so far without their numbers, each with how many parts had it.
    """

    on_event: Listener
    seen: dict[str, int] = field(default_factory=dict)

    def of_part(self, names: str) -> Listener:
        """Return a listener for a part, of the series that `names` says."""

        def hear(event: Event) -> None:
            if not isinstance(event, Note):
                return
            key = NUMBER.sub("#", event.text.partition(":")[0])
            if key not in self.seen:
                self.on_event(Note(f"{event.text} (among {names})", event.warning))
            self.seen[key] = self.seen.get(key, 0) + 1

        return hear

    def end(self) -> None:
        """Say how many parts had the like of what was noted."""
        if more := max(self.seen.values(), default=1) - 1:
            self.on_event(Note(f"the like holds for up to {more} later parts of the table"))


class PartPrediction:
    """Forecasts all series of a table, some series at a time.

    Args:
        bundle: The model.
        table: The series.
        wanted: Which forecasts are requested.
        reading: How the table is read, where it differs from the one that was trained on.
        on_event: Notified of what is worth knowing.
    """

    def __init__(
        self,
        bundle: Bundle,
        table: SeriesTable,
        wanted: PredictionRequest,
        *,
        reading: Mapping[str, Any],
        on_event: Listener = ignore,
    ) -> None:
        self.bundle = bundle
        self.table = table
        self.wanted = wanted
        self.reading = {**reading, "similar_names": "keep"}
        self.on_event = on_event
        self.seconds = Seconds()

    def frames(self, rows: int = MOST_ROWS) -> Iterator[pd.DataFrame]:
        """Yield the forecasts in the order of the series; all together are those of `predict`.

        Args:
            rows: How many rows are read at a time, at most; the rows of one series at least.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: The model cannot go that far.
        """
        table, notes = self.table, PartNotes(self.on_event)
        steps = steps_wanted(self.bundle, self.wanted.horizon, self.on_event)
        parts = table.parts(rows, self._together())
        self.on_event(Stage("forecasting"))
        opened, ends = table.read(parts), list[pd.DatetimeIndex]()
        for first, last in zip(parts[:-1].tolist(), parts[1:].tolist(), strict=True):
            began = perf_counter()
            listener = notes.of_part(self._names(first, last))
            panel = read_as_trained(self.bundle, next(opened), self.reading, listener)
            self.seconds.reading += perf_counter() - began
            began, before = perf_counter(), Runtime.seconds
            frame = self._forecast(panel, steps, listener)
            if (known := known_ends(panel)) is not None:
                ends.append(known)
            network = Runtime.seconds - before
            self.seconds.network += network
            self.seconds.preparing += perf_counter() - began - network
            self.on_event(Done("series", last, table.count))
            yield frame
        notes.end()
        self._note_ends(ends, steps)

    def _together(self) -> int:
        """How many series the network forecasts at a time."""
        manifest = self.bundle.manifest
        return batch_size(timesteps=manifest.timesteps, features=len(manifest.features))

    def _names(self, first: int, last: int) -> str:
        """The series of a part, for messages."""
        own = (name_series(self.table.ids, each) for each in (first, last - 1))
        return f"the series {' to '.join(own)}"

    def _forecast(self, panel: Panel, steps: int, on_event: Listener) -> pd.DataFrame:
        """Forecast the series of a part."""
        require_years(panel, steps)
        check_levels(self.bundle, panel, on_event)
        history = make_history(self.bundle, panel, on_event, least=self.table.least)
        require_rows(self.bundle, panel)
        how: Any = {"steps": steps, "stored": False, "among": self.table.count}
        return predict_from(self.bundle, history, self.wanted, on_event=on_event, **how)

    def _note_ends(self, ends: list[pd.DatetimeIndex], steps: int) -> None:
        """Note which series ended long before the others."""
        time = self.bundle.manifest.time
        if not ends or time is None:
            return
        lasts = pd.DatetimeIndex(ends[0].append(ends[1:]))
        name = partial(name_series, self.table.ids)
        note_ends(lasts, time.frequency, steps, self.on_event, name=name, then=ENDED)


def rows_within(bundle: Bundle, budget: float) -> int:
    """Return how many rows are read at a time, so that they need at most so many bytes."""
    return max(1, int(min(MOST_ROWS, (budget - LATER_BYTES) / bytes_for(bundle, 1))))


def bytes_for(bundle: Bundle, rows: int) -> int:
    """Return about how many bytes are needed to forecast from rows that are read together."""
    return rows * (ROW_BYTES + VALUE_BYTES * len(bundle.manifest.features))


def find_series_table(
    bundle: Bundle,
    batches: RowBatches,
    wanted: PredictionRequest,
    reading: Mapping[str, Any],
) -> SeriesTable | None:
    """Find the series of a file that are forecast some at a time.

    Args:
        bundle: The model.
        batches: The file.
        wanted: Which forecasts are requested.
        reading: How the file is read, where it differs from the table that was trained on.

    Returns:
        None where all of them must be read together.
    """
    manifest, data = bundle.manifest, data_as_trained(bundle, reading)
    time = manifest.time.frequency if manifest.time else None
    plain = PredictionRequest(wanted.horizon, level=wanted.level, intervals=wanted.intervals)
    if (
        manifest.labels is not None
        or manifest.config.network.stateful
        or AUTO in data.calendar_features
        or (time is not None and time.open_days and time.hours)
        or wanted != plain
        or not is_divisible(batches, data, manifest.columns)
    ):
        return None
    known = bundle.series.frame if bundle.series else None
    return divide(batches, data, manifest.columns, known)
