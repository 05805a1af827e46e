"""Resolve settings from flags, files and keyword arguments to one configuration."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ..core.arguments import checked, require
from ..core.errors import UsageError, nearest
from .deprecated import renew_assignments, renew_nested, renew_settings
from .invalid import explain_invalid
from .layers import Frozen, Recurrent
from .registries import CELLS, DEFAULT_CELL
from .schema import Config
from .settings import SETTINGS, SHORTHAND

SECTIONS: Mapping[str, type[Frozen]] = {
    name: field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Frozen)
}
# Shorthand settings that apply unchanged to all recurrent layers.
LAYER_SETTINGS = tuple(name for name in SHORTHAND if name not in ("cell", "units", "dense"))


def configure(
    settings: Mapping[str, Any] = MappingProxyType({}),
    base: Mapping[str, Any] | None = None,
    assignments: Sequence[str] = (),
    **more: Any,
) -> Config:
    """Make a configuration from flat settings on top of a nested one.

    Args:
        settings: Flat, as flags and keyword arguments name them, e.g. `{"units": (64, 32)}`.
        base: Nested, as in a `forecast.toml`, e.g. `{"training": {"epochs": 5}}`.
        assignments: Any depth, e.g. `network.layers.0.use_bias=false`; they win.
        **more: Further flat settings.

    Raises:
        UsageError: A name is unknown, or a value invalid.

    >>> configure({"units": (64, 32), "epochs": 5}).network.layers[1].units
    32
    """
    for name, given in (("settings", settings), ("base", base)):
        require(name, given, Mapping, "a mapping of names to values")
    flat = {str(name): value for name, value in {**settings, **more}.items()}
    settings, base, assignments = _renewed(flat, base or {}, assignments)
    settings = {
        name: checked(name, value, SETTINGS[name].kind) if name in SETTINGS else value
        for name, value in settings.items()
    }
    shorthand = {n: settings[n] for n in SHORTHAND if settings.get(n) is not None}
    others = {name: value for name, value in settings.items() if name not in SHORTHAND}
    nested = _nested(others, base)
    # Whether intervals are valid may depend on the layers of shorthand and assignments.
    late = {"intervals": nested.pop("intervals")} if "intervals" in nested else {}
    config = _validated(nested)
    config = _validated(_with_shorthand(config, shorthand)) if shorthand else config
    if not assignments and not late:
        return config
    # What was not specified stays so, so that a preset can choose it.
    given = config.model_dump(mode="json", exclude_unset=True)
    return _validated(_assigned(given | late, config.model_dump(mode="json"), assignments))


def _renewed(
    settings: Mapping[str, Any], base: Mapping[str, Any], assignments: Sequence[str]
) -> tuple[Mapping[str, Any], Mapping[str, Any], Sequence[str]]:
    """Return the same with new names in place of old ones, and warn of these."""
    notes: list[str] = []
    settings, base = renew_settings(settings, notes), renew_nested(base, notes)
    assignments = renew_assignments(assignments, notes)
    for note in dict.fromkeys(notes):
        warnings.warn(note, FutureWarning, stacklevel=3)
    return settings, base, assignments


def _nested(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with the flat settings added at their paths."""
    nested = {n: dict(part) if isinstance(part, Mapping) else part for n, part in base.items()}
    for name, value in settings.items():
        if name not in SETTINGS:
            raise UsageError(f'There is no setting "{name}".', nearest(name, SETTINGS))
        if value is None and SETTINGS[name].several:
            continue
        section, key = SETTINGS[name].place
        owner = nested.setdefault(section, {}) if section else nested
        if not isinstance(owner, dict):
            raise UsageError(f"Invalid {section} = {owner!r}: must be a table.")
        single = SETTINGS[name].several and isinstance(value, str | int | float)
        owner[key] = (value,) if single else value
    return nested


def _assigned(
    nested: dict[str, Any], whole: Mapping[str, Any], assignments: Sequence[str]
) -> dict[str, Any]:
    """The nested configuration after assignments like `training.epochs=5`, checked against all."""
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        *way, last = path.split(".")
        owner: Any = nested
        held: Any = whole
        for part in way:
            held = _step(held, part, assignment)
            if isinstance(owner, dict) and part not in owner:
                # A section, or layers, of which nothing is set.
                empty: Any = [{} for _ in held] if isinstance(held, list) else {}
                owner[part] = empty if isinstance(held, list | dict) else held
            owner = _step(owner, part, assignment)
        if not equals or isinstance(owner, list) or not isinstance(owner, dict):
            raise UsageError(
                f"Invalid assignment {assignment}: must be a path and a value, e.g. "
                "`network.layers.0.units=64`."
            )
        owner[last] = _value(text)
    return nested


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested configuration with the changes of another one.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    result = dict(base)
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = merged(result[name], value) if both else value
    return result


