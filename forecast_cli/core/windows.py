"""Windows as row numbers: what a batch looks like, without ever copying the windows out."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


def window_starts(
    first: Ints, begin: Ints, end: Ints, *, timesteps: int, horizon: int
) -> npt.NDArray[np.int32]:
    """The first rows of all windows whose targets lie within a split.

    A window is `timesteps` input rows and the `horizon` target rows after them. Inputs may
    lie before the split, never before their series.

    Args:
        first: Shape `(n_series,)`: the first row of each series.
        begin: Shape `(n_series,)`: the split's first row in each series.
        end: Shape `(n_series,)`: the row after the split's last one.
        timesteps: Steps back, at least 1.
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


def gather(values: Floats, starts: Ints, *, timesteps: int) -> Floats:
    """The windows that begin at `starts`.

    Args:
        values: Shape `(n_rows, features)`, all series end to end.
        starts: Shape `(samples,)`, row numbers; no window crosses into the next series.
        timesteps: Steps back, at least 1.

    Returns:
        Shape `(samples, timesteps, features)`.
    """
    windows: Floats = values[starts[:, None] + np.arange(timesteps)]
    return windows
