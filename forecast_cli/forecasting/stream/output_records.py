"""What comes of a stream: forecasts as records, and what became of the rows, told now and then."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal

import pandas as pd

from ...core.errors import UsageError, counted
from ...core.events import Listener, Note
from ...data.panel import STEP
from .clock import Clock
from .live_model import LiveModel
from .row_reader import Row
from .series_forecaster import Ahead, Verdict

CUTOFF, P_VALUE, ANOMALY, ACTUAL_SUFFIX = "cutoff", "p_value", "anomaly", "_actual"
Fault = Literal[
    "known", "late", "duplicate", "unreadable", "between", "held", "strange", "dropped", "blind",
    "future",
]  # fmt: skip
# One rule for each kind of row that is no next row of a series, as it is told.
RULES: dict[Fault, str] = {
    "known": "not after the last row that the model keeps",
    "late": "before the last row of its series",
    "duplicate": "at the time of the last row of its series, and the first one counts",
    "unreadable": "unreadable",
    "between": "at no step of its series",
    "held": "far after the last row of its series, and no other one follows it",
    "strange": "of a series that cannot be taken",
    "dropped": "with a missing value, as `missing=drop` says",
    "blind": "future covariates of the steps ahead are missing",
    "future": "the future covariates that were read before are kept",
}
# What is no row that is left out.
FORECASTS, READINGS = "blind", "future"
# Of each kind so many seconds pass from one note to the next.
QUIET = 10.0


@dataclass
class Pace:
    """How far a series is from its next forecast.

    Args:
        rows: Rows since the last forecast.
        slot: The last time in which a row came, counted in times of the schedule since 1970.
    """

    rows: int = 0
    slot: int | None = None


@dataclass(frozen=True)
class Schedule:
    """After so many rows of a series, or at the first row of each time of a length.

    Args:
        rows: How many.
        length: In nanoseconds; 0 where rows are counted.
    """

    rows: int = 1
    length: int = 0

    def is_due(self, pace: Pace, time: pd.Timestamp | None) -> bool:
        """Whether a forecast is due after a row at a time; the pace goes on."""
        if self.length and time is not None:
            local = time.tz_localize(None) if time.tzinfo else time
            slot = local.value // self.length
            due, pace.slot = slot != pace.slot, slot
            return due
        pace.rows += 1
        due = pace.rows >= self.rows
        if due:
            pace.rows = 0
        return due


def parse_every(every: str | int | None, *, timed: bool) -> Schedule:
    """Return the schedule that `every` means: a number of rows or a time; None for every row.

    Raises:
        UsageError: It is neither.
    """
    text = "1" if every is None else str(every).strip()
    if re.fullmatch(r"\d+", text) and int(text):
        return Schedule(rows=int(text))
    # pandas writes a day in capitals.
    text = re.sub(r"(?<![A-Za-z])d$", "D", text)
    try:
        length = pd.Timedelta(text if re.match(r"\d", text) else f"1{text}").value
    except (ValueError, OverflowError):
        length = 0
    if length <= 0:
        raise UsageError(
            f'Invalid `every` "{text}".', "Give a number of rows, or a time such as 1h or 15min."
        )
    if not timed:
        raise UsageError(
            f"`every={text}` is a time, and the rows of the model have none.",
            "Give a number of rows, e.g. `every=10`.",
        )
    return Schedule(length=length)


class OutputRecords:
    """Makes the records of forecasts.

    Args:
        model: The model.
        clock: Writes times; None where rows are steps.

    Raises:
        UsageError: Two columns of them would have one name.
    """

    def __init__(self, model: LiveModel, clock: Clock | None) -> None:
        self.clock, self.targets = clock, model.manifest.targets
        self.series, self.places = model.columns.series, model.places
        self.time = model.manifest.time.name if model.manifest.time else STEP
        level = model.bands.level if model.bands else ()
        # The sides of intervals in the order of the columns: the lowest ends first.
        places = list(enumerate(level))
        self.ends = [(f"_lo{each:g}", 0, place) for place, each in reversed(places)]
        self.ends += [(f"_hi{each:g}", 1, place) for place, each in places]
        self.judged = model.test is not None
        self.written: tuple[Any, list[Any]] = (None, [])
        names = self.columns
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(
                f'Two columns of the forecasts would be named "{twice}".',
                "Rename that column of the table, and train again.",
            )

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in their order."""
        values = [
            f"{target}{end}" for target in self.targets for end in ("", *(e[0] for e in self.ends))
        ]
        judged = [f"{target}{ACTUAL_SUFFIX}" for target in self.targets] + [P_VALUE, ANOMALY]
        return [*self.series, CUTOFF, self.time, *values, *(judged if self.judged else [])]

    def forecast(
        self, parts: Sequence[Any], taken: int, row: Row, ahead: Ahead
    ) -> list[dict[str, Any]]:
        """Return a record for each step of a forecast after `taken` rows of a series."""
        times, last = self._times(row.time, taken, len(ahead.point))
        first = dict(zip(self.series, parts, strict=True)) | {CUTOFF: last}
        made = []
        for step, time in enumerate(times):
            record = first | {self.time: time} | self._values(ahead, step)
            if self.judged:
                record |= dict.fromkeys(f"{target}{ACTUAL_SUFFIX}" for target in self.targets)
                record |= {P_VALUE: None, ANOMALY: None}
            made.append(record)
        return made

    def verdict(
        self, parts: Sequence[Any], taken: int, row: Row, verdict: Verdict
    ) -> dict[str, Any]:
        """Return the record of a row that is judged; the arguments are as in `forecast`."""
        time: Any = 0
        last: Any = taken
        if self.clock is not None and row.time is not None:
            time = last = self.clock.write(row.time)
        record = dict(zip(self.series, parts, strict=True)) | {CUTOFF: last, self.time: time}
        record |= self._values(verdict.before, 0)
        for target, value in zip(self.targets, row.values[self.places].tolist(), strict=True):
            record[f"{target}{ACTUAL_SUFFIX}"] = None if math.isnan(value) else value
        p_value = None if math.isnan(verdict.p_value) else float(f"{verdict.p_value:.6g}")
        return record | {P_VALUE: p_value, ANOMALY: None if p_value is None else verdict.anomaly}

    def _values(self, ahead: Ahead, step: int) -> dict[str, float]:
        """Return the values of a step by their columns."""
        values = {}
        for place, target in enumerate(self.targets):
            values[target] = float(ahead.point[step, place])
            if ahead.ends is not None:
                for end, side, level in self.ends:
                    values[f"{target}{end}"] = float(ahead.ends[side, step, place, level])
        return values

    def _times(self, last: pd.Timestamp | None, taken: int, steps: int) -> tuple[list[Any], Any]:
        """Return the times of the steps after the last row, and of that row."""
        if self.clock is None or last is None:
            return list(range(1, steps + 1)), taken
        known, texts = self.written
        if known != last or len(texts) != steps + 1:
            texts = [self.clock.write(last), *self.clock.write_after(last, steps)]
            self.written = last, texts
        return texts[1:], texts[0]


