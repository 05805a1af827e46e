"""How a command takes the options that several commands share.

A command asks for a whole group of settings by a parameter of type `Settings`, `Reading` or
`OutputOptions`, and for its own options by a dataclass with a field for each; `spread` makes
options of them all. A setting that the user did not give is absent, so that the configuration file
and the defaults apply.
"""

import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_type_hints

import typer

from ..config.settings import SETTINGS, Setting
from .completion import COLUMNS, complete_columns
from .spelling import as_flags
from .streams import quiet_output
from .terminal import print_message
from .user_config import user_config
from .values import PARSERS, seconds

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

    options = tuple(
        each
        for each in SETTINGS.values()
        if each.place[0] == "data" and each.group in ("Data", "Many series")
    )


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
        """What is not to be searched, by flat names.

        Args:
            file_too: Whether that includes what the configuration file sets.
        """
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
        more |= {"envvar": f"FORECAST_{names[0].strip('-').replace('-', '_').upper()}"}
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


def _parameter(each: Setting) -> inspect.Parameter:
    """A setting as a parameter that typer understands; FORECAST_NAME sets it too."""
    is_output = each.group == OUTPUT
    names = [each.spelled, *([each.short] if each.short else [])]
    if each.kind == "bool" and not is_output and not each.name.startswith("no_"):
        names[0] += f"/--no-{each.spelled.removeprefix('--')}"
    types: dict[str, Any] = {"int": int, "float": float, "bool": bool, "names": list[str]}
    if each.kind == "choice":
        types["choice"] = Literal[each.choices]
    elif each.kind in PARSERS:
        types[each.kind] = Any
    info = typer.Option(
        *names,
        help=describe(each.help, each.default, each.choices),
        rich_help_panel=each.group if each.common else f"{MORE}{each.group}",
        show_default=False,
        envvar=None if each.kind == "names" else each.variable,
        show_envvar=False,
        metavar=each.metavar or ("NAME" if each.choices else None),
        min=each.least,
        parser=PARSERS.get(each.kind),
        autocompletion=complete_columns if each.name in COLUMNS else None,
    )
    return _keyword(
        each.name, Annotated[types.get(each.kind, str) | None, info], False if is_output else None
    )


def _keyword(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    """A keyword-only parameter."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _of_class(options: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as parameters."""
    hints = get_type_hints(options, include_extras=True)
    return [_keyword(each.name, hints[each.name], each.default) for each in fields(options)]


def _given(each: Setting, value: Any) -> Any:
    """A value as given; in the environment, several names stand on lines of their own."""
    if each.kind == "names":
        value = tuple(value or os.environ.get(each.variable, "").splitlines()) or None
    if each.split and value:
        return tuple(part.strip() for text in value for part in text.split(","))
    return value


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
# The command itself answers it.
HelpAll = Annotated[
    bool,
    option("--help-all", help="Show all options, as --help all.", env=False, common=False),
]


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Make the groups that a command takes into options on the command line."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if hasattr(hint, "options")}
    shared = [_parameter(each) for group in groups.values() for each in group.options]
    classes: dict[str, Any] = {
        n: hint for n, hint in hints.items() if is_dataclass(hint) and n not in groups
    }
    own = [
        each
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in groups
        for each in (
            _of_class(classes[name])
            if name in classes
            else [_keyword(name, hints[name], parameter.default)]
        )
    ]
    # A command's own options stand between the settings and those of all commands.
    last = len(OutputOptions.options)
    parameters = [*shared[:-last], *own, *shared[-last:], _keyword("help_all", HelpAll, False)]

    @functools.wraps(command)
    def flat(*, help_all: bool, **values: Any) -> None:
        for name, group in groups.items():
            given = {each.name: _given(each, values.pop(each.name)) for each in group.options}
            values[name] = group(**{key: v for key, v in given.items() if v is not None})
            if isinstance(values[name], OutputOptions):
                values[name] = replace(values[name], command=command.__name__)
        for name, of_class in classes.items():
            values[name] = of_class(
                **{each.name: values.pop(each.name) for each in fields(of_class)}
            )
        with quiet_output():
            command(**values)

    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {each.name: each.annotation for each in parameters}
    return flat
