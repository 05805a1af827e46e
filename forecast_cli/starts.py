"""Where a forecast begins: the end of the table that was trained on, or of another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from .core.windows import Floats
from .data.dates import NO_TIME
from .data.frequency import Frequency
from .data.missing import fill_missing
from .data.panel import Panel, read_panel
from .data.splits import everything
from .data.steps import Timeline
from .data.tables import Readable
from .datasets import require_positive
from .errors import DataError, UsageError
from .events import Listener
from .model.bundle import Bundle
from .model.manifest import TimeAxis
from .rules import season_of

# Nothing about how a table is read differs from the table that was trained on.
READ_AS_TRAINED: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Start:
    """Where a forecast begins.

    Args:
        rows: Shape `(timesteps, features)`, original units: the last rows, or all of them where
            the network reads them all.
        timeline: Their times, or only the last one; None where rows are steps.
        source: What messages call the table.
    """

    rows: Floats
    timeline: Timeline | None
    source: str = "the model"

    def times_after(self, steps: int) -> pd.DatetimeIndex | None:
        """The times of the forecasts; None where rows are steps."""
        if self.timeline is None:
            return None
        return self.timeline.frequency.after(self.timeline.times[-1], steps)


def history_of(bundle: Bundle) -> Start:
    """The end of the table that the model was trained on."""
    time = bundle.manifest.time
    if time is None:
        return Start(bundle.history, None)
    last = pd.Timestamp(time.last)
    times = pd.DatetimeIndex([last if time.timezone is None else last.tz_convert(time.timezone)])
    return Start(bundle.history, Timeline(times, frequency_of(time), time.style))


def end_of_table(
    bundle: Bundle, source: Readable, reading: Mapping[str, Any], listen: Listener
) -> Start:
    """The end of another table.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    panel, filled = read_as_trained(bundle, source, reading, listen)
    if bundle.manifest.config.network.stateful:
        return Start(filled, panel.timeline, panel.source)
    timesteps = bundle.manifest.timesteps
    if len(filled) < timesteps:
        raise too_few(bundle, len(filled), timesteps, panel.source)
    return Start(filled[-timesteps:], panel.timeline, panel.source)


def read_as_trained(
    bundle: Bundle, source: Readable, reading: Mapping[str, Any], listen: Listener
) -> tuple[Panel, Floats]:
    """A table read in the way of the model's own, and its values, filled as asked.

    Args:
        bundle: The model.
        source: The table.
        reading: How it differs from the one that was trained on: `missing`, `na`, `date_format`,
            `timezone`.
        listen: Told what was understood.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The network cannot skip missing steps.
    """
    manifest = bundle.manifest
    time = manifest.time
    own = {"time": time.column if time else NO_TIME}
    data = manifest.config.data.model_copy(update=own | dict(reading))
    require_mask(bundle, data.missing)
    frequency = frequency_of(time) if time else None
    panel = read_panel(source, data, listen=listen, frequency=frequency)
    filled = fill_missing(
        panel.values,
        everything(panel),
        data.missing,
        source=panel.source,
        season_length=season_of(panel, manifest.config),
    )
    require_positive(filled, manifest.features, manifest.config.transform, panel.source)
    return panel, filled


def require_mask(bundle: Bundle, missing: str) -> None:
    """Refuse to hand missing steps to a network that cannot skip them.

    Raises:
        UsageError: It cannot.
    """
    if missing == "mask" and not bundle.manifest.config.network.masked:
        raise UsageError(
            "The network has no mask: it cannot skip missing steps.",
            "Pass --missing interpolate or ffill, or train with --missing mask.",
        )


def frequency_of(time: TimeAxis) -> Frequency:
    """The frequency that the model was trained on."""
    parsed = Frequency.parse(time.freq)
    return Frequency(parsed.alias, parsed.step, parsed.months, time.day)


def too_few(bundle: Bundle, rows: int, needed: int, source: str) -> DataError:
    """The error for a table with too few rows."""
    return DataError(
        f"{source} has {rows} rows; the model looks {bundle.manifest.timesteps} steps back and "
        f"needs at least {needed}.",
        "Give it more of the latest rows.",
    )
