"""A trained model on the rows of a table: what it has learned from, and what it is scored on."""

import numpy as np
import pandas as pd

from ..core.error_scale import Recent, seasonal_pair
from ..core.errors import UsageError
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset, History, split_history
from ..data.known_future import times_ahead
from ..data.panel import Panel
from ..data.splits import Splits
from ..model.bundle import Bundle
from ..model.mc_dropout import MonteCarlo
from ..model.records import Calibration
from ..model.series_networks import SeriesNetworks
from .history import match_series, network_places, read_times, stored_panel
from .intervals.calibration import estimate_units, measure_units
from .network_forecaster import NetworkForecaster


def scoring_dataset(bundle: Bundle, history: History, begins: Ints) -> Dataset:
    """The rows of a table as a dataset whose test split is what is to be scored.

    Args:
        bundle: The model.
        history: The table.
        begins: Shape `(n_series,)`: the first row of each series that is to be scored.
    """
    panel, config = history.panel, bundle.manifest.config
    splits = Splits(panel.indptr, _validated_from(bundle, panel, begins), begins)
    naive, sizes = _naive(bundle, history, begins), bundle.manifest.future_errors
    own = np.array(sizes or [0.0] * len(panel.columns.features))
    return split_history(history, config, splits, naive=naive, sizes=own)


def _naive(bundle: Bundle, history: History, begins: Ints) -> Floats:
    """The errors of the seasonal naive in training; of new series, in the rows before the scored.

    Shape `(2, n_series, targets)`; `begins` as in `scoring_dataset`.
    """
    panel = history.panel
    values = panel.values[:, bundle.manifest.target_places]
    own = seasonal_pair(values, panel.indptr, begins, season_length=history.season_length)
    if bundle.naive is None:
        return own
    known = match_series(bundle, panel)
    return np.where((known >= 0)[:, None], bundle.naive[:, np.maximum(known, 0)], own)


def forecaster_for(bundle: Bundle, dataset: Dataset) -> NetworkForecaster:
    """The network of a model file, ready to forecast from the rows of a dataset."""
    name, network = bundle.manifest.name, bundle.network
    if isinstance(network, SeriesNetworks):
        network = network.ordered(network_places(bundle, dataset.panel))
    return NetworkForecaster(dataset, network, monte_carlo(bundle), name, bundle.member)


def monte_carlo(bundle: Bundle) -> MonteCarlo | None:
    """The network of a model file under dropout; None where it has none."""
    if bundle.dropout is None:
        return None
    config = bundle.manifest.config
    rates = [layer.dropout for layer in config.network.recurrent]
    return MonteCarlo(bundle.dropout, rates, seed=config.training.seed)


def units_for(
    bundle: Bundle, history: History, calibration: Calibration, ends: Ints | None = None
) -> Floats:
    """The mean error of each series; of one that is new to the model, by its own rows.

    Args:
        bundle: The model.
        history: The table.
        calibration: The errors that intervals are made of.
        ends: Shape `(n_series,)`: the row after the last one that is looked at; None for all rows.

    Returns:
        Shape `(n_series, targets)`, scaled.
    """
    panel = history.panel
    trained = match_series(bundle, panel)
    known = trained >= 0
    units: Floats = calibration.units[np.maximum(trained, 0)]
    if known.all():
        return units
    ends = panel.indptr[1:] if ends is None else ends
    own = measure_units(history, ends, intermittent=bundle.manifest.intermittent)
    return np.where(known[:, None], units, estimate_units(own, calibration.usual_unit))


def _validated_from(bundle: Bundle, panel: Panel, begins: Ints) -> Ints:
    """The first row of each series that the network was validated on and did not learn from.

    Shape `(n_series,)`, at most `begins`.
    """
    date = bundle.manifest.splits.validation_begins
    if panel.timeline is None or date is None or bundle.manifest.run.refitted:
        return begins
    times = panel.timeline.times
    earlier = np.asarray(times < times_like(pd.DatetimeIndex([date]), times)[0]).astype(np.int64)
    rows = panel.indptr[:-1] + np.maximum(np.add.reduceat(earlier, panel.indptr[:-1]), 1)
    known = match_series(bundle, panel) >= 0
    return np.where(known, np.minimum(rows, begins), begins)


def times_like(dates: pd.DatetimeIndex, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Dates in the time zone of other times, or without one as they are."""
    if times.tz is None or dates.tz is None:
        return dates.tz_localize(None).tz_localize(times.tz)
    return dates.tz_convert(times.tz)


def rows_of_training(bundle: Bundle, panel: Panel) -> Ints:
    """How many rows each series begins with that stood in the table that was trained on.

    Shape `(n_series,)`; 0 where there are no times to tell them by.
    """
    trained, lasts = match_series(bundle, panel), stored_panel(bundle).lasts
    if panel.timeline is None or lasts is None:
        return np.zeros(panel.count, np.int64)
    times, owners = panel.timeline.times, panel.owners
    old = (times <= times_like(lasts, times)[trained[owners]]) & (trained >= 0)[owners]
    return np.add.reduceat(np.asarray(old).astype(np.int64), panel.indptr[:-1])


def restore_recent_errors(bundle: Bundle, panel: Panel, calibration: Calibration) -> Recent:
    """The latest errors of each series where the training table ended; none of a new series."""
    trained = match_series(bundle, panel)
    ended, known = calibration.ended.at(np.maximum(trained, 0)), (trained >= 0)[:, None]
    return Recent(np.where(known, ended.total, 0.0), np.where(known, ended.weight, 0.0))


def learned_until(bundle: Bundle, panel: Panel) -> pd.DatetimeIndex:
    """The time from which on the model has learned nothing of each series of a table.

    That of a series that is new is the earliest of all.
    """
    manifest, series, timeline = bundle.manifest, bundle.series, panel.timeline
    if timeline is None:
        raise ValueError("the rows have no times")
    begins, time, times = manifest.splits.test_begins, manifest.time, timeline.times
    if series is not None and series.fresh:
        texts = list(series.fresh)
    elif begins is not None and not manifest.run.refitted:
        texts = [begins]
    else:
        # The step after the last row.
        following = times_ahead(stored_panel(bundle), 1)
        texts = [(times if following is None else following).max().isoformat()]
    dates = read_times(texts, time.timezone if time else None)
    own = match_series(bundle, panel) if len(dates) > 1 else np.zeros(panel.count, np.int64)
    return times_like(dates.insert(len(dates), dates.min())[own], times)


def refuse_labels(bundle: Bundle, message: str, hint: str) -> None:
    """Refuse, by a UsageError, a model that maps sequences to labels, and forecasts nothing."""
    if bundle.manifest.labels is not None:
        raise UsageError(message, hint)
