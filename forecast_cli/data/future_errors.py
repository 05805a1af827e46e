"""Simulated errors of future covariates, for tests: in use they are often forecasts themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.windows import Floats, Ints

SEED = 0


@dataclass(frozen=True)
class FutureErrors:
    """Errors of future covariates as of forecasts of them: they grow with the steps ahead.

    The error is a random walk from the forecast origin on, so that its deviation grows with the
    square root of the steps, and its steps are those of the rows: a later forecast of the same row
    errs less, and in the same direction.

    Args:
        sizes: Shape `(features,)`: the deviation at the last step of the horizon, scaled; 0 where
            values are as they came.
        walk: Shape `(n_rows + 1, features with errors)`: the sum of the steps before each row.
    """

    sizes: Floats
    walk: Floats

    def added(self, rows: Floats, origins: Ints) -> Floats:
        """Return rows from forecast origins on, with their errors.

        Args:
            rows: Shape `(samples, steps, features)`, scaled.
            origins: Shape `(samples,)`: the row of the panel of the first step.
        """
        places, noisy = np.flatnonzero(self.sizes), rows.copy()
        steps = origins[:, None] + 1 + np.arange(rows.shape[1])
        noisy[..., places] += self.walk[steps] - self.walk[origins][:, None]
        return noisy


def draw_errors(sizes: Floats, rows: int, horizon: int) -> FutureErrors | None:
    """Return the errors for a table; None where no covariate has any.

    Args:
        sizes: As in `FutureErrors`.
        rows: Of the panel.
        horizon: Steps ahead.
    """
    if not sizes.any():
        return None
    # The same for every model, so that models are compared by the same errors.
    steps = np.random.default_rng(SEED).standard_normal((rows, np.count_nonzero(sizes)))
    walk = np.cumsum(steps * sizes[sizes > 0] / np.sqrt(horizon), axis=0)
    return FutureErrors(sizes, np.pad(walk, ((1, 0), (0, 0))))


def measure_sizes(rows: Floats, values: Floats, places: Sequence[int], share: float) -> Floats:
    """Return the deviations of the errors, shape `(features,)`.

    Args:
        rows: Shape `(n_rows, features)`: the training rows, scaled.
        values: The same as read, NaN where missing.
        places: Of the future covariates that are numbers. One of two values, such as a holiday, is
            a plan and no measurement: it has no errors.
        share: Of the deviation of each covariate.
    """
    sizes = np.zeros(rows.shape[1])
    for place in places if share else ():
        known = np.isfinite(values[:, place])
        if len(np.unique(values[known, place])) > 2:
            sizes[place] = share * rows[known, place].std()
    return sizes
