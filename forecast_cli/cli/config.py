"""`forecast config`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from .console import Console
from .options import OutputOptions, Settings, option

# What stands behind a value that nobody said.
DEFAULT = "# default"

Schema = Annotated[bool, option("--schema", help="The JSON schema of the configuration.")]


def config(
    context: typer.Context, settings: Settings, talk: OutputOptions, schema: Schema = False
) -> None:
    """Print the whole configuration as TOML, with where each value comes from.

    The output is a `forecast.toml`; what nobody said is a comment in it.
    """
    from ..config.resolution import leaves
    from ..config.schema import Config

    console = Console(talk)
    if schema:
        console.document(Config.model_json_schema())
        return
    resolved = settings.resolve().model_dump(mode="json")
    if talk.json:
        console.document(resolved)
        return
    sources = _sources(context, settings, leaves(settings.file()), leaves(resolved))
    console.lines(unsaid_as_comments(toml_lines(resolved, sources)))


def _sources(
    context: typer.Context, settings: Settings, file: Mapping[str, Any], resolved: Mapping[str, Any]
) -> dict[str, str]:
    """Where each value that is no default comes from, by its path."""
    from ..config.resolution import LAYER_SETTINGS, PLACES, TOP

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


def unsaid_as_comments(lines: list[str]) -> list[str]:
    """The lines with every default as a comment, so that the file says only what was said.

    A preset chooses what nobody said; a layer of nothing but defaults is a comment as a whole.

    >>> unsaid_as_comments(["seed = 5 # --seed", "epochs = 100 # default"])
    ['seed = 5 # --seed', '# epochs = 100 # default']
    """
    shown: list[str] = []
    for line in lines:
        shown.append(f"# {line}" if line.endswith(DEFAULT) else line)
    for at, line in enumerate(lines):
        if line.startswith("[["):
            rest = lines[at + 1 :]
            end = next((n for n, each in enumerate(rest) if not each or each[0] == "["), len(rest))
            if all(each.endswith(DEFAULT) for each in rest[:end]):
                shown[at] = f"# {line}"
            else:
                # Which layer it is has to be said with whatever is said of it.
                for n in range(at + 1, at + 1 + end):
                    shown[n] = lines[n] if lines[n].startswith("type =") else shown[n]
    return shown


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
            table.add(name, tomlkit.item(value).comment(sources.get(path, DEFAULT[2:])))
