"""Steps of no fixed length that a calendar lists: half-months, business months, retail months."""

import re

import numpy as np
import pandas as pd

from ...core.errors import UsageError
from ...core.windows import Ints
from . import retail_months
from .business_days import DAY, Bools, Days
from .retail_months import MONTHS

# Months by their first or last business day, and half-months, as pandas names them.
BUSINESS = re.compile(rf"B(?P<unit>[MQY])(?P<side>[SE])(-(?P<month>{'|'.join(MONTHS)}))?")
HALVES = re.compile(r"SM(?P<side>[SE])(-(?P<day>\d{1,2}))?")
# Former aliases of pandas.
OLD = {"BM": "BME", "BQ": "BQE", "BA": "BYE", "BY": "BYE", "SM": "SME"}
UNITS = {"M": 1, "Q": 3, "Y": 12}
NAMES = {"M": "months", "Q": "quarters", "Y": "years"}
# A holiday moves the first or last business day of a month by so many days at most, and in this
# share of the months it is a weekday like others.
MOST_MOVED, LEAST_USUAL = 4 * DAY, 0.7
# In fewer rows such dates may be coincidence.
LEAST_ROWS = 6
# The days between half-months, and between steps of one, three and twelve months.
HALF, SPANS = (13, 18), {"M": (25, 37), "Q": (85, 98), "Y": (358, 372)}


def parse_listed(alias: str, times: pd.DatetimeIndex | None) -> tuple[str, int, int] | None:
    """Return the full alias of listed steps, the months in one, and its day; None for others.

    Args:
        alias: As given.
        times: Shape `(n,)`, ascending: retail months are learned from them; None without a table.

    Returns:
        No months for half-months and retail months; the day is 31 where the dates are the last of
        their steps.
    """
    alias = OLD.get(alias, alias)
    if found := BUSINESS.fullmatch(alias):
        side, unit = found["side"], found["unit"]
        if unit != "M" and not found["month"]:
            month = "DEC" if side == "E" else "JAN"
            if times is not None and len(times):
                month = MONTHS[times[0].month - 1]
            alias = f"{alias}-{month}"
        return alias, UNITS[unit], 31 if side == "E" else 1
    if found := HALVES.fullmatch(alias):
        day = int(found["day"] or 15)
        if not 2 <= day <= 27:
            raise UsageError(
                f'Invalid frequency "{alias}".',
                "The second half of a month begins on a day from 2 to 27: pass e.g. `freq=SMS-15`.",
            )
        return f"SM{found['side']}-{day}", 0, 31 if found["side"] == "E" else 1
    retail = retail_months.parse(alias, times)
    return (retail.alias, 0, 31 if retail.ends else 1) if retail else None


def is_listed(alias: str) -> bool:
    """Whether an alias is that of listed steps."""
    return any(each.fullmatch(alias) for each in (BUSINESS, HALVES, retail_months.ALIAS))


def steps_in_year(alias: str) -> int:
    """Return how many half-months or retail months a year has."""
    return 24 if HALVES.fullmatch(alias) else 12


def name_listed(alias: str) -> str:
    """Return listed steps in words.

    >>> name_listed("BME"), name_listed("SMS-15")
    ('months by last business day', 'half-months')
    """
    if found := BUSINESS.fullmatch(alias):
        which = "last" if found["side"] == "E" else "first"
        return f"{NAMES[found['unit']]} by {which} business day"
    return "half-months" if HALVES.fullmatch(alias) else retail_months.describe(alias)


def moved(alias: str, day: int, wall: pd.DatetimeIndex, count: Ints) -> pd.DatetimeIndex:
    """Move each time, shape `(n,)`, local time, by its own number of steps, shape `(n,)`."""
    days = wall.to_numpy().astype("datetime64[D]")
    longest = 400 if alias.startswith(("BQ", "BY")) else 45
    reach = longest * DAY * int(np.abs(count).max(initial=0) + 2)
    labels = _labels(alias, day, days.min() - reach, days.max() + reach)
    later = pd.DatetimeIndex(labels[_places(labels, days, day) + count]).as_unit("us")
    return later + (wall - wall.normalize())


