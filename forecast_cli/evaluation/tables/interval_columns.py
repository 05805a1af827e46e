"""The columns of a table that are the ends of intervals: `Close_lo80`, `Close_hi80`."""

import re
from collections.abc import Mapping, Sequence

from ...core.errors import DataError
from ...data.io.opening import Opened

BOUND = re.compile(r"(?P<name>.+)_(?P<side>lo|hi)(?P<level>\d+(?:\.\d+)?)")


def bound_name(column: str, side: str, level: float) -> str:
    """What the end of an interval is called.

    >>> bound_name("Close", "lo", 80.0)
    'Close_lo80'
    """
    return f"{column}_{side}{level:g}"


def bounded(names: Sequence[str]) -> set[str]:
    """The columns that have intervals."""
    return {found["name"] for name in names if (found := BOUND.fullmatch(name))}


def without_bounds(names: Sequence[str]) -> list[str]:
    """The columns that are no ends of intervals of another."""
    own = {name: BOUND.fullmatch(name) for name in names}
    return [name for name, found in own.items() if not (found and found["name"] in names)]


def find_levels(
    given: Opened, forecasters: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[float, ...]]:
    """The levels of the intervals of each forecaster.

    Raises:
        DataError: An interval has one end, a level is none, or one column has not those of others.
    """
    found: dict[str, dict[float, set[str]]] = {}
    for name in given.names:
        if (bound := BOUND.fullmatch(name)) and bound["name"] in sum(forecasters.values(), ()):
            level = float(bound["level"])
            if not 0 < level < 100 or bound_name(bound["name"], bound["side"], level) != name:
                raise DataError(
                    f'{given.name}: column "{name}" names no level.',
                    f"Percents between 0 and 100 were expected, as in {bound['name']}_lo80.",
                )
            found.setdefault(bound["name"], {}).setdefault(level, set()).add(bound["side"])
    for column, levels in found.items():
        for level, sides in levels.items():
            if len(sides) == 1:
                has = sides.pop()
                other = bound_name(column, "hi" if has == "lo" else "lo", level)
                raise DataError(
                    f"{given.name} has {bound_name(column, has, level)} and no {other}: an "
                    "interval has two ends.",
                    "Add that column, or leave both out.",
                )
    own = {name: [tuple(sorted(found.get(each, ()))) for each in columns]
           for name, columns in forecasters.items()}  # fmt: skip
    for name, sets in own.items():
        if len(set(sets)) > 1:
            columns = ", ".join(dict.fromkeys(forecasters[name]))
            raise DataError(
                f"{given.name} has intervals of other levels for some of {columns}.",
                "Give each column the same, or score one of them: --column NAME.",
            )
    return {name: each[0] for name, each in own.items()}
