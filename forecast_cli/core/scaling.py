"""Scaling: numbers fitted on the training rows alone, for all series together or for each."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from .ragged import owners, reduced, take_percentiles
from .windows import Floats, Ints

Kind = Literal["minmax", "standard", "robust", "maxabs", "none"]
Transform = Literal["none", "log", "log1p"]
# The training rows that a feature's numbers are fitted on.
Scope = Literal["series", "all", "none"]
# From transformed rows `(n_rows, features)` to center and scale, `(features,)` each.
Fit = Callable[[Kind, Floats], tuple[Floats, Floats]]

# The transforms before the scaler, and their inverses.
FORWARD: dict[Transform, Callable[[Floats], Floats]] = {"log": np.log, "log1p": np.log1p}
BACKWARD: dict[Transform, Callable[[Floats], Floats]] = {"log": np.exp, "log1p": np.expm1}
# The values above which a transform is defined. Rows after the training rows may have others, which
# nothing may be chosen by: they are read as low values, by the scaler in scaled units.
ABOVE: dict[Transform, float] = {"none": -np.inf, "log": 0.0, "log1p": -1.0}
LOW: dict[Kind, float] = {
    "minmax": 0.0,
    "standard": -3.0,
    "robust": -2.0,
    "maxabs": -1.0,
    "none": -3.0,
}

# Digits that forecasts are rounded to, and the sizes between which they are whole numbers instead:
# beyond the last, neighbouring floats are more than a few tenths apart.
DIGITS, WHOLE, EXACT = 8, 1e8, 1e15


@dataclass(frozen=True)
class Scaling:
    """A linear map for each column, after a transform: `scaled = (f(value) - center) / scale`.

    Args:
        kind: Which scaler fitted the numbers.
        center: Shape `(features,)`, or `(n_series, features)` where each series has its own;
            in transformed units.
        scale: Of the same shape, in transformed units, never 0.
        before: The transform.
        columns: The first so many features are transformed; None for all.
        lower: Shape `(features,)`: what no value is below that is converted back, original units;
            -inf for no bound, None for no bounds at all.
    """

    kind: Kind
    center: Floats
    scale: Floats
    before: Transform = "none"
    columns: int | None = None
    lower: Floats | None = None

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """Of scaled values: 64-bit where large values keep their distance from 0, else 32-bit."""
        return np.float64 if self.kind == "maxabs" else np.float32

    @property
    def by_series(self) -> bool:
        """Whether each series has numbers of its own."""
        return self.center.ndim > 1

    def transform(self, values: Floats) -> Floats:
        """Convert values of any shape whose last axis is `features` to scaled units.

        What the transform is not defined for becomes a low value; missing values stay NaN.
        """
        scaled: Floats = (self._forward(values) - self.center) / self.scale
        if self.before != "none":
            undefined = values <= ABOVE[self.before]
            undefined[..., self.columns :] &= self.columns is None
            scaled[undefined] = LOW[self.kind]
        return scaled

    def inverse(self, scaled: Floats) -> Floats:
        """Convert values of any shape whose last axis is `features`, without covariates, back."""
        values: Floats = scaled * self.scale + self.center
        values = values if self.before == "none" else BACKWARD[self.before](values)
        return values if self.lower is None else np.maximum(values, self.lower)

    def only(self, columns: Sequence[int]) -> "Scaling":
        """Return the scaling of some of the columns, in the given order."""
        places = list(columns)
        return replace(
            self,
            center=self.center[..., places],
            scale=self.scale[..., places],
            columns=None,
            lower=None if self.lower is None else self.lower[places],
        )

    def each(self, series: Ints, *, steps: bool = False) -> "Scaling":
        """Return the scaling of samples, each with the numbers of its own series.

        Args:
            series: Shape `(samples,)`.
            steps: Whether the values have an axis of steps between samples and features.
        """
        if not self.by_series:
            return self
        center, scale = self.center[series], self.scale[series]
        return replace(
            self,
            center=center[:, None] if steps else center,
            scale=scale[:, None] if steps else scale,
        )

    def each_row(self, indptr: Ints) -> "Scaling":
        """Return the scaling of all rows of series, each row with the numbers of its own."""
        return self.each(owners(indptr)) if self.by_series else self

    def _forward(self, values: Floats) -> Floats:
        """Transform values of any shape whose last axis is `features`; NaN where undefined."""
        if self.before == "none":
            return values
        first = values[..., : self.columns]
        defined = np.where(first > ABOVE[self.before], first, np.nan)
        changed = FORWARD[self.before](defined)
        if self.columns is None:
            return changed
        return np.concatenate([changed, values[..., self.columns :]], axis=-1)


@dataclass(frozen=True)
class Units:
    """The units of scaled outputs.

    Args:
        scaling: Of the outputs alone.
        naive_error: Shape `(n_series, targets)`: the mean error of the seasonal naive forecast in
            the training rows of each series, original units, never 0.
        naive_smape: Shape `(targets,)`: its symmetric percentage error there, 0 to 200, a mean over
            the series, never 0; None where no loss asks for it.
    """

    scaling: Scaling
    naive_error: Floats
    naive_smape: Floats | None = None


def rounded(values: Floats) -> Floats:
    """Round values of any shape to 8 digits, the precision of 32-bit arithmetic.

    Values of 9 to 15 digits become whole numbers instead: of a meter reading or an amount, whose
    distance from 0 is no measure of its changes, no unit is lost.
    """
    few = [float(f"{value:.{DIGITS}g}") for value in values.ravel()]
    size = np.abs(values)
    found: Floats = np.array(few).reshape(values.shape)
    return np.where((size >= WHOLE) & (size < EXACT), np.rint(values), found)


def decimals_of(values: Floats) -> Ints:
    """Return how many decimals `rounded` leaves; below 0 where it leaves tens or more."""
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    places = DIGITS - 1 - np.where(np.isfinite(size), size, 0.0).astype(np.int64)
    return np.where(np.abs(values) < EXACT, np.maximum(places, 0), places)


def fit_scaling(
    rows: Floats,
    kind: Kind,
    before: Transform = "none",
    columns: int | None = None,
    *,
    fit: Fit | None = None,
) -> Scaling:
    """Fit a scaler on the training rows.

    A constant column gets a scale of 1. Missing values do not count; a column without others is
    not scaled.

    Args:
        rows: Shape `(n_rows, features)`: the training rows alone, original units.
        kind: `minmax` to [0, 1], `standard` to mean 0 and deviation 1, `robust` to median 0
            and interquartile range 1, `maxabs` to a largest size of 1, which keeps ratios,
            `none` for no change.
        before: A transform that comes first.
        columns: It applies to the first so many features; None for all.
        fit: Returns center and scale of transformed rows; None for NumPy's.

    Source: equal to the scalers of scikit-learn; fitted here since a prediction scales new series
    without loading scikit-learn.
    """
    features = rows.shape[1]
    plain = Scaling(kind, np.zeros(features), np.ones(features), before, columns)
    if kind == "none" or not len(rows):
        return plain
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        # NumPy warns of columns without a value.
        warnings.simplefilter("ignore", RuntimeWarning)
        center, scale = (fit or fit_by_numpy)(kind, plain._forward(rows))
        constant = np.nanmin(rows, axis=0) == np.nanmax(rows, axis=0)
        # Where 0 stays 0, a constant column has a size all the same.
        constant &= kind != "maxabs"
    known = np.isfinite(center)
    good = known & (scale > 0) & ~constant
    return replace(plain, center=np.where(known, center, 0.0), scale=np.where(good, scale, 1.0))


def fit_piecewise(
    pieces: Iterable[Floats], kind: Kind, before: Transform = "none", columns: int | None = None
) -> Scaling:
    """Fit a scaler on rows that come some at a time, to the numbers of `fit_scaling`.

    Args:
        pieces: Shape `(rows, features)` each: the training rows, original units.
        kind: As in `fit_scaling`, but not `robust`: its percentiles need all rows at once.
        before: As in `fit_scaling`.
        columns: As in `fit_scaling`.
    """
    count: Any = 0.0
    mean: Any = 0.0
    apart: Any = 0.0
    low, high, least, most = np.inf, -np.inf, np.inf, -np.inf
    for rows in pieces:
        nothing = np.zeros(rows.shape[1])
        changed = Scaling("none", nothing, nothing + 1.0, before, columns)._forward(rows)
        known = np.isfinite(changed)
        own = known.sum(axis=0)
        total = np.where(known, changed, 0.0).sum(axis=0)
        middle = total / np.maximum(own, 1)
        # Source: Chan, Golub and LeVeque (1983), updating formulae for sample variances.
        shift, count = middle - mean, count + own
        share = own / np.maximum(count, 1)
        squares = np.where(known, changed - middle, 0.0) ** 2
        apart = apart + squares.sum(axis=0) + shift**2 * share * (count - own)
        mean = mean + shift * share
        low, high = _widened(changed, low, high)
        least, most = _widened(rows, least, most)
    numbers: dict[str, tuple[Any, Any]] = {
        "minmax": (low, high - low),
        "standard": (mean, np.sqrt(apart / np.maximum(count, 1))),
        "maxabs": (0.0 * mean, np.where(count > 0, np.maximum(np.abs(low), np.abs(high)), 0.0)),
    }
    ends = np.stack([least, most])
    return fit_scaling(ends, kind, before, columns, fit=lambda kind, _: numbers[kind])


def _widened(rows: Floats, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the range of the known values of each column, together with another range."""
    known = np.isfinite(rows)
    return (
        np.minimum(low, np.min(rows, axis=0, initial=np.inf, where=known)),
        np.maximum(high, np.max(rows, axis=0, initial=-np.inf, where=known)),
    )


