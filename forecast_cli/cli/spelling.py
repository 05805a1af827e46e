"""Settings on the command line: how messages spell them, and how text becomes a value."""

import os
import re
import shlex
from collections.abc import Callable, Collection
from typing import Any

import typer

from ..config.settings import LAYERS, SETTINGS
from ..core.errors import singular
from .terminal import print_message

# A name, or a dotted path, and the value that is proposed for it.
NAMED = re.compile(r"`([A-Za-z_][\w.]*)(?:=([^`]*))?`")
# Spellings of the version before, by command: they work in this version, with a warning.
DEPRECATED: dict[str, dict[str, str]] = {
    "train": {"--from": "--init-model", "--simple": "--baselines"},
    "compare": {"--simple": "--baselines"},
    "tune": {"--simple": "--baselines"},
    "config": {"--simple": "--baselines"},
    "predict": {"--from": "--start"},
    "evaluate": {"--from": "--start"},
    "backtest": {"--refit": "--refit-every", "--simple": "--baselines"},
}
OLD_VARIABLES = {"--refit": "FORECAST_BACKTEST_REFIT"}
# Parts of a JSON document that are words for people.
WORDS = ("message", "hint", "notes", "verdict", "warnings")


def as_flags(text: str) -> str:
    """Return a message with its settings as the flags that set them.

    >>> as_flags("Lower `timesteps`, or pass `missing=interpolate` or `stateful=false`.")
    'Lower --timesteps, or pass --missing interpolate or --no-stateful.'
    >>> as_flags("Set `network.layers.0.use_bias=false`; name it in `past_covariates`.")
    'Set --set network.layers.0.use_bias=false; name it in --past-covariate.'
    """
    return NAMED.sub(lambda found: _flag(found[1], found[2]), singular(text))


def fit_hint(hint: str, options: Collection[str]) -> str:
    """Return the parts of a hint that name no setting without an option of the command.

    >>> fit_hint("Set `freq`, e.g. `freq=D`; or, for steps, pass `time=none`. Fix it.", {"time"})
    'For steps, pass `time=none`. Fix it.'
    >>> fit_hint("Pass `missing=ffill`; or `freq=D`.", {"missing"})
    'Pass `missing=ffill`.'
    """
    parts = re.split(r"(?<=;)\s|(?<=[.?])\s(?=[A-Z])", hint)
    kept = [
        part for part in parts
        if not {name for name, _ in NAMED.findall(part) if name in SETTINGS} - {*options}
    ]  # fmt: skip
    if len(kept) == len(parts):
        return hint
    text = re.sub(r"^or,? ", "", " ".join(kept))
    text = text[:1].upper() + text[1:]
    return text[:-1] + "." if text.endswith(";") else text


def renew(command: str, arguments: list[str]) -> list[str]:
    """Return the arguments of a command with deprecated flags by their new names.

    A deprecated environment variable becomes a flag. Each is named in a warning on stderr.
    """
    renewed = list(arguments)
    for old, new in DEPRECATED.get(command, {}).items():
        for at, word in enumerate(renewed):
            name, equals, value = word.partition("=")
            if name == old:
                renewed[at] = new + equals + value
                print_message("warning", f"{old} is deprecated: use {new}")
        variable = OLD_VARIABLES.get(old, variable_of(old))
        given = (
            any(word.partition("=")[0] == new for word in renewed) or variable_of(new) in os.environ
        )
        if variable in os.environ and not given:
            renewed = [new, os.environ[variable], *renewed]
            print_message("warning", f"{variable} is deprecated: use {variable_of(new)}")
    return renewed


def variable_of(flag: str) -> str:
    """The environment variable of a flag."""
    return f"FORECAST_{flag.strip('-').replace('-', '_').upper()}"


def translate(document: Any, *, words: bool = False) -> Any:
    """Return a JSON document whose messages name flags; `words`: its strings are messages."""
    if isinstance(document, dict):
        return {
            name: translate(each, words=words or name in WORDS) for name, each in document.items()
        }
    if isinstance(document, list | tuple):
        return [translate(each, words=words) for each in document]
    return as_flags(document) if words and isinstance(document, str) else document


def _flag(name: str, value: str | None) -> str:
    """The flag of a setting, with its value where there is one."""
    if "." in name:
        paths = {each.path: flat for flat, each in SETTINGS.items()}
        if name not in paths or name.startswith(LAYERS):
            return f"--set {name}" + ("" if value is None else f"={value}")
        name = paths[name]
    if (known := SETTINGS.get(name)) is None:
        from ..config.layers import Recurrent

        if name in Recurrent.model_fields:
            # Layers have these; there is no flag, and the path depends on the layer.
            return name if value is None else f"{name} {value}"
    hyphens = name.replace("_", "-")
    if value in ("true", "false") and (known is None or known.kind == "bool"):
        return f"--{'no-' * (value == 'false')}{hyphens}"
    spelled = (known and known.flag) or f"--{hyphens}"
    return spelled if value is None else f"{spelled} {shlex.quote(value)}"


def names(text: str) -> tuple[str, ...]:
    """Return the names between commas."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


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