def floored(alias: str, day: int, wall: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the date of the step that each time, shape `(n,)`, local time, is in.

    Raises:
        UsageError: The dates are last days, or business days: earlier days would be in no step.
    """
    if day == 31 or BUSINESS.fullmatch(alias):
        short = f"{alias[1]}S" if alias[0] == "B" else "SMS"
        raise UsageError(
            f"Invalid `resample={alias}`: steps are named by their first day, whichever it is.",
            f"Pass `resample={short}`.",
        )
    return moved(alias, day, wall.normalize(), np.zeros(len(wall), np.int64))


def between(alias: str, day: int, first: pd.DatetimeIndex, last: pd.DatetimeIndex) -> Ints:
    """Return the number of steps from each first time to its last, shapes `(n,)`, local time."""
    days = first.append(last).to_numpy().astype("datetime64[D]")
    places = positions(alias, day, pd.DatetimeIndex(days))
    return places[len(first) :] - places[: len(first)]


def positions(alias: str, day: int, wall: pd.DatetimeIndex) -> Ints:
    """Return the number of the step that each time, shape `(n,)`, local time, is in."""
    days = wall.to_numpy().astype("datetime64[D]")
    labels = _labels(alias, day, days.min() - 800 * DAY, days.max() + 800 * DAY)
    return _places(labels, days, day)


def _places(labels: Days, days: Days, day: int) -> Ints:
    """Return the place of each day, shape `(n,)`, among the dates of steps, shape `(steps,)`."""
    if day == 31:
        return np.searchsorted(labels, days)
    return np.searchsorted(labels, days, side="right") - 1


def _labels(alias: str, day: int, first: np.datetime64, last: np.datetime64) -> Days:
    """Return the dates of all steps from about the first day to about the last, ascending."""
    months = np.arange(first.astype("datetime64[M]"), last.astype("datetime64[M]") + 1)
    if found := BUSINESS.fullmatch(alias):
        anchor = MONTHS.index(found["month"]) if found["month"] else 0
        here = (months.astype(np.int64) - anchor) % UNITS[found["unit"]] == 0
        months = months[here]
        begins = (months if found["side"] == "S" else months + 1).astype("datetime64[D]")
        days: Days = np.busday_offset(begins, 0 if found["side"] == "S" else -1, roll="forward")
        return days
    if found := HALVES.fullmatch(alias):
        begins, ends = (each.astype("datetime64[D]") for each in (months, months + 1))
        other = ends - DAY if found["side"] == "E" else begins
        middle = begins + (int(found["day"]) - 1) * DAY
        return np.sort(np.concatenate([other, middle]))
    return retail_months.labels(alias, first, last, ends=day == 31)


def infer_listed(wall: pd.DatetimeIndex, *, gaps: bool = False) -> str | None:
    """Return the alias of the listed steps that times are; None where they are others.

    The times, `(n,)`, are ascending, in local time; with `gaps` some steps may have no row.
    """
    clock = wall - wall.normalize()
    if len(wall) < LEAST_ROWS or (clock != clock[0]).any():
        return None
    usual = float(np.median(np.diff(wall.to_numpy()) / DAY))
    if HALF[0] <= usual <= HALF[1]:
        candidates = _halves(wall)
    elif retail_months.has_whole_weeks(wall, gaps=gaps):
        found = retail_months.infer(wall, gaps=gaps)
        return found.alias if found else None
    else:
        unit = next((unit for unit, (low, high) in SPANS.items() if low <= usual <= high), None)
        if unit is None or (wall.day_of_week >= 5).any():
            return None
        month = "" if unit == "M" else f"-{MONTHS[wall[0].month - 1]}"
        candidates = [f"B{unit}{side}{month}" for side in "ES"]
    return next((alias for alias in candidates if _holds(alias, wall, gaps=gaps)), None)


def _halves(wall: pd.DatetimeIndex) -> list[str]:
    """Return the half-months that times, shape `(n,)`, may be."""
    ends = wall.is_month_end
    within = sorted(set(wall.day[~ends]))
    if len(within) == 1 and 2 <= within[0] <= 27:
        return [f"SME-{within[0]}"]
    days = sorted(set(wall.day))
    return [f"SMS-{days[1]}"] if len(days) == 2 and days[0] == 1 and 2 <= days[1] <= 27 else []


def _holds(alias: str, wall: pd.DatetimeIndex, *, gaps: bool) -> bool:
    """Whether times, shape `(n,)`, are those of listed steps, nearly; each of another step."""
    day = 31 if alias[2] == "E" else 1
    steps = np.diff(positions(alias, day, wall))
    if (steps != 1).any() and not (gaps and (steps > 0).all()):
        return False
    exact = moved(alias, day, wall, np.zeros(len(wall), np.int64))
    same = np.asarray(exact == wall)
    if not BUSINESS.fullmatch(alias):
        return bool(same.all())
    return bool(_near(exact, wall).all() and same.mean() >= LEAST_USUAL)


def _near(exact: pd.DatetimeIndex, wall: pd.DatetimeIndex) -> Bools:
    """Return which times, shape `(n,)`, a holiday may have moved from the exact ones, `(n,)`."""
    return np.asarray(np.abs(exact.to_numpy() - wall.to_numpy()) <= MOST_MOVED)


def snapped(alias: str, day: int, wall: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the times that holidays moved as those of their steps, others as they are, `(n,)`."""
    if not BUSINESS.fullmatch(alias):
        return wall
    exact = moved(alias, day, wall, np.zeros(len(wall), np.int64))
    return exact.where(_near(exact, wall), wall)
