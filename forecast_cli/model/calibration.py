"""The validation errors for prediction intervals, as stored in a model file."""

from dataclasses import dataclass

import numpy as np

from ..core.error_scale import Recent
from ..core.windows import Floats


@dataclass(frozen=True)
class Calibration:
    """The errors of multi-step forecasts on the validation split.

    All are scaled and divided by the unit of their series, so that they can be pooled.

    Args:
        errors: Shape `(samples, horizon, targets)`: actual value minus forecast, NaN where there is
            no actual value; of a network that forecasts quantiles `(samples, horizon, targets,
            quantiles)`.
        recent: Shape `(samples, targets)`: the size of the most recent errors known at each of
            these origins, relative to the usual error.
        units: Shape `(n_series, targets)`: the usual error of each series, scaled.
        ended: The most recent errors of each series at the end of the table.
    """

    errors: Floats
    recent: Floats
    units: Floats
    ended: Recent

    @property
    def of_forecasts(self) -> Floats:
        """The errors of the forecasts themselves, shape `(samples, horizon, targets)`."""
        if self.errors.ndim == 3:
            return self.errors
        return self.errors[..., self.errors.shape[3] // 2]

    @property
    def usual_unit(self) -> Floats:
        """The unit of a series that is not known, shape `(targets,)`."""
        middle: Floats = np.median(self.units, axis=0)
        return middle
