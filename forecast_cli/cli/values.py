"""How the text of an option becomes a value."""

from collections.abc import Callable
from typing import Any

import typer


def number(text: str) -> float | int | str:
    """A size as typed: a whole number of steps, a fraction, or a date.

    >>> number("12"), number("0.2"), number("2024-01-01")
    (12, 0.2, '2024-01-01')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def whole_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers between commas.

    >>> whole_numbers("64,32")
    (64, 32)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not like 64 or 64,32.') from None


def levels(text: str) -> tuple[float, ...]:
    """Percents between commas.

    >>> levels("80,95")
    (80.0, 95.0)
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not like 80 or 80,95.') from None


def seconds(text: str) -> float:
    """A time as typed, in seconds.

    >>> seconds("90"), seconds("5m"), seconds("1.5h")
    (90.0, 300.0, 5400.0)
    """
    number, unit = text.rstrip("smh"), text[len(text.rstrip("smh")) :]
    try:
        return float(number) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    except (ValueError, KeyError):
        raise typer.BadParameter(f'"{text}" is not like 90s, 5m or 1h.') from None


# By the kind of a setting.
PARSERS: dict[str, Callable[[str], Any]] = {
    "ints": whole_numbers,
    "levels": levels,
    "size": number,
    "seconds": seconds,
}
