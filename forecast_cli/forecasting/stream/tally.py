"""What became of the rows of a stream: counted, and told now and then."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

from ...core.errors import counted
from ...core.events import Listener, Note

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


class Tally:
    """Counts rows, and notes faults: the first of a kind at once, then one in ten seconds.

    Args:
        on_event: Notified.
        clock: Returns seconds.
    """

    def __init__(self, on_event: Listener, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_event = on_event
        self.clock = clock
        self.read = self.used = self.filled_steps = self.filled_values = self.restarts = 0
        self.anomalies = self.judged = self.others = 0
        self.faults: Counter[Fault] = Counter()
        self.noted: dict[Fault, tuple[float, int]] = {}

    def add(self, fault: Fault, where: str, why: str = "") -> None:
        """Count a fault.

        Args:
            fault: Its kind.
            where: The row, or the file.
            why: What is wrong, where the kind does not say it.
        """
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
