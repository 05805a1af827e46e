"""Generate what is made of the settings' definitions: `python scripts/generate_settings.py`.

The fields of the configuration define each setting once. `settings.json` has them for the command
line, `keywords.py` as keyword arguments that editors and mypy complete, `docs/settings.md` as a
table; `docs/interface.md` has the flags of each command. With `--check` nothing is written, and the
exit code is 1 where a file is not fresh.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from forecast_cli.cli.command import COMMANDS, build
from forecast_cli.config.layers import Dense, Frozen, Recurrent
from forecast_cli.config.registries import DEFAULT_PRESET, PLAIN_PRESET
from forecast_cli.config.resolution import leaves
from forecast_cli.config.schema import Config
from forecast_cli.config.searchable import flatten_names
from forecast_cli.config.settings import (
    BY_PRESET,
    FILE,
    LAYERS,
    SETTINGS,
    ZERO_SHOT,
    Group,
    Setting,
)
from forecast_cli.core.series_features import SeriesFeatures
from forecast_cli.training.presets.data_profile import DataProfile
from forecast_cli.training.presets.selection import FUNCTIONS

KEYWORDS = FILE.with_name("keywords.py")
PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
INTERFACE = PAGE.with_name("interface.md")
BEGIN, END = "<!-- flags: generated -->", "<!-- end of flags -->"
COMMAND = "python scripts/generate_settings.py"
PYTHON_TYPES = {
    "names": "str | Sequence[str]",
    "ints": "int | Sequence[int]",
    "levels": "float | Sequence[float]",
    "size": "float | int | str",
    "seconds": "float",
}


def _profile(**more: Any) -> DataProfile:
    """Data of some kind: a day of 24 steps, or others, without gaps."""
    count = more.pop("count", 1)
    rows, season = more.get("rows", 400), more.get("season", 24)
    facts: dict[str, Any] = {
        "rows": rows, "shortest": rows, "windows": rows * count, "horizon": 24, "season": season,
        "seasons": (season,), "can_log": True, "targets": 1, "validated": 60,
        "point_forecasts": True, "named": count > 1, "skips": False,
        "choose_transform": lambda: ("log", "by default"),
        "features": SeriesFeatures((season,), 0.9, False, count),
    }  # fmt: skip
    return DataProfile(**facts | more)


# Few rows, many series, and a long series that is forecast far ahead, for which recipes differ.
PROFILES = (
    _profile(),
    _profile(count=50),
    _profile(rows=20_000, horizon=96, seasons=(24, 168)),
)


def collect() -> list[Setting]:
    """Return all settings, by group."""
    found = [*_of_model(Config, ""), *_of_model(Recurrent, LAYERS), *_of_model(Dense, LAYERS)]
    for name, section in Config.model_fields.items():
        if isinstance(section.annotation, type) and issubclass(section.annotation, Frozen):
            found += _of_model(section.annotation, name)
    order = {group: number for number, group in enumerate(get_args(Group))}
    return sorted(found, key=lambda each: order[each.group])


def _of_model(model: type[Frozen], section: str) -> Iterator[Setting]:
    for field, info in model.model_fields.items():
        extra = info.json_schema_extra
        if isinstance(extra, dict) and isinstance(described := extra.get("setting"), dict):
            path = f"{section}.{field}" if section else field
            yield _setting(path, info, dict(described))


def _setting(path: str, info: FieldInfo, described: dict[str, Any]) -> Setting:
    """A setting, as its field describes it."""
    shown = described.pop("shown")
    kind, choices = _kind(info.annotation)
    least = min((each.ge for each in _bounds(info) if hasattr(each, "ge")), default=None)
    described = {"name": path.rpartition(".")[2], "kind": kind, "least": None} | described
    if described["kind"] == "int":
        described["least"] = least
    return Setting(
        path=path,
        help=str(info.description),
        default=_shown(info.default) if shown is None else shown,
        choices=choices if described["kind"] == "choice" else (),
        **described,
    )


def _bounds(info: FieldInfo) -> Iterator[Any]:
    """The bounds of a field, those of `X | None` too."""
    yield from info.metadata
    for part in get_args(info.annotation):
        yield from (
            each
            for meta in getattr(part, "__metadata__", ())
            for each in (meta.metadata if isinstance(meta, FieldInfo) else [meta])
        )


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    """How values of a type are typed, and which there are."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "choice", parts
    if origin is tuple:
        return "names", ()
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    parts = tuple(part for part in parts if part is not NoneType)
    if len(parts) == 1:
        return _kind(parts[0])
    return getattr(annotation, "__name__", "str"), ()


