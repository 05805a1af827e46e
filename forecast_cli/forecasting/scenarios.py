"""Scenarios: forecasts with other values of the future covariates, compared with each other."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from ..core.errors import DataError, UsageError, listed, nearest
from ..core.events import Listener, Note, ignore
from ..core.windows import Floats
from ..data.columns import Columns
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.known_future import require_ahead, rows_ahead
from ..data.panel import Panel
from ..model.bundle import Bundle
from .history import data_as_trained, match_series
from .level_check import MOST_NAMED, trained_levels
from .prediction_request import PredictionRequest

# The scenario without a change.
BASE = "base"
OPERATORS: dict[str, Callable[..., Any]] = {
    "=": np.full_like, "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide,
}  # fmt: skip
FORM = "A change is written like temperature+10, price*0.9 or promo=1, several with commas between."


@dataclass(frozen=True)
class Change:
    """A change of a future covariate in all steps ahead.

    Args:
        name: The covariate.
        operator: One of `OPERATORS`.
        value: The operand; of a category its number.
    """

    name: str
    operator: str
    value: float

    def apply(self, known: Floats) -> Floats:
        """Return changed values, of any shape, original units; NaN where unknown."""
        changed: Floats = OPERATORS[self.operator](known, self.value)
        return changed


def name_futures(future: Any) -> dict[str, Readable]:
    """Return several tables of future covariates by the names of their scenarios; none of one.

    >>> list(name_futures(["plans/mild.csv", "plans/cold.csv"]))
    ['mild.csv', 'cold.csv']
    """
    if isinstance(future, Mapping):
        return dict(future)
    if not isinstance(future, list | tuple) or len(future) < 2:
        return {}
    paths = [os.fspath(each) if isinstance(each, str | os.PathLike) else "" for each in future]
    names = [os.path.basename(path) for path in paths]
    if len(set(names)) < len(names):
        names = paths
    names = [name or f"future {number}" for number, name in enumerate(names, start=1)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"`future={twice}` is given twice.", "Name each table once.")
    return dict(zip(names, future, strict=True))


def parse_what_if(text: str, columns: Columns) -> tuple[Change, ...]:
    """Return the changes of an expression such as `temperature+10, promo=1`.

    Raises:
        UsageError: It is no such expression, or does not fit the model.
    """
    if not columns.covariates.future:
        raise UsageError(
            "The model reads no future covariates: there is nothing that `what_if` could change.",
            "Train with `future_covariates`, naming what is known ahead.",
        )
    changes = [_parse_change(part.strip(), columns) for part in text.split(",")]
    names = [change.name for change in changes]
    if len(set(names)) < len(names):
        raise UsageError(
            f'`what_if` "{text}" changes one covariate twice.', "Write one change for each."
        )
    return tuple(changes)


def _parse_change(text: str, columns: Columns) -> Change:
    """Return one change."""
    # Names may hold operators themselves: the longest one that fits is meant.
    for name in sorted(columns.covariates.future, key=len, reverse=True):
        rest = text.removeprefix(name).lstrip()
        if text.startswith(name) and rest[:1] and rest[0] in OPERATORS:
            return Change(name, rest[0], _parse_value(name, rest[0], rest[1:].strip(), columns))
    found = re.match(r"(.+?)\s*[=+\-*/]", text)
    if not found:
        raise UsageError(f'`what_if` "{text}" is not a change of a covariate.', FORM)
    raise _not_changeable(found[1], columns)


def _parse_value(name: str, operator: str, text: str, columns: Columns) -> float:
    """Return the operand of a change; of a category its number."""
    categories = columns.covariates.categories.get(name)
    if categories is not None:
        if operator != "=":
            raise UsageError(
                f'"{name}" is categorical: `what_if` can only set it.',
                f"Write {name}={categories[0]}, for example.",
            )
        if text not in categories:
            raise UsageError(
                f'"{name}" has no category "{text}" in training.', nearest(text, categories)
            )
        return float(categories.index(text) + 1)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        way = f" For percents multiply, e.g. {name}*0.9." if text.endswith("%") else ""
        raise UsageError(f'`what_if`: "{text}" after "{name}" is not a number.', FORM + way)
    if operator == "/" and value == 0:
        raise UsageError(f'`what_if` divides "{name}" by 0.', FORM)
    return value


def _not_changeable(name: str, columns: Columns) -> UsageError:
    """The error for a column that is not a future covariate, with the reason."""
    known = columns.covariates
    reasons = {
        columns.columns: "is a column that is forecast or read up to the present alone",
        known.past: "is a past covariate: the model does not read its future values",
        known.static: "is static: it does not change over time",
        known.calendar: "is computed from the times",
        columns.series: "names the series",
        (columns.time,): "is the time column",
    }
    for names, reason in reasons.items():
        if name in names:
            advice = f"`what_if` changes future covariates: {', '.join(known.future)}."
            if name in known.past:
                advice += f" Train with `future_covariates={name}` to have it among them."
            return UsageError(f'"{name}" {reason}.', advice)
    return UsageError(f'The model reads no future covariate "{name}".', nearest(name, known.future))


def make_scenarios(
    bundle: Bundle,
    history: History,
    wanted: PredictionRequest,
    *,
    steps: int,
    reading: Mapping[str, Any],
    on_event: Listener = ignore,
) -> dict[str, History]:
    """Return what the forecasts of each scenario go on from, by its name.

    The history is changed by `what_if`, or by each of several tables as `future`; values outside
    the range of the training table are noted.

    Raises:
        DataError: A value of a future covariate is missing.
        UsageError: An expression does not fit the model.
    """
    panel, what_if, futures = history.panel, wanted.what_if, name_futures(wanted.future)
    if futures and what_if:
        raise UsageError(
            "`what_if` changes the values of one table, and several are given with `future`.",
            "Pass one `future` with `what_if`.",
        )
    if futures:
        panels = dict(_read_futures(bundle, panel, futures, reading, on_event))
    else:
        panels = _change_panel(panel, what_if, steps)
    for name, each in panels.items():
        for text in _outside_training(bundle, each, steps):
            on_event(Note(f'scenario "{name}": {text}', warning=True))
    panels = panels if futures else {BASE: panel} | panels
    return {name: replace(history, panel=each) for name, each in panels.items()}


def _read_futures(
    bundle: Bundle,
    panel: Panel,
    futures: Mapping[str, Readable],
    reading: Mapping[str, Any],
    on_event: Listener,
) -> Iterator[tuple[str, Panel]]:
    """Yield the panel with each table of future covariates, by the name of its scenario."""
    from ..data.future_table import with_future

    if not panel.columns.covariates.future:
        raise UsageError("The model reads no future covariates.", "Omit `future`.")
    data = data_as_trained(bundle, reading)
    for name, source in futures.items():
        yield name, with_future(panel, source, data, on_event=on_event)


def _change_panel(panel: Panel, what_if: Sequence[str], steps: int) -> dict[str, Panel]:
    """Return the panel with each change of its next steps, by the expression."""
    if len(set(what_if)) < len(what_if):
        raise UsageError("`what_if` names one scenario twice.", "Pass each once.")
    parsed = {text.strip(): parse_what_if(text, panel.columns) for text in what_if}
    try:
        require_ahead(panel, rows_ahead(panel, steps))
    except DataError as error:
        raise DataError(
            error.message,
            "`what_if` changes known future values: pass a table of them with `future` (the "
            "command future writes one to fill in), or `start` with a table that has later rows.",
        ) from None
    changed = {}
    for name, changes in parsed.items():
        ahead = panel.ahead.copy()
        for change in changes:
            place = panel.columns.features.index(change.name)
            ahead[:, :steps, place] = change.apply(ahead[:, :steps, place])
        changed[name] = replace(panel, ahead=ahead)
    return changed


def _outside_training(bundle: Bundle, panel: Panel, steps: int) -> Iterator[str]:
    """A sentence for each future covariate with values outside the range of the training table."""
    levels, places = trained_levels(bundle), match_series(bundle, panel)
    covariates = panel.columns.covariates
    numbers = [name for name in covariates.future if name not in covariates.categories]
    for name, column in zip(numbers, panel.columns.places(numbers), strict=True):
        values = panel.ahead[:, :steps, column]
        low, high = (each[np.maximum(places, 0), column] for each in (levels.low, levels.high))
        outside = (values < low[:, None]) | (values > high[:, None])
        series = np.flatnonzero(outside.any(axis=1) & (places >= 0))
        if not len(series):
            continue
        many, first = "", int(series[0])
        if len(panel.ids.columns):
            names = listed(series.tolist(), most=MOST_NAMED, say=panel.name)
            share = f"{len(series)} of {panel.count} series ({names})"
            many = f" of {names if panel.count == 1 else share}"
        ends = f"{np.nanmin(values[first]):.6g}", f"{np.nanmax(values[first]):.6g}"
        here, trained = " to ".join(dict.fromkeys(ends)), f"{low[first]:.6g} to {high[first]:.6g}"
        yield (
            f'"{name}"{many} is {here}, outside its range in training, {trained}: the response is '
            "an extrapolation"
        )
