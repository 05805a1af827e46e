"""Forecasts of a stream of rows: one after the other, of one series or of several."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note, ignore
from ...core.windows import Floats
from ...model.bundle import Bundle
from ..history import stored_panel
from ..prediction_request import parted
from .clock import Clock
from .future_file import FutureFile
from .live_model import LiveModel, StreamRequest, scaling_of
from .output_records import OutputRecords, Pace, Tally, parse_every
from .row_reader import Key, Row, RowReader, named
from .series_forecaster import SeriesForecaster, Step, Verdict, begin_series

# So many series may be new to the model.
MOST_NEW = 1000
WANTED = StreamRequest()


@dataclass
class Place:
    """A series of a stream.

    Args:
        parts: Its name.
        forecaster: None while a new series has fewer rows than the lookback.
        young: The first rows of a new series.
        held: A row far after the last one, until another one follows it.
        taken: How many rows were taken.
        pace: What became due since the last forecast.
    """

    parts: tuple[Any, ...]
    forecaster: SeriesForecaster | None = None
    young: list[Step] = field(default_factory=list)
    held: Row | None = None
    taken: int = 0
    pace: Pace = field(default_factory=Pace)

    @property
    def last(self) -> pd.Timestamp | None:
        """The time of the last row."""
        if self.forecaster is not None:
            return self.forecaster.last
        return self.young[-1][1] if self.young else None


class Stream:
    """Takes records and returns forecasts.

    Args:
        bundle: The model; its stored rows come before the first record.
        request: Which forecasts are requested.
        every: Forecast after so many rows of a series, or at the first row of each such time, e.g.
            `1h`; after every row where None.
        only: The names of the series that are forecast; all where empty.
        future: A file of future covariates, read again when it changes.
        on_event: Notified of what is worth knowing, and of rows that are left out.

    Raises:
        UsageError: The model cannot forecast a stream, or not so.
        DataError: The file of future covariates cannot be read.
    """

    def __init__(
        self,
        bundle: Bundle,
        request: StreamRequest = WANTED,
        *,
        every: str | int | None = None,
        only: tuple[str, ...] = (),
        future: str | os.PathLike[str] | None = None,
        on_event: Listener = ignore,
    ) -> None:
        self.on_event, self.tally = on_event, Tally(on_event)
        self.model = LiveModel(bundle, request, on_event)
        self.schedule = parse_every(every, timed=bundle.manifest.time is not None)
        data, time = self.model.data, bundle.manifest.time
        zone = request.reading.get("timezone")
        self.clock = Clock(time, data.date_format, zone) if time else None
        if self.clock is not None:
            self.clock.check(self.model.made)
        self.reader = RowReader(bundle, data, self.clock)
        self.records = OutputRecords(self.model, self.clock)
        self.places: dict[Key, Place] = {}
        self._begin(bundle)
        self.ends = {key: each.last for key, each in self.places.items()}
        self.only = self._chosen(only)
        self.lasts: dict[Key, Any] = dict(self.ends)
        # What messages call the record that is read.
        self.where = "a row"
        self.future = self._open_future(future)

    def _begin(self, bundle: Bundle) -> None:
        """Begin with the rows that the model keeps."""
        panel, model = stored_panel(bundle), self.model
        lasts = panel.lasts
        ids = list(panel.ids.itertuples(index=False, name=None)) or [()]
        for place, parts in enumerate(ids):
            scaling, unit = scaling_of(bundle.scaling, place), model.unit_of(place)
            forecaster = SeriesForecaster(model, scaling, unit, place, self.clock)
            rows = panel.values[panel.indptr[place] : panel.indptr[place + 1]]
            last = None if lasts is None else lasts[place]
            forecaster.begin_from(rows, last, bundle.state)
            for step, row in enumerate(panel.ahead[place], start=1):
                if np.isfinite(row).any():
                    forecaster.known.put(step, row)
            for row in rows:
                model.lift_bounds(row, self.on_event)
            key = tuple(str(each).strip() for each in parts)
            self.places[key] = Place(parts, forecaster)

    def _chosen(self, only: tuple[str, ...]) -> set[str]:
        """Return the names of the series that are forecast; refuse some of a model without any."""
        if only and not self.model.columns.series:
            raise UsageError("There is one series, without a name.", "Omit `only`.")
        known = {named(key) for key in self.places}
        names = {name for text in only for name in parted(text, known)}
        for name in sorted(names - known):
            self.on_event(Note(f'the model knows no series "{name}": it is awaited', warning=True))
        return names

    def _open_future(self, path: str | os.PathLike[str] | None) -> FutureFile | None:
        """Read the file of future covariates for the first time; refuse one for other models."""
        if path is None:
            return None
        if not self.model.columns.covariates.future:
            raise UsageError("The model reads no future covariates.", "Omit `future`.")
        future = FutureFile(os.fspath(path), self.model, self.clock)
        if wrong := future.refresh(self.forecasters):
            raise DataError(wrong)
        return future

    @property
    def forecasters(self) -> dict[Key, SeriesForecaster]:
        """The series that have rows enough."""
        return {k: each.forecaster for k, each in self.places.items() if each.forecaster}

    def over(self, records: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """Yield what `push` returns of each record where that is anything."""
        for record in records:
            if made := self.push(record):
                yield made

    def push(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take a record.

        Args:
            record: A row of the table: a mapping from column to cell.

        Returns:
            The forecast of the next steps of its series, an entry for each: what names the series,
            `cutoff` (the time of the row), the time, each target and its intervals. Where rows are
            judged, an entry for the row itself comes first, with its forecast from before,
            `NAME_actual`, `p_value` and `anomaly`. Nothing where there is no forecast.
        """
        self.tally.read += 1
        if self.future is not None and (wrong := self.future.refresh(self.forecasters)):
            self.tally.add("future", self.future.path, wrong)
        try:
            rows = list(self.reader.rows(record, self.lasts))
        except ValueError as error:
            self.reject(str(error))
            return []
        return [each for row in rows for each in self._take(row)]

    def reject(self, why: str) -> None:
        """Count a record that cannot be read."""
        self.tally.add("unreadable", self.where, why)

    def end(self) -> list[str]:
        """Return what became of the rows, in lines."""
        for place in self.places.values():
            if place.held is not None:
                self._drop_held(place)
        return self.tally.summary()

    def _take(self, row: Row) -> list[dict[str, Any]]:
        """Take a row; return its forecasts."""
        if self.only and named(row.key) not in self.only:
            self.tally.others += 1
            return []
        place = self.places.get(row.key)
        if place is None:
            place = self._new_place(row)
        if place is None or (gap := self._gap(place, row)) is None:
            return []
        if gap >= self.model.manifest.timesteps and not row.planned:
            return self._after_leap(place, row)
        self._drop_held(place)
        return self._append(place, row, gap)

    def _new_place(self, row: Row) -> Place | None:
        """Return the place of a series that is new to the model; None where it is not taken."""
        new = len(self.places) - len(self.ends)
        if new >= MOST_NEW or row.planned or np.isnan(row.values).any():
            why = "a new series begins with a row without missing values"
            if new >= MOST_NEW:
                why = f"there are {MOST_NEW:,} series already that are new to the model"
            self.tally.add("strange", self._called(row), why)
            return None
        self.places[row.key] = Place(row.parts)
        return self.places[row.key]

    def _gap(self, place: Place, row: Row) -> int | None:
        """Return how many steps are missing before a row; None where it is no next row."""
        last = place.last
        if row.time is None or last is None or self.clock is None:
            return 0
        try:
            steps = self.clock.steps(last, row.time)
        except ValueError as error:
            self.tally.add("between", self._called(row), str(error))
            return None
        end = self.ends.get(row.key)
        if steps < 1 and end is not None and row.time <= end:
            self.tally.add("known", self._called(row))
            return None
        if steps < 1:
            self.tally.add("late" if steps else "duplicate", self._called(row))
            return None
        if self.clock.is_far(last, row.time, self.model.manifest.timesteps):
            return max(steps - 1, self.model.manifest.timesteps)
        return 0 if self.model.policy == "drop" else steps - 1

    def _called(self, row: Row, where: str = "") -> str:
        """Return where a row is, its series and its time, for messages."""
        parts = [named(row.key)] if row.key else []
        if self.clock and row.time is not None:
            parts.append(self.clock.write(row.time))
        return f"{where or self.where} ({', '.join(parts)})" if parts else self.where

    def _after_leap(self, place: Place, row: Row) -> list[dict[str, Any]]:
        """Hold a row far after the last one; start again where another one follows it."""
        held, near = place.held, 0
        if held is not None and held.time is not None and row.time is not None and self.clock:
            if row.time == held.time:
                self.tally.add("duplicate", self._called(row))
                return []
            with suppress(ValueError):
                near = self.clock.steps(held.time, row.time)
            lookback = self.model.manifest.timesteps
            if self.clock.is_far(held.time, row.time, lookback) or near > lookback:
                near = 0
        if held is None or near < 1:
            self._drop_held(place)
            place.held = row
            return []
        self._restart(place, held)
        gap = 0 if self.model.policy == "drop" else near - 1
        return self._append(place, held, 0) + self._append(place, row, gap)

    def _restart(self, place: Place, row: Row) -> None:
        """Forget the rows of a series before a gap as long as the lookback."""
        self.tally.restarts += 1
        place.held, place.young = None, []
        if place.forecaster is not None:
            static = place.forecaster.known.static
            before = place.forecaster.inputs.window.rows[-1]
            lacking = [each for each in static if np.isnan(row.values[each])]
            row.values[lacking] = before[lacking]
            place.forecaster.restart()
        if self.future is not None:
            self.future.stale = True
        lookback = self.model.manifest.timesteps
        text = f"{self._called(row, 'a gap as long as the lookback ends')}: what was before it no"
        self.on_event(Note(f"{text} longer counts; forecasts need {lookback} rows after it"))

    def _drop_held(self, place: Place) -> None:
        """Leave out a row that no other one followed."""
        if place.held is not None:
            self.tally.add("held", self._called(place.held, "a row"))
            place.held = None

    def _append(self, place: Place, row: Row, gap: int) -> list[dict[str, Any]]:
        """Add a row to its series, after so many missing steps; return its forecasts."""
        values = row.values
        if row.planned:
            if place.forecaster is not None:
                place.forecaster.known.put(gap + 1, values)
                place.forecaster.fresh = False
                self.tally.used += 1
            return []
        self._complete(place, values, gap)
        if self.model.policy == "drop" and np.isnan(values).any():
            self.tally.add("dropped", self._called(row))
            return []
        self.tally.used += 1
        self.tally.filled_steps += gap
        if self.model.policy != "mask":
            self.tally.filled_values += int(np.isnan(values).sum())
        self.model.lift_bounds(values, self.on_event)
        steps = self._missing_steps(place, values, gap)
        self.lasts[row.key] = row.time
        place.taken += 1
        if place.forecaster is None:
            self._grow(place, row, steps)
            verdict = None
        else:
            verdict = place.forecaster.push(values, row.time, steps)
        return self._output(place, row, verdict)

    def _complete(self, place: Place, values: Floats, gap: int) -> None:
        """Fill in, in place, what is known of a row, shape `(features,)`, without it."""
        if place.forecaster is not None:
            known = place.forecaster.known
            if not gap:
                known.complete(values)
            lacking = [each for each in known.static if np.isnan(values[each])]
            rows = place.forecaster.inputs.window.rows
            if lacking and len(rows):
                values[lacking] = rows[-1][lacking]
        # A missing category is an unknown one.
        for each in self.reader.category_places:
            values[each] = np.nan_to_num(values[each])

    def _missing_steps(self, place: Place, values: Floats, gap: int) -> list[Step]:
        """Return the rows of so many missing steps before a row, and their times."""
        if not gap or self.clock is None or place.last is None:
            return []
        times = self.clock.after(place.last, gap)
        rows = np.full((gap, len(values)), np.nan)
        static = self.reader.static_places
        rows[:, static] = values[static]
        rows[:, self.reader.category_places] = 0.0
        self.reader.put_calendar(rows, times)
        return list(zip(rows, times, strict=True))

    def _grow(self, place: Place, row: Row, steps: list[Step]) -> None:
        """Add a row to a new series, and begin to forecast it where it has rows enough."""
        place.young += [*steps, (row.values, row.time)]
        lookback = self.model.manifest.timesteps
        if len(place.young) < lookback:
            return
        place.forecaster = begin_series(
            self.model, self.clock, row.key, place.young[-lookback:], self.on_event
        )
        place.young = []
        if self.future is not None:
            self.future.stale = True
            self.future.refresh(self.forecasters)

    def _output(self, place: Place, row: Row, verdict: Verdict | None) -> list[dict[str, Any]]:
        """Return the entries of a row: what is thought of it, and the forecast after it."""
        made = []
        if verdict is not None:
            self.tally.judged += int(verdict.p_value == verdict.p_value)
            self.tally.anomalies += int(verdict.anomaly)
            made.append(self.records.verdict(place.parts, place.taken, row, verdict))
        if place.forecaster is None or not self.schedule.is_due(place.pace, row.time):
            return made
        ahead = place.forecaster.forecast()
        if ahead is not None:
            return made + self.records.forecast(place.parts, place.taken, row, ahead)
        if place.forecaster.lacks_future:
            self.tally.add("blind", self._called(row))
        return made
