"""Which settings a search may choose, and which values each of them can have."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from pydantic import ValidationError

from ..core.errors import UsageError, nearest
from .layers import Frozen, Recurrent
from .registries import CELLS
from .resolution import LAYER_SETTINGS, PLACES, SHORTHAND, TOP
from .schema import Config

# What is forecast, and how it is scored, is the same in all trials.
UNCHANGED = ("data", "split")
BARRED = ("horizon", "intervals", "level", "seed", "refit", "time_budget")
NAMES = tuple(
    name
    for name in (*PLACES, *SHORTHAND, *TOP)
    if name not in BARRED and PLACES.get(name, ("",))[0] not in UNCHANGED
)
SIZES = ("units", "dense")
SECTIONS: Mapping[str, type[Frozen]] = {
    name: type(section) for name, section in Config() if isinstance(section, Frozen)
}

Kind = Literal["whole", "fraction", "word"]


def check_name(name: str) -> None:
    """Refuse a name that is no setting, or none that can be searched.

    Raises:
        UsageError: It is not.
    """
    if name in NAMES:
        return
    if name in (*PLACES, *TOP):
        why = "a seed is luck, not a setting" if name == "seed" else "it is the same in all trials"
        raise UsageError(f"{name} cannot be searched: {why}.", "Give it as a flag.")
    raise UsageError(f'There is no setting "{name}".', nearest(name, NAMES))


def check_value(name: str, value: Any) -> Any:
    """A value as the configuration takes it; "none" stands for None where there may be none.

    Raises:
        UsageError: The setting cannot have it.

    >>> check_value("units", [64, 32]), check_value("clip", "none")
    ((64, 32), None)
    """
    if name in SIZES and isinstance(value, list | tuple):
        return tuple(check_value(name, each) for each in value)
    if name == "cell":
        _check_word(value, tuple(CELLS))
        return value
    model, field = _place(name)
    if value == "none" and model.model_fields[field].default is None:
        return None
    try:
        model.model_validate({field: value})
    except ValidationError as error:
        for each in error.errors(include_url=False):
            # What does not go together is said of the whole, and is for a trial to find.
            if each["loc"][:1] == (field,):
                _refuse(value, dict(each))
    return tuple(value) if isinstance(value, list) else value


def classify_setting(name: str) -> Kind:
    """Whether a setting is a whole number, a number, or something that has no order.

    >>> classify_setting("epochs"), classify_setting("dropout"), classify_setting("cell")
    ('whole', 'fraction', 'word')
    """
    if name in SIZES:
        return "whole"
    if name == "cell":
        return "word"
    model, field = _place(name)
    annotation = model.model_fields[field].annotation
    if _mentions(annotation, float):
        return "fraction"
    return "whole" if _mentions(annotation, int) else "word"


def flatten_names(paths: Iterable[str]) -> set[str]:
    """The flat names of settings that stand at dotted paths of a configuration.

    >>> sorted(flatten_names(["training.epochs", "network.layers.0.type"]))
    ['cell', 'epochs']
    """
    homes = {".".join(place): name for name, place in PLACES.items()}
    found = set()
    for path in paths:
        last = path.rpartition(".")[2]
        if path.startswith("network.layers."):
            found.add({"type": "cell"}.get(last, last))
        else:
            found.add(homes.get(path, path))
    return found


def _place(name: str) -> tuple[type[Frozen], str]:
    """The part of the configuration that has a setting, and its name there."""
    if name in SIZES:
        return Recurrent, "units"
    if name in LAYER_SETTINGS:
        return Recurrent, name
    if name in PLACES:
        section, field = PLACES[name]
        return SECTIONS[section], field
    return Config, name


def _mentions(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_mentions(each, kind) for each in get_args(annotation))


def _refuse(value: Any, error: Mapping[str, Any]) -> None:
    if error["type"] == "literal_error":
        expected = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        _check_word(value, expected.split(", "))
    why = error["msg"].removeprefix("Value error, ")
    raise UsageError(f"{value!r} cannot be: {why[:1].lower()}{why[1:]}.")


def _check_word(value: Any, valid: Any) -> None:
    if value not in valid:
        raise UsageError(f'"{value}" is unknown.', nearest(str(value), valid))
