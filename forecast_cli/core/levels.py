"""Typical sizes and levels of series in consecutive blocks of rows, and values far from them.

A block is about as long as a window of the network. The size of its values is the median of their
absolute values other than 0, so that neither outliers nor many zeros matter.
"""

from typing import NamedTuple

import numpy as np

from .ragged import Flags, cumulate, finite, owners, reduced, take_medians, take_percentiles
from .windows import Floats, Ints

# The fewest and the most rows of a block.
SHORTEST, LONGEST = 8, 64
# Blocks with fewer values other than 0 say nothing about their size.
FEWEST = 3
# A size so many times the largest, or below the smallest, is far out.
FACTOR = 4.0
# A change of level is far out at so many times the largest one between two blocks, and this share
# of the size.
CHANGES, SHARE = 3.0, 0.1
# Two tables hold the same values in other units where the square of their correlation is at least
# the first, and they differ by more than this share of their size.
LINEAR, ROUNDED = 0.9999, 0.02


class Blocks(NamedTuple):
    """Blocks of rows; arrays of shape `(n_blocks, columns)`, original units, NaN where unknown.

    Args:
        indptr: Shape `(n_series + 1,)`: series `i` is blocks `indptr[i]:indptr[i + 1]`.
        low: The smallest value.
        high: The largest value.
        size: The median of the absolute values other than 0.
        level: The median.
        spread: From the tenth to the ninetieth percentile.
    """

    indptr: Ints
    low: Floats
    high: Floats
    size: Floats
    level: Floats
    spread: Floats


class Levels(NamedTuple):
    """What the blocks of series were like; arrays of shape `(n_series, columns)`, as in `Blocks`.

    Args:
        low: The smallest value.
        high: The largest value.
        least: The smallest size of a block.
        most: The largest size of a block.
        change: The largest difference between the levels of consecutive blocks, or spread of one.
    """

    low: Floats
    high: Floats
    least: Floats
    most: Floats
    change: Floats


def block_length(timesteps: int) -> int:
    """Return how many rows a block has, for a network with that lookback."""
    return min(max(timesteps, SHORTEST), LONGEST)


def make_blocks(values: Floats, indptr: Ints, length: int) -> Blocks:
    """Cut series into blocks of rows, the first of each series longer where rows are left over.

    Args:
        values: Shape `(n_rows, columns)`, NaN where missing.
        indptr: Shape `(n_series + 1,)`; every series has a row.
        length: Rows of a block.
    """
    lengths = np.diff(indptr)
    counts = np.maximum(lengths // length, 1)
    whole = cumulate(counts)
    number = np.arange(whole[-1]) - np.repeat(whole[:-1], counts)
    begins = np.repeat(indptr[1:] - counts * length, counts) + number * length
    begins[whole[:-1]] = indptr[:-1]
    rows = np.append(begins, indptr[-1])
    known = values if np.isfinite(values).all() else finite(values)
    sizes = np.abs(known)
    sizes[sizes == 0] = np.nan
    middle = np.array([50.0])
    size = np.column_stack([take_percentiles(column, rows, middle)[0] for column in sizes.T])
    held = np.add.reduceat(np.isfinite(sizes), begins, axis=0, dtype=np.int64)
    ends = [take_percentiles(column, rows, np.array([10.0, 50.0, 90.0])) for column in known.T]
    below, level, above = np.stack(ends, axis=-1)
    return Blocks(
        whole,
        reduced(np.fmin, known, rows),
        reduced(np.fmax, known, rows),
        np.where(held < FEWEST, np.nan, size),
        level,
        above - below,
    )


def measure_levels(values: Floats, indptr: Ints, length: int) -> Levels:
    """Return what the blocks of series are like; arguments as of `make_blocks`."""
    blocks = make_blocks(values, indptr, length)
    change = np.abs(np.diff(blocks.level, axis=0, prepend=np.nan))
    change[blocks.indptr[:-1]] = np.nan
    return Levels(
        reduced(np.fmin, blocks.low, blocks.indptr),
        reduced(np.fmax, blocks.high, blocks.indptr),
        reduced(np.fmin, blocks.size, blocks.indptr),
        reduced(np.fmax, blocks.size, blocks.indptr),
        reduced(np.fmax, np.fmax(change, blocks.spread), blocks.indptr),
    )


def find_far(blocks: Blocks, known: Levels) -> Flags:
    """Return which blocks have sizes or a spread that no known block comes near.

    Args:
        blocks: Of new rows.
        known: Of the same series.

    Returns:
        Shape `(n_blocks, columns)`.
    """
    series = owners(blocks.indptr)
    least, most, change = (each[series] for each in (known.least, known.most, known.change))
    far = (blocks.size > FACTOR * most) | (FACTOR * blocks.size < least)
    return np.asarray(far | ((blocks.spread > FACTOR * change) & (change > 0)))


def find_jumps(before: Floats, after: Floats, known: Levels) -> Flags:
    """Return where the level changes at once by far more than between any two known blocks.

    Args:
        before: Shape `(n_series, columns)`: the medians of rows.
        after: The medians of later rows, or of the same rows in another table.
        known: What is known of the series.

    Returns:
        Shape `(n_series, columns)`.
    """
    return np.asarray(np.abs(after - before) > CHANGES * known.change + SHARE * known.most)


def is_rescaled(before: Floats, after: Floats, indptr: Ints) -> Flags:
    """Return which series hold the same values in another unit: a linear map of them.

    Args:
        before: Shape `(n_rows, columns)`.
        after: The same rows in another table.
        indptr: Shape `(n_series + 1,)`; every series has a row.

    Returns:
        Shape `(n_series, columns)`.
    """
    known = np.isfinite(before) & np.isfinite(after)
    one, other = (np.where(known, each, 0.0) for each in (before, after))
    series, begins = owners(indptr), indptr[:-1]
    count = np.maximum(np.add.reduceat(known.astype(np.float64), begins), 1.0)
    one, other = (
        np.where(known, each - (np.add.reduceat(each, begins) / count)[series], 0.0)
        for each in (one, other)
    )
    both, first, second = (
        np.add.reduceat(each, begins) for each in (one * other, one * one, other * other)
    )
    apart = np.abs(np.where(known, after - before, np.nan))
    size = np.where(known, np.abs(before), np.nan)
    apart, size = (
        np.column_stack([take_medians(column, indptr) for column in each.T])
        for each in (apart, size)
    )
    fits = (first > 0) & (both > 0) & (both**2 >= LINEAR * first * second)
    return np.asarray(fits & (apart > ROUNDED * size))
