"""The columns of a table that hold the ends of intervals: `Close_lo80`, `Close_hi80`."""

import re
from collections.abc import Mapping, Sequence

from ...core.errors import DataError
from ...data.io.opening import Opened

BOUND = re.compile(r"(?P<name>.+)_(?P<side>lo|hi)(?P<level>\d+(?:\.\d+)?)")


def bound_name(column: str, side: str, level: float) -> str:
    """Return the name of the column that holds an end of an interval.

    >>> bound_name("Close", "lo", 80.0)
    'Close_lo80'
    """
    return f"{column}_{side}{level:g}"


def bounded(names: Sequence[str]) -> set[str]:
    """Return the columns that have intervals."""
    return {found["name"] for name in names if (found := BOUND.fullmatch(name))}


def without_bounds(names: Sequence[str]) -> list[str]:
    """Return the columns that are not an end of an interval of another."""
    return [
        name for name in names
        if not ((found := BOUND.fullmatch(name)) and found["name"] in names)
    ]  # fmt: skip


def find_levels(
    given: Opened, forecasters: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[float, ...]]:
    """Return the levels of the intervals of each forecaster, in percent, ascending.

    Raises:
        DataError: An interval has one end, a level is invalid, or the columns of one forecaster
            have different levels.
    """
    columns = {each for own in forecasters.values() for each in own}
    found: dict[str, set[float]] = {}
    for name in given.names:
        bound = BOUND.fullmatch(name)
        if not bound or bound["name"] not in columns:
            continue
        column, side, level = bound["name"], bound["side"], float(bound["level"])
        if not 0 < level < 100 or bound_name(column, side, level) != name:
            raise DataError(
                f'{given.name}: column "{name}" has no valid level.',
                f"A level is a percentage between 0 and 100, as in {column}_lo80.",
            )
        other = bound_name(column, "hi" if side == "lo" else "lo", level)
        if other not in given.names:
            raise DataError(
                f"{given.name} has {name} and no {other}: an interval has two ends.",
                "Add that column, or remove both.",
            )
        found.setdefault(column, set()).add(level)
    levels = {
        name: [tuple(sorted(found.get(each, ()))) for each in own]
        for name, own in forecasters.items()
    }
    for name, sets in levels.items():
        if len(set(sets)) > 1:
            names = ", ".join(dict.fromkeys(forecasters[name]))
            raise DataError(
                f"{given.name} has intervals at different levels for {names}.",
                "Give each column the same levels, or score one of them: `column=NAME`.",
            )
    return {name: sets[0] for name, sets in levels.items()}
