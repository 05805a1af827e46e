"""How a command becomes one with options: a parameter of the command line for each setting."""

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, Literal, TypeVar, cast, get_type_hints

import typer

from ..config.settings import Setting
from .completion import COLUMNS, complete_columns
from .options import MORE, OUTPUT, HelpAll, OutputOptions, describe
from .spelling import PARSERS
from .terminal import quiet_output

Options = TypeVar("Options")


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


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
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


def keep_to_command_line(options: Options, context: typer.Context, idle: dict[str, Any]) -> Options:
    """Return options of which some count on the command line alone, not from the environment.

    `idle` are the names of those, and what they are where they are not on the command line.
    """
    origins = {name: context.get_parameter_source(name) for name in idle}
    given = {name for name, each in origins.items() if each and each.name == "COMMANDLINE"}
    unset = {name: each for name, each in idle.items() if name not in given}
    return cast(Options, replace(cast(Any, options), **unset))
