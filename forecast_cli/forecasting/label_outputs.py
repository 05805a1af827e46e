"""The outputs of a network for sequences, a batch at a time."""

import numpy as np

from ..core.windows import Floats, Ints
from ..model.runtime import Float32s, Runtime, chunks


def padded(scaled: Floats, indptr: Ints, places: Ints, timesteps: int) -> Floats:
    """Sequences side by side, filled up with missing steps behind their end.

    Args:
        scaled: Shape `(n_rows, features)`, all sequences end to end.
        indptr: Shape `(n_sequences + 1,)`.
        places: Shape `(samples,)`: which of them.
        timesteps: Room for the steps of a sequence.

    Returns:
        Shape `(samples, timesteps, features)`.
    """
    first, end = indptr[places], indptr[places + 1]
    rows = first[:, None] + np.arange(timesteps)
    windows: Floats = scaled[np.minimum(rows, len(scaled) - 1)]
    windows[rows >= end[:, None]] = np.nan
    return windows


def guess(runtime: Runtime, scaled: Floats, indptr: Ints, places: Ints, timesteps: int) -> Float32s:
    """What the network gives for sequences.

    Returns:
        Shape `(samples, labels)`, scaled, or `(samples, classes)`, shares that add up to 1.
    """
    parts = chunks(places, timesteps=timesteps, features=scaled.shape[1])
    outputs = [runtime(padded(scaled, indptr, part, timesteps)) for part in parts]
    return np.concatenate(outputs)[:, 0]
