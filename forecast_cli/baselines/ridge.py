"""The linear map from windows to the following values, by ridge regression in closed form.

It is fitted to windows less their last value, as a correction of another map, and shrunk towards
that one by a penalty chosen by cross-validation over blocks of training windows.
"""

from collections.abc import Iterator

import numpy as np

from ..core.windows import Floats, Ints, gather
from .linear_map import last_map

# Penalties that are tried, in mean squares of a column; the map itself is the last of them.
PENALTIES = 10.0 ** np.arange(-4.0, 3.1, 0.5)
# Blocks of windows, the fewest windows, and how many values of windows are worked on at once.
BLOCKS, FEWEST, CELLS = 4, 8, 4_000_000
# Forecast values of a block that a penalty is judged by, at most.
JUDGED = 200_000


def fit_ridge(
    values: Floats,
    origins: Ints,
    *,
    timesteps: int,
    horizon: int,
    towards: Floats | None = None,
) -> Floats:
    """Fit a linear map to training windows, shrunk towards another map.

    Args:
        values: Shape `(n_rows,)`, all series end to end; windows with gaps are left out.
        origins: Shape `(samples,)`, ascending: rows of the first target, whose `timesteps` rows
            before and `horizon` rows from there on belong to the training rows of one series.
        timesteps: The lookback.
        horizon: Steps ahead.
        towards: Shape `(timesteps, horizon)`, with columns that sum to 1; None for the last value.

    Returns:
        Shape `(timesteps, horizon)`; the columns sum to 1.
    """
    start = last_map(timesteps, horizon) if towards is None else towards
    rows = _known(values, origins, timesteps, horizon)
    if len(rows) < FEWEST:
        return start.copy()
    parts = np.array_split(np.arange(len(rows)), BLOCKS)
    sums = [_sums(values, rows[part], start) for part in parts]
    squares, products = sum(each[0] for each in sums), sum(each[1] for each in sums)
    unit = float(np.trace(squares)) / timesteps or 1.0
    held = [rows[_held_out(part, horizon)] for part in parts]
    losses = np.zeros(len(PENALTIES) + 1)
    for others, (own, by_own) in zip(held, sums, strict=True):
        before, after = _windows(values, others, start)
        losses += _judge(before, after, squares - own, products - by_own, unit)
    if (best := int(np.argmin(losses))) == len(PENALTIES):
        return start.copy()
    eigenvalues, axes = np.linalg.eigh(squares)
    change = axes @ ((axes.T @ products) / (eigenvalues + PENALTIES[best] * unit)[:, None])
    change[-1] -= change.sum(axis=0)
    return np.asarray(start + change)


def _held_out(part: Ints, horizon: int) -> Ints:
    """Return the windows of a block, shape `(windows,)`, that penalties are scored on."""
    # Forecasts that overlap those of another block would be known from there.
    inner = part[horizon:-horizon] if len(part) > 3 * horizon else part
    return inner[:: max(1, len(inner) * horizon // JUDGED)]


def _judge(before: Floats, after: Floats, squares: Floats, products: Floats, unit: float) -> Floats:
    """The sums of absolute errors by penalty, and of the map itself, `(penalties + 1,)`."""
    eigenvalues, axes = np.linalg.eigh(squares)
    turned, along = before @ axes, axes.T @ products
    penalties = (eigenvalues + each * unit for each in PENALTIES)
    errors = [np.abs(after - turned @ (along / each[:, None])).sum() for each in penalties]
    return np.array([*errors, np.abs(after).sum()])


def _known(values: Floats, origins: Ints, timesteps: int, horizon: int) -> Ints:
    """Return the origins whose windows and targets are known, shape `(known samples,)`."""
    missing = np.concatenate([[0], np.cumsum(~np.isfinite(values))])
    rows = np.asarray(origins)
    known: Ints = rows[missing[rows + horizon] == missing[rows - timesteps]]
    return known


def _sums(values: Floats, rows: Ints, start: Floats) -> tuple[Floats, Floats]:
    """X'X and X'Y, shapes `(timesteps, timesteps)` and `(timesteps, horizon)`, piece by piece."""
    timesteps, horizon = start.shape
    squares, products = np.zeros((timesteps, timesteps)), np.zeros((timesteps, horizon))
    for piece in _pieces(len(rows), timesteps + horizon):
        before, after = _windows(values, rows[piece], start)
        squares += before.T @ before
        products += before.T @ after
    return squares, products


def _windows(values: Floats, rows: Ints, start: Floats) -> tuple[Floats, Floats]:
    """Return windows minus their last value, and the residuals of the map after them.

    Shapes `(samples, timesteps)` and `(samples, horizon)`.
    """
    timesteps, horizon = start.shape
    before = np.asarray(gather(values, rows - timesteps, timesteps=timesteps), np.float64)
    after = gather(values, rows, timesteps=horizon) - before @ start
    return before - before[:, -1:], after


def _pieces(count: int, width: int) -> Iterator[slice]:
    most = max(1, CELLS // width)
    return (slice(first, first + most) for first in range(0, count, most))
