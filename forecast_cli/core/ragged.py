"""Vectorized computations on series of different lengths, end to end in one array."""

import numpy as np
import numpy.typing as npt

from .windows import Floats, Ints

Flags = npt.NDArray[np.bool_]

# The fewest known values of a series, or pairs of values, for a conclusion.
FEWEST = 20
# The standard deviation of normal noise in MADs, and the share of a value that is only rounding.
SIGMA, ROUNDING = 1.4826, 1e-9
# The most values that are sorted at once, so that memory does not grow with the windows.
CELLS = 250_000


def finite(values: Floats) -> Floats:
    """Return the values, of any shape, NaN where they are infinite."""
    return np.where(np.isfinite(values), values, np.nan)


def known_means(values: Floats, axis: int | tuple[int, ...]) -> Floats:
    """Return the means of the finite values along axes, NaN where there is none."""
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis)
    means: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means


def owners(indptr: Ints) -> Ints:
    """Return the series of each row, shape `(n_rows,)`."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def cumulate(lengths: Ints) -> Ints:
    """Return the `indptr` of series of the given lengths, shape `(n_series + 1,)`."""
    return np.concatenate([[0], np.cumsum(lengths)])


def row_numbers(indptr: Ints) -> Ints:
    """Return the number of each row in its series, from 0, shape `(n_rows,)`."""
    return rows_before(indptr, 0, int(indptr[-1]))


def rows_before(indptr: Ints, first: int, end: int) -> Ints:
    """Return how many rows of its series are before each of those from `first` to `end`.

    Returns:
        Shape `(end - first,)`.
    """
    # The series of these rows alone: there may be many others.
    among = indptr[np.searchsorted(indptr, first, side="right") - 1 : np.searchsorted(indptr, end)]
    begun = np.repeat(among, np.diff(np.append(np.maximum(among, first), end)))
    return np.subtract(np.arange(first, end), begun, out=begun)


def rows_between(indptr: Ints, begins: Ints, ends: Ints) -> Flags:
    """Return which rows, `(n_rows,)`, are from `begins` to `ends`, `(n_series,)`, of their series.

    A series whose end is not after its beginning has none.
    """
    change = np.zeros(indptr[-1] + 1, np.int8)
    for rows, step in ((begins, 1), (ends, -1)):
        np.add.at(change, np.clip(rows, indptr[:-1], indptr[1:]), step)
    return np.cumsum(change[:-1], dtype=np.int8) > 0


def bounds(indptr: Ints) -> tuple[Ints, Ints]:
    """Return the first row of the series of each row, and the row after its last, `(n_rows,)`."""
    lengths = np.diff(indptr)
    return np.repeat(indptr[:-1], lengths), np.repeat(indptr[1:], lengths)


def shifted(column: Floats, indptr: Ints, offset: int) -> Floats:
    """Return the values `offset` rows later, shape `(n_rows,)`; NaN beyond the series."""
    starts, stops = bounds(indptr)
    rows = np.arange(len(column)) + offset
    inside = (rows >= starts) & (rows < stops)
    return np.where(inside, np.roll(column, -offset), np.nan)


def reduced(ufunc: np.ufunc, values: Floats, indptr: Ints) -> Floats:
    """Reduce the rows of each series by a ufunc, `(n_series, columns)`; NaN without a row."""
    result = np.full((len(indptr) - 1, values.shape[1]), np.nan)
    full = np.diff(indptr) > 0
    if full.any():
        result[full] = ufunc.reduceat(values, indptr[:-1][full], axis=0)
    return result


def sums_between(values: Floats, starts: Ints, stops: Ints) -> Floats:
    """Sum ranges of rows, each exactly: no sum contains a value of another.

    Args:
        values: Shape `(n_rows, columns)`.
        starts: Shape `(ranges,)`, ascending.
        stops: Shape `(ranges,)`: the row after the last one of each, after its first.

    Returns:
        Shape `(ranges, columns)`.
    """
    edges = np.stack([starts, stops], axis=1).ravel()
    # `reduceat` needs no end for a range up to the last row.
    edges = edges[:-1] if len(edges) and edges[-1] == len(values) else edges
    return np.add.reduceat(values, edges, axis=0)[::2]


def count_known(column: Floats, indptr: Ints) -> Ints:
    """Count the known values of each series, shape `(n_series,)`."""
    return np.bincount(owners(indptr)[~np.isnan(column)], minlength=len(indptr) - 1)


def take_medians(column: Floats, indptr: Ints) -> Floats:
    """Return the median of the known values of each series, shape `(n_series,)`; NaN for none."""
    # Missing values are sorted last within their series.
    ordered = column[np.lexsort((column, owners(indptr)))]
    counts = count_known(column, indptr)
    medians, full = np.full(len(counts), np.nan), counts > 0
    lower = (indptr[:-1] + (counts - 1) // 2)[full]
    upper = (indptr[:-1] + counts // 2)[full]
    medians[full] = (ordered[lower] + ordered[upper]) / 2
    return medians


def take_percentiles(column: Floats, indptr: Ints, percent: Floats) -> Floats:
    """Return the percentiles of the known values of each series, equal to `numpy.percentile`.

    Args:
        column: Shape `(n_rows,)`; missing values (NaN) do not count.
        indptr: Shape `(n_series + 1,)`.
        percent: Shape `(percentiles,)`, 0 to 100.

    Returns:
        Shape `(percentiles, n_series)`; NaN where no value is known.
    """
    lengths = np.diff(indptr)
    found = np.full((len(percent), len(lengths)), np.nan)
    # Rows of series of about the same length, next to each other, are sorted at once.
    sizes = np.frexp(lengths)[1]
    for size in np.unique(sizes[lengths > 0]):
        members = np.flatnonzero(sizes == size)
        parts = min((len(members) << int(size)) // CELLS + 1, len(members))
        for part in np.array_split(members, parts):
            steps = np.arange(lengths[part].max())
            rows = np.minimum(indptr[part][:, None] + steps, len(column) - 1)
            inside = steps < lengths[part][:, None]
            found[:, part] = _percentiles_across(np.where(inside, column[rows], np.nan), percent)
    return found


def _percentiles_across(window: Floats, percent: Floats) -> Floats:
    """Return the percentiles of the known values of each row, shape `(percentiles, n_rows)`."""
    ordered, last = np.sort(window, axis=1), np.count_nonzero(~np.isnan(window), axis=1) - 1
    place = (percent / 100.0)[:, None] * np.maximum(last, 0)
    lower = np.floor(place).astype(np.intp)
    rows = np.arange(len(window))
    low, high = ordered[rows, lower], ordered[rows, np.minimum(lower + 1, np.maximum(last, 0))]
    share, apart = place - lower, high - low
    # Interpolated from the nearer neighbour, so that both are reproduced exactly.
    between = np.where(share < 0.5, low + apart * share, high - apart * (1.0 - share))
    return np.where(last >= 0, between, np.nan)


def medians_around(
    column: Floats, indptr: Ints, rows: Ints, offsets: Ints, *, fewest: int = 1
) -> Floats:
    """Return the medians of the known values at `rows + offsets` in the series of each row.

    Returns:
        Shape of `rows`; NaN where fewer values than `fewest` are known.
    """
    starts, stops = bounds(indptr)
    medians = np.empty(len(rows))
    most = max(1, CELLS // len(offsets))
    for first in range(0, len(rows), most):
        part = rows[first : first + most, None]
        places = part + offsets
        inside = (places >= starts[part]) & (places < stops[part])
        window = np.where(inside, column[np.clip(places, 0, len(column) - 1)], np.nan)
        medians[first : first + most] = medians_across(window, fewest)
    return medians


def medians_across(window: Floats, fewest: int = 1) -> Floats:
    """Return the median of the known values of each row, shape `(n_rows,)`; NaN of too few."""
    ordered = np.sort(window, axis=1)
    counts = np.count_nonzero(~np.isnan(window), axis=1)
    rows = np.arange(len(window))
    middle = ordered[rows, np.maximum(counts - 1, 0) // 2] + ordered[rows, counts // 2]
    return np.where(counts >= fewest, middle / 2, np.nan)
