"""What the compiled step reads: one flat array, and the rows at which windows begin."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ..core.windows import Floats, Ints

Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, repr=False)
class Feed:
    """The scaled values and the windows to learn from.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32.
        targets: Which columns are forecast.
        train: Shape `(samples,)`: first rows of the training windows.
        validation: The same for validation; may be empty.
        timesteps: Steps back.
        horizon: Steps ahead that the network gives at once.
    """

    values: Floats
    targets: tuple[int, ...]
    train: Ints
    validation: Ints
    timesteps: int
    horizon: int

    @property
    def shape(self) -> tuple[int, int, tuple[int, int]]:
        """What the network maps: timesteps, features, and `(horizon, targets)`."""
        return self.timesteps, self.values.shape[1], (self.horizon, len(self.targets))


def shuffled(starts: Ints, *, seed: int, epoch: int) -> Ints:
    """The order of windows in an epoch, a pure function of `(seed, epoch)`."""
    return np.random.default_rng((seed, epoch)).permutation(starts)


def batches(starts: Ints, *, batch_size: int, block: int) -> list[tuple[Int32s, Int32s]]:
    """Cut the windows into blocks of batches, all of one shape so that one compilation serves all.

    Returns:
        For each block the rows, shape `(block, batch_size)`, filled up with zeros, and the sizes
        of its batches, shape `(steps,)`: how many windows of each batch are real.
    """
    steps = -(-len(starts) // batch_size)
    sizes = np.full(steps, batch_size, np.int32)
    sizes[-1:] = len(starts) - batch_size * (steps - 1)
    blocks = []
    for first in range(0, steps, block):
        rows = np.zeros((block, batch_size), np.int32)
        part = starts[first * batch_size : (first + block) * batch_size]
        rows.reshape(-1)[: len(part)] = part
        blocks.append((rows, sizes[first : first + block]))
    return blocks


def gather_batch(feed: Feed, values: tf.Tensor, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The windows and targets that begin at `rows`, gathered inside the compiled step.

    Returns:
        Arrays of shape `(batch, timesteps, features)` and `(batch, horizon, targets)`.
    """
    window = tf.gather(values, rows[:, None] + tf.range(feed.timesteps))
    ahead = tf.gather(values, rows[:, None] + tf.range(feed.horizon) + feed.timesteps)
    return window, tf.gather(ahead, feed.targets, axis=2)
