"""How a command takes the options that several commands share.

A command asks for a whole group by a parameter of type `Settings`, `Reading` or `OutputOptions`;
`spread` turns the flags of the group into the command's own options. A setting that the user did
not give is absent, so that the configuration file and the defaults can speak.
"""

import errno
import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from ..core.errors import UsageError
from .flag import OUTPUT, Flag, keyword
from .flags import FOLDS, LOOKING, READING, SETTINGS, TALK, TUNED

if TYPE_CHECKING:
    from ..config.schema import Config

# What stdout says where it takes no more; any other error of the system is a bug of ours.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
USUAL_FILE = Path("forecast.toml")


class Settings(dict[str, Any]):
    """What the user said of the configuration, by flat names."""

    def file(self) -> dict[str, Any]:
        """The settings of the configuration file: the one named, or the usual one."""
        from ..config.resolution import read_toml

        path = self.get("config", USUAL_FILE)
        return read_toml(path) if "config" in self or path.is_file() else {}

    def resolve(self) -> "Config":
        """Flag, environment, file and default, in this order, as one configuration."""
        from ..config.resolution import configure
        from .spelling import as_flags

        flat = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.items()
            if name not in ("set", "config")
        }
        with warnings.catch_warnings(record=True) as deprecated:
            warnings.simplefilter("always", FutureWarning)
            config = configure(flat, self.file(), self.get("set", ()))
        for each in deprecated:
            print(f"warning: {as_flags(str(each.message))}", file=sys.stderr)
        return config


class Looking(Settings):
    """What the user said of how a table is to be looked at."""


class FoldSettings(Settings):
    """What the user said of the configuration of what is trained in folds."""


class TunedSettings(Settings):
    """What the user said of the configuration, of which the rest is searched."""

    def fixed(self, file_too: bool) -> dict[str, Any]:
        """What is not to be searched, by flat names.

        Args:
            file_too: Whether that holds for what the configuration file says as well.
        """
        from ..config.resolution import leaves
        from ..config.searchable import flatten_names

        assigned = [text.partition("=")[0] for text in self.get("set", ())]
        told = dict.fromkeys(flatten_names(assigned))
        told |= dict.fromkeys(flatten_names(leaves(self.file()))) if file_too else {}
        return told | {name: value for name, value in self.items() if name not in ("set", "config")}


class Reading(dict[str, Any]):
    """How a table differs from the one that a model was trained on."""


@dataclass(frozen=True)
class OutputOptions:
    """How much is said, and in which form."""

    json: bool
    quiet: bool
    debug: bool


GROUPS: dict[type, dict[str, tuple[Flag, ...]]] = {
    Settings: SETTINGS,
    Looking: LOOKING,
    FoldSettings: FOLDS,
    TunedSettings: TUNED,
    Reading: READING,
    OutputOptions: TALK,
}


def option(*names: str, help: str, default: str = "", env: bool = True, **more: Any) -> Any:
    """An option of one command alone, among those of output; the environment works here too.

    Not where `env` is false: where a setting of the training has the same name and variable.
    """
    if env:
        more |= {"envvar": f"FORECAST_{names[0].strip('-').replace('-', '_').upper()}"}
    more |= {"show_envvar": False}
    text = help + (f" [dim]\\[{default}][/dim]" if default else "")
    return typer.Option(*names, help=text, rich_help_panel=OUTPUT, show_default=False, **more)


def _given(flag: Flag, value: Any) -> Any:
    value = flag.from_environment() if value is None or value == [] else value
    if flag.split and value:
        return [part.strip() for text in value for part in text.split(",")]
    return value


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Make the groups that a command takes into options on the command line."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if hint in GROUPS}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            panels = GROUPS[groups[name]].items()
            parameters += [flag.parameter(panel) for panel, flags in panels for flag in flags]
        else:
            parameters.append(keyword(name, hints[name], parameter.default))

    @functools.wraps(command)
    def flat(**values: Any) -> None:
        for name, group in groups.items():
            flags = [flag for panel in GROUPS[group].values() for flag in panel]
            said = {flag.name: _given(flag, values.pop(flag.name)) for flag in flags}
            values[name] = group(**{key: v for key, v in said.items() if v is not None})
        try:
            command(**values)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has enough; nothing may be written at exit either. It is
            # caught here since typer would make it exit code 1.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise UsageError(
                f"The output cannot be written: {error.strerror or error}.", "Make room for it."
            ) from None

    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {each.name: each.annotation for each in parameters}
    return flat
