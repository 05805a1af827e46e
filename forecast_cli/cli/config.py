"""`forecast config`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .console import Console
from .options import Settings, Talk, option

Schema = Annotated[bool, option("--schema", help="The JSON schema of the configuration.")]


def config(context: typer.Context, settings: Settings, talk: Talk, schema: Schema = False) -> None:
    """Print the whole configuration as TOML, with where each value comes from.

    The output is a `forecast.toml`.
    """
    from ..config import Config
    from ..settings import leaves

    console = Console(talk)
    if schema:
        console.document(Config.model_json_schema())
        return
    resolved = settings.resolve().model_dump(mode="json")
    if talk.json:
        console.document(resolved)
        return
    sources = _sources(context, settings, leaves(settings.file()), leaves(resolved))
    console.lines(toml_lines(resolved, sources))


def _sources(
    context: typer.Context, settings: Settings, file: Mapping[str, Any], resolved: Mapping[str, Any]
) -> dict[str, str]:
    """Where each value that is no default comes from, by its path."""
    from ..settings import LAYER_SETTINGS, PLACES, TOP

    sources = {path: str(settings.get("config", "forecast.toml")) for path in file}
    for name in settings:
        origin = context.get_parameter_source(name)
        environment = origin is None or origin.name != "COMMANDLINE"
        said = f"FORECAST_{name.upper()}" if environment else f"--{name.replace('_', '-')}"
        if name in PLACES:
            sources[".".join(PLACES[name])] = said
        elif name in TOP:
            sources[name] = said
        elif name in ("cell", "units", "dense", *LAYER_SETTINGS):
            key = {"cell": "type", "dense": "units"}.get(name, name)
            paths = [path for path in resolved if path.endswith(f".{key}") and "layers" in path]
            for path in paths:
                dense = resolved[f"{path.rpartition('.')[0]}.type"] == "dense"
                if dense == (name == "dense"):
                    sources[path] = said
    return sources | {text.partition("=")[0]: "--set" for text in settings.get("set", ())}


def toml_lines(resolved: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """The lines of a TOML file, a comment behind each value that is no default."""
    import tomlkit

    document = tomlkit.document()
    _fill(document, resolved, "", sources)
    return tomlkit.dumps(document).splitlines()


def _fill(table: Any, values: Mapping[str, Any], prefix: str, sources: Mapping[str, str]) -> None:
    import tomlkit

    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            inner = tomlkit.table()
            _fill(inner, value, f"{path}.", sources)
            table.add(name, inner)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            stack = tomlkit.aot()
            for at, each in enumerate(value):
                inner = tomlkit.table()
                _fill(inner, each, f"{path}.{at}.", sources)
                stack.append(inner)
            table.add(name, stack)
        elif value is not None:
            table.add(name, tomlkit.item(value).comment(sources.get(path, "default")))