def _step(owner: Any, part: str, assignment: str) -> Any:
    if isinstance(owner, list) and part.isdigit() and int(part) < len(owner):
        return owner[int(part)]
    if isinstance(owner, dict) and part in owner:
        return owner[part]
    places = range(len(owner)) if isinstance(owner, list) else ()
    valid = owner if isinstance(owner, dict) else map(str, places)
    raise UsageError(
        f'Invalid assignment {assignment}: there is no "{part}".', nearest(part, valid)
    )


def _value(text: str) -> Any:
    """Parse a value as TOML; return the text itself if it is none.

    >>> _value("64"), _value("false"), _value("l2:0.01")
    (64, False, 'l2:0.01')
    """
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def leaves(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested configuration by their dotted paths.

    >>> leaves({"network": {"layers": [{"units": 5}]}})
    {'network.layers.0.units': 5}
    """
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            flat |= leaves(value, f"{path}.")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            flat |= leaves({str(at): each for at, each in enumerate(value)}, f"{path}.")
        else:
            flat[path] = value
    return flat


def _with_shorthand(config: Config, shorthand: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested configuration with `cell`, `units`, `dense` ... as layers."""
    layers = [layer.model_dump(exclude_unset=True) for layer in config.network.layers]
    if "units" in shorthand:
        layers = _with_units(layers, _several(shorthand["units"]))
    if "dense" in shorthand:
        last = max(at for at, layer in enumerate(layers) if _is_recurrent(layer))
        hidden = [{"type": "dense", "units": units} for units in _several(shorthand["dense"])]
        others = [layer for layer in layers[last + 1 :] if layer.get("type") != "dense"]
        layers = [*layers[: last + 1], *hidden, *others]
    changes = {name: shorthand[name] for name in LAYER_SETTINGS if name in shorthand}
    for at, layer in enumerate(layers):
        if _is_recurrent(layer):
            layers[at] = _as_cell(layer, shorthand.get("cell")) | changes
    given = config.model_dump(exclude_unset=True)
    return given | {"network": given.get("network", {}) | {"layers": layers}}


def _several(units: int | Sequence[int]) -> Sequence[int]:
    """Return the units of each layer; a single number is one layer."""
    return (units,) if isinstance(units, int) else units


def _is_recurrent(layer: Mapping[str, Any]) -> bool:
    return layer.get("type", DEFAULT_CELL) in CELLS


def _with_units(layers: list[dict[str, Any]], units: Sequence[int]) -> list[dict[str, Any]]:
    """Return a recurrent layer per number: the old ones, or copies of the first."""
    places = [at for at, layer in enumerate(layers) if _is_recurrent(layer)]
    if len(places) == len(units):
        sizes = dict(zip(places, units, strict=True))
        return [
            layer | {"units": sizes[at]} if at in sizes else layer
            for at, layer in enumerate(layers)
        ]
    if len(places) > 1:
        raise UsageError(
            f"`units` has {len(units)} numbers, and the network {len(places)} recurrent layers.",
            "Give a number for each, or change the layers in the configuration file.",
        )
    first = places[0]
    stack = [layers[first] | {"units": size} for size in units]
    others = [layer for layer in layers[first:] if not _is_recurrent(layer)]
    return [*layers[:first], *stack, *others]


def _as_cell(layer: Mapping[str, Any], cell: str | None) -> dict[str, Any]:
    """Return the layer with a kind of cell, without settings of another kind alone."""
    if cell is None:
        return dict(layer)
    if layer.get("type", DEFAULT_CELL) == cell:
        return {**layer, "type": cell}
    return {name: layer[name] for name in Recurrent.model_fields if name in layer} | {"type": cell}


def _validated(nested: Mapping[str, Any]) -> Config:
    try:
        return Config.model_validate(nested)
    except ValidationError as error:
        raise UsageError(*explain_invalid(error, Config)) from None


def read_toml(path: Path) -> dict[str, Any]:
    """Read the nested configuration of a `forecast.toml`.

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {error}.", "Fix that line.") from None
