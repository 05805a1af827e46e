"""Shapley values: how a difference is shared fairly among what causes it together."""

from collections.abc import Callable
from math import comb

import numpy as np

from .ragged import Flags
from .windows import Floats, Ints

# With at most so many players all coalitions are valued; with more, about so many, of some orders.
EXACT, SAMPLED = 6, 256


def shapley_values(
    value: Callable[[Flags], Floats], players: int, *, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the value without any player, and what each adds to it; all together are exact.

    Args:
        value: Takes coalitions, shape `(coalitions, players)`, and returns their values, shape
            `(coalitions, ...)`.
        players: How many there are.
        seed: Of the sampled orders of many players.

    Returns:
        Shapes `(...)` and `(players, ...)`.

    Source: Shapley (1953); for many players the sampled orders of Castro, Gomez and Tejada (2009),
    each with its reverse.

    >>> base, parts = shapley_values(lambda on: 1.0 + 2.0 * on[:, 0] + on[:, 0] * on[:, 1], 2)
    >>> float(base), parts.tolist()
    (1.0, [2.5, 0.5])
    """
    if not players:
        return value(np.zeros((1, 0), bool))[0], np.zeros((0,))
    return (
        _all_coalitions(value, players) if players <= EXACT else _some_orders(value, players, seed)
    )


def _all_coalitions(value: Callable[[Flags], Floats], players: int) -> tuple[Floats, Floats]:
    numbers = np.arange(1 << players)
    masks = (numbers[:, None] >> np.arange(players) & 1).astype(bool)
    values, sizes = value(masks), masks.sum(axis=1)
    parts = []
    for player in range(players):
        without = numbers[~masks[:, player]]
        shares = np.array([1.0 / (players * comb(players - 1, n)) for n in sizes[without].tolist()])
        gains = values[without | 1 << player] - values[without]
        parts.append(np.tensordot(shares, gains, axes=1))
    return values[0], np.stack(parts)


def _some_orders(
    value: Callable[[Flags], Floats], players: int, seed: int
) -> tuple[Floats, Floats]:
    draw = np.random.default_rng(seed)
    half = [draw.permutation(players) for _ in range(max(1, SAMPLED // players // 2))]
    orders: Ints = np.array([each[::way] for each in half for way in (1, -1)])
    ranks = np.argsort(orders, axis=1)
    # The players that come before each place of an order.
    masks = ranks[:, None, :] < np.arange(players + 1)[:, None]
    distinct, places = np.unique(masks.reshape(-1, players), axis=0, return_inverse=True)
    values = value(distinct)[places.reshape(masks.shape[:2])]
    gains, parts = np.diff(values, axis=1), np.zeros((players, *values.shape[2:]))
    for order, each in zip(orders, gains, strict=True):
        parts[order] += each / len(orders)
    return values[0, 0], parts
