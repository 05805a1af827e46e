"""The space of a search: which settings are tried, and which values of each."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.errors import UsageError

# What a table of the file may say; `when` beside either.
CHOICES, WHEN = "choices", "when"
RANGE = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Choices:
    """Some values, in no order."""

    values: tuple[Any, ...]

    def text(self) -> str:
        """As TOML has it."""
        return as_toml(list(self.values))


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both of them included.

    Args:
        low: The least.
        high: The largest.
        step: From one to the next; None: any number between.
        log: Whether the numbers are drawn by their size, as 0.001, 0.01 and 0.1.
        whole: Whether they are whole.
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
        """As TOML has it."""
        parts = {"low": self.low, "high": self.high, "step": self.step, "log": self.log or None}
        return as_toml({name: each for name, each in parts.items() if each is not None})


@dataclass(frozen=True)
class Setting:
    """One setting that is searched.

    Args:
        name: As its flag has it.
        domain: Its values.
        when: What others must be for it to be tried: the values of each by its name.
        why: What is to be said of it where the space is printed.
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
        source: What messages call it.
    """

    settings: tuple[Setting, ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that are searched."""
        return tuple(each.name for each in self.settings)

    def without(self, names: Collection[str]) -> "Space":
        """The space without what is fixed.

        Raises:
            UsageError: Nothing is left.
        """
        left = tuple(each for each in self.settings if each.name not in names)
        if not left:
            raise UsageError(
                f"{self.source}: nothing is left to search; {', '.join(self.names)} are given.",
                "Leave out some of those flags.",
            )
        return replace(self, settings=left)

    def lines(self) -> list[str]:
        """The space as the lines of a TOML file."""
        return [
            f"{each.name} = {_with_condition(each)}" + (f"  # {each.why}" if each.why else "")
            for each in self.settings
        ]

    def grid(self) -> dict[str, tuple[Any, ...]]:
        """The values of each setting, to try all combinations of them.

        Raises:
            UsageError: Some cannot be counted, or are tried only together with others.
        """
        for each in self.settings:
            if each.when or each.domain.values is None:
                why = "is only tried with others" if each.when else "has no step"
                raise UsageError(
                    f"{self.source}: {each.name} {why}, so that there is no grid.",
                    f"Give {each.name} a list of values, or pass --sampler tpe.",
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
    """A value as TOML writes it on one line.

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
