"""What the compiled step reads: one flat array, and the rows at which samples begin."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ..config.covariates import Inputs, plain_inputs
from ..core.scaling import Units
from ..core.windows import Floats, Ints


class Samples(NamedTuple):
    """A batch.

    Args:
        given: What the network reads: `(batch, timesteps, features)`, and what is known of the
            steps ahead where it reads that.
        actual: What it is compared with.
        series: Shape `(batch,)`: the series of each; None where they are all of one.
    """

    given: list[Any]
    actual: Any
    series: Any = None


def alone(given: list[Any]) -> Any:
    """Return the inputs of a network as Keras takes them: a single array by itself."""
    return given if len(given) > 1 else given[0]


class _Counted:
    """Sizes of training samples that are rows of a flat array."""

    values: Floats
    validation: Ints

    @property
    def width(self) -> int:
        """Columns of a row."""
        return int(self.values.shape[1])

    @property
    def validated(self) -> int:
        """How many validation samples there are."""
        return len(self.validation)


@dataclass(frozen=True, repr=False)
class WindowFeed(_Counted):
    """Windows of a panel and the rows that follow them; `train` and `validation` are first rows.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32.
        inputs: The positions of columns and covariates in a row.
        train: Shape `(samples,)`: first rows of the training windows.
        validation: The same for validation; may be empty.
        timesteps: The lookback.
        horizon: Steps ahead that the network gives at once.
        every_step: Whether in training each step of a window has a forecast.
        units: What the targets mean in original units; needed by losses that are taken in them.
        owners: Shape `(n_rows,)`: the series of each row; None for one series.
    """

    values: Floats
    inputs: Inputs
    train: Ints
    validation: Ints
    timesteps: int
    horizon: int
    every_step: bool = False
    units: Units | None = None
    owners: Ints | None = None

    @property
    def shape(self) -> tuple[int, Inputs, tuple[int, int]]:
        """The shape of the network: timesteps, inputs, and `(horizon, targets)`."""
        return self.timesteps, self.inputs, (self.horizon, len(self.inputs.targets))

    @property
    def gaps(self) -> bool:
        """Whether values are missing."""
        return bool(np.isnan(self.values).any())

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> Samples:
        """The windows and what follows them.

        Of what follows, the network is given the covariates that are known ahead alone. The actual
        values have the shape `(batch, horizon, targets)`, or `(batch, timesteps, horizon, targets)`
        where each step of a window is learned from.
        """
        window = tf.gather(values, rows[:, None] + tf.range(self.timesteps))
        ahead = tf.range(self.horizon)
        if training and self.every_step:
            ahead = tf.range(1, self.timesteps + 1)[:, None] + ahead
            actual = tf.gather(values, rows[:, None, None] + ahead)
        else:
            actual = tf.gather(values, rows[:, None] + ahead + self.timesteps)
        given = [window]
        if self.inputs.ahead:
            given.append(tf.gather(actual, self.inputs.ahead, axis=-1))
        series = None if self.owners is None else tf.gather(tf.constant(self.owners), rows)
        return Samples(given, tf.gather(actual, self.inputs.targets, axis=-1), series)


@dataclass(frozen=True, repr=False)
class LabelFeed(_Counted):
    """Whole sequences and their labels; `train` and `validation` are places of sequences.

    Args:
        values: Shape `(n_rows, features)`, scaled, float32, all sequences end to end.
        indptr: Shape `(n_sequences + 1,)`: sequence `i` is rows `indptr[i]:indptr[i + 1]`.
        labels: Shape `(n_sequences, outputs)`: scaled numbers, or shares of classes.
        train: Shape `(samples,)`.
        validation: The same for validation; may be empty.
        timesteps: Steps of a padded sequence; a shorter one is padded with missing steps.
    """

    values: Floats
    indptr: Ints
    labels: Floats
    train: Ints
    validation: Ints
    timesteps: int
    units: None = None
    gaps: bool = False

    @property
    def shape(self) -> tuple[int, Inputs, tuple[int, int]]:
        """The shape of the network: timesteps, inputs, and `(1, outputs)`."""
        features, outputs = self.values.shape[1], self.labels.shape[1]
        # The outputs are no features; where a layer asks for some, it is the first ones.
        return self.timesteps, plain_inputs(features, outputs), (1, outputs)

    def gather(self, values: tf.Tensor, rows: tf.Tensor, *, training: bool) -> Samples:
        """The sequences and their labels, shape `(batch, 1, outputs)`."""
        edges = self.indptr[:-1], self.indptr[1:]
        first, end = (tf.gather(tf.cast(each, tf.int32), rows)[:, None] for each in edges)
        steps = first + tf.range(self.timesteps)
        window = tf.gather(values, tf.minimum(steps, tf.shape(values)[0] - 1))
        if (np.diff(self.indptr) != self.timesteps).any():
            window = tf.where((steps < end)[:, :, None], window, np.float32(np.nan))
        return Samples([window], tf.gather(tf.constant(self.labels), rows)[:, None])


# What the compiled step gathers its samples from.
Feed = WindowFeed | LabelFeed
