"""Checks of values before training."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..config.schema import Config
from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.scaling import Scaling, Transform
from ..core.windows import Floats
from .panel import Panel


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


def find_lower_bounds(panel: Panel, config: Config) -> Floats | None:
    """Return what the forecasts of each target are not below: as it is set, or 0 where no value is.

    Args:
        panel: All its rows count: the training rows alone cannot show what the others are.
        config: With `lower_bound`.

    Returns:
        Shape `(features,)`, original units, -inf for no bound; None where there are none.

    Raises:
        DataError: Values are below the bound that is set.
    """
    bounds = np.full(len(panel.columns.features), -np.inf)
    if config.lower_bound == "none":
        return None
    for place, name in zip(panel.columns.target_places, panel.columns.targets, strict=True):
        values = panel.values[:, place]
        least = np.min(values, initial=np.inf, where=np.isfinite(values))
        bound = 0.0 if config.lower_bound is None else float(config.lower_bound)
        if least >= bound and np.isfinite(least):
            bounds[place] = bound
        elif config.lower_bound is not None and np.isfinite(least):
            raise DataError(
                f'{panel.source}: column "{name}" holds {least:g}, which is below '
                f"`lower_bound={bound:g}`.",
                f"Set `lower_bound={least:g}`, or `lower_bound=none`.",
            )
    return bounds if np.isfinite(bounds).any() else None


def lift_broken_bounds(scaling: Scaling, panel: Panel, on_event: Listener) -> Scaling:
    """Return a model's scaling without the lower bounds that values of a new table are below.

    Args:
        scaling: Of the model.
        panel: The table.
        on_event: Notified of what is lifted.
    """
    lower, columns = scaling.lower, panel.columns
    if lower is None:
        return scaling
    broken = [
        place for place in columns.target_places if (panel.values[:, place] < lower[place]).any()
    ]
    if not broken:
        return scaling
    kept = lower.copy()
    kept[broken] = -np.inf
    names = ", ".join(f'"{columns.features[place]}"' for place in broken)
    text = f"{panel.source} has values of {names} below {lower[broken[0]]:g}, the lower bound of"
    on_event(Note(f"{text} the model's forecasts: these have no bound here", warning=True))
    return replace(scaling, lower=kept)
