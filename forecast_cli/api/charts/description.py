"""What a chart shows, as plain data that a terminal, an image and a page can draw."""

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


@dataclass(frozen=True)
class Chart:
    """A chart.

    Args:
        kind: Which one; a name of `KINDS`.
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
