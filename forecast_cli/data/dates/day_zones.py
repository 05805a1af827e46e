"""The zone whose days the times are, where it is another than that of the clock times."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ...config.sections import Data
from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ..time.time_index import Dates
from .date_formats import EPOCHS
from .date_writing import zoned

# The zones that are tried; others with the same clock changes have the same days.
ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Halifax", "America/Santiago", "America/Sao_Paulo", "Europe/London", "Europe/Berlin",
    "Europe/Athens", "Asia/Jerusalem", "Africa/Cairo", "Australia/Sydney", "Australia/Adelaide",
    "Pacific/Auckland",
)  # fmt: skip
HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)


def in_day_zone(dates: Dates, zone: str) -> Dates:
    """Return the same times by the clocks of a zone, whose days are those of the table.

    Raises:
        DataError: They are clock times of an unknown zone.
        UsageError: There is no such zone.
    """
    if dates.times.tz is None:
        raise DataError(
            f"`day_zone={zone}` needs times whose zone is known.",
            "Specify it, e.g. `timezone=UTC`.",
        )
    try:
        times = dates.times.tz_convert(zone)
    except (KeyError, ModuleNotFoundError) as error:
        raise UsageError(
            f'Unknown time zone "{zone}".', "Pass e.g. `day_zone=Europe/Berlin`."
        ) from error
    return Dates(times, dates.style if dates.style in EPOCHS else zoned(dates.style))


def find_day_zone(dates: Dates, data: Data, on_event: Listener) -> tuple[Dates, Data]:
    """Return the times by the clocks of the zone in which they all are midnight, if there is one.

    They are stamped at two hours that follow each other, as 04:00 and 05:00 UTC are the midnight
    of New York in summer and winter.

    Args:
        dates: As parsed.
        data: How; where a zone is given, nothing is changed.
        on_event: Receives a note.

    Returns:
        The times, and the settings with which other tables are read alike.
    """
    if data.timezone or data.day_zone:
        return dates, data
    zone = likely_day_zone(dates.times)
    if zone is None:
        return dates, data
    wall = dates.times.tz_localize(None)
    hours = sorted(set(wall.strftime("%H:%M")))
    on_event(Note(f"{' and '.join(hours)} UTC are midnight in {zone}: rows are its days"))
    known = replace(dates, times=wall.tz_localize("UTC"))
    settings = {"timezone": "UTC", "day_zone": zone}
    return in_day_zone(known, zone), data.model_copy(update=settings)


def likely_day_zone(times: pd.DatetimeIndex) -> str | None:
    """Return the zone in which times, shape `(n,)`, in UTC, are all midnight; None without one.

    >>> likely_day_zone(pd.DatetimeIndex(["2024-03-09 05:00", "2024-03-11 04:00"]))
    'America/New_York'
    """
    if times.tz is not None and str(times.tz) != "UTC":
        return None
    wall = times.tz_localize(None)
    clock = np.asarray(wall.as_unit("us").asi8) % (DAY // pd.Timedelta(1, "us"))
    least, most = pd.Timedelta(int(clock.min()), "us"), pd.Timedelta(int(clock.max()), "us")
    if most - least not in (HOUR, 23 * HOUR):
        return None
    if not ((clock == clock.min()) | (clock == clock.max())).all():
        return None
    known = wall.tz_localize("UTC")
    for zone in ZONES:
        local = known.tz_convert(zone).tz_localize(None)
        if (local == local.normalize()).all():
            return zone
    return None
