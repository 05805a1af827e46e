"""The settings that a search may choose, and their valid values."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from ..core.errors import UsageError, nearest
from .invalid import describe_invalid
from .layers import Frozen, Recurrent
from .resolution import SECTIONS
from .schema import Config
from .settings import LAYERS, SETTINGS

# The data and the splits are the same in all trials.
UNCHANGED = ("data", "split")
NAMES = tuple(
    name for name, each in SETTINGS.items() if each.search and each.place[0] not in UNCHANGED
)
SIZES = ("units", "dense")
OWNERS: Mapping[str, type[Frozen]] = {**SECTIONS, "": Config, LAYERS: Recurrent}

Kind = Literal["whole", "fraction", "word"]
KINDS: Mapping[str, Kind] = {"int": "whole", "ints": "whole", "float": "fraction"}


def check_name(name: str) -> None:
    """Refuse a name that is no setting, or none that can be searched.

    Raises:
        UsageError: It is not.
    """
    if name in NAMES:
        return
    if name in SETTINGS:
        why = (
            "it changes no property of the model"
            if name == "seed"
            else "it is the same in all trials"
        )
        raise UsageError(
            f"`{name}` cannot be searched: {why}.", "Give it as a setting of the training."
        )
    raise UsageError(f'There is no setting "{name}".', nearest(name, NAMES))


def check_value(name: str, value: Any) -> Any:
    """Return a value as the configuration takes it; "none" is None where that is the default.

    Raises:
        UsageError: The value is invalid.

    >>> check_value("units", [64, 32]), check_value("clip", "none")
    ((64, 32), None)
    """
    if name in SIZES and isinstance(value, list | tuple):
        return tuple(check_value(name, each) for each in value)
    section, field = SETTINGS[name].place
    model = OWNERS[section]
    if value == "none" and model.model_fields[field].default is None:
        return None
    try:
        model.model_validate({field: value})
    except ValidationError as error:
        for each in error.errors(include_url=False):
            # Conflicts between settings show in a trial.
            if each["loc"][:1] == (field,):
                _refuse(value, dict(each))
    return tuple(value) if isinstance(value, list) else value


def classify_setting(name: str) -> Kind:
    """Return whether a setting is a whole number, a number, or has no order.

    >>> classify_setting("epochs"), classify_setting("dropout"), classify_setting("cell")
    ('whole', 'fraction', 'word')
    """
    return KINDS.get(SETTINGS[name].kind, "word")


def flatten_names(paths: Iterable[str]) -> set[str]:
    """Return the flat names of settings by their dotted paths in a configuration.

    >>> sorted(flatten_names(["training.epochs", "network.layers.0.type"]))
    ['cell', 'epochs']
    """
    homes = {each.path: name for name, each in SETTINGS.items()}
    found = set()
    for path in paths:
        last = path.rpartition(".")[2]
        if path.startswith("network.layers."):
            found.add({"type": "cell"}.get(last, last))
        else:
            found.add(homes.get(path, path))
    return found


def _refuse(value: Any, error: Mapping[str, Any]) -> None:
    if error["type"] == "literal_error":
        valid = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        if value not in valid:
            raise UsageError(f'"{value}" is unknown.', nearest(str(value), valid))
    why = describe_invalid(error) or error["msg"].removeprefix("Value error, ")
    raise UsageError(f"Invalid {value!r}: {why[:1].lower()}{why[1:]}.")
