"""The arguments of the public functions, checked before anything is read or trained."""

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from ..config.registries import INTERVAL_METHODS
from ..config.settings import SETTINGS
from ..core.arguments import checked, refuse_unknown
from ..core.errors import UsageError
from ..core.events import ignore

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])


class Rule(NamedTuple):
    """What an argument must be; see `checked`, which takes the same."""

    kind: str
    least: int | None = None
    choices: tuple[str, ...] = ()


# By the name of an argument, in whichever function it is.
RULES = {
    "horizon": Rule("int", 1),
    "start": Rule("time"),
    "level": Rule("levels"),
    "only": Rule("names"),
    "kind": Rule("str"),
    "last": Rule("int", 1),
    "what_if": Rule("names"),
    "forecast": Rule("names"),
    "cells": Rule("names"),
    "intervals": Rule("choice", None, tuple(INTERVAL_METHODS)),
    "samples": Rule("int", 1),
    "anomalies": Rule("bool"),
    "false_alarm_rate": Rule("float"),
    "seed": Rule("int", 0),
    "owa": Rule("bool"),
    "rescale": Rule("bool"),
    "resume": Rule("bool"),
    "progress": Rule("bool"),
    "on_event": Rule("function"),
    "should_stop": Rule("function"),
    "path": Rule("path"),
    "state": Rule("path"),
    **{n: Rule(each.kind, each.least, each.choices) for n, each in SETTINGS.items() if each.reread},
}
# What None stands for; elsewhere it is a value.
DEFAULTS: dict[str, Any] = {"level": (), "only": (), "what_if": (), "forecast": (), "cells": ()}
DEFAULTS |= {
    "owa": False,
    "anomalies": False,
    "rescale": False,
    "resume": False,
    "seed": 0,
    "on_event": ignore,
    "should_stop": bool,
}


def check_arguments(**rules: Rule) -> Callable[[F], F]:
    """Make a function check its arguments by their names.

    Args:
        **rules: Those that differ from `RULES`.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        own = RULES | rules

        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            _refuse_unknown(signature, given)
            try:
                signature.bind(*args, **given)
            except TypeError as error:
                hint = "Pass settings by their names, e.g. `column=sales`."
                text = f"{function.__name__}: {error}."
                raise UsageError(text, hint if "too many" in text else "") from None
            named = zip(signature.parameters, args, strict=False)
            args = tuple(_check(name, value, own.get(name)) for name, value in named)
            given = {name: _check(name, value, own.get(name)) for name, value in given.items()}
            return function(*args, **given)

        return cast(F, call)

    return decorate


def _check(name: str, value: Any, rule: Rule | None) -> Any:
    """Return an argument as the function takes it."""
    if rule is None:
        return value
    if value is None and name == "path":
        raise UsageError("Invalid `path` None: must be a path.")
    if value is None:
        return DEFAULTS.get(name)
    return checked(name, value, rule.kind, least=rule.least, choices=rule.choices)


def _refuse_unknown(signature: inspect.Signature, given: dict[str, Any]) -> None:
    """Refuse an unknown name where the signature lists all names, and not only settings."""
    valid = [name for name in signature.parameters if name != "self"]
    last = signature.parameters[valid[-1]] if valid else None
    if last is not None and last.kind is inspect.Parameter.VAR_KEYWORD:
        listed = getattr(last.annotation, "__args__", None)
        # `configure` knows the settings, and their former names.
        if listed is None or "epochs" in listed[0].__annotations__:
            return
        valid = [*valid[:-1], *listed[0].__annotations__]
    # `begin` is an old name of `start`.
    refuse_unknown([name for name in given if name != "begin" or "start" not in valid], valid)


def as_reading(options: Any) -> dict[str, Any]:
    """Return how a table is read, with a single marker of missing values as one of several."""
    given = {name: each for name, each in options.items() if name != "na" or each is not None}
    return {**given, "na": as_tuple(given["na"])} if "na" in given else given


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return one name or number, or several, as a tuple.

    >>> as_tuple("a"), as_tuple(80), as_tuple([80, 95])
    (('a',), (80,), (80, 95))
    """
    return (value,) if isinstance(value, str | int | float) else tuple(value)


def as_date(time: "str | pd.Timestamp | None") -> str | None:
    """Return a time as ISO 8601."""
    return time if time is None or isinstance(time, str) else time.isoformat()