class Tally:
    """Counts rows, and notes faults: the first of a kind at once, then one in ten seconds.

    Args:
        on_event: Notified.
        clock: Returns seconds.
    """

    def __init__(self, on_event: Listener, clock: Callable[[], float] = monotonic) -> None:
        self.on_event = on_event
        self.clock = clock
        self.read = self.used = self.filled_steps = self.filled_values = self.restarts = 0
        self.anomalies = self.judged = self.others = 0
        self.faults: Counter[Fault] = Counter()
        self.noted: dict[Fault, tuple[float, int]] = {}

    def add(self, fault: Fault, where: str, why: str = "") -> None:
        """Count a fault of a row, or a file; `why` where its kind does not say what is wrong."""
        self.faults[fault] += 1
        now, (then, count) = self.clock(), self.noted.get(fault, (-QUIET, 0))
        if now - then < QUIET:
            return
        more = self.faults[fault] - count - 1
        since = f" ({more:,} more since the last such note)" if more and count else ""
        self.noted[fault] = now, self.faults[fault]
        what = {FORECASTS: "not forecast", READINGS: "cannot be read"}.get(fault, "left out")
        if fault == READINGS:
            why = f"{why}; {RULES[fault]}"
        self.on_event(Note(f"{where} {what}: {why or RULES[fault]}{since}", warning=True))

    def summary(self) -> list[str]:
        """Return what became of all rows, in lines."""
        lines = [f"{counted(self.read, 'row')} read, {self.used:,} used"]
        for fault, count in self.faults.items():
            if fault == READINGS:
                lines.append(f"future covariates could not be read {counted(count, 'time')}")
            else:
                what = "not forecast" if fault == FORECASTS else "left out"
                lines.append(f"{count:,} {what}: {RULES[fault]}")
        if self.others:
            lines.append(f"{self.others:,} left out: of series that `only` does not name")
        if self.filled_steps:
            lines.append(f"{counted(self.filled_steps, 'missing step')} filled")
        if self.filled_values:
            lines.append(f"{counted(self.filled_values, 'missing value')} filled")
        if self.restarts:
            lines.append(f"{counted(self.restarts, 'gap')} as long as the lookback: restarted")
        if self.judged:
            lines.append(
                f"{counted(self.anomalies, 'row')} of {self.judged:,} flagged as anomalies "
                f"({100 * self.anomalies / self.judged:.2g} %)"
            )
        return lines
