"""`forecast config`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ..config.settings import LAYERS, SETTINGS, SHORTHAND
from .console import Console
from .options import OutputOptions, Settings, option

# What stands behind a value that was not specified.
DEFAULT = "# default"

Schema = Annotated[bool, option("--schema", help="Print the JSON schema of the configuration.")]


def config(
    context: typer.Context,
    settings: Settings,
    output_options: OutputOptions,
    schema: Schema = False,
) -> None:
    """Print the whole configuration as TOML, with where each value comes from.

    The output is a forecast.toml; settings with their defaults are comments in it.

    Examples:
        forecast config --preset best
        forecast config --units 64,32 --epochs 50 > forecast.toml
        forecast config --schema
    """
    from ..config.resolution import leaves
    from ..config.schema import Config

    console = Console(output_options)
    if schema:
        console.document(Config.model_json_schema())
        return
    resolved = settings.resolve().model_dump(mode="json")
    if output_options.json:
        console.document(resolved)
        return
    sources = _sources(context, settings, leaves(settings.file()), leaves(resolved))
    console.lines(defaults_as_comments(toml_lines(resolved, sources)))


def _sources(
    context: typer.Context, settings: Settings, file: Mapping[str, Any], resolved: Mapping[str, Any]
) -> dict[str, str]:
    """Where each value that is no default comes from, by its path."""
    sources = {path: str(settings.get("config", "forecast.toml")) for path in file}
    for name in settings:
        if name not in SETTINGS:
            continue
        origin = context.get_parameter_source(name)
        environment = origin is None or origin.name != "COMMANDLINE"
        setting = SETTINGS[name]
        source = setting.variable if environment else setting.spelled
        if name not in SHORTHAND:
            sources[setting.path] = source
            continue
        paths = [path for path in resolved if path.startswith(LAYERS)]
        for path in paths:
            owner, _, field = path.rpartition(".")
            dense = resolved[f"{owner}.type"] == "dense"
            if field == setting.place[1] and dense == (name == "dense"):
                sources[path] = source
    return sources | {text.partition("=")[0]: "--set" for text in settings.get("set", ())}


def toml_lines(resolved: Mapping[str, Any], sources: Mapping[str, str]) -> list[str]:
    """The lines of a TOML file, a comment behind each value that is no default."""
    import tomlkit

    document = tomlkit.document()
    _fill(document, resolved, "", sources)
    return tomlkit.dumps(document).splitlines()


def defaults_as_comments(lines: list[str]) -> list[str]:
    """The lines with every default as a comment, so that the file sets only what was specified.

    A preset chooses the other settings; a layer of nothing but defaults is a comment as a whole.

    >>> defaults_as_comments(["seed = 5 # --seed", "epochs = 100 # default"])
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
                # A layer with a specified setting needs its type.
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
