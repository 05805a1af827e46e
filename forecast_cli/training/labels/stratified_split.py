"""Samples drawn at random, the same for the same seed."""

import numpy as np

from ...core.windows import Floats, Ints


def drawn(places: Ints, size: int, seed: int, strata: Floats | None = None) -> tuple[Ints, Ints]:
    """Draw some of the places.

    Args:
        places: Shape `(samples,)`, ascending.
        size: How many are drawn.
        seed: The same seed draws the same.
        strata: By place, what has the same share on both sides where that can be; None where
            nothing has.

    Returns:
        Those that stay and those that were drawn, each in order.
    """
    from sklearn.model_selection import train_test_split

    if not size:
        return places, places[:0]
    groups = None if strata is None else strata[places]
    if groups is not None:
        counts = np.unique(groups, return_counts=True)[1]
        # So few that a class could not be on both sides: drawn without regard to it.
        if counts.min() < 2 or min(size, len(places) - size) < len(counts):
            groups = None
    stay, out = train_test_split(places, test_size=size, random_state=seed, stratify=groups)
    return np.sort(stay), np.sort(out)
