"""Values that Python code passes, checked as those of the command line are."""

import os
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, Self

from .errors import UsageError, nearest

# By the kind of a value: what it must be.
EXPECTED = {
    "str": "text",
    "choice": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "names": "text, or several in a list",
    "ints": "a whole number, or several in a list",
    "levels": "a number in percent, or several in a list",
    "size": "a number or a date",
    "seconds": "a number of seconds",
    "time": "a date",
    "path": "a path",
    "function": "a function",
}
SEVERAL = {"names": "str", "ints": "int", "levels": "float"}
NUMBERS = ("int", "float", "seconds")
WIDEST = 60


def checked(
    name: str, value: Any, kind: str, *, least: int | None = None, choices: Iterable[str] = ()
) -> Any:
    """Return an argument as the library takes it: NumPy's scalars as Python's, several as a tuple.

    Args:
        name: The argument, for the message.
        value: Its value; None is not checked.
        kind: One of `EXPECTED`.
        least: The least number.
        choices: The only values, where there are only some.

    Raises:
        UsageError: The value is not of its kind.

    >>> checked("level", 80, "levels"), checked("units", [64, 32], "ints")
    ((80,), (64, 32))
    """
    value = _plain(value)
    if value is None:
        return None
    if kind in SEVERAL:
        items = value if isinstance(value, list | tuple) else (value,)
        parts = [_one(_plain(each), SEVERAL[kind]) for each in items]
        valid = all(part is not None for part in parts)
        value = tuple(parts) if valid else value
    else:
        found = _one(value, kind)
        valid, value = found is not None, value if found is None else found
    if not valid:
        raise UsageError(
            f"Invalid `{name}` {shown(value)}: must be {EXPECTED[kind]}.", _hint(name, value, kind)
        )
    if choices and value not in (valid_ones := list(choices)):
        raise UsageError(f'Unknown `{name}` "{value}".', nearest(value, valid_ones))
    numbers = value if isinstance(value, tuple) else (value,)
    if least is not None and any(each < least for each in numbers):
        raise UsageError(f"Invalid `{name}` {shown(value)}: must be at least {least}.")
    return value


class Options:
    """A dataclass of options that checks its fields in `__post_init__`."""

    def __new__(cls, *args: Any, **given: Any) -> Self:
        names = list(cls.__dataclass_fields__)  # type: ignore[attr-defined]
        refuse_unknown(given, names)
        if len(args) > len(names) or {*names[: len(args)]} & {*given}:
            raise UsageError(f"{cls.__name__}: an option is given twice, or there are too many.")
        return super().__new__(cls)

    def check(self, kind: str, *names: str, default: Any = None, **rule: Any) -> None:
        """Check fields, see `checked`; None stands for the default."""
        for name in names:
            found = checked(name, getattr(self, name), kind, **rule)
            object.__setattr__(self, name, default if found is None else found)


def require(name: str, value: Any, types: type | tuple[type, ...], expected: str) -> None:
    """Refuse an argument that is None or of none of the types.

    Raises:
        UsageError: It is neither.
    """
    if value is not None and not isinstance(value, types):
        raise UsageError(f"Invalid `{name}` {shown(value)}: must be {expected}.")


def refuse_unknown(given: Iterable[str], valid: Sequence[str], what: str = "option") -> None:
    """Refuse the first name that is not valid, and name the nearest one.

    Raises:
        UsageError: There is one.
    """
    for name in given:
        if name not in valid:
            raise UsageError(f'There is no {what} "{name}".', nearest(name, valid))


def shown(value: Any) -> str:
    """Return a value as a message shows it, in one short line.

    >>> shown("3"), shown(object())
    ("'3'", '(of type object)')
    """
    if isinstance(value, str | bytes | int | float | list | tuple | dict | set | PurePath | None):
        text = " ".join(repr(value).split())
        if len(text) <= WIDEST:
            return text
    return f"(of type {type(value).__name__})"


def _plain(value: Any) -> Any:
    """Return NumPy's scalars as Python's, arrays and an index as a list, times as text."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return str(value) if type(value).__name__ in ("str_", "datetime64") else value.item()
    if getattr(value, "ndim", None) == 1 and hasattr(value, "tolist"):
        return value.tolist()
    return value


def _one(value: Any, kind: str) -> Any:
    """Return a value of a kind; None where it is not of that kind."""
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if kind == "function":
        return value if callable(value) else None
    if kind == "path":
        return value if isinstance(value, str | os.PathLike) else None
    number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if kind == "int":
        return int(value) if number and abs(value) < float("inf") and value == int(value) else None
    if kind in NUMBERS or (kind == "size" and number):
        return value if number else None
    return value if isinstance(value, str) else None


def _hint(name: str, value: Any, kind: str) -> str:
    """Return how a number is passed that was given as text, and the other way round."""
    if isinstance(value, str) and kind not in ("bool", "function"):
        try:
            number = float(value)
        except ValueError:
            return ""
        return f"Pass `{name}={number:g}`, without quotation marks." if number == number else ""
    if kind in ("str", "names", "choice") and type(value) in (int, float):
        return f'Pass it as text: "{value}".'
    return ""
