"""The space of a search: the settings that are searched, and the values of each."""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..config.resolution import read_toml
from ..config.searchable import check_name, check_value, classify_setting
from ..core.errors import UsageError, nearest

# Keys of a table in the file; `when` goes with either.
CHOICES, WHEN = "choices", "when"
RANGE = ("low", "high", "step", "log")
# The value of a setting that is left to the preset.
BY_PRESET = "by preset"


@dataclass(frozen=True)
class Choices:
    """Values without an order."""

    values: tuple[Any, ...]

    def text(self) -> str:
        """Return the values as TOML."""
        return as_toml(list(self.values))


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both of them included.

    Args:
        low: The smallest.
        high: The largest.
        step: From one number to the next; None: any number between.
        log: Whether numbers are drawn uniformly on a logarithmic scale.
        whole: Whether they are whole numbers.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    @property
    def values(self) -> tuple[float, ...] | None:
        """The numbers, where they can be counted."""
        if self.step is None and (self.log or not self.whole):
            return None
        step = self.step or 1
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        return tuple(self.low + step * each for each in range(count))

    def text(self) -> str:
        """Return the range as TOML."""
        parts = {"low": self.low, "high": self.high, "step": self.step, "log": self.log or None}
        return as_toml({name: each for name, each in parts.items() if each is not None})


@dataclass(frozen=True)
class Setting:
    """One setting that is searched.

    Args:
        name: Its flat name.
        domain: Its values.
        when: The condition for it to be searched: values of other settings, by name.
        why: A comment where the space is printed.
    """

    name: str
    domain: Choices | Range
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Space:
    """What is searched.

    Args:
        settings: In the order in which they are chosen.
        source: Its name in messages.
    """

    settings: tuple[Setting, ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that are searched."""
        return tuple(each.name for each in self.settings)

    def variations(self) -> list[dict[str, Any]]:
        """Return the values that differ in one setting from what is trained without a search.

        The first other value of each setting comes before the second of any. Empty where a setting
        cannot be left to the preset.
        """
        values = {each.name: each.domain.values or () for each in self.settings if not each.when}
        base = {
            name: BY_PRESET if BY_PRESET in some else some[0]
            for name, some in values.items()
            if BY_PRESET in some or name == "preset"
        }
        if len(base) < len(self.settings):
            return []
        others = [[(name, each) for each in values[name] if each != base[name]] for name in base]
        rounds = zip_longest(*others)
        return [base | dict([each]) for some in rounds for each in some if each is not None]

    def without(self, names: Collection[str]) -> "Space":
        """Return the space without fixed settings.

        Raises:
            UsageError: Nothing is left.
        """
        left = tuple(each for each in self.settings if each.name not in names)
        if not left:
            raise UsageError(
                f"{self.source}: nothing is left to search; {', '.join(self.names)} are given.",
                "Leave some of these settings open.",
            )
        return replace(self, settings=left)

    def lines(self) -> list[str]:
        """Return the space as the lines of a TOML file."""
        return [
            f"{each.name} = {_with_condition(each)}" + (f"  # {each.why}" if each.why else "")
            for each in self.settings
        ]

    def grid(self) -> dict[str, tuple[Any, ...]]:
        """Return the values of each setting, to try all combinations of them.

        Raises:
            UsageError: Some cannot be counted, or are tried only together with others.
        """
        for each in self.settings:
            if each.when or each.domain.values is None:
                why = "depends on other settings" if each.when else "has no step"
                raise UsageError(
                    f"{self.source}: {each.name} {why}, so that there is no grid.",
                    f"Give {each.name} a list of values, or pass `sampler=tpe`.",
                )
        return {each.name: each.domain.values or () for each in self.settings}


def _with_condition(setting: Setting) -> str:
    if not setting.when:
        return setting.domain.text()
    when = f"when = {as_toml({name: list(each) for name, each in setting.when.items()})}"
    if isinstance(setting.domain, Range):
        return f"{setting.domain.text()[:-1]}, {when}}}"
    return f"{{{CHOICES} = {setting.domain.text()}, {when}}}"


def as_toml(value: Any) -> str:
    """Return a value as TOML on one line.

    >>> as_toml({"low": 0.0001, "log": True}), as_toml(("a", 1)), as_toml(None)
    ('{low = 0.0001, log = true}', '["a", 1]', '"none"')
    """
    if value is None:
        return '"none"'
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {as_toml(each)}' for name, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


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
