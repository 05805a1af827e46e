"""`forecast config`."""

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.settings import BY_PRESET, LAYERS, SETTINGS, SHORTHAND
from .console import Console
from .inputs import one_or_all
from .options import OutputOptions, Settings, option

if TYPE_CHECKING:
    from ..config.schema import Config

# What stands behind a value that was not specified, and behind one that a preset chooses.
DEFAULT, CHOSEN = "# default", f"# {BY_PRESET}"

Schema = Annotated[bool, option("--schema", help="Print the JSON schema of the configuration.")]
For = Annotated[
    list[str] | None,
    option(
        "--for", metavar="DATA", env=False,
        help="Resolve it for this table, as train would; repeat it for several "
        "files that are read as one.",
    ),
]  # fmt: skip


def config(
    context: typer.Context,
    settings: Settings,
    output_options: OutputOptions,
    schema: Schema = False,
    tables: For = None,
) -> None:
    """Print the whole configuration, with where values come from.

    The output is a forecast.toml, in which settings with their defaults are comments. With --for
    it leaves nothing open: training with it as --config gives the same model.

    Examples:
        forecast config --units 64,32 --epochs 50 > forecast.toml
        forecast config --for prices.csv -c Close > resolved.toml
        forecast config --schema
    """
    from ..config.resolution import leaves
    from ..config.schema import Config

    console = Console(output_options)
    if schema:
        return print(json.dumps(Config.model_json_schema(), indent=2))
    given = settings.resolve()
    if tables:
        return _show_resolved(context, settings, given, tables, console)
    resolved = given.model_dump(mode="json")
    sources = _sources(context, settings, leaves(resolved))
    if given.preset is None or given.preset_chooses:
        sources = dict.fromkeys(_left_to_preset(resolved), BY_PRESET) | sources
    if output_options.json:
        left = {path for path, source in sources.items() if source == BY_PRESET}
        kept = {path: source for path, source in sources.items() if path not in left}
        return console.document({"config": _without(resolved, left), "sources": kept})
    console.lines(defaults_as_comments(toml_lines(resolved, sources)))


def _show_resolved(
    context: typer.Context,
    settings: Settings,
    given: "Config",
    tables: list[str],
    console: Console,
) -> None:
    """Print the configuration as it is resolved for a table, with all values set."""
    from ..config.resolution import leaves
    from ..training.resolved_settings import name_source, resolve_settings
    from .progress import Progress

    with Progress(console) as progress:
        whole, found = resolve_settings(one_or_all(tables), given, on_event=progress.on_event)
    resolved = whole.model_dump(mode="json")
    own = _sources(context, settings, leaves(resolved))
    sources = {path: name_source(each, whole) for path, each in found.items()}
    sources |= {path: own.get(path, "given") for path, each in found.items() if each == "given"}
    if console.output_options.json:
        notes = progress.notes.texts
        return console.document({"config": resolved, "sources": sources, "notes": notes})
    console.lines(toml_lines(resolved, sources))


def _left_to_preset(resolved: Mapping[str, Any]) -> list[str]:
    """The paths of what the default preset chooses where it is not specified."""
    from ..config.resolution import leaves

    left = {each.path for each in SETTINGS.values() if each.default == BY_PRESET}
    layers = {f"{LAYERS}.0.{path.rpartition('.')[2]}" for path in left if path.startswith(LAYERS)}
    return [path for path in leaves(resolved) if path in left | layers]


def _without(values: Any, left: Collection[str], prefix: str = "") -> Any:
    """The nested values without those at some dotted paths."""
    if isinstance(values, list):
        return [_without(each, left, f"{prefix}{at}.") for at, each in enumerate(values)]
    if not isinstance(values, Mapping):
        return values
    return {
        name: _without(each, left, f"{prefix}{name}.")
        for name, each in values.items()
        if f"{prefix}{name}" not in left
    }


def _sources(
    context: typer.Context, settings: Settings, resolved: Mapping[str, Any]
) -> dict[str, str]:
    """Where each value that is no default comes from, by its path."""
    from ..config.resolution import leaves

    sources = {path: name for name, held in settings.files().items() for path in leaves(held)}
    for name in filter(SETTINGS.__contains__, settings):
        setting, origin = SETTINGS[name], context.get_parameter_source(name)
        environment = origin is None or origin.name != "COMMANDLINE"
        source = setting.variable if environment else setting.spelled
        if name not in SHORTHAND:
            sources[setting.path] = source
            continue
        for path in filter(lambda each: each.startswith(LAYERS), resolved):
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

    What a preset chooses has no value; a layer of nothing but defaults is a comment as a whole.

    >>> defaults_as_comments(["seed = 5 # --seed", "clip = 1 # default", "epochs = 9 # by preset"])
    ['seed = 5 # --seed', '# clip = 1 # default', '# epochs: by preset']
    """
    shown: list[str] = []
    for line in lines:
        name = line.partition(" = ")[0]
        commented = f"# {name}: {BY_PRESET}" if line.endswith(CHOSEN) else f"# {line}"
        shown.append(commented if line.endswith((DEFAULT, CHOSEN)) else line)
    for at, line in enumerate(lines):
        if line.startswith("[["):
            rest = lines[at + 1 :]
            end = next((n for n, each in enumerate(rest) if not each or each[0] == "["), len(rest))
            if all(each.endswith((DEFAULT, CHOSEN)) for each in rest[:end]):
                shown[at] = f"# {line}"
            else:
                # A layer with a specified setting needs its type, unless the preset chooses it.
                for n in range(at + 1, at + 1 + end):
                    needed = lines[n].startswith("type =") and not lines[n].endswith(CHOSEN)
                    shown[n] = lines[n] if needed else shown[n]
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
