"""The errors of true multi-step forecasts on the validation split, of which intervals are made."""

import numpy as np

from ...core.error_scale import Recent, known_at, recent_by_row
from ...core.padding import owner_series
from ...core.seasonal_error import seasonal_error
from ...core.windows import Floats, Ints
from ...data.dataset import Dataset
from ...model.calibration import Calibration
from ...model.runtime import chunks
from ..network_forecaster import NetworkForecaster
from .conformal import grown, step_sizes

# A series counts as being like all others as much as so many of its forecasts that do not overlap
# count; and its errors are never taken for less than that share of theirs.
DRAWN, LEAST_SHARE = 2.0, 0.01
# Values of errors that are worked on, and that a model file keeps, at the most: 32 and 1 MB.
MOST_WORKED, MOST_KEPT = 4_000_000, 250_000


def calibrate(forecaster: NetworkForecaster) -> Calibration | None:
    """The errors of the forecasts from every origin of the validation split.

    Where there are too many origins for that, they are taken evenly.

    Returns:
        None where there is no origin with an actual value.
    """
    dataset, horizon = forecaster.dataset, forecaster.dataset.horizon
    origins = evenly(dataset.origins("validation"), _count_values(forecaster), MOST_WORKED)
    if not len(origins):
        return None
    units = _units(dataset)
    own = errors_from(forecaster, origins, units)
    if not np.isfinite(own).any():
        return None
    if dataset.panel.count > 1:
        shares = _shares(dataset, own, origins)
        units = units * shares
        own = own / shares[owner_series(dataset.panel.indptr, origins)][:, None]
    usual, indptr = usual_errors(own, step_sizes(own)), dataset.panel.indptr
    rows = recent_by_row(*_latest(forecaster, units, own, usual, origins), indptr)
    recent = known_at(rows, origins, indptr, horizon=horizon).size
    kept = evenly(np.arange(len(origins)), _count_values(forecaster), MOST_KEPT)
    errors = own[kept]
    if forecaster.runtime.quantile_count:
        errors = errors_from(forecaster, origins[kept], units, quantiles=True)
    return Calibration(errors.astype(np.float32), recent[kept], units, rows.at(indptr[1:] - 1))


def recent_at(
    forecaster: NetworkForecaster,
    calibration: Calibration,
    origins: Ints,
    before: Recent | None = None,
) -> Floats:
    """How large the errors were that were known at each origin, the usual ones being 1.

    Args:
        forecaster: The network.
        calibration: The usual errors.
        origins: Shape `(samples,)`, ascending, of validation or test split.
        before: What was known of each series before these splits.

    Returns:
        Shape `(samples, targets)`.
    """
    dataset, indptr = forecaster.dataset, forecaster.dataset.panel.indptr
    parts = [dataset.origins("validation"), dataset.origins("test"), origins]
    seen = evenly(np.unique(np.concatenate(parts)), _count_values(forecaster), MOST_WORKED)
    own = errors_from(forecaster, seen, calibration.units)
    usual = usual_errors(own, grown(step_sizes(calibration.of_forecasts), dataset.horizon))
    rows = recent_by_row(usual, seen, indptr, before)
    return known_at(rows, origins, indptr, horizon=dataset.horizon).size


def errors_from(
    forecaster: NetworkForecaster, origins: Ints, units: Floats, *, quantiles: bool = False
) -> Floats:
    """The errors of forecasts, in units of their series, scaled.

    Args:
        forecaster: The network.
        origins: Shape `(samples,)`, with the whole horizon in the panel.
        units: Shape `(n_series, targets)`.
        quantiles: Whether the errors of its quantiles are wanted instead.

    Returns:
        Shape `(samples, horizon, targets)`, of quantiles `(samples, horizon, targets, quantiles)`.
    """
    dataset, steps = forecaster.dataset, np.arange(forecaster.dataset.horizon)
    actual, parts = scaled_targets(dataset), list[Floats]()
    for part in parted(dataset, origins):
        truth = actual[part[:, None] + steps]
        unit = units[owner_series(dataset.panel.indptr, part)][:, None]
        said = forecaster.quantiles(part) if quantiles else forecaster.scaled(part)[..., None]
        errors = (truth[..., None] - said) / unit[..., None]
        parts.append(errors if quantiles else errors[..., 0])
    return np.concatenate(parts)


