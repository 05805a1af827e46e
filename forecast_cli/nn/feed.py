"""What the compiled step reads: one flat array, and the rows at which samples begin."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from ..core.scaling import Units
from ..core.windows import Floats, Ints


class Feed(Protocol):
    """Samples to learn from, gathered inside the compiled step.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32, NaN where missing.
        train: Shape `(samples,)`: what names the training samples.
        validation: The same for validation; may be empty.
        timesteps: Steps in a sample.
        units: What the outputs mean in original units.
        shape: What the network maps: timesteps, features, and `(horizon, targets)`.
        targets: Which features are forecast; None where the outputs are no features.
    """

    @property
    def values(self) -> Floats: ...
    @property
    def train(self) -> Ints: ...
    @property
    def validation(self) -> Ints: ...
    @property
    def timesteps(self) -> int: ...
    @property
    def units(self) -> Units | None: ...
    @property
    def shape(self) -> tuple[int, int, tuple[int, int]]: ...
    @property
    def targets(self) -> tuple[int, ...] | None: ...

    @property
    def gaps(self) -> bool:
        """Whether actual values may be missing."""

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> tuple[Any, Any]:
        """The samples that `rows` name: `(batch, timesteps, features)`, and their actual values."""


@dataclass(frozen=True, repr=False)
class WindowFeed:
    """Windows of a panel and the rows that follow them; `train` and `validation` are first rows.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32.
        targets: Which columns are forecast.
        train: Shape `(samples,)`: first rows of the training windows.
        validation: The same for validation; may be empty.
        timesteps: Steps back.
        horizon: Steps ahead that the network gives at once.
        every_step: Whether in training each step of a window has a forecast.
        units: What the targets mean in original units; needed by losses that are taken in them.
    """

    values: Floats
    targets: tuple[int, ...]
    train: Ints
    validation: Ints
    timesteps: int
    horizon: int
    every_step: bool = False
    units: Units | None = None

    @property
    def shape(self) -> tuple[int, int, tuple[int, int]]:
        """What the network maps: timesteps, features, and `(horizon, targets)`."""
        return self.timesteps, self.values.shape[1], (self.horizon, len(self.targets))

    @property
    def gaps(self) -> bool:
        """Whether values are missing."""
        return bool(np.isnan(self.values).any())

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> tuple[Any, Any]:
        """The windows and what follows them.

        Returns:
            Arrays of shape `(batch, timesteps, features)` and `(batch, horizon, targets)`, or
            `(batch, timesteps, horizon, targets)` where each step of a window is learned from.
        """
        window = tf.gather(values, rows[:, None] + tf.range(self.timesteps))
        ahead = tf.range(self.horizon)
        if training and self.every_step:
            ahead = tf.range(1, self.timesteps + 1)[:, None] + ahead
            actual = tf.gather(values, rows[:, None, None] + ahead)
        else:
            actual = tf.gather(values, rows[:, None] + ahead + self.timesteps)
        return window, tf.gather(actual, self.targets, axis=-1)


@dataclass(frozen=True, repr=False)
class LabelFeed:
    """Whole sequences and their labels; `train` and `validation` are places of sequences.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32, all sequences end to end.
        indptr: Shape `(n_sequences + 1,)`: sequence `i` is rows `indptr[i]:indptr[i + 1]`.
        labels: Shape `(n_sequences, outputs)`: scaled numbers, or shares of classes.
        train: Shape `(samples,)`.
        validation: The same for validation; may be empty.
        timesteps: Room for the steps of a sequence; a shorter one is filled up with missing ones.
    """

    values: Floats
    indptr: Ints
    labels: Floats
    train: Ints
    validation: Ints
    timesteps: int
    units: None = None
    targets: None = None
    gaps: bool = False

    @property
    def shape(self) -> tuple[int, int, tuple[int, int]]:
        """What the network maps: timesteps, features, and `(1, outputs)`."""
        return self.timesteps, self.values.shape[1], (1, self.labels.shape[1])

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> tuple[Any, Any]:
        """The sequences and their labels.

        Returns:
            Arrays of shape `(batch, timesteps, features)` and `(batch, 1, outputs)`.
        """
        first, end = (tf.gather(tf.cast(each, tf.int32), rows)[:, None] for each in self._edges)
        steps = first + tf.range(self.timesteps)
        window = tf.gather(values, tf.minimum(steps, tf.shape(values)[0] - 1))
        if self._uneven:
            window = tf.where((steps < end)[:, :, None], window, np.float32(np.nan))
        return window, tf.gather(tf.constant(self.labels), rows)[:, None]

    @property
    def _edges(self) -> tuple[Ints, Ints]:
        return self.indptr[:-1], self.indptr[1:]

    @property
    def _uneven(self) -> bool:
        return bool((np.diff(self.indptr) != self.timesteps).any())
