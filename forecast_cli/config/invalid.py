"""What pydantic finds wrong, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ..core.arguments import shown
from ..core.errors import nearest
from .layers import LAYERS, Frozen
from .settings import SETTINGS

# Pydantic adds the types of layers and numbers to the path.
SILENT = (*LAYERS, "float", "int", "str")
# By the beginning of the type of an error.
EXPECTED = {
    "int_": "must be a whole number",
    "float_": "must be a number",
    "finite_number": "must be a finite number",
    "bool_": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a table of settings",
    "model_": "must be a table of settings",
    "missing": "is required",
    "greater_than_equal": "must be at least {0}",
    "greater_than": "must be above {0}",
    "less_than_equal": "must be at most {0}",
    "less_than": "must be below {0}",
}


def describe_invalid(error: Mapping[str, Any]) -> str:
    """Return what a value must be by an error of pydantic; empty for errors of our own."""
    kind, limits = str(error["type"]), error.get("ctx", {})
    for start, why in EXPECTED.items():
        if kind.startswith(start):
            return why.format(*limits.values())
    return ""


def explain_invalid(error: ValidationError, whole: type[Frozen]) -> tuple[str, str]:
    """Return the first error in a configuration of the type `whole` as message and hint."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part not in SILENT)
    if why := describe_invalid(first):
        hint = "Leave it out for the default." if first["input"] is None else ""
        return f"Invalid {place} = {shown(first['input'])}: {why}.", hint
    if first["type"] == "extra_forbidden":
        return f"The configuration has no {place}.", _nearest_field(first["loc"], whole)
    if first["type"] == "union_tag_invalid":
        return f'{place} has the type "{first["ctx"]["tag"]}".', nearest(
            first["ctx"]["tag"], LAYERS
        )
    if first["type"] == "literal_error":
        valid = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f'{place} "{first["input"]}" is unknown.', nearest(str(first["input"]), valid)
    why = first["msg"].removeprefix("Value error, ")
    if isinstance(first["input"], Mapping):
        # The reason names the settings that do not go together.
        return f"{place}: {why}." if place else f"{why}.", ""
    return f"Invalid {place} = {shown(first['input'])}: {why[:1].lower()}{why[1:]}.", ""


def _nearest_field(place: Sequence[int | str], owner: type[Frozen]) -> str:
    """Return the hint for a field that does not exist, by its path with the types of layers."""
    for part in place[:-1]:
        section = owner.model_fields.get(str(part))
        if part in LAYERS:
            owner = LAYERS[str(part)]
        elif section and isinstance(section.default, Frozen):
            owner = type(section.default)
    name = str(place[-1])
    known = SETTINGS.get(name)
    table = known.place[0] if known and known.path.endswith(f".{name}") else ""
    if table and table != place[0]:
        header = f"[[{table}]]" if "." in table else f"[{table}]"
        return f"Put {name} into {header}, or pass `{name}`."
    return nearest(name, owner.model_fields)
