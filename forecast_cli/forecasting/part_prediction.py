"""Forecasts of a table of very many series, made some series at a time in bounded memory."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import Any

import pandas as pd

from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..data.calendar_features import AUTO
from ..data.groups import name_series
from ..data.io.row_batches import RowBatches
from ..data.known_future import require_years
from ..data.last_values import known_ends, note_ends, note_far_ends
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


@dataclass(frozen=True)
class Found:
    """A note of a part, and how many parts had the like.

    Args:
        text: The note.
        warning: Whether it is a warning.
        names: The first part that had it, such as "among the series a to b".
        parts: How many.
    """

    text: str
    warning: bool
    names: str
    parts: int = 1

    @property
    def key(self) -> str:
        """The same for the like: the text up to a colon, without its numbers."""
        return NUMBER.sub("#", self.text.partition(":")[0])


@dataclass
class PartNotes:
    """Passes the notes of a first part on as they are, and counts the like in later ones.

    Args:
        on_event: Receives them.
        seen: The notes so far, by their keys.
    """

    on_event: Listener = ignore
    seen: dict[str, Found] = field(default_factory=dict)

    def of_part(self, names: str) -> Listener:
        """Return a listener for a part, which `names` says as in `Found`."""

        def hear(event: Event) -> None:
            if isinstance(event, Note):
                self.add(Found(event.text, event.warning, names))

        return hear

    def add(self, found: Found) -> None:
        """Add a note, of one part or of several."""
        before = self.seen.get(found.key)
        if before is None:
            self.on_event(Note(f"{found.text} ({found.names})", found.warning))
        count = found.parts + (before.parts if before else 0)
        self.seen[found.key] = replace(before or found, parts=count)

    def end(self) -> None:
        """Say how many parts had the like of what was noted."""
        if more := max((each.parts for each in self.seen.values()), default=1) - 1:
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
        self.notes = PartNotes(on_event)
        self.ends: list[pd.DatetimeIndex] = []
        self.seconds = Seconds()

    def frames(self, rows: int = MOST_ROWS) -> Iterator[pd.DataFrame]:
        """Yield the forecasts in the order of the series; all together are those of `predict`.

        Args:
            rows: How many rows are read at a time, at most; the rows of one series at least.

        Raises:
            DataError: The table does not hold what the model needs.
            UsageError: The model cannot go that far.
        """
        self.on_event(Stage("forecasting"))
        yield from self.parts(rows)
        self.finish()

    def parts(self, rows: int) -> Iterator[pd.DataFrame]:
        """As `frames`, without the notes on all series."""
        steps = steps_wanted(self.bundle, self.wanted.horizon, self.on_event)
        table, parts = self.table, self.table.parts(rows, together(self.bundle))
        opened = table.read(parts)
        for first, last in pairwise(parts.tolist()):
            began = perf_counter()
            listener = self.notes.of_part(self._names(first, last))
            panel = read_as_trained(self.bundle, next(opened), self.reading, listener)
            self.seconds.reading += perf_counter() - began
            frame = self._timed(panel, steps, listener)
            self.on_event(Done("series", last, table.count))
            yield frame

    def whole(self) -> pd.DataFrame:
        """Return the forecasts of a file that is read as a whole."""
        steps = steps_wanted(self.bundle, self.wanted.horizon, ignore)
        listener = self.notes.of_part(f"in {self.table.batches.name}")
        panel = read_as_trained(self.bundle, self.table.batches.path, self.reading, listener)
        return self._timed(panel, steps, listener)

    def finish(self) -> None:
        """Say how many parts had the like of what was noted, and which series ended early."""
        self.notes.end()
        self._note_ends(steps_wanted(self.bundle, self.wanted.horizon, ignore))

    def _timed(self, panel: Panel, steps: int, on_event: Listener) -> pd.DataFrame:
        """Forecast the series of a part, and take the time of the network and of the rest."""
        began, before = perf_counter(), Runtime.seconds
        frame = self._forecast(panel, steps, on_event)
        if (known := known_ends(panel)) is not None:
            self.ends.append(known)
        network = Runtime.seconds - before
        self.seconds.network += network
        self.seconds.preparing += perf_counter() - began - network
        return frame

    def _names(self, first: int, last: int) -> str:
        """The series of a part, for messages."""
        name = partial(name_series, self.table.ids)
        if last - first == 1:
            return f"of the series {name(first)}"
        return f"among the series {name(first)} to {name(last - 1)}"

    def _forecast(self, panel: Panel, steps: int, on_event: Listener) -> pd.DataFrame:
        """Forecast the series of a part."""
        require_years(panel, steps)
        check_levels(self.bundle, panel, on_event)
        note_far_ends(panel, on_event)
        history = make_history(self.bundle, panel, on_event, least=self.table.least)
        require_rows(self.bundle, panel)
        among = self.table.among or self.table.count or None
        how: Any = {"steps": steps, "stored": False, "among": among, "on_event": on_event}
        return predict_from(self.bundle, history, self.wanted, **how)

    def _note_ends(self, steps: int) -> None:
        """Note which series ended long before the others."""
        time, ends = self.bundle.manifest.time, self.ends
        if not ends or time is None:
            return
        lasts = pd.DatetimeIndex(ends[0].append(ends[1:]))
        name = partial(name_series, self.table.ids)
        if len(self.table.ids):
            note_ends(lasts, time.frequency, steps, self.on_event, name=name, then=ENDED)


def together(bundle: Bundle) -> int:
    """Return how many series the network forecasts at a time."""
    manifest = bundle.manifest
    return batch_size(timesteps=manifest.timesteps, features=len(manifest.features))


def rows_within(bundle: Bundle, budget: float) -> int:
    """Return how many rows are read at a time, so that they need at most so many bytes."""
    return max(1, int(min(MOST_ROWS, (budget - LATER_BYTES) / bytes_for(bundle, 1))))


def bytes_for(bundle: Bundle, rows: int) -> int:
    """Return about how many bytes are needed to forecast from rows that are read together."""
    return rows * (ROW_BYTES + VALUE_BYTES * len(bundle.manifest.features))


def find_series_table(
    bundle: Bundle, batches: RowBatches, wanted: PredictionRequest, reading: Mapping[str, Any]
) -> SeriesTable | None:
    """Find the series of a file that are forecast some at a time; None: all are read together."""
    data = data_as_trained(bundle, reading)
    columns = bundle.manifest.columns
    if not treats_series_alone(bundle, wanted, reading) or not is_divisible(batches, data, columns):
        return None
    known = bundle.series.frame if bundle.series else None
    return divide(batches, data, columns, known)


def treats_series_alone(
    bundle: Bundle, wanted: PredictionRequest, reading: Mapping[str, Any]
) -> bool:
    """Whether forecasts of series are the same from a table of them and from one of all."""
    manifest, data = bundle.manifest, data_as_trained(bundle, reading)
    time = manifest.time.frequency if manifest.time else None
    plain = PredictionRequest(wanted.horizon, level=wanted.level, intervals=wanted.intervals)
    return not (
        manifest.labels is not None
        or manifest.config.network.stateful
        or AUTO in data.calendar_features
        or (time is not None and time.open_days and time.hours)
        or wanted != plain
    )
