"""The errors of true multi-step forecasts on the validation split, of which intervals are made."""

from dataclasses import dataclass

import numpy as np

from ...core.error_scale import ErrorTrail, Recent, seasonal_error
from ...core.padding import owner_series
from ...core.ragged import known_means
from ...core.series_features import demand_sizes
from ...core.windows import Floats, Ints
from ...data.dataset import Dataset, History
from ...model.records import Calibration
from ...model.runtime import chunks
from ..network_forecaster import NetworkForecaster
from .conformal import grown, step_sizes

# A series counts as being like all others as much as so many of its forecasts that do not overlap
# count; and its errors are never taken for less than that share of theirs.
DRAWN, LEAST_SHARE = 2.0, 0.01
# Values of errors that are worked on, and that a model file keeps, at most: 32 and 1 MB.
MOST_WORKED, MOST_KEPT = 4_000_000, 250_000


@dataclass(frozen=True)
class SplitErrors:
    """The errors of a network's forecasts from origins of a split, each forecast made once.

    Args:
        origins: Shape `(samples,)`, ascending.
        errors: Shape `(samples, horizon, targets)`: actual value minus forecast, scaled; NaN where
            there is no actual value.
        losses: Shape `(samples,)`: the mean error of each forecast, as in `mean_losses`.
        stored: Shape `(stored,)`: the samples that a model file keeps.
        quantiles: Shape `(stored, horizon, targets, quantiles)`: the errors of the
            quantiles, of those samples alone; None of a network without quantiles.
    """

    origins: Ints
    errors: Floats
    losses: Floats
    stored: Ints
    quantiles: Floats | None


def measure_errors(network: NetworkForecaster, origins: Ints) -> SplitErrors | None:
    """Forecast from origins, piece by piece, and keep the errors.

    Args:
        network: What forecasts.
        origins: Shape `(samples,)`, ascending, with the whole horizon in the panel.

    Returns:
        None where there are no origins.
    """
    if not len(origins):
        return None
    dataset, steps = network.dataset, np.arange(network.dataset.horizon)
    actual = dataset.panel.target_values
    stored = evenly(np.arange(len(origins)), _count_values(network), MOST_KEPT)
    errors, losses, quantiles, done = [], [], list[Floats](), 0
    for part in parted(dataset, origins):
        made, rows = network.forecast(part), part[:, None] + steps
        truth = scaled_targets(dataset, rows)
        errors.append(truth - made.point)
        series = owner_series(dataset.panel.indptr, part)
        losses.append(
            mean_losses(dataset, actual[rows] - network.in_units(made.point, part), series)
        )
        if made.quantiles is not None:
            own = stored[(stored >= done) & (stored < done + len(part))] - done
            quantiles.append(truth[own][..., None] - made.quantiles[own])
        done += len(part)
    return SplitErrors(
        origins,
        np.concatenate(errors),
        np.concatenate(losses),
        stored,
        np.concatenate(quantiles) if quantiles else None,
    )


def validation_errors(network: NetworkForecaster) -> SplitErrors | None:
    """The errors from every origin of the validation split; evenly taken where they are too many.

    None where there is no origin.
    """
    origins = network.origins("validation")
    return measure_errors(network, evenly(origins, _count_values(network), MOST_WORKED))


def calibrate(dataset: Dataset, measured: SplitErrors | None) -> Calibration | None:
    """What intervals are made of.

    Args:
        dataset: What the network learned from.
        measured: Its errors on the validation split.

    Returns:
        None where no forecast has an actual value.
    """
    if measured is None or not np.isfinite(measured.errors).any():
        return None
    origins, stored = measured.origins, measured.stored
    series, units = owner_series(dataset.panel.indptr, origins), _units(dataset)
    if dataset.panel.count > 1 and not dataset.intermittent:
        units = units * _shares(dataset, measured.errors / units[series][:, None], series)
    points = (measured.errors[stored] / units[series[stored]][:, None]).astype(np.float32)
    errors = points
    if measured.quantiles is not None:
        own = units[series[stored]][:, None, :, None]
        errors = (measured.quantiles / own).astype(np.float32)
    seen = RecentErrors(dataset, units, points)
    seen.add(origins, measured.errors)
    return Calibration(errors, seen.sizes_at(origins)[stored], units, seen.ended())


class RecentErrors:
    """How large the latest errors of a network are, kept up as its forecasts meet actual values.

    Args:
        dataset: The rows that are forecast.
        units: Shape `(n_series, targets)`: the mean error of each series, scaled.
        errors: Shape `(samples, horizon, targets)`: the errors that are usual, in these units.
        before: What was known of each series before these rows.
    """

    def __init__(
        self, dataset: Dataset, units: Floats, errors: Floats, before: Recent | None = None
    ) -> None:
        self.dataset = dataset
        self.units = units
        self.sizes = grown(step_sizes(errors), dataset.horizon)
        self.trail = ErrorTrail(dataset.panel.indptr, units.shape[1], before)

    def add(self, origins: Ints, errors: Floats) -> None:
        """Add errors, scaled, shape `(samples, horizon, targets)`, from ascending origins."""
        series = owner_series(self.dataset.panel.indptr, origins)
        self.trail.add(origins, usual_errors(errors / self.units[series][:, None], self.sizes))

    def add_forecasts(self, origins: Ints, point: Floats) -> None:
        """Add the errors of forecasts, scaled, shape `(samples, horizon, targets)`."""
        rows = origins[:, None] + np.arange(point.shape[1])
        self.add(origins, scaled_targets(self.dataset, rows) - point)

    def sizes_at(self, origins: Ints) -> Floats:
        """How large the errors known at origins are, 1 the usual; shape `(samples, targets)`."""
        return self.trail.known_at(origins, horizon=self.dataset.horizon).size

    def ended(self) -> Recent:
        """The latest errors at the end of each series."""
        return self.trail.at(self.dataset.panel.indptr[1:] - 1)


