"""Windows of a table that is larger than memory, read from disk in blocks of series.

As many blocks as fit are in memory together, others in each epoch's order; the windows of these
are in an order of their own. Where all blocks fit, batches are those of a table in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import tensorflow as tf

from ..config.sections import Training
from ..core.windows import Floats, Ints, gather
from ..data.splits import Part
from ..data.stored_rows import StoredBlock, StoredRows
from .batch_order import VALIDATION_BATCH, EverySample, Pass, batches
from .batches import Samples, WindowFeed

# Rows, shape (rows, features), and the batches of windows in them.
Piece = tuple[Floats, Pass]


@dataclass(frozen=True, repr=False)
class BlockFeed(WindowFeed):
    """Windows of blocks; the fields of `WindowFeed` are those of a sample of the series.

    Args:
        stored: The blocks.
        most: Rows that are in memory at a time, at most; at least those of the largest block.
    """

    stored: StoredRows = field(kw_only=True)
    most: int = field(kw_only=True)

    @property
    def width(self) -> int:
        """Columns of a row: behind the features the number of its series, where the loss asks."""
        return super().width + (self.units is not None)

    @cached_property
    def validated(self) -> int:
        """How many validation windows there are."""
        return int(self.count("validation").sum())

    @property
    def gaps(self) -> bool:
        """Whether values are missing."""
        return self.stored.gaps

    def count(self, part: Part) -> Ints:
        """Return how many windows of a split each block has, shape `(blocks,)`."""
        return self.stored.count(part, timesteps=self.timesteps, horizon=self.horizon)

    def starts(self, block: StoredBlock, part: Part) -> Ints:
        """Return the first rows of the windows of a block, shape `(samples,)`."""
        return block.starts(part, timesteps=self.timesteps, horizon=self.horizon)

    def read(self, number: int, rows: Floats) -> None:
        """Read the rows of a block into an array of their number, shape `(rows, width)`."""
        block = self.stored.blocks[number]
        features = super().width
        rows[:, :features] = block.read()
        if features < rows.shape[1]:
            series = int(self.stored.firsts[number]) + np.arange(len(block.lengths))
            rows[:, features] = np.repeat(series, block.lengths)

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> Samples:
        """The windows and what follows them, as in `WindowFeed`."""
        made = super().gather(values, rows, training=training)
        if self.units is None:
            return made
        window = made.given[0]
        series = tf.cast(window[:, -1, -1], tf.int32)
        return Samples([window[:, :, :-1], *made.given[1:]], made.actual, series)


@dataclass(frozen=True, repr=False)
class Blockwise(EverySample):
    """Every training sample once in an epoch, block by block.

    Args:
        feed: The samples.
        settings: The batch size, the batches in an epoch and the seed.
    """

    feed: BlockFeed
    settings: Training

    @cached_property
    def count(self) -> int:
        """How many training windows there are."""
        return int(self.feed.count("train").sum())

    @cached_property
    def buffer(self) -> Floats:
        """What blocks are read into, shape `(rows, width)`."""
        rows = min(self.feed.most, self.feed.stored.rows)
        return np.zeros((rows, self.feed.width), np.float32)

    @cached_property
    def fits(self) -> bool:
        """Whether all blocks are in memory together."""
        return self.feed.stored.rows <= self.feed.most

    @cached_property
    def held(self) -> list[int]:
        """The blocks that are in memory."""
        return []

    def training(self, epoch: int) -> Iterator[Piece]:
        """Yield the samples in the epoch's order."""
        seed, left = self.settings.seed, self.steps * self.batch_size
        order = np.arange(len(self.feed.stored.blocks))
        if not self.fits:
            order = np.random.default_rng((seed, epoch)).permutation(order)
        for number, blocks in enumerate(self._together(order)):
            starts = self._read(blocks, "train")
            seeds = (seed, epoch) if not number else (seed, epoch, number)
            chosen = np.random.default_rng(seeds).permutation(starts)[:left]
            left -= len(chosen)
            if len(chosen):
                yield self.buffer, batches(chosen, self.batch_size)
            if not left:
                return

    def validation(self) -> Iterator[Piece]:
        """Yield all samples in large batches; of very many, some, as `Shuffled` does."""
        step, length = self.validation_step, self.feed.timesteps + self.feed.horizon
        chosen = -(-self.feed.validated // step)
        size = max(1, min(VALIDATION_BATCH, chosen))
        if step > 1 and not self.fits and chosen * length <= self.feed.most:
            # The same in every epoch: they are kept, and the blocks need not be read again.
            yield self._copied, batches(length * np.arange(chosen), size)
            return
        for blocks in self._together(np.arange(len(self.feed.stored.blocks))):
            starts = self._read(blocks, "validation")[::step]
            if len(starts):
                yield self.buffer, batches(starts, size)

    @cached_property
    def _copied(self) -> Floats:
        """Some validation windows with what follows them, end to end, shape `(rows, width)`."""
        length, done, parts = self.feed.timesteps + self.feed.horizon, 0, list[Floats]()
        for number, block in enumerate(self.feed.stored.blocks):
            starts, step = self.feed.starts(block, "validation"), self.validation_step
            chosen = starts[-done % step :: step]
            done += len(starts)
            rows = np.empty((block.rows, self.feed.width), np.float32)
            self.feed.read(number, rows)
            parts.append(gather(rows, chosen, timesteps=length).reshape(-1, rows.shape[1]))
        return np.concatenate(parts)

    def _together(self, order: Ints) -> Iterator[list[int]]:
        """Yield as many blocks at a time, in the given order, as fit."""
        held, rows = list[int](), 0
        for number in order.tolist():
            own = self.feed.stored.blocks[number].rows
            if held and rows + own > self.feed.most:
                yield held
                held, rows = [], 0
            held.append(number)
            rows += own
        yield held

    def _read(self, blocks: Sequence[int], part: Part) -> Ints:
        """Read blocks, unless they are there; the first rows of their windows, `(samples,)`."""
        stored, first, starts = self.feed.stored.blocks, 0, list[Ints]()
        known = self.held == list(blocks)
        for number in blocks:
            end = first + stored[number].rows
            if not known:
                self.feed.read(number, self.buffer[first:end])
            starts.append(self.feed.starts(stored[number], part) + first)
            first = end
        self.held[:] = blocks
        return np.concatenate(starts)
