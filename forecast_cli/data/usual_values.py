"""The usual values of covariates, with which explanations compare."""

import numpy as np

from ..core.ragged import owners, take_medians
from ..core.windows import Floats, Ints
from .columns import Columns


def usual_values(values: Floats, indptr: Ints, columns: Columns) -> Floats:
    """Return the median of each past and future covariate in each series, of categories the mode.

    Args:
        values: Shape `(n_rows, features)`, original units, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        columns: Those of the rows.

    Returns:
        Shape `(n_series, features)`, NaN for other columns and where nothing is known.
    """
    known = columns.covariates
    usual = np.full((len(indptr) - 1, values.shape[1]), np.nan)
    for name in (*known.past, *known.future):
        place = columns.features.index(name)
        find = _modes if name in known.categories else take_medians
        usual[:, place] = find(values[:, place], indptr)
    return usual


def _modes(column: Floats, indptr: Ints) -> Floats:
    """Return the most frequent known value of each series, shape `(n_series,)`; NaN for none."""
    held = np.isfinite(column)
    pairs, counts = np.unique(
        np.stack([owners(indptr)[held], column[held]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(counts, kind="stable")
    modes = np.full(len(indptr) - 1, np.nan)
    # Of equal places the last one stays, which is the most frequent.
    modes[pairs[order, 0].astype(np.int64)] = pairs[order, 1]
    return modes
