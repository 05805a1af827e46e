"""Where the ticks of an axis are, and what stands at them."""

import math

import pandas as pd

from ...core.windows import Floats
from .description import Axes, Position

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
