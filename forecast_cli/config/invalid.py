"""What pydantic finds wrong, in plain words."""

from collections.abc import Mapping
from typing import Any

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
