"""How a command takes the options that several commands share.

A command asks for a whole group of settings by a parameter of type `Settings`, `Reading` or
`OutputOptions`, and for its own options by a dataclass with a field for each; `parameters.spread`
makes options of them all. A setting that the user did not give is absent, so that the configuration
file and the defaults apply.
"""

import os
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..config.settings import READING as READING_NAMES
from ..config.settings import SETTINGS, ZERO_SHOT, Setting
from ..core.engines import ENGINES, EngineName
from .spelling import as_flags, seconds, variable_of
from .terminal import print_message

if TYPE_CHECKING:
    from ..config.schema import Config

USUAL_FILE = Path("forecast.toml")
ANYTHING = "Any setting"
OUTPUT = "Output"
# Before the panel of an option that only the whole help shows.
MORE = "+"
# The settings that the short help of a command with many options of its own shows.
BRIEF_SETTINGS = ("column", "series", "future_covariates", "horizon")
READING = "How DATA is read, where it differs from the table trained on"
# Options for settings that are no settings themselves.
ANY_SETTING = (
    Setting(
        "set", "", ANYTHING, "Any setting by its path, e.g. network.layers.0.use_bias=false; "
        "repeatable.", kind="names", metavar="PATH=VALUE",
    ),
    Setting(
        "config", "", ANYTHING, "A TOML file of settings; flags override it.", metavar="FILE",
        default="forecast.toml, if any", common=True,
    ),
)  # fmt: skip
OUTPUT_OPTIONS = (
    Setting(
        "json", "", OUTPUT, "One JSON document on stdout, errors too.", kind="bool", common=True
    ),
    Setting("quiet", "", OUTPUT, "Print nothing but errors.", kind="bool", short="-q"),
    Setting("debug", "", OUTPUT, "Print everything, with tracebacks.", kind="bool"),
)


