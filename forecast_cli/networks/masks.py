"""What is known of values of which some steps are missing."""

from typing import Any

from keras import ops


def as_weights(mask: Any, like: Any) -> Any:
    """A mask, shape `(batch, timesteps)`, as ones and zeros of shape `(batch, timesteps, 1)`."""
    return ops.cast(mask, like.dtype)[..., None]


def last_known(values: Any, known: Any) -> Any:
    """The values of the last step that is known; zeros where none is.

    Args:
        values: Shape `(batch, timesteps, features)`, without gaps.
        known: Ones where a step is known, shape `(batch, timesteps, 1)`; None where all are.

    Returns:
        Shape `(batch, 1, features)`.
    """
    if known is None:
        return values[:, -1:]
    # How many known steps there are from each one on: 1 at the last of them and in the gap before.
    after = ops.flip(ops.cumsum(ops.flip(known, axis=1), axis=1), axis=1)
    return ops.sum(ops.where(ops.equal(after, 1.0), values * known, 0.0), axis=1, keepdims=True)