def fit_by_series(
    rows: Floats,
    indptr: Ints,
    scopes: Sequence[Scope],
    kind: Kind,
    before: Transform = "none",
    columns: int | None = None,
    *,
    fit: Fit | None = None,
    whole: Scaling | None = None,
) -> Scaling:
    """Fit a scaler on the training rows of many series.

    Args:
        rows: Shape `(n_rows, features)`: the training rows of all series end to end.
        indptr: Shape `(n_series + 1,)`; a series without a row has the numbers of all together.
        scopes: The rows that each feature is fitted on; none: it is not scaled.
        kind: As in `fit_scaling`.
        before: As in `fit_scaling`.
        columns: As in `fit_scaling`.
        fit: As in `fit_scaling`; the numbers of each series are NumPy's, of all series at once.
        whole: That of all series together, where these are some of them; None to fit it.
    """
    whole = whole or fit_scaling(rows, kind, before, columns, fit=fit)
    fixed = np.array([scope == "none" for scope in scopes])
    whole = replace(
        whole, center=np.where(fixed, 0.0, whole.center), scale=np.where(fixed, 1.0, whole.scale)
    )
    own = np.array([scope == "series" for scope in scopes])
    if not own.any():
        return whole
    shape = (len(indptr) - 1, rows.shape[1])
    center, scale = (np.broadcast_to(each, shape).copy() for each in (whole.center, whole.scale))
    if kind != "none" and len(rows):
        with np.errstate(invalid="ignore", divide="ignore"):
            changed = whole._forward(rows)
        for place in np.flatnonzero(own):
            column = np.ascontiguousarray(rows[:, place])
            _fit_column(column, changed[:, place], indptr, kind, center[:, place], scale[:, place])
    return replace(whole, center=center, scale=scale)


