"""Mistakes on the command line in words: what was typed, and the nearest name that exists."""

import re
from difflib import get_close_matches
from typing import Any

from ..core.errors import UsageError, nearest

# What the parser says of a value that is none of the choices of an option.
NO_CHOICE = re.compile(
    r"Invalid value for (?P<where>.*): '(?P<given>.*)' is not one of (?P<names>'.*')"
)
MOST_GUESSES = 3


def explain_misuse(error: Any, command: str, commands: list[str]) -> UsageError | None:
    """Return an error of the parser of the command line as ours; None where it has no message.

    Args:
        error: As typer raises it.
        command: The command that was called; empty where none was.
        commands: All commands.
    """
    message = error.format_message().replace("Value error, ", "").removesuffix(".")
    see = f"See {' '.join(['forecast', *([command] if command else []), '--help'])}."
    if not message:
        return None
    if (name := getattr(error, "option_name", "")) and hasattr(error, "possibilities"):
        return UsageError(f"No such option: {name}.", f"{_guess_option(name, error)}{see}")
    if invalid := _explain_value(error):
        return invalid
    if found := NO_CHOICE.fullmatch(message):
        where, names = found["where"].split("'")[1], re.findall(r"'([^']*)'", found["names"])
        return UsageError(f'Invalid {where} "{found["given"]}".', nearest(found["given"], names))
    if found := re.fullmatch(r"No such command '(.*?)'.*", message):
        guess = get_close_matches(found[1].lower(), commands, n=1)
        meant = f"Did you mean {guess[0]}? " if guess else ""
        return UsageError(f'There is no command "{found[1]}".', f"{meant}{see}")
    return UsageError(message + ("" if message.endswith("?") else "."), see)


def _explain_value(error: Any) -> UsageError | None:
    """Return the error of a value that is not what its option takes; None for other errors."""
    from ..config.invalid import describe_invalid

    cause, flags = error.__cause__, _flags(getattr(error, "param", None))
    if not flags or not hasattr(cause, "errors"):
        return None
    first = cause.errors(include_url=False)[0]
    given, why = str(first["input"]), describe_invalid(first)
    given = given if re.fullmatch(r"-?[\d.]+", given) else f'"{given}"'
    return UsageError(f"Invalid {flags[0]} {given}: {why}.") if why else None


def _guess_option(name: str, error: Any) -> str:
    """Return the options of the command with names like one, as a question."""
    known = [flag for each in error.ctx.command.params for flag in _flags(each)]
    near = get_close_matches(name, known, n=MOST_GUESSES, cutoff=0.7)
    begun = sorted(flag for flag in known if flag.startswith(name) and len(name) > 3)
    guesses = list(dict.fromkeys([*begun, *near]))[:MOST_GUESSES]
    return f"Did you mean {' or '.join(guesses)}? " if guesses else ""


def _flags(parameter: Any) -> list[str]:
    """Return the long flags of an option; none of what is no option."""
    names = (*parameter.opts, *parameter.secondary_opts) if parameter is not None else ()
    return [name for name in names if name[:2] == "--"]
