"""Categorical covariates as numbers: 0 for an unknown category."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..config.sections import Data
from ..core.errors import DataError, listed
from ..core.events import Listener, Note
from ..core.windows import Floats
from .io.tables import Table, is_text
from .panel import Panel
from .splits import Splits

# With more categories than this there is nothing to learn.
MOST_CATEGORIES = 100_000


def find_categories(table: Table, data: Data) -> dict[str, tuple[str, ...]]:
    """Return the categorical covariates, each with its categories in order.

    Raises:
        DataError: One has too many categories.
    """
    found = {}
    for name in data.covariates:
        text = is_text(table.columns[name].type)
        if name in data.categorical or (text and not table.is_all_numbers(name)):
            values = sorted(pc.unique(_texts(table, name)).drop_null().to_pylist())
            if len(values) > MOST_CATEGORIES:
                raise DataError(
                    f'{table.name}: column "{name}" has {len(values):,} categories.',
                    "Drop this column: its values do not repeat, so it carries no information.",
                )
            found[name] = tuple(values)
    return found


def category_numbers(table: Table, name: str, known: Sequence[str]) -> Floats:
    """Return a categorical column as numbers from 1, shape `(rows,)`; 0: unknown, NaN: missing."""
    texts = _texts(table, name)
    places = pc.fill_null(pc.index_in(texts, pa.array(known, pa.string())), -1).to_numpy() + 1.0
    return np.where(texts.is_null().to_numpy(), np.nan, places)


def note_unknown(table: Table, known: Mapping[str, Sequence[str]], on_event: Listener) -> None:
    """Report categories that are not known from training; they are read as unknown."""
    for name, values in known.items():
        held = set(pc.unique(_texts(table, name)).drop_null().to_pylist())
        if new := sorted(held - set(values)):
            text = f'"{name}" has {len(new)} categories that are not known from training: '
            text += listed(new)
            on_event(Note(text, warning=True))


def kept_numbers(numbers: Floats, known: Sequence[str], kept: Sequence[str]) -> Floats:
    """Return numbers of categories, of any shape, when only some are kept; NaN stays NaN.

    >>> kept_numbers(np.array([0.0, 1.0, 2.0]), ["a", "b"], ["b"]).tolist()
    [0.0, 0.0, 1.0]
    """
    places = {name: place for place, name in enumerate(kept, start=1)}
    table = np.array([0, *(places.get(name, 0) for name in known)], dtype=np.float64)
    kept_ones: Floats = table[np.nan_to_num(numbers).astype(np.int64)]
    return np.where(np.isnan(numbers), np.nan, kept_ones)


def with_known_categories(panel: Panel, splits: Splits) -> Panel:
    """Return the panel with the categories of its training rows; others are unknown."""
    kept = {}
    for name, names in panel.columns.covariates.categories.items():
        place = panel.columns.features.index(name)
        held = np.unique(splits.training_rows(panel.values[:, [place]]))
        kept[name] = tuple(names[int(each) - 1] for each in held if each > 0)
    return with_categories(panel, kept)


def with_categories(panel: Panel, kept: Mapping[str, Sequence[str]]) -> Panel:
    """Return the panel with only some of its categories, by covariate; others are unknown."""
    names = panel.columns.covariates.categories
    if names == kept:
        return panel
    values, ahead = panel.values.copy(), panel.ahead.copy()
    for name, known in kept.items():
        place = panel.columns.features.index(name)
        for array in (values, ahead):
            array[..., place] = kept_numbers(array[..., place], names[name], known)
    covariates = panel.columns.covariates.changed(categories=dict(kept))
    columns = replace(panel.columns, covariates=covariates)
    return replace(panel, columns=columns, values=values, ahead=ahead)


def _texts(table: Table, name: str) -> pa.ChunkedArray:
    cells = pc.cast(table.columns[name], pa.string())
    empty = pc.is_in(cells, pa.array(table.markers, pa.string()))
    return pc.if_else(empty, pa.scalar(None, pa.string()), cells)
