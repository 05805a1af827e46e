"""Checks of values before training."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..config.schema import Config
from ..core.errors import DataError
from ..core.events import Listener, Note
from ..core.scaling import ABOVE, Scaling, Transform
from ..core.windows import Floats
from .panel import Panel
from .splits import Splits


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
    """Refuse training rows whose logarithm is undefined.

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
    least = ABOVE[transform]
    bad = np.argwhere(values[:, : len(names)] <= least)
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f'{source}: column "{names[column]}" holds {values[row, column]:g} in row {row + 1}, '
            f"and transform {transform} needs values above {least:g}.",
            f"Pass {'`transform=log1p` or ' * bool(values[row, column] > -1)}`transform=none`.",
        )


def note_undefined(panel: Panel, transform: Transform, on_event: Listener) -> None:
    """Warn of values that have no logarithm, which the network reads as low values.

    Args:
        panel: The table.
        transform: Of the model.
        on_event: Notified of each column with such values.
    """
    for place, name in enumerate(panel.columns.columns):
        column = panel.values[:, place]
        bad = np.flatnonzero(column <= ABOVE[transform])
        if len(bad):
            share = f"{len(bad):,} of {len(column):,} values (the first in row {bad[0] + 1:,})"
            text = f'{panel.source}: {share} of "{name}" are not above {ABOVE[transform]:g}'
            way = f"the model, whose transform is {transform}, reads them as its low values"
            on_event(Note(f"{text}: {way} (train with `transform=none` otherwise)", warning=True))


def find_lower_bounds(panel: Panel, splits: Splits, config: Config) -> Floats | None:
    """Return what the forecasts of each target are not below: as it is set, or 0 where no value is.

    Args:
        panel: All its rows must keep to a bound that is set.
        splits: An automatic bound is learned from the training rows alone.
        config: With `lower_bound`.

    Returns:
        Shape `(features,)`, original units, -inf for no bound; None where there are none.

    Raises:
        DataError: Values are below the bound that is set.
    """
    bounds = np.full(len(panel.columns.features), -np.inf)
    if config.lower_bound == "none":
        return None
    automatic = config.lower_bound is None
    rows = splits.training_rows(panel.values) if automatic else panel.values
    for place, name in zip(panel.columns.target_places, panel.columns.targets, strict=True):
        values = rows[:, place]
        least = np.min(values, initial=np.inf, where=np.isfinite(values))
        bound = 0.0 if automatic else float(config.lower_bound or 0.0)
        if least >= bound and np.isfinite(least):
            bounds[place] = bound
        elif not automatic and np.isfinite(least):
            raise DataError(
                f'{panel.source}: column "{name}" holds {least:g}, which is below '
                f"`lower_bound={bound:g}`.",
                f"Set `lower_bound={least:g}`, or `lower_bound=none`.",
            )
    return bounds if np.isfinite(bounds).any() else None


def find_broken_bounds(
    scaling: Scaling, panel: Panel, least: Sequence[float] | None = None
) -> list[int]:
    """Return the places of the targets that have values below the lower bound of a scaling.

    Args:
        scaling: With the bounds.
        panel: The table.
        least: Shape `(targets,)`: the lowest value of each target, where the panel is a part of the
            table; None to look for them.
    """
    lower, places = scaling.lower, panel.columns.target_places
    if lower is None:
        return []
    if least is not None:
        return [place for place, low in zip(places, least, strict=True) if low < lower[place]]
    return [place for place in places if (panel.values[:, place] < lower[place]).any()]


def lift_broken_bounds(
    scaling: Scaling, panel: Panel, on_event: Listener, least: Sequence[float] | None = None
) -> Scaling:
    """Return a model's scaling without the lower bounds that values of a new table are below.

    Args:
        scaling: Of the model.
        panel: The table.
        on_event: Notified of what is lifted.
        least: As in `find_broken_bounds`.
    """
    lower, columns = scaling.lower, panel.columns
    broken = find_broken_bounds(scaling, panel, least)
    if lower is None or not broken:
        return scaling
    kept = lower.copy()
    kept[broken] = -np.inf
    names = ", ".join(f'"{columns.features[place]}"' for place in broken)
    text = f"{panel.source} has values of {names} below {lower[broken[0]]:g}, the lower bound of"
    on_event(Note(f"{text} the model's forecasts: these have no bound here", warning=True))
    return replace(scaling, lower=kept)
