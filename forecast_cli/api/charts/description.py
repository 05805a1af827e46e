"""What a chart shows, as plain data that a terminal, an image and a page can draw; its ticks."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ...core.windows import Floats

# Where something is along the x axis: a time as ISO 8601 in local time, a number, or a name.
Position = str | float
Positions = tuple[Position, ...]
# None where a value is missing: a line has a gap there.
Values = tuple[float | None, ...]
Kind = Literal["time", "number", "name"]
# What a line is of, by which it is drawn: history, a forecast, another of several, or a reference
# such as the coverage that intervals should have.
Role = Literal["actual", "forecast", "other", "reference"]
# Longer lines are thinned to so many points, extremes kept: no screen shows more.
MOST_POINTS = 2000
# Steps between ticks, about how many seconds they are, and the format of their labels.
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
STEPS = (
    *((f"{n}min", n * MINUTE, "%H:%M") for n in (1, 5, 15, 30)),
    *((f"{n}h", n * HOUR, "%m-%d %H:%M") for n in (1, 3, 6, 12)),
    *((f"{n}D", n * DAY, "%Y-%m-%d") for n in (1, 2)),
    *((f"{n}W-MON", n * 7 * DAY, "%Y-%m-%d") for n in (1, 2, 4)),
    *((f"{n}MS", n * 30.4 * DAY, "%Y-%m") for n in (1, 2, 3, 6)),
    *((f"{n}YS", n * 365.25 * DAY, "%Y") for n in (1, 2, 5, 10, 20, 50, 100)),
)
Ticks = list[tuple[float, str]]


@dataclass(frozen=True)
class Line:
    """A line, with gaps where values are missing; `number` tells lines of one role apart."""

    name: str
    x: Positions
    y: Values
    role: Role = "actual"
    number: int = 0


@dataclass(frozen=True)
class Band:
    """A prediction interval at each position; `level` in percent."""

    name: str
    x: Positions
    lower: Values
    upper: Values
    level: float


@dataclass(frozen=True)
class Span:
    """A range of the x axis with a name, such as a split."""

    name: str
    begin: Position
    end: Position


@dataclass(frozen=True)
class Points:
    """Single points, such as values that were filled."""

    name: str
    x: Positions
    y: Values


@dataclass(frozen=True)
class Bars:
    """A bar from 0 at each position."""

    name: str
    x: Positions
    heights: Values


@dataclass(frozen=True)
class Axes:
    """One pair of axes with what is drawn on them.

    Args:
        title: Above them.
        x_label: What the x axis shows.
        y_label: What the y axis shows, with its unit.
        kind: Whether positions are times, numbers or names.
        row: Axes of the same row are beside each other.
    """

    title: str
    x_label: str
    y_label: str
    kind: Kind = "number"
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    spans: tuple[Span, ...] = ()
    points: tuple[Points, ...] = ()
    bars: tuple[Bars, ...] = ()
    row: int = 0

    @property
    def drawn_along(self) -> list[Positions]:
        """The positions of all that is drawn, but for spans."""
        drawn: list[Line | Band | Points | Bars]
        drawn = [*self.lines, *self.bands, *self.points, *self.bars]
        return [each.x for each in drawn]


def bar_axes(title: str, unit: str, names: Positions, heights: Values, row: int = 0) -> Axes:
    """Return axes with a bar for each of some names."""
    return Axes(title, "", unit, "name", bars=(Bars(unit, names, heights),), row=row)


@dataclass(frozen=True)
class Chart:
    """A chart.

    Args:
        kind: Which one; a name of `CHARTS`.
        title: Above all axes.
        text: What it shows, in one sentence, for those who cannot see it.
        axes: At least one.
    """

    kind: str
    title: str
    text: str
    axes: tuple[Axes, ...]

    def document(self) -> dict[str, Any]:
        """Return the chart as data of a JSON document."""
        return asdict(self)


def positions(times: pd.DatetimeIndex | Floats | Sequence[float]) -> Positions:
    """Return times, as ISO 8601 in local time, or numbers, shape `(n,)`, as positions.

    >>> positions(pd.DatetimeIndex(["2024-01-01", "2024-01-01 06:00"]))
    ('2024-01-01T00:00:00', '2024-01-01T06:00:00')
    """
    if isinstance(times, pd.DatetimeIndex):
        return tuple(map(str, np.datetime_as_string(times.tz_localize(None).to_numpy(), unit="s")))
    return tuple(np.asarray(times, float).tolist())


def values(numbers: Floats | Sequence[float]) -> Values:
    """Return numbers, shape `(n,)`, as values: None where they are not finite.

    >>> values([1.0, float("nan")])
    (1.0, None)
    """
    return tuple(
        each if np.isfinite(each) else None for each in np.asarray(numbers, float).tolist()
    )


def thinned(numbers: Floats, most: int = MOST_POINTS) -> list[int]:
    """Return which of many numbers, shape `(n,)`, a line needs: the extremes of each part of it.

    >>> thinned(np.array([0.0, 1, 0, 0, 0, -1, 0, 0]), most=4)
    [0, 1, 4, 5]
    """
    if len(numbers) <= most:
        return list(range(len(numbers)))
    kept: set[int] = set()
    for part in np.array_split(np.arange(len(numbers)), max(most // 2, 1)):
        known = part[np.isfinite(numbers[part])]
        # A part without values stays a gap.
        own = known if len(known) else part
        kept |= {int(own[np.argmin(numbers[own])]), int(own[np.argmax(numbers[own])])}
    return sorted(kept)


def places(axes: Axes, x: tuple[Position, ...]) -> list[float]:
    """Return positions as numbers: seconds of times, and the places of names from 1."""
    if axes.kind == "time":
        return seconds(pd.DatetimeIndex(x)).tolist() if x else []
    if axes.kind == "name":
        order = {name: place for place, name in enumerate(names(axes), start=1)}
        return [float(order[str(each)]) for each in x]
    return [float(each) for each in x]


def names(axes: Axes) -> list[str]:
    """Return the names along the x axis, in order."""
    return list(dict.fromkeys(str(each) for x in axes.drawn_along for each in x))


def seconds(times: pd.DatetimeIndex) -> Floats:
    """Return times as seconds since 1970, shape `(n,)`."""
    found: Floats = times.as_unit("us").asi8 / 1e6
    return found


def date_ticks(first: float, last: float, most: int) -> Ticks:
    """Return at most so many ticks between two times, in seconds since 1970.

    >>> begin, end = seconds(pd.DatetimeIndex(["2024-01-10", "2024-06-20"]))
    >>> [label for _, label in date_ticks(begin, end, 3)]
    ['2024-03', '2024-05']
    """
    begin, end = (pd.Timestamp(each, unit="s") for each in (first, last))
    for alias, step, form in STEPS:
        if (last - first) / step > most + 1:
            continue
        found = pd.date_range(begin.normalize(), end, freq=alias)
        if alias[-2:] in ("MS", "YS"):
            # Months and years that can be divided by the step, wherever the axis begins.
            found = pd.date_range(begin.normalize(), end, freq=alias.lstrip("0123456789"))
            count = int(alias[:-2])
            units = found.month - 1 if alias.endswith("MS") else found.year
            found = found[units % count == 0]
        found = found[found >= begin]
        if len(found) <= most:
            return [
                (float(s), t.strftime(form)) for s, t in zip(seconds(found), found, strict=True)
            ]
    return []


def number_ticks(low: float, high: float, most: int, *, whole: bool = False) -> Ticks:
    """Return about so many ticks between two numbers, at round ones; `whole` for no fractions.

    >>> number_ticks(3.0, 97.0, 5)
    [(20.0, '20'), (40.0, '40'), (60.0, '60'), (80.0, '80')]
    """
    if not high > low:
        return [(low, f"{low:g}")]
    rough = max((high - low) / max(most, 1), 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [n * power for n in (1.0, 2.0, 2.5, 5.0, 10.0)]
    step = next(n for n in steps if n >= rough * (1 - 1e-9) and not (whole and n != round(n)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(n * step, _number(n * step)) for n in range(first, last + 1)]


def _number(value: float) -> str:
    """Return a number in few characters.

    >>> _number(1250000.0), _number(0.30000000000000004), _number(-20.0)
    ('1.25M', '0.3', '-20')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.4g}{letter}"
    return f"{value:.6g}"
