"""The windows of a dataset as training samples."""

from collections.abc import Sequence
from dataclasses import fields
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import UsageError
from ..core.memory import GB, spare_memory, used_memory
from ..core.scaling import Units
from ..data.dataset import Dataset
from ..data.stored_rows import StoredRows

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed

# What a training in blocks needs beside its rows: the compiled network, a batch, and later the
# scores; how often each row is held, in bytes of a number, and what its window needs: its place,
# shuffled, and in batches.
TRAINING_BYTES, COPIES, FLOAT, WINDOW_BYTES = 350_000_000, 2, 4, 20
# The places of rows are 32-bit numbers.
MOST_ROWS = 2**31 - 1


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