def user_config() -> Path:
    """Return where the settings of the user are, whether or not there are any.

    `$XDG_CONFIG_HOME/forecast/config.toml`, by default in `~/.config`; on Windows in `%APPDATA%`.
    A relative path in the variable does not count, as the specification says.
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):
        folder = Path(base)
    elif sys.platform == "win32" and os.environ.get("APPDATA"):
        folder = Path(os.environ["APPDATA"])
    else:
        folder = Path(os.path.expanduser("~")) / ".config"
    return folder / "forecast" / "config.toml"


def _settings(*without: str) -> tuple[Setting, ...]:
    """All settings, and the options for any of them, without some or whole panels."""
    return tuple(
        each
        for each in (*SETTINGS.values(), *ANY_SETTING)
        if each.name not in without and each.group not in without
    )


def _briefly(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """The same settings, of which the short help shows few: the command has options of its own."""
    return tuple(
        replace(each, common=each.common and each.name in BRIEF_SETTINGS) for each in settings
    )


class Group(dict[str, Any]):
    """Settings that the user gave, by flat names.

    Args:
        options: The settings that the command has options for.
    """

    options: ClassVar[tuple[Setting, ...]] = ()


class Settings(Group):
    """What the user specified of the configuration."""

    options = _settings()

    def files(self) -> dict[str, dict[str, Any]]:
        """The settings of the configuration files by their names, the lower ones first.

        They are the user's own, and the file named or the default one of the working folder.
        """
        from ..config.resolution import read_toml

        own, path = user_config(), Path(self.get("config", USUAL_FILE))
        read = {str(own): read_toml(own)} if own.is_file() else {}
        if "config" in self or path.is_file():
            read[str(path)] = read_toml(path)
        return read

    def file(self) -> dict[str, Any]:
        """The settings of all configuration files, those of the higher one where both have one."""
        from ..config.resolution import merged

        whole: dict[str, Any] = {}
        for settings in self.files().values():
            whole = merged(whole, settings)
        return whole

    def resolve(self) -> "Config":
        """Flag, environment, file and default, in this order, as one configuration."""
        from ..config.resolution import configure

        flat = {name: value for name, value in self.items() if name not in ("set", "config")}
        with warnings.catch_warnings(record=True) as deprecated:
            warnings.simplefilter("always", FutureWarning)
            config = configure(flat, self.file(), self.get("set", ()))
        for each in deprecated:
            print_message("warning", as_flags(str(each.message)))
        return config


class Looking(Settings):
    """How a table is read that is only looked at: nothing is filled or trained."""

    options = tuple(
        each
        for each in SETTINGS.values()
        if each.group in ("Data", "Many series")
        and each.name not in ("target", "aggregate", "resample", "missing", "scale_by")
    )


class Inspecting(Settings):
    """How a table is read that is inspected: as a training reads it."""

    options = tuple(SETTINGS[name] for name in READING_NAMES)


class ZeroShot(Settings):
    """How a table is read, and what is forecast of it, where nothing is trained."""

    options = (*(SETTINGS[name] for name in ZERO_SHOT), ANY_SETTING[-1])


class BriefSettings(Settings):
    """The configuration that is compared with others."""

    options = _briefly(_settings())


class FoldSettings(Settings):
    """The configuration of what is trained in folds: they have no test split, nor labels."""

    options = _briefly(_settings("test", "refit", "Labelled sequences"))


class TunedSettings(Settings):
    """The configuration, of which the rest is searched; the search has its own time budget."""

    options = _briefly(_settings("time_budget", "Labelled sequences"))

    def fixed(self, file_too: bool) -> dict[str, Any]:
        """What is not to be searched, by flat names; `file_too`: nor what the file sets."""
        from ..config.resolution import leaves
        from ..config.searchable import flatten_names

        assigned = [text.partition("=")[0] for text in self.get("set", ())]
        given = dict.fromkeys(flatten_names(assigned))
        given |= dict.fromkeys(flatten_names(leaves(self.file()))) if file_too else {}
        return given | {
            name: value for name, value in self.items() if name not in ("set", "config")
        }


class Reading(Group):
    """How a table differs from the one that a model was trained on."""

    options = tuple(
        Setting(**vars(each) | {"group": READING, "default": "", "common": False})
        for each in SETTINGS.values()
        if each.reread
    )


@dataclass(frozen=True)
class OutputOptions:
    """How much is printed, and in which form; and by which command."""

    json: bool
    quiet: bool
    debug: bool
    command: str = ""

    options: ClassVar[tuple[Setting, ...]] = OUTPUT_OPTIONS


def option(
    *names: str, help: str, default: str = "", env: bool = True, common: bool = True, **more: Any
) -> Any:
    """An option of one command alone; the environment works here too.

    Args:
        *names: The flag, and a short one.
        help: One or two sentences.
        default: As the help states it.
        env: Whether the environment has it; not where a setting has the same name.
        common: Whether the short help shows it.
        **more: As `typer.Option` takes them.
    """
    if env:
        more |= {"envvar": variable_of(names[0])}
    return typer.Option(
        *names,
        help=describe(help, default),
        rich_help_panel=OUTPUT if common else f"{MORE}{OUTPUT}",
        show_default=False,
        show_envvar=False,
        **more,
    )


def describe(help: str, default: str, choices: Iterable[str] = ()) -> str:
    """Return the help of an option, with its choices and its default."""
    listed = f" ({', '.join(choices)})" if choices else ""
    return as_flags(help) + listed + (f" [{default}]" if default else "")


ReportPage = Annotated[
    Path | None,
    option(
        "--report", metavar="PATH", env=False, default="none",
        help="Write a report page too: one HTML file to send on.",
    ),
]  # fmt: skip
Strict = Annotated[
    bool, option("--strict", help="Treat warnings as errors: nothing is written.", common=False)
]
NoChart = Annotated[
    bool, option("--no-chart", help="On a terminal, show no chart below the table.", common=False)
]
Resume = Annotated[
    bool,
    option(
        "--resume",
        help="Continue an unfinished run for the model, to the same result as without the "
        "interruption; repeat the command that began it.",
        common=False,
    ),
]
CheckpointEvery = Annotated[
    Any,
    option(
        "--checkpoint-every",
        metavar="TIME",
        parser=seconds,
        help="How often an unfinished training is kept beside the model: 30s, 5m; 0: after each "
        "epoch.",
        default="30s",
        common=False,
    ),
]
ExcelSafe = Annotated[
    bool,
    option(
        "--excel-safe",
        help="In CSV, write an apostrophe before text that spreadsheets take for a formula: what "
        "begins with =, +, - or @.",
        common=False,
    ),
]
Engine = Annotated[
    EngineName,
    option(
        "--engine",
        metavar="NAME",
        help=f"What works on the tasks: processes of this machine, or a cluster "
        f"({', '.join(ENGINES)}).",
        default="local",
        common=False,
    ),
]
EngineAddress = Annotated[
    str | None,
    option(
        "--engine-address",
        metavar="ADDRESS",
        help="Of a cluster that runs, e.g. tcp://host:8786 (Dask), auto (Ray) or "
        "spark://host:7077.",
        default="one is started on this machine",
        common=False,
    ),
]
# The command itself answers it.
HelpAll = Annotated[
    bool,
    option("--help-all", help="Show all options, as --help all.", env=False, common=False),
]
