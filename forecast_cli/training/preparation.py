"""Make a table ready to train on: resolved, split, filled, scaled, and as windows."""

from collections.abc import Sequence
from dataclasses import fields, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener
from ..core.libraries import require_training
from ..core.memory import GB, spare_memory, used_memory
from ..core.scaling import Kind, Units, fit_by_numpy
from ..core.windows import Floats, gather
from ..data.checks import note_undefined, require_positive
from ..data.dataset import Dataset, scaled_dataset
from ..data.panel import Panel
from ..data.splits import all_training
from ..data.stored_rows import StoredRows
from .checks import check_dataset
from .resolution import Resolved, resolve_config

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed

# Training windows whose spread is measured, at most.
SPREAD_WINDOWS = 1000
# What a training in blocks needs beside its rows: the compiled network, a batch, and later the
# scores; how often each row is held, in bytes of a number, and what its window needs: its place,
# shuffled, and in batches.
TRAINING_BYTES, COPIES, FLOAT, WINDOW_BYTES = 350_000_000, 2, 4, 20
# The places of rows are 32-bit numbers.
MOST_ROWS = 2**31 - 1


def make_dataset(panel: Panel, config: Config, *, on_event: Listener) -> Dataset:
    """Return a table split, filled and scaled, by its resolved configuration.

    Raises:
        DataError: There are too few rows; the message says how many are needed.
        UsageError: A setting does not go with the data.
    """
    return make_resolved(panel, config, on_event=on_event)[1]


def make_resolved(panel: Panel, config: Config, *, on_event: Listener) -> tuple[Resolved, Dataset]:
    """Return what was resolved for a table, and its dataset; errors as in `make_dataset`."""
    found = resolve_config(panel, config, on_event=on_event)
    panel, transform = found.panel, found.config.transform
    rows = found.splits.training_rows(panel.values)
    require_positive(rows, panel.columns.columns, transform, panel.source)
    note_undefined(panel, transform, on_event)
    dataset = scaled_dataset(found.panel, found.config, found.splits, found.season, fit=fit_scaler)
    check_dataset(dataset, on_event)
    return found, with_usual_spread(dataset)


def on_all_rows(dataset: Dataset) -> Dataset:
    """Return the dataset with every row in the training split, to refit on."""
    panel, season = dataset.panel, dataset.season_length
    return scaled_dataset(panel, dataset.config, all_training(panel), season, fit=fit_scaler)


def fit_scaler(kind: Kind, rows: Floats) -> tuple[Floats, Floats]:
    """Fit a scaler of scikit-learn; a prediction uses the numbers, and does not load it.

    Args:
        kind: Of the scaler.
        rows: Shape `(n_rows, features)`: training rows after the transform, NaN where missing.

    Returns:
        Center and scale, shape `(features,)` each.
    """
    if kind == "maxabs" or np.isinf(rows).any():
        # scikit-learn refuses infinite rows; such a column is left unscaled.
        return fit_by_numpy(kind, rows)
    require_training("Training")
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    if kind == "minmax":
        minmax = MinMaxScaler().fit(rows)
        return minmax.data_min_, minmax.data_range_
    if kind == "standard":
        standard = StandardScaler().fit(rows)
        return standard.mean_, np.sqrt(standard.var_)
    robust = RobustScaler().fit(rows)
    return robust.center_, robust.scale_


def with_usual_spread(dataset: Dataset) -> Dataset:
    """Return the dataset whose network has the mean spread of its training windows."""
    network = dataset.config.network
    if network.window_scale != "usual":
        return dataset
    starts = dataset.starts("train", horizon=dataset.steps_at_once)
    some = starts[:: 1 + len(starts) // SPREAD_WINDOWS]
    windows = gather(dataset.scaled, some, timesteps=dataset.timesteps)
    windows = windows[..., : len(dataset.panel.columns.columns)]
    last = network.anchor in ("last", "season")
    center = windows[:, -1:] if last else np.nanmean(windows, axis=1, keepdims=True)
    spread = float(np.nanmean(np.abs(windows - center)))
    changes = {"usual_spread": spread if spread > 0 else 1.0}
    return replace(dataset, config=dataset.config.changed(network=changes))


def make_feed(dataset: Dataset, timesteps: int) -> "WindowFeed":
    """Return the windows of a dataset as training samples, for one of the lookbacks."""
    from ..networks.batches import WindowFeed

    steps, stored = dataset.steps_at_once, dataset.stored
    feed = WindowFeed(
        values=dataset.scaled.astype(np.float32, copy=False),
        inputs=dataset.panel.columns.inputs,
        train=dataset.starts("train", horizon=steps, timesteps=timesteps),
        validation=dataset.starts("validation", horizon=steps, timesteps=timesteps),
        timesteps=timesteps,
        horizon=steps,
        every_step=dataset.config.network.head == "sequence",
        units=dataset.units,
        owners=dataset.owners if dataset.panel.count > 1 else None,
    )
    return feed if stored is None else _from_disk(feed, stored, dataset.targets)


def _from_disk(feed: "WindowFeed", stored: StoredRows, targets: Sequence[int]) -> "WindowFeed":
    """Return training samples from all rows of a table, where `feed` is of some of its series."""
    from ..networks.block_feed import BlockFeed

    own = {each.name: getattr(feed, each.name) for each in fields(feed)}
    error = stored.naive_error
    known = np.where(error > 0, error, 1.0)
    shares = None if feed.units is None else feed.units.naive_smape
    own["units"] = Units(stored.scaling.only(targets), known, shares)
    most = rows_at_once(stored, feed.width + 1)
    return BlockFeed(**own | {"owners": None}, stored=stored, most=most)


def rows_at_once(stored: StoredRows, columns: int) -> int:
    """Return how many rows are held in memory at a time, of so many columns.

    Raises:
        UsageError: Not even those of the largest block fit.
    """
    spare = spare_memory(stored.memory) - TRAINING_BYTES
    bytes_each = COPIES * FLOAT * columns + WINDOW_BYTES
    largest = max(each.rows for each in stored.blocks)
    if spare < largest * bytes_each:
        needed = (used_memory() + TRAINING_BYTES + largest * bytes_each) / GB
        raise UsageError(
            f"`memory={stored.memory:g}` is too little for the training."
            if stored.memory
            else "Too little memory is free for the training.",
            f"Pass at least `memory={ceil(10 * needed) / 10:g}`, where so much is free.",
        )
    return int(min(spare / bytes_each, MOST_ROWS))
