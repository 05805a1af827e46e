"""In which order the samples come, as batches of one shape so that one compilation serves all.

A pass is two arrays: the samples of each batch, shape `(steps, batch_size)`, and how many of
each batch count, shape `(steps,)`. It is a pure function of the settings and of the epoch.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..config.sections import Training
from ..core.windows import Ints
from .batches import Feed

VALIDATION_BATCH = 1024
# What validation may cost of an epoch of chosen length, in samples.
SHARE = 5

Int32s = npt.NDArray[np.int32]
Pass = tuple[Int32s, Int32s]


class EverySample:
    """How many batches an epoch has in which every training sample comes once."""

    feed: Feed
    settings: Training

    @property
    def count(self) -> int:
        """How many training samples there are."""
        return len(self.feed.train)

    @property
    def batch_size(self) -> int:
        """A batch larger than all samples together would only be filled up."""
        return min(self.settings.batch_size, self.count)

    @property
    def steps(self) -> int:
        """All batches, or as many as were asked for."""
        steps = math.ceil(self.count / self.batch_size)
        return min(steps, self.settings.steps_per_epoch or steps)

    @property
    def validation_step(self) -> int:
        """How many validation samples there are for each that is taken.

        One: all are. Of very many, some are taken where an epoch has but some batches too.
        """
        if not self.settings.steps_per_epoch:
            return 1
        most = max(VALIDATION_BATCH, self.steps * self.batch_size // SHARE)
        return -(-self.feed.validated // most) or 1


@dataclass(frozen=True, repr=False)
class Shuffled(EverySample):
    """Every training sample once in an epoch, in an order of its own.

    Args:
        feed: The samples.
        settings: The batch size, the batches in an epoch and the seed.
    """

    feed: Feed
    settings: Training

    def training(self, epoch: int) -> Pass:
        """The samples in the epoch's order."""
        order = shuffled(self.feed.train, seed=self.settings.seed, epoch=epoch)
        return batches(order[: self.steps * self.batch_size], self.batch_size)

    def validation(self) -> Pass:
        """All samples in large batches, or some of them."""
        samples = self.feed.validation[:: self.validation_step]
        return batches(samples, max(1, min(VALIDATION_BATCH, len(samples))))


@dataclass(frozen=True, repr=False)
class Lanes:
    """Windows one after the other, for a network whose state is carried over from batch to batch.

    The rows are cut into as many stretches as a batch has places; each place runs over its own
    stretch, window by window. Where the first window begins differs from epoch to epoch, so that
    in time every row ends one. Validation runs in the same way, each place over windows before its
    own, which do not count.

    Source: truncated backpropagation through time, as in Keras's guide to stateful layers.
    """

    feed: Feed
    settings: Training

    @property
    def batch_size(self) -> int:
        """At most so many that each lane has a window."""
        most = max(1, len(self.feed.train) // self.feed.timesteps)
        return min(self.settings.batch_size, most)

    @property
    def length(self) -> int:
        """First rows of windows in a lane."""
        return len(self.feed.train) // self.batch_size

    @property
    def steps(self) -> int:
        """Windows in a lane."""
        steps = math.ceil(self.length / self.feed.timesteps)
        return min(steps, self.settings.steps_per_epoch or steps)

    def training(self, epoch: int) -> Pass:
        """The windows of every lane, side by side."""
        timesteps = self.feed.timesteps
        draw = np.random.default_rng((self.settings.seed, epoch))
        offset = int(draw.integers(0, min(timesteps, self.length)))
        # What does not fill a lane is left away at the old end.
        lanes = self.feed.train[-self.batch_size * self.length :].reshape(self.batch_size, -1)
        rows = lanes[:, offset::timesteps].T
        first = int(draw.integers(0, max(1, len(rows) - self.steps + 1)))
        rows = rows[first : first + self.steps]
        return _whole(rows, counted=len(rows))

    def validation(self) -> Pass:
        """The windows of every lane behind those that bring its state to where they begin."""
        starts, timesteps, lanes = self.feed.validation, self.feed.timesteps, self.batch_size
        count = max(1, len(starts) // (lanes * timesteps))
        last = len(starts) - 1 - (count - 1) * timesteps
        first = starts[np.linspace(0, max(last, 0), lanes).astype(np.int64)]
        before = min(self.steps, int(first[0]) // timesteps)
        rows = first[None] + timesteps * np.arange(-before, count)[:, None]
        rows = np.minimum(rows, starts[-1])
        return _whole(rows, counted=count)


Passes = Shuffled | Lanes


def _whole(rows: Ints, *, counted: int) -> Pass:
    """Return batches, shape `(batches, batch_size)`, of which the last `counted` count."""
    sizes = np.full(len(rows), rows.shape[1], np.int32)
    sizes[: len(rows) - counted] = 0
    return rows.astype(np.int32), sizes


def shuffled(starts: Ints, *, seed: int, epoch: int) -> Ints:
    """The order of samples in an epoch, a pure function of `(seed, epoch)`."""
    return np.random.default_rng((seed, epoch)).permutation(starts)


def batches(starts: Ints, batch_size: int) -> Pass:
    """Cut samples into batches, shape `(batches, batch_size)`; the last one is zero-padded."""
    steps = -(-len(starts) // batch_size)
    sizes = np.full(steps, batch_size, np.int32)
    sizes[-1:] = len(starts) - batch_size * (steps - 1)
    rows = np.zeros((steps, batch_size), np.int32)
    rows.reshape(-1)[: len(starts)] = starts
    return rows, sizes


def blocks(rows: Int32s, sizes: Int32s, size: int) -> Iterator[tuple[Int32s, Int32s, int]]:
    """Cut a pass into blocks of one shape.

    Yields:
        Samples, shape `(size, batch_size)`, how many of each batch count, shape `(size,)`, both
        filled up with zeros, and how many batches there are.
    """
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        left = size - len(part)
        counts = np.pad(sizes[first : first + size], (0, left))
        yield np.pad(part, ((0, left), (0, 0))), counts, len(part)
