"""Covariates as the network reads them: numbers as they are, categories as vectors."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..config.covariates import Inputs

# Up to so many categories, each has a column of its own.
MOST_COLUMNS = 8


@keras.saving.register_keras_serializable("forecast_cli")
class Categories(keras.layers.Layer):  # type: ignore[misc]
    """A vector for each category: one-hot, or learned.

    Where a category is not known, the vector is that of none, or the mean of the learned ones.

    Args:
        count: How many there are; they are numbered from 1, and 0 is not known.
        width: Of a learned vector; None for one-hot.
    """

    def __init__(self, count: int, width: int | None, **more: Any) -> None:
        # The number of a category is exact in float32 alone.
        super().__init__(**{"dtype": "float32"} | more)
        self.count = count
        self.width = width

    def build(self, input_shape: Any) -> None:
        """Draw the vectors."""
        if self.width is not None:
            shape = (self.count, self.width)
            self.vectors = self.add_weight(shape=shape, initializer="uniform", name="vectors")

    def call(self, numbers: Any) -> Any:
        """Shape `(batch, steps)` to `(batch, steps, width)`."""
        if self.width is None:
            own = ops.arange(1, self.count + 1, dtype=numbers.dtype)
            return ops.cast(ops.equal(numbers[..., None], own), numbers.dtype)
        unknown = ops.mean(self.vectors, axis=0, keepdims=True)
        places = ops.cast(numbers, "int32")
        return ops.take(ops.concatenate([unknown, self.vectors], axis=0), places, axis=0)


def choose_embedding_width(count: int, asked: int | None) -> int | None:
    """The length of the vector that is learned for each category; None for one-hot.

    >>> [choose_embedding_width(count, asked) for count, asked in ((7, None), (400, None), (7, 3))]
    [None, 20, 3]
    """
    if asked is None and count <= MOST_COLUMNS:
        return None
    return asked or math.ceil(math.sqrt(count))


class Encoder:
    """Covariates as vectors; where one stands both in the window and ahead, it is the same one.

    Args:
        inputs: Which features hold numbers of categories.
        embedding: The length of learned vectors, where one was asked for.
    """

    def __init__(self, inputs: Inputs, embedding: int | None) -> None:
        self.tables = {
            place: Categories(
                count, choose_embedding_width(count, embedding), name=f"category_{place}"
            )
            for place, count in inputs.categories.items()
            if count
        }
        self.empty = {place for place, count in inputs.categories.items() if not count}

    def __call__(self, values: Any, places: Sequence[int]) -> Any:
        """The covariates that stand at these places, end to end.

        Args:
            values: Shape `(batch, steps, len(places))`, without gaps.
            places: Of the features.

        Returns:
            Shape `(batch, steps, width)`; None where nothing is left.
        """
        pieces = []
        for at, place in enumerate(places):
            if place in self.tables:
                pieces.append(self.tables[place](values[..., at]))
            elif place not in self.empty:
                pieces.append(values[..., at : at + 1])
        if not pieces:
            return None
        return ops.concatenate(pieces, axis=-1) if len(pieces) > 1 else pieces[0]


def beside(encoder: Encoder, window: Any, inputs: Inputs) -> Any:
    """The covariates of a window, encoded; None where it has none.

    Args:
        encoder: Of the categories.
        window: Shape `(batch, timesteps, features)`, scaled, NaN where a value is missing.
        inputs: The positions of columns and covariates.
    """
    if inputs.features == inputs.columns:
        return None
    values = ops.where(ops.isnan(window), 0.0, window)[..., inputs.columns :]
    return encoder(values, range(inputs.columns, inputs.features))


def known_ahead(encoder: Encoder, ahead: Any, inputs: Inputs) -> Any:
    """The covariates of the steps ahead, encoded; None where none are known.

    Args:
        encoder: Of the categories.
        ahead: Shape `(batch, horizon, len(inputs.ahead))`, scaled, NaN where a value is missing.
        inputs: The positions of columns and covariates.
    """
    if ahead is None:
        return None
    return encoder(ops.where(ops.isnan(ahead), 0.0, ahead), inputs.ahead)