def _fit_column(
    column: Floats, changed: Floats, indptr: Ints, kind: Kind, center: Floats, scale: Floats
) -> None:
    """Replace the numbers of all together by those of each series with a value in a column.

    `column` (original units) and `changed` (transformed) have shape `(n_rows,)`, `indptr`
    `(n_series + 1,)`; `center` and `scale`, shape `(n_series,)`, are changed in place.
    """
    with np.errstate(invalid="ignore"):
        middle, spread = SERIES_FITS[kind](np.ascontiguousarray(changed), indptr)
    lowest, highest = _extremes(column, indptr)
    finite = np.isfinite(column).astype(np.float64)[:, None]
    # A series without a value keeps the numbers of all together.
    there = reduced(np.add, finite, indptr)[:, 0] > 0
    known = np.isfinite(middle)
    good = known & (spread > 0) & ((lowest != highest) | (kind == "maxabs"))
    center[there] = np.where(known, middle, 0.0)[there]
    scale[there] = np.where(good, spread, 1.0)[there]


def _minmax(rows: Floats) -> tuple[Floats, Floats]:
    low = np.nanmin(rows, axis=0)
    return low, np.nanmax(rows, axis=0) - low


def _standard(rows: Floats) -> tuple[Floats, Floats]:
    return np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)


def _robust(rows: Floats) -> tuple[Floats, Floats]:
    low, middle, high = np.nanpercentile(rows, [25, 50, 75], axis=0)
    return middle, high - low


def _maxabs(rows: Floats) -> tuple[Floats, Floats]:
    size = np.nanmax(np.abs(rows), axis=0)
    return np.where(np.isfinite(size), 0.0, np.nan), size


FITS = {"minmax": _minmax, "standard": _standard, "robust": _robust, "maxabs": _maxabs}


def fit_by_numpy(kind: Kind, rows: Floats) -> tuple[Floats, Floats]:
    """Return center and scale of transformed rows `(n_rows, features)`, `(features,)` each."""
    return FITS[kind](rows)


def _extremes(column: Floats, indptr: Ints) -> tuple[Floats, Floats]:
    """Return the lowest and the highest known value of each series, `(n_series,)`, or NaN."""
    rows = column[:, None]
    return reduced(np.fmin, rows, indptr)[:, 0], reduced(np.fmax, rows, indptr)[:, 0]


def _series_minmax(column: Floats, indptr: Ints) -> tuple[Floats, Floats]:
    low, high = _extremes(column, indptr)
    return low, high - low


def _series_standard(column: Floats, indptr: Ints) -> tuple[Floats, Floats]:
    known = ~np.isnan(column)
    count = reduced(np.add, known.astype(np.float64)[:, None], indptr)[:, 0]
    count[count == 0] = np.nan
    mean = reduced(np.add, np.where(known, column, 0.0)[:, None], indptr)[:, 0] / count
    apart = np.where(known, column - np.repeat(mean, np.diff(indptr)), 0.0) ** 2
    return mean, np.sqrt(reduced(np.add, apart[:, None], indptr)[:, 0] / count)


def _series_robust(column: Floats, indptr: Ints) -> tuple[Floats, Floats]:
    low, middle, high = take_percentiles(column, indptr, np.array([25.0, 50.0, 75.0]))
    return middle, high - low


def _series_maxabs(column: Floats, indptr: Ints) -> tuple[Floats, Floats]:
    _, size = _extremes(np.abs(column), indptr)
    return np.where(np.isfinite(size), 0.0, np.nan), size


SERIES_FITS = {
    "minmax": _series_minmax,
    "standard": _series_standard,
    "robust": _series_robust,
    "maxabs": _series_maxabs,
}
