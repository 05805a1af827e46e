"""The space of a search: the settings that are searched, and the values of each."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from ..core.errors import UsageError

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
