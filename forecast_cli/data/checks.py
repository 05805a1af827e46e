"""Checks of values before training."""

from collections.abc import Sequence

import numpy as np

from ..core.errors import DataError
from ..core.scaling import Transform
from ..core.windows import Floats


def require_known(rows: Floats, names: Sequence[str], source: str) -> None:
    """Refuse columns without a value in the training split.

    Args:
        rows: Shape `(rows, features)`: the training rows, NaN where missing.
        names: Of the features.
        source: What messages call the table.

    Raises:
        DataError: Every value of one is missing.
    """
    unknown = np.flatnonzero(np.isnan(rows).all(axis=0))
    if len(unknown):
        raise DataError(
            f'{source}: column "{names[unknown[0]]}" has no value in the training split.',
            "Leave the column out, or give more rows to the training split.",
        )


def require_positive(
    values: Floats, names: Sequence[str], transform: Transform, source: str
) -> None:
    """Refuse values whose logarithm is undefined.

    Args:
        values: Shape `(n_rows, features)`, original units.
        names: Of the features that are transformed, the first ones.
        transform: The setting.
        source: What messages call the table.

    Raises:
        DataError: Some are too small for the transform.
    """
    if transform == "none":
        return
    least = 0.0 if transform == "log" else -1.0
    bad = np.argwhere(values[:, : len(names)] <= least)
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f'{source}: column "{names[column]}" holds {values[row, column]:g} in row {row + 1}, '
            f"and transform {transform} needs values above {least:g}.",
            f"Pass {'`transform=log1p` or ' * bool(values[row, column] > -1)}`transform=none`.",
        )
