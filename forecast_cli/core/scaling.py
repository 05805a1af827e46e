"""Scaling: numbers fitted by scikit-learn on the training rows, at work with NumPy alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Kind = Literal["minmax", "standard", "robust", "none"]
Transform = Literal["none", "log", "log1p"]

# What is done to the values before the scaler, and undone after it.
FORWARD: dict[Transform, Callable[[Floats], Floats]] = {"log": np.log, "log1p": np.log1p}
BACKWARD: dict[Transform, Callable[[Floats], Floats]] = {"log": np.exp, "log1p": np.expm1}


@dataclass(frozen=True)
class Scaling:
    """A linear map for each column, after a transform: `scaled = (f(value) - center) / scale`.

    Args:
        kind: Which scaler fitted the numbers.
        center: Shape `(features,)`, in transformed units.
        scale: Shape `(features,)`, in transformed units, never 0.
        before: The transform.
    """

    kind: Kind
    center: Floats
    scale: Floats
    before: Transform = "none"

    def transform(self, values: Floats) -> Floats:
        """Original to scaled units; the last axis of `values` is `features`."""
        return (transformed(values, self.before) - self.center) / self.scale

    def inverse(self, scaled: Floats) -> Floats:
        """Scaled to original units; the last axis of `scaled` is `features`."""
        values = scaled * self.scale + self.center
        return values if self.before == "none" else BACKWARD[self.before](values)

    def only(self, columns: list[int]) -> "Scaling":
        """The scaling of some of the columns, in the order asked for."""
        return Scaling(self.kind, self.center[columns], self.scale[columns], self.before)


@dataclass(frozen=True)
class Units:
    """What scaled outputs mean.

    Args:
        scaling: Of the outputs alone.
        naive_error: Shape `(targets,)`: the mean error of the seasonal naive forecast in the
            training rows, original units, never 0.
    """

    scaling: Scaling
    naive_error: Floats


def rounded(values: Floats) -> Floats:
    """The values to the 8 digits that 32-bit arithmetic can vouch for."""
    return np.array([float(f"{value:.8g}") for value in values.ravel()]).reshape(values.shape)


def transformed(values: Floats, before: Transform) -> Floats:
    """The values after the transform, each for itself."""
    return values if before == "none" else FORWARD[before](values)


def fit_scaling(rows: Floats, kind: Kind, before: Transform = "none") -> Scaling:
    """Fit a scikit-learn scaler on the training rows.

    A constant column gets a scale of 1, as in scikit-learn.

    Args:
        rows: Shape `(n_rows, features)`: the training rows alone, original units.
        kind: `minmax` to [0, 1], `standard` to mean 0 and deviation 1, `robust` to median 0
            and interquartile range 1, `none` for no change.
        before: A transform that comes first.
    """
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    features = rows.shape[1]
    rows = transformed(rows, before)
    if kind == "minmax":
        minmax = MinMaxScaler().fit(rows)
        return Scaling(kind, minmax.data_min_, 1.0 / minmax.scale_, before)
    if kind == "standard":
        standard = StandardScaler().fit(rows)
        return Scaling(kind, standard.mean_, standard.scale_, before)
    if kind == "robust":
        robust = RobustScaler().fit(rows)
        return Scaling(kind, robust.center_, robust.scale_, before)
    return Scaling(kind, np.zeros(features), np.ones(features), before)
