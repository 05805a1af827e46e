"""Windows as row numbers, so that the windows of a batch need not be copied."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def window_starts(
    first: Ints, begin: Ints, end: Ints, *, timesteps: int, horizon: int
) -> npt.NDArray[np.int32]:
    """Return the first rows of all windows whose targets lie within a split.

    A window is `timesteps` input rows and the `horizon` target rows after them. Inputs may
    precede the split, never their series.

    Args:
        first: Shape `(n_series,)`: the first row of each series.
        begin: Shape `(n_series,)`: the split's first row in each series.
        end: Shape `(n_series,)`: the row after the split's last one.
        timesteps: Steps of the lookback, at least 1.
        horizon: Steps ahead, at least 1.

    Returns:
        Shape `(samples,)`, row numbers, ascending.

    >>> window_starts(np.array([0]), np.array([7]), np.array([10]), timesteps=4, horizon=2)
    array([3, 4], dtype=int32)
    """
    first = np.maximum(first, begin - timesteps)
    last = end - timesteps - horizon
    ranges = [np.arange(a, b + 1, dtype=np.int32) for a, b in zip(first, last, strict=True)]
    return np.concatenate(ranges)


def take_columns(values: Floats, places: Sequence[int]) -> Floats:
    """Return columns of `values`, `(n_rows, columns)`; no copy where they are all, in order."""
    places = list(places)
    return values if places == list(range(values.shape[1])) else values[:, places]


def gather(values: Floats, starts: Ints, *, timesteps: int) -> Floats:
    """Return the windows that begin at `starts`.

    Args:
        values: Shape `(n_rows, features)`, all series end to end.
        starts: Shape `(samples,)`, row numbers; no window crosses into the next series.
        timesteps: Steps of the lookback, at least 1.

    Returns:
        Shape `(samples, timesteps, features)`.
    """
    windows: Floats = values[starts[:, None] + np.arange(timesteps)]
    return windows