def parted(dataset: Dataset, origins: Ints) -> list[Ints]:
    """Origins in parts whose windows and forecasts fit into little memory."""
    longest = max(dataset.timesteps, dataset.horizon)
    return chunks(origins, timesteps=longest, features=dataset.panel.values.shape[1])


def scaled_targets(dataset: Dataset) -> Floats:
    """The actual values, scaled, shape `(n_rows, targets)`; NaN where missing."""
    scaling = dataset.scaling.only(dataset.targets).each(dataset.panel.owners)
    scaled: Floats = scaling.transform(dataset.panel.values[:, dataset.targets])
    return scaled


def usual_errors(errors: Floats, sizes: Floats) -> Floats:
    """The error of each forecast over its steps, the usual one being 1, `(samples, targets)`."""
    shares = np.abs(errors) / sizes
    known = np.isfinite(shares)
    total, count = np.where(known, shares, 0.0).sum(axis=1), known.sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means


def _latest(
    forecaster: NetworkForecaster, units: Floats, own: Floats, usual: Floats, origins: Ints
) -> tuple[Floats, Ints]:
    """The errors with those of the test split behind them, and their origins, ascending."""
    dataset = forecaster.dataset
    later = evenly(dataset.origins("test"), _count_values(forecaster), MOST_WORKED)
    if not len(later):
        return usual, origins
    errors = usual_errors(errors_from(forecaster, later, units), step_sizes(own))
    rows = np.concatenate([origins, later])
    order = np.argsort(rows, kind="stable")
    return np.concatenate([usual, errors])[order], rows[order]


def _shares(dataset: Dataset, errors: Floats, origins: Ints) -> Floats:
    """How large the errors of each series are beside those of all, shape `(n_series, targets)`.

    A series with few forecasts that do not overlap is drawn towards all of them.
    """
    indptr, count = dataset.panel.indptr, dataset.panel.count
    series = owner_series(indptr, origins)
    usual = usual_errors(errors, step_sizes(errors))
    known = np.isfinite(usual)
    total, seen = np.zeros((2, count, errors.shape[2]))
    np.add.at(total, series, np.where(known, usual, 0.0))
    np.add.at(seen, series, known)
    whole = total.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    whole = np.where(whole > 0, whole, 1.0)
    apart = seen / dataset.horizon
    own = np.divide(total, seen * whole, out=np.ones_like(total), where=seen > 0)
    shares: Floats = (DRAWN + apart * own) / (DRAWN + apart)
    return np.maximum(shares, LEAST_SHARE)


def _units(dataset: Dataset) -> Floats:
    """The usual error of each series, scaled: 1 of a single one, else that of the seasonal naive.

    It is taken on the training rows alone, so that series are exchangeable in it.
    """
    count, targets = dataset.panel.count, len(dataset.targets)
    if count == 1:
        return np.ones((1, targets))
    end = dataset.splits.bounds("train")[1]
    errors = seasonal_error(
        scaled_targets(dataset), dataset.panel.indptr, end, season_length=dataset.season_length
    )
    return estimate_units(errors)


def estimate_units(errors: Floats, usual: Floats | None = None) -> Floats:
    """Errors of series as units; what has none gets the usual one, shape `(n_series, targets)`."""
    known = np.where(np.isfinite(errors) & (errors > 0), errors, np.nan)
    if usual is None:
        middles = [np.nanmedian(each) if np.isfinite(each).any() else 1.0 for each in known.T]
        usual = np.array(middles)
    return np.where(np.isfinite(known), known, usual)


def _count_values(forecaster: NetworkForecaster) -> int:
    """How many values the errors from one origin are."""
    dataset, quantiles = forecaster.dataset, forecaster.runtime.quantile_count
    return dataset.horizon * len(dataset.targets) * max(1, quantiles)


def evenly(items: Ints, size: int, most: int) -> Ints:
    """Some of the items, evenly, of so many values each that all together are at most so many."""
    count = max(1, most // size)
    if len(items) <= count:
        return items
    places = np.linspace(0, len(items) - 1, count).astype(np.int64)
    return items[places]