def mean_losses(dataset: Dataset, errors: Floats, series: Ints) -> Floats:
    """The mean absolute error of each forecast, in units of the seasonal naive of its series.

    Where most of the values are 0, the mean squared error: see `best_and_skill`.

    Args:
        dataset: With the errors of the seasonal naive.
        errors: Shape `(samples, horizon, targets)`, original units.
        series: Shape `(samples,)`: the series of each.

    Returns:
        Shape `(samples,)`, NaN where there is no actual value.
    """
    squared = dataset.intermittent
    usual = dataset.naive[1] if squared else dataset.naive_error
    unit = np.where(np.isfinite(usual) & (usual > 0), usual, 1.0)[series][:, None]
    return known_means((errors**2 if squared else np.abs(errors)) / unit, axis=(1, 2))


def parted(dataset: Dataset, origins: Ints) -> list[Ints]:
    """Origins in parts whose windows and forecasts fit into little memory."""
    longest = max(dataset.timesteps, dataset.horizon)
    return chunks(origins, timesteps=longest, features=dataset.panel.values.shape[1])


def scaled_targets(dataset: Dataset, rows: Ints) -> Floats:
    """The actual values at rows of any shape, scaled; NaN where missing.

    Returns:
        Shape `(*rows, targets)`.
    """
    panel, scaling = dataset.panel, dataset.scaling.only(dataset.targets)
    series = owner_series(panel.indptr, rows)
    return scaling.each(series).transform(panel.values[rows][..., dataset.targets])


def usual_errors(errors: Floats, sizes: Floats) -> Floats:
    """The error of each forecast over its steps, the usual one being 1, `(samples, targets)`."""
    return known_means(np.abs(errors) / sizes, axis=1)


def _shares(dataset: Dataset, errors: Floats, series: Ints) -> Floats:
    """How large the errors of each series are beside those of all, shape `(n_series, targets)`.

    A series with few forecasts that do not overlap is shrunk towards all of them. Errors have shape
    `(samples, horizon, targets)`, in units of their series, `series` shape `(samples,)`.
    """
    count = dataset.panel.count
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
    """The usual error of each series, scaled: 1 of a single one, else as in `measure_units`.

    It is taken on the training rows alone, so that series are exchangeable in it.
    """
    if dataset.panel.count == 1:
        return np.ones((1, len(dataset.targets)))
    end = dataset.splits.bounds("train")[1]
    return estimate_units(measure_units(dataset, end, intermittent=dataset.intermittent))


def measure_units(history: History, end: Ints, *, intermittent: bool) -> Floats:
    """What errors of each series are large or small beside, scaled, shape `(n_series, targets)`.

    The mean error of the seasonal naive forecast; of intermittent demand the mean size of a demand.
    Where there seldom is one, the mean error is small beside the error at a demand, and that, put
    together with others, would make intervals of other series far too wide.

    Args:
        history: The rows; filled ones do not count, since gaps are filled with a look at what
            comes after them.
        end: Shape `(n_series,)`: the row after the last one of each that counts.
        intermittent: Whether most of the values are 0.

    Returns:
        NaN where a series has none.
    """
    panel = history.panel
    scaling = history.scaling.only(panel.columns.target_places).each_row(panel.indptr)
    scaled = scaling.transform(panel.target_values)
    if intermittent:
        zero = scaling.transform(np.zeros_like(scaled))
        return demand_sizes(scaled, zero, panel.indptr, end)
    return seasonal_error(scaled, panel.indptr, end, season_length=history.season_length)


def estimate_units(errors: Floats, usual: Floats | None = None) -> Floats:
    """Errors of series as units; what has none gets the usual one, shape `(n_series, targets)`."""
    known = np.where(np.isfinite(errors) & (errors > 0), errors, np.nan)
    if usual is None:
        middles = [np.nanmedian(each) if np.isfinite(each).any() else 1.0 for each in known.T]
        usual = np.array(middles)
    return np.where(np.isfinite(known), known, usual)


def _count_values(network: NetworkForecaster) -> int:
    """How many values the errors from one origin are."""
    dataset, quantiles = network.dataset, network.runtime.quantile_count
    return dataset.horizon * len(dataset.targets) * max(1, quantiles)


def evenly(items: Ints, size: int, most: int) -> Ints:
    """Some of the items, evenly, of so many values each that all together are at most so many."""
    count = max(1, most // size)
    if len(items) <= count:
        return items
    places = np.linspace(0, len(items) - 1, count).astype(np.int64)
    return items[places]
