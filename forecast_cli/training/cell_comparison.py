"""Comparison of recurrent cells and baselines, trained and scored on the same rows."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..config.registries import CELLS, KEPT_METRICS
from ..config.resolution import configure
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, Note, ignore
from ..data.dataset import Dataset
from ..data.io.tables import Readable
from ..model.bundle import Bundle
from ..model.manifest import Evaluation
from .pipeline import Learned, finish, learn, read_dataset


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Args:
        rows: A row per cell and baseline (and target), grouped by target, the best first by the
            measure of the verdict (MASE of several series, else MAE): `model`, the measures of the
            test split, `skill` against the best baseline in percent, `validation` (the loss that
            the cell is chosen by), `parameters` and `seconds`.
        bundle: The best model: of the cell with the lowest validation loss.
        cell: That cell.
        verdict: The conclusion, in plain sentences.
    """

    rows: list[dict[str, Any]]
    bundle: Bundle
    cell: str
    verdict: str


def compare(
    source: Readable,
    config: Config,
    *,
    cells: Sequence[str] = tuple(CELLS),
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Comparison:
    """Train each kind of cell with the same splits and budget, and return the best.

    The best is the one with the lowest validation loss; the test split is not used to choose.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: Everything but the cell.
        cells: The kinds of cell to train.
        on_event: Notified of how the table is read, and of the progress.
        should_stop: Called after each epoch; True stops, and compares what is trained by then.

    Raises:
        UsageError: A cell is unknown, or cannot be built as configured.
        DataError: The table lacks what is needed.
    """
    if config.data.label:
        raise UsageError("Cells are compared by forecasts, and `label` is for labelled sequences.")
    configure_all = {cell: _with_cell(config, cell) for cell in dict.fromkeys(cells)}
    began = time.perf_counter()
    dataset = read_dataset(source, next(iter(configure_all.values())), on_event=on_event)
    learned: dict[str, Learned] = {}
    for cell in configure_all:
        if learned and should_stop():
            left = ", ".join(each for each in configure_all if each not in learned)
            on_event(Note(f"stopped: {left} were not trained", warning=True))
            break
        on_event(Note(f"training {cell}"))
        own = replace(dataset, config=_with_cell(dataset.config, cell))
        learned[cell] = learn(own, on_event=on_event, should_stop=should_stop)
    best = min(learned, key=lambda cell: _loss(learned[cell]))
    bundle = finish(learned[best], began, on_event=on_event, should_stop=should_stop)
    return Comparison(_rows(dataset, learned), bundle, best, _verdict(learned, best))


def _with_cell(config: Config, cell: str) -> Config:
    """Return the configuration with another kind of cell in each recurrent layer."""
    return configure({"cell": cell}, config.model_dump(exclude_unset=True))


def _loss(learned: Learned) -> float:
    """Return the loss to choose by: of validation, or of training where there is none."""
    return learned.scored.fitted.loss


def _rows(dataset: Dataset, learned: dict[str, Learned]) -> list[dict[str, Any]]:
    """Return a row per forecaster and target, grouped by target, the smallest error first."""
    targets = dataset.panel.columns.targets
    evaluations = {
        cell: each.scores.evaluation if each.scores else None for cell, each in learned.items()
    }
    rows = []
    for cell, each in learned.items():
        evaluation, fitted = evaluations[cell], each.scored.fitted
        more = {
            "skill": evaluation and evaluation.skill,
            "validation": _loss(each),
            "parameters": sum(int(row["parameters"]) for row in fitted.layers),
            "seconds": round(sum(epoch.seconds for epoch in fitted.epochs), 2),
        }
        rows += _read_rows(cell, "network", evaluation, targets, more)
    some = next(iter(evaluations.values()))
    nothing = dict.fromkeys(("skill", "validation", "parameters", "seconds"))
    for name in some.scores if some else ():
        if name != "network":
            rows += _read_rows(name, name, some, targets, nothing)
    return sort_rows(rows, targets, measure=some.measure or "mae") if some else rows


def sort_rows(
    rows: list[dict[str, Any]], targets: Sequence[str], *, measure: str
) -> list[dict[str, Any]]:
    """Return rows grouped by target, sorted by the measure of the verdict."""

    def place(row: dict[str, Any]) -> tuple[int, bool, float]:
        target = targets.index(row["column"]) if "column" in row else 0
        return target, row[measure] is None, row[measure] or 0.0

    return sorted(rows, key=place)


def _read_rows(
    name: str,
    forecaster: str,
    evaluation: Evaluation | None,
    targets: Sequence[str],
    more: dict[str, Any],
) -> list[dict[str, Any]]:
    return [
        {"model": name}
        | ({"column": target} if len(targets) > 1 else {})
        | {
            metric: evaluation.scores[forecaster][metric][target] if evaluation else None
            for metric in (evaluation.scores[forecaster] if evaluation else KEPT_METRICS)
        }
        | more
        for target in targets
    ]


def _verdict(learned: dict[str, Learned], best: str) -> str:
    """Return which cell is chosen and why, and how it compares with the baselines."""
    kept = learned[best]
    part = "training" if kept.scored.fitted.epochs[-1].validation_loss is None else "validation"
    others = [_loss(each) for cell, each in learned.items() if cell != best]
    text = f"The best cell is {best}"
    if others:
        ahead = 100.0 * (1.0 - _loss(kept) / min(others)) if min(others) > 0 else 0.0
        text += f": its {part} loss is the lowest, {ahead:.1f} % below the next"
    return f"{text}. {kept.scores.evaluation.verdict}" if kept.scores else f"{text}."
