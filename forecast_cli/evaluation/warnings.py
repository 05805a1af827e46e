"""Reasons not to rely on scores, or on the network: each one sentence, with its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..core.errors import singular
from ..core.padding import owner_series
from ..core.ragged import FEWEST, ROUNDING, cumulate, known_means, reduced
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset
from ..forecasting.intervals.interval_methods import few_errors
from .scoring import IntervalSpec, ScoreSums, some
from .verdicts import is_last_value

# A forecast copies where it is twice as near to the last value as to the actual one. `1 - r` is
# half the mean squared distance of two columns in units of their spread, so that this is 2 squared.
NEARER = 4.0
# And where it moves with the last value one to one, but for this. The best forecast of a series
# that returns to its mean goes with the last value too, yet moves less; one that moves 0.9 times
# as much gains at most 5 % of the squared error over the last value itself.
SLACK = 0.1
# Fewer horizons than this that do not overlap are too few to tell a few percent apart.
FEW_HORIZONS = 5
# Errors that differ by this factor between two splits are reported.
UNLIKE = 2.0
# Intervals whose coverage is so many percent below their level are reported.
SHORT_OF = 10.0
# A row outside of the range of training by this share of it is far out; so many of many series may
# have one before it is reported.
FAR, MANY = 0.05, 0.1


@dataclass(frozen=True)
class Copy:
    """Forecasts that are little else than the last value before them.

    Args:
        step: Of the horizon, from 1.
        with_last: The correlation of the forecasts with the last values that were known.
        with_actual: Their correlation with the actual values.
    """

    step: int
    with_last: float
    with_actual: float


def find_copy(
    forecast: Floats, before: Floats, actual: Floats, groups: Ints, *, fewest: int = FEWEST
) -> Copy | None:
    """Tell whether forecasts copy the last value known, judged at the last step of the horizon.

    The forecast of a time is correlated with the series at that time, one step earlier, and so on
    back to the first value in `before`. It copies where it goes best with the last
    value known, clearly better than with the actual values, and moves with it one to one. The
    forecast of the first step must go best with that value too, of those known: one that repeats
    the last season goes with an earlier one.

    That is no blame: of a random walk the last value is the best forecast.

    Args:
        forecast: Shape `(samples, horizon)`: of one target, original units.
        before: Shape `(samples, horizon)`: the values before each origin in time order, the last
            one known at the end; NaN where there is none.
        actual: Shape `(samples, horizon)`: actual values; missing ones (NaN) do not count.
        groups: Shape `(samples,)`: the series of each sample, which is taken from its own mean
            and in units of its own spread.
        fewest: Samples, less one for each series, from which anything is concluded.

    Returns:
        None where the forecasts do not copy, or there are too few to tell.
    """
    horizon = forecast.shape[1]
    last = horizon - 1
    counts = np.isfinite(actual[:, last])
    forecast, before, actual = forecast[counts], before[counts], actual[counts]
    _, places = np.unique(groups[counts], return_inverse=True)
    spread = _spread(before[:, last], places)[:, None]
    forecast, series = forecast / spread, np.concatenate([before, actual], axis=1) / spread
    first, _ = _fits(forecast[:, 0], series[:, :horizon], places, fewest)
    shifts, slopes = _fits(forecast[:, last], series, places, fewest)
    if np.argmax(first) != last or np.argmax(shifts) != last or not np.isfinite(shifts[-1]):
        return None
    with_last, with_actual = float(shifts[last]), float(shifts[-1])
    nearer = 1.0 - with_actual > NEARER * (1.0 - with_last) + ROUNDING
    copies = nearer and abs(slopes[last] - 1.0) < SLACK
    return Copy(horizon, with_last, with_actual) if copies else None


def _fits(forecast: Floats, columns: Floats, places: Ints, fewest: int) -> tuple[Floats, Floats]:
    """Return correlations of forecasts with columns, and how much they move when these move by 1.

    Shapes `(samples,)`, `(samples, columns)`, `(samples,)` (the series) to `(columns,)` each; minus
    infinity where fewer than `fewest` samples are known, one less for each series.
    """
    correlations, slopes = np.full((2, columns.shape[1]), -np.inf)
    for place, column in enumerate(columns.T):
        known = np.isfinite(forecast) & np.isfinite(column)
        owners = places[known]
        one, other = _centred(forecast[known], owners), _centred(column[known], owners)
        sizes = one @ one, other @ other
        free = len(owners) - np.count_nonzero(np.bincount(owners))
        if min(sizes) > 0 and free >= fewest:
            together = one @ other
            correlations[place] = together / np.sqrt(sizes[0] * sizes[1])
            slopes[place] = together / sizes[1]
    return correlations, slopes


def _centred(values: Floats, places: Ints) -> Floats:
    """Return the values minus the mean of their series, all of shape `(values,)`."""
    counts = np.maximum(np.bincount(places), 1)
    # The level of large values would be lost in rounding.
    apart = values - values[:1]
    centred: Floats = apart - (np.bincount(places, weights=apart) / counts)[places]
    return centred


def _spread(values: Floats, places: Ints) -> Floats:
    """Return the standard deviation of each value's series, shape `(values,)`; 1 for constants."""
    known = np.isfinite(values)
    owners, size = places[known], int(places.max(initial=-1)) + 1
    squares = np.bincount(owners, weights=_centred(values[known], owners) ** 2, minlength=size)
    deviation = np.sqrt(squares / np.maximum(np.bincount(owners, minlength=size), 1))
    return np.where(deviation > 0, deviation, 1.0)[places]


