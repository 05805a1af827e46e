"""Read a space from a file, each name and value checked."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..config.resolution import read_toml
from ..config.searchable import check_name, check_value, classify_setting
from ..core.errors import UsageError, nearest
from .space import BY_PRESET, CHOICES, RANGE, WHEN, Choices, Range, Setting, Space, as_toml


def read_space(source: str | Path | Mapping[str, Any]) -> Space:
    """Read a space.

    Args:
        source: A TOML file, or its content.

    Raises:
        UsageError: It is not TOML, or a setting or a value in it is invalid; the message names it.
    """
    mapping = isinstance(source, Mapping)
    name = "the space" if mapping else str(source)
    content = source if isinstance(source, Mapping) else read_toml(Path(source))
    if not content:
        raise UsageError(f"{name} names no setting.", "`show_space` prints one to start from.")
    settings = []
    for key, value in content.items():
        try:
            settings.append(_setting(key, value))
        except UsageError as error:
            raise UsageError(f"{name}: {key}: {error.message}", error.hint) from None
    _check_order(name, settings)
    return Space(tuple(settings), name)


def _setting(name: str, value: Any) -> Setting:
    """Return the setting of an entry of a space."""
    check_name(name)
    if isinstance(value, list | tuple):
        return Setting(name, _choices(name, value))
    if not isinstance(value, Mapping):
        raise UsageError(
            f"{value!r} is one value, and nothing to choose from.",
            "Give a list of values, or {low = ..., high = ...}; fix one value as a setting.",
        )
    for key in value:
        if key not in (CHOICES, WHEN, *RANGE):
            raise UsageError(f'unknown key "{key}".', nearest(key, (*RANGE, CHOICES, WHEN)))
    domain = _choices(name, value[CHOICES]) if CHOICES in value else _range(name, value)
    return Setting(name, domain, _conditions(value.get(WHEN, {})))


def _choices(name: str, values: Any) -> Choices:
    if not isinstance(values, list | tuple) or not values:
        raise UsageError(f"{values!r} is not a list of values.", "Give at least one value.")
    checked = tuple(each if each == BY_PRESET else check_value(name, each) for each in values)
    for at, each in enumerate(checked):
        if each in checked[:at]:
            raise UsageError(f"{as_toml(each)} is given twice.", "Give each value once.")
    return Choices(checked)


def _range(name: str, value: Mapping[str, Any]) -> Range:
    kind = classify_setting(name)
    if kind == "word":
        raise UsageError("its values have no order.", 'Give a list of them: ["a", "b"].')
    numbers = {key: value[key] for key in RANGE[:3] if key in value}
    for key, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(f"{key} = {number!r} is not a number.")
        if kind == "whole" and number != int(number):
            raise UsageError(f"{key} = {number!r} must be a whole number.")
    if "low" not in numbers or "high" not in numbers:
        raise UsageError("a range needs low and high.", "Give {low = ..., high = ...}.")
    low, high, step = (numbers.get(key) for key in RANGE[:3])
    log = value.get("log", False)
    if not isinstance(log, bool):
        raise UsageError(f"invalid log = {log!r}: must be true or false.")
    if not numbers["low"] < numbers["high"]:
        raise UsageError(f"low = {low} must be below high = {high}.")
    if step is not None and (log or step <= 0):
        why = "cannot be combined with log" if log else "must be above 0"
        raise UsageError(f"step = {step} {why}.")
    if log and numbers["low"] <= 0:
        raise UsageError(f"low = {low} has no logarithm.", "Give a low above 0, or leave log out.")
    for key in ("low", "high"):
        check_value(name, numbers[key])
    make = int if kind == "whole" else float
    ends = make(numbers["low"]), make(numbers["high"])
    return Range(*ends, None if step is None else make(step), log, kind == "whole")


def _conditions(value: Any) -> dict[str, tuple[Any, ...]]:
    """Return the values that other settings must have, by name."""
    if not isinstance(value, Mapping):
        raise UsageError(f"invalid when = {value!r}.", 'Give when = {head = "segments"}.')
    conditions = {}
    for name, values in value.items():
        check_name(name)
        several = values if isinstance(values, list) else [values]
        conditions[name] = tuple(check_value(name, each) for each in several)
    return conditions


def _check_order(source: str, settings: Iterable[Setting]) -> None:
    """Refuse conditions on settings that are not chosen before."""
    before: list[str] = []
    for each in settings:
        for name in each.when:
            if name not in before:
                raise UsageError(
                    f"{source}: {each.name} depends on {name}, which is not searched before it.",
                    f"Write {name} above {each.name}, or leave the condition out.",
                )
        before.append(each.name)
