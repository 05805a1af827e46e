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