def _shown(default: Any) -> str:
    """A default as the help states it."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "none" if default is None else str(default)


def chosen_by_preset() -> set[str]:
    """Return the names of what the default preset chooses for some kind of data."""
    return {
        name
        for profile in PROFILES
        for name in flatten_names(leaves(FUNCTIONS[DEFAULT_PRESET](profile).settings))
    }


def with_presets(settings: list[Setting]) -> list[Setting]:
    """Return the settings whose default is left to the preset where it chooses one."""
    chosen = chosen_by_preset()
    return [replace(each, default=BY_PRESET) if each.name in chosen else each for each in settings]


def as_json(settings: list[Setting]) -> str:
    """The settings as JSON, each on a line, without what is as in every other one."""
    plain = {each.name: each.default for each in fields(Setting) if each.default is not MISSING}
    records = [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(each).items()
            if name not in plain or value != plain[name]
        }
        for each in settings
    ]
    return "[\n" + ",\n".join(json.dumps(each) for each in records) + "\n]\n"


def as_keywords(settings: list[Setting]) -> str:
    """The settings as a module with the keyword arguments of the Python functions."""
    lines = [
        f'"""The settings as keyword arguments; generated by `{COMMAND}`."""',
        "",
        "from collections.abc import Sequence",
        "from typing import Literal, TypedDict",
        "",
        "",
        "# fmt: off",
        "class Reading(TypedDict, total=False):",
        '    """How a table is read, where it differs from the training table."""',
        "",
        *[_keyword(each) for each in settings if each.reread],
        "",
        "",
        "class ZeroShot(Reading, total=False):",
        '    """What `now` takes."""',
        "",
        *[_keyword(each) for each in settings if each.name in ZERO_SHOT and not each.reread],
        "",
        "",
        "class Settings(ZeroShot, total=False):",
        '    """What `train`, `compare`, `backtest` and `tune` take; see docs/settings.md."""',
        "",
        *[_keyword(each) for each in settings if each.name not in ZERO_SHOT and not each.reread],
    ]
    return "\n".join(lines) + "\n"


def _keyword(each: Setting) -> str:
    """A setting as an entry of a TypedDict."""
    type_ = PYTHON_TYPES.get(each.kind, each.kind)
    if each.kind == "choice":
        type_ = f"Literal[{', '.join(json.dumps(choice) for choice in each.choices)}]"
    line = f"    {each.name}: {type_} | None"
    return line if len(line) <= 100 else f"{line}  # noqa: E501"


def as_page(settings: list[Setting]) -> str:
    """The settings as a page of the documentation."""
    chosen = chosen_by_preset()
    lines = [
        "# Settings",
        "",
        f"Generated by `{COMMAND}` from the fields of the configuration.",
        "",
        "A setting has one name: `epochs` is the keyword argument of `fc.train(epochs=5)`, with "
        "hyphens the flag",
        "`--epochs 5`, in capitals the environment variable `FORECAST_EPOCHS`, and its path is its "
        "place in",
        "`forecast.toml` and for `--set training.epochs=5`. Flags win over the environment, that "
        "over the file.",
        "`network.layers` is a list of tables, one for each layer, with Keras's own names.",
        "",
        f"`{BY_PRESET}` stands where the default preset chooses from the data "
        "([presets.md](presets.md)); behind it",
        f"is the default of `--preset {PLAIN_PRESET}`. `forecast config --for DATA` prints what is "
        "chosen for a table.",
    ]
    for group in get_args(Group):
        lines += ["", f"## {group}", "", "| name | path | default | |", "| --- | --- | --- | --- |"]
        for each in settings:
            if each.group == group:
                choices = f" ({', '.join(each.choices)})" if each.choices else ""
                text = f"{each.help}{choices}".replace("|", r"\|")
                flag = f" (`{each.flag}`)" if each.flag else ""
                plain = f"{BY_PRESET}; {each.default}" if each.name in chosen else each.default
                lines.append(f"| `{each.name}`{flag} | `{each.path}` | {plain} | {text} |")
    return "\n".join(lines) + "\n"


def as_interface(text: str) -> str:
    """The page of the interface with the flags that the commands have now.

    Settings are not repeated: of a command that takes most of them, those that it lacks are named.
    """
    head, _, rest = text.partition(BEGIN)
    lines = [line for name in COMMANDS for line in (f"`forecast {name}`", "", *_flags_of(name), "")]
    return "\n".join([f"{head}{BEGIN}", "", *lines, f"{END}{rest.partition(END)[2]}"])


def _flags_of(command: str) -> Iterator[str]:
    """The flags of a command as items of a list."""
    settings = {each.spelled for each in SETTINGS.values()}
    flags = [
        flag
        for each in build(command).params
        for flag in (*each.opts, *each.secondary_opts)
        if flag.startswith("-")
    ]
    own = [flag for flag in flags if flag.replace("--no-", "--") not in settings]
    taken, lacking = settings & {*flags}, settings - {*flags}
    yield f"- its own: {_coded(own)}"
    if len(lacking) < len(taken):
        yield "- all settings" + (f" but {_coded(sorted(lacking))}" if lacking else "")
    elif taken:
        yield f"- of the settings: {_coded(sorted(taken))}"


def _coded(flags: list[str]) -> str:
    return ", ".join(f"`{each}`" for each in flags)


def main(arguments: list[str]) -> int:
    """Write or check the generated files."""
    settings = collect()
    stale = 0
    for path, text in (
        (FILE, as_json(with_presets(settings))),
        (KEYWORDS, as_keywords(settings)),
        (PAGE, as_page(settings)),
        (INTERFACE, as_interface(INTERFACE.read_text(encoding="utf-8"))),
    ):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int(stale > 0 and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
