"""Model files of older formats, upgraded as they are read.

The arrays and graphs in a file stay the same, and so do its forecasts, to the bit. Only names in
the manifest change. To change one, raise `FORMAT` in
`forecast_cli.model.manifest`, and add a function to `UPGRADES`.
"""

from collections.abc import Callable
from typing import Any

from ..config.deprecated import renew_nested
from ..config.model_name import name_model, name_row
from ..config.registries import MAP_NAMES
from ..config.schema import Config

Document = dict[str, Any]
# The row of the model in scores before format 8, and names of baselines there before format 6.
NETWORK = "network"
SCORED = {"last value": "naive", "seasonal naive": "seasonal-naive"}
# Members that are no longer fitted, and the most similar ones: the graph itself is unchanged.
RETIRED = {
    "theta": "smoothing",
    "repeated": "ridge-short",
    "linear-far": "ridge-long",
    "drift": "structural",
}


def upgrade(manifest: Document) -> Document:
    """Return a manifest of any format up to the current one in the current format."""
    if int(manifest["format"]) < 1:
        return manifest
    for number in range(int(manifest["format"]), max(UPGRADES) + 1):
        if number in UPGRADES:
            manifest = UPGRADES[number](manifest)
    return manifest


def upgrade_scores(rows: list[Document]) -> list[Document]:
    """Return the scores by series with current names of the columns."""
    names = {f"mase of {old}": f"mase of {new}" for old, new in SCORED.items()}
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


def _from_5(manifest: Document) -> Document:
    """One name for each baseline, `ensemble.baselines` for `ensemble.simple`, and `warnings`."""
    config = renew_nested(manifest["config"], [])
    if isinstance(config.get("ensemble"), dict):
        members = config["ensemble"].get("baselines", [])
        config["ensemble"]["baselines"] = _without_retired(members)
    evaluation = manifest.get("evaluation")
    if evaluation:
        best = evaluation["best_baseline"]
        evaluation = {
            **evaluation,
            "scores": {SCORED.get(name, name): each for name, each in evaluation["scores"].items()},
            "best_baseline": SCORED.get(best, best),
        }
        if "doubts" in evaluation:
            evaluation["warnings"] = evaluation.pop("doubts")
    return {**manifest, "format": 6, "config": config, "evaluation": evaluation}


def _without_retired(members: list[str]) -> list[str]:
    """Return as many names of members, each once, none of them retired."""
    kept: list[str] = []
    taken = {*members} - {*RETIRED}
    for name in members:
        like = RETIRED.get(name, name)
        if name in RETIRED and like in taken:
            like = next(each for each in MAP_NAMES if each not in taken)
        taken.add(like)
        kept.append(like)
    return kept


def _from_7(manifest: Document) -> Document:
    """A name for the model; the weights of its members are unknown, so it goes by its settings."""
    named = name_model(Config.model_validate(manifest["config"]))
    evaluation = manifest.get("evaluation")
    if evaluation:
        scores = evaluation["scores"]
        model = name_row(named.name, scores)
        scores = {model if name == NETWORK else name: each for name, each in scores.items()}
        evaluation = {**evaluation, "model": model, "scores": scores}
    return {**manifest, "format": 8, **named._asdict(), "evaluation": evaluation}


# From a format to the next one; formats 1 to 4 differ from 5, 6 from 7, and 8 from 10, in what may
# be absent alone.
UPGRADES: dict[int, Callable[[Document], Document]] = {5: _from_5, 7: _from_7}
