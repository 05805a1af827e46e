"""Deprecated names of settings, and their current names."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

# Linear maps among the members of an ensemble, before format 6 of model files.
OLD_MEMBERS: Mapping[str, str] = {
    "last": "naive",
    "seasonal": "seasonal-naive",
    "structure": "structural",
    "corrected": "smoothing-ridge",
    "linear-short": "ridge-short",
    "linear": "ridge",
    "linear-long": "ridge-long",
    "linear-half": "ridge-half",
    "linear-whole": "ridge-full",
}


def renew_settings(settings: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return flat settings by their current names.

    Args:
        settings: As flags and keyword arguments name them.
        notes: What was renamed is added, a sentence each.
    """
    renewed = dict(settings)
    if "simple" in renewed:
        renewed.setdefault("baselines", renewed.pop("simple"))
        notes.append("`simple` is deprecated: use `baselines`")
    if "baselines" in renewed:
        renewed["baselines"] = renew_members(renewed["baselines"], notes)
    return renewed


def renew_nested(nested: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return a nested configuration by its current names; arguments as above."""
    ensemble = nested.get("ensemble")
    if not isinstance(ensemble, Mapping):
        return dict(nested)
    return {**nested, "ensemble": renew_settings(ensemble, notes)}


def renew_assignments(assignments: Iterable[str], notes: list[str]) -> list[str]:
    """Return assignments like `ensemble.simple=["last"]` by their current names."""
    old, new = "ensemble.simple=", "ensemble.baselines="
    renewed = [
        new + each.removeprefix(old) if each.startswith(old) else each for each in assignments
    ]
    if renewed != [*assignments]:
        notes.append("`ensemble.simple` is deprecated: use `ensemble.baselines`")
    return renewed


def renew_members(names: Any, notes: list[str]) -> Any:
    """Return the current names of members; anything but a list of names is unchanged."""
    if isinstance(names, str):
        return renew_members((names,), notes)
    if not isinstance(names, list | tuple):
        return names
    old = [name for name in names if isinstance(name, str) and name in OLD_MEMBERS]
    notes += [f"the baseline {name} is now called {OLD_MEMBERS[name]}" for name in old]
    return [OLD_MEMBERS.get(name, name) if isinstance(name, str) else name for name in names]


def renew_start(options: dict[str, Any], start: Any) -> Any:
    """Return `start`, or what was given under its former name, `begin`, with a warning."""
    if "begin" not in options:
        return start
    warnings.warn("`begin` is deprecated: use `start`", DeprecationWarning, stacklevel=3)
    old = options.pop("begin")
    return old if start is None else start