def find_warnings(
    dataset: Dataset,
    tally: ScoreSums,
    claims: IntervalSpec | None = None,
    *,
    validation: Floats | None = None,
    trained: bool = True,
) -> tuple[str, ...]:
    """Reasons not to rely on the scores, the network, or its intervals.

    Args:
        dataset: What was scored.
        tally: The errors.
        claims: The intervals; None for none.
        validation: Shape `(samples,)`: the losses in the validation split, as in `ScoreSums`.
        trained: Whether the training rows of the dataset are those that the network learned from.
    """
    found = (
        *_short_test(dataset, tally),
        *_unlike_splits(validation, tally, squared=dataset.intermittent),
        *_copies(dataset, tally),
        *(_outside(dataset) if trained else ()),
        *filter(None, [] if claims is None else [few_errors(claims.bands), _undercovered(tally)]),
    )
    return tuple(map(singular, found))


def _short_test(dataset: Dataset, tally: ScoreSums) -> Iterator[str]:
    """A test split of so few forecasts that luck decides."""
    horizon = dataset.horizon
    counts = np.bincount(owner_series(dataset.panel.indptr, tally.origins))
    apart = int(np.sum(-(-counts // horizon)))
    if apart < FEW_HORIZONS:
        rows = dataset.splits.rows("test")
        yield (
            f"the {rows} scored rows contain {apart} non-overlapping horizons of {horizon} steps: "
            "too few to distinguish forecasts that differ by a few percent (give more rows, or "
            "run a backtest)"
        )


def _unlike_splits(validation: Floats | None, tally: ScoreSums, *, squared: bool) -> Iterator[str]:
    """Errors in the test split that are unlike those in the validation split."""
    if validation is None:
        return
    losses = some(validation), tally.losses[tally.model]
    before, after = (float(np.nan_to_num(known_means(each, axis=0))) for each in losses)
    measure = "MASE"
    if squared:
        before, after, measure = before**0.5, after**0.5, "RMSSE"
    if not (before > 0 and after > 0) or 1 / UNLIKE <= after / before <= UNLIKE:
        return
    yield (
        f"the error in the test split is {after / before:.2g} times that in the validation split "
        f"({measure} {after:.3g} and {before:.3g}): the series has changed, or one of the two "
        "splits is too short"
    )


def _undercovered(tally: ScoreSums) -> str:
    """Intervals whose coverage is much below their level; empty where there are none."""
    if tally.intervals is None:
        return ""
    coverage = tally.intervals.overall()["coverage"].mean(axis=0)
    short = [
        f"{share:.0f} % at level {level:g}"
        for level, share in zip(tally.intervals.level, coverage, strict=True)
        if share < level - SHORT_OF
    ]
    if not short:
        return ""
    return (
        f"coverage is below the level of the intervals ({', '.join(short)}): the scored rows are "
        "unlike the validation split; try `intervals=adaptive`"
    )


def _copies(dataset: Dataset, tally: ScoreSums) -> Iterator[str]:
    """Forecasts that repeat the last value."""
    origins, forecast, horizon = tally.sample, tally.sampled, dataset.horizon
    if not len(origins) or is_last_value(tally, dataset):
        return
    steps, groups = np.arange(horizon), owner_series(dataset.panel.indptr, origins)
    for target, name in enumerate(dataset.panel.columns.targets):
        values = dataset.panel.values[:, dataset.targets[target]]
        actual, before = (values[origins[:, None] + shift + steps] for shift in (0, -horizon))
        copy = find_copy(forecast[:, :, target], before, actual, groups)
        if copy is None:
            continue
        ahead = "one step" if copy.step == 1 else f"{copy.step} steps"
        yield (
            f'the model repeats the last value of "{name}": its forecasts {ahead} ahead are more '
            f"strongly correlated with the last known value ({copy.with_last:.3f}) than with the "
            f"actual value ({copy.with_actual:.3f})"
        )


def _outside(dataset: Dataset) -> Iterator[str]:
    """The rows that the next forecast is made from, where they lie outside the training range."""
    config = dataset.config
    if config.network.anchor != "none" or config.network.pretrained or config.training.refit:
        return
    for place, name in zip(dataset.targets, dataset.panel.columns.targets, strict=True):
        low, high = _ranges(dataset, place)
        beyond = _beyond(dataset, place, low, high)
        far = beyond > FAR
        rows, series = int(np.sum(far)), int(np.sum(far.any(axis=1)))
        if series <= MANY * (dataset.panel.count - 1):
            continue
        many = dataset.panel.count > 1
        which = f"of {series} of {dataset.panel.count} series " if many else ""
        seen = "" if many else f" ({low[0]:.6g} to {high[0]:.6g})"
        yield (
            f'{rows} of the last {int(np.isfinite(beyond).sum())} rows of "{name}" {which}lie '
            f"outside the range of the training rows{seen}, by up to "
            f"{100 * np.nanmax(beyond):.0f} % of it: the model has to extrapolate (try "
            "`anchor=last` or `refit=true`)"
        )


def _ranges(dataset: Dataset, place: int) -> tuple[Floats, Floats]:
    """The least and the largest training value of each series, or of all where they share one."""
    begin, end = dataset.splits.bounds("train")
    rows = dataset.splits.training_rows(dataset.filled[:, [place]])
    indptr = cumulate(end - begin)
    low, high = (reduced(of, rows, indptr)[:, 0] for of in (np.fmin, np.fmax))
    if not dataset.scaling.by_series:
        low, high = np.full_like(low, np.nanmin(low)), np.full_like(high, np.nanmax(high))
    return low, high


def _beyond(dataset: Dataset, place: int, low: Floats, high: Floats) -> Floats:
    """How far the last rows lie outside, in ranges, shape `(n_series, timesteps)`; NaN: no row."""
    indptr = dataset.panel.indptr
    rows = indptr[1:, None] - np.arange(dataset.timesteps, 0, -1)
    values = dataset.filled[np.maximum(rows, 0), place]
    values = np.where(rows >= indptr[:-1, None], values, np.nan)
    size = np.where(high > low, high - low, 1.0)[:, None]
    return np.maximum(np.maximum(low[:, None] - values, values - high[:, None]) / size, 0.0)
