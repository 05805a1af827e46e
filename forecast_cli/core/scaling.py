"""Scaling: numbers fitted by scikit-learn on the training rows, at work with NumPy alone."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Kind = Literal["minmax", "standard", "robust", "none"]


@dataclass(frozen=True)
class Scaling:
    """A linear map for each column: `scaled = (value - center) / scale`.

    Args:
        kind: Which scaler fitted the numbers.
        center: Shape `(features,)`, in original units.
        scale: Shape `(features,)`, in original units, never 0.
    """

    kind: Kind
    center: Floats
    scale: Floats

    def transform(self, values: Floats) -> Floats:
        """Original to scaled units; the last axis of `values` is `features`."""
        return (values - self.center) / self.scale

    def inverse(self, scaled: Floats) -> Floats:
        """Scaled to original units; the last axis of `scaled` is `features`."""
        return scaled * self.scale + self.center

    def only(self, columns: list[int]) -> "Scaling":
        """The scaling of some of the columns, in the order asked for."""
        return Scaling(self.kind, self.center[columns], self.scale[columns])


def fit_scaling(rows: Floats, kind: Kind) -> Scaling:
    """Fit a scikit-learn scaler on the training rows.

    A constant column gets a scale of 1, as in scikit-learn.

    Args:
        rows: Shape `(n_rows, features)`: the training rows alone, original units.
        kind: `minmax` to [0, 1], `standard` to mean 0 and deviation 1, `robust` to median 0
            and interquartile range 1, `none` for no change.
    """
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    features = rows.shape[1]
    if kind == "minmax":
        minmax = MinMaxScaler().fit(rows)
        return Scaling(kind, minmax.data_min_, 1.0 / minmax.scale_)
    if kind == "standard":
        standard = StandardScaler().fit(rows)
        return Scaling(kind, standard.mean_, standard.scale_)
    if kind == "robust":
        robust = RobustScaler().fit(rows)
        return Scaling(kind, robust.center_, robust.scale_)
    return Scaling(kind, np.zeros(features), np.ones(features))
