"""A trained model on the rows of a table, so that it can be judged there."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ..core.error_scale import Recent
from ..core.seasonal_error import seasonal_error, seasonal_pair
from ..core.windows import Floats, Ints
from ..data.dataset import Dataset, with_scaling
from ..data.known_future import find_places, times_ahead
from ..data.season import find_season
from ..data.splits import Splits
from ..model.bundle import Bundle
from ..model.calibration import Calibration
from ..model.mc_dropout import MonteCarlo
from .history import Start
from .intervals.calibration import estimate_units
from .network_forecaster import NetworkForecaster
from .stored_history import kept_panel


def judged(bundle: Bundle, start: Start, begins: Ints) -> Dataset:
    """The rows of a table as a dataset whose test split is what is to be judged.

    Args:
        bundle: The model.
        start: The table.
        begins: Shape `(n_series,)`: the first row of each series that is to be judged.
    """
    panel, config = start.panel, bundle.manifest.config
    season = find_season(panel, config)
    splits = Splits(panel.indptr, _validated_from(bundle, start, begins), begins)
    dataset = with_scaling(panel, config, splits, season, start.filled, start.scaling)
    return replace(dataset, known_naive=_naive(bundle, start, dataset))


def _naive(bundle: Bundle, start: Start, dataset: Dataset) -> Floats:
    """The errors of the seasonal naive in training; of new series, in the rows before the judged.

    Shape `(2, n_series, targets)`.
    """
    panel, begins = dataset.panel, dataset.splits.validation_end
    values = panel.values[:, dataset.targets]
    own = seasonal_pair(values, panel.indptr, begins, season_length=dataset.season_length)
    if bundle.naive is None:
        return own
    known = places(bundle, start)
    return np.where((known >= 0)[:, None], bundle.naive[:, np.maximum(known, 0)], own)


def forecaster_for(bundle: Bundle, dataset: Dataset) -> NetworkForecaster:
    """The network of a model file at work on the rows of a dataset."""
    return NetworkForecaster(dataset, bundle.runtime, monte_carlo(bundle))


def monte_carlo(bundle: Bundle) -> MonteCarlo | None:
    """The network of a model file under dropout; None where it has none."""
    if bundle.dropout is None:
        return None
    config = bundle.manifest.config
    rates = [layer.dropout for layer in config.network.recurrent]
    return MonteCarlo(bundle.dropout, rates, seed=config.training.seed)


def places(bundle: Bundle, start: Start) -> Ints:
    """Where each series stands among those that were trained on, -1 for none of them."""
    if bundle.series is None:
        return np.zeros(start.panel.count, np.int64)
    return find_places(start.panel.ids, bundle.series.frame)


def units_for(
    bundle: Bundle, start: Start, calibration: Calibration, ends: Ints | None = None
) -> Floats:
    """The usual error of each series; of one that training has not seen, by its own rows.

    Args:
        bundle: The model.
        start: The table.
        calibration: The errors that intervals are made of.
        ends: Shape `(n_series,)`: the row after the last one that is looked at; None for all rows.

    Returns:
        Shape `(n_series, targets)`, scaled.
    """
    trained = places(bundle, start)
    known = trained >= 0
    units: Floats = calibration.units[np.maximum(trained, 0)]
    if known.all():
        return units
    panel, config = start.panel, bundle.manifest.config
    targets = list(bundle.manifest.target_places)
    # Not the filled rows: a gap is filled with a look at what comes after it.
    own = seasonal_error(
        start.scaling.only(targets).each(panel.owners).transform(panel.values[:, targets]),
        panel.indptr,
        panel.indptr[1:] if ends is None else ends,
        season_length=find_season(panel, config),
    )
    return np.where(known[:, None], units, estimate_units(own, calibration.usual_unit))


def _validated_from(bundle: Bundle, start: Start, begins: Ints) -> Ints:
    """The first row of each series that the network was validated on and did not learn from."""
    panel, date = start.panel, bundle.manifest.splits.validation_begins
    if panel.timeline is None or date is None or bundle.manifest.run.refitted:
        return begins
    times = panel.timeline.times
    first = pd.Timestamp(date)
    first = first.tz_convert(times.tz) if first.tz and times.tz else first.tz_localize(times.tz)
    earlier = np.asarray(times < first).astype(np.int64)
    rows = panel.indptr[:-1] + np.maximum(np.add.reduceat(earlier, panel.indptr[:-1]), 1)
    known = places(bundle, start) >= 0
    return np.where(known, np.minimum(rows, begins), begins)


def rows_of_training(bundle: Bundle, start: Start) -> Ints:
    """How many rows each series begins with that stood in the table that was trained on.

    None where there are no times to tell them by.
    """
    panel, trained, lasts = start.panel, places(bundle, start), kept_panel(bundle).lasts
    if panel.timeline is None or lasts is None:
        return np.zeros(panel.count, np.int64)
    times = panel.timeline.times
    ends = lasts.tz_convert(times.tz) if lasts.tz and times.tz else lasts.tz_localize(times.tz)
    old = (times <= ends[trained[panel.owners]]) & (trained >= 0)[panel.owners]
    return np.add.reduceat(np.asarray(old).astype(np.int64), panel.indptr[:-1])


def restore_recent_errors(bundle: Bundle, start: Start, calibration: Calibration) -> Recent:
    """What the latest errors of each series were where the training table ended.

    Nothing is known of a series that was not trained on.
    """
    trained = places(bundle, start)
    ended, known = calibration.ended.at(np.maximum(trained, 0)), (trained >= 0)[:, None]
    return Recent(np.where(known, ended.total, 0.0), np.where(known, ended.weight, 0.0))


def learned_until(bundle: Bundle, start: Start) -> pd.DatetimeIndex:
    """The time from which on the model has learned nothing of each series of a table.

    That of a series that is new is the earliest of all.
    """
    manifest, series, times = bundle.manifest, bundle.series, _times(start)
    begins, time = manifest.splits.test_begins, manifest.time
    count = start.panel.count
    if series is not None and series.fresh:
        texts = list(series.fresh)
    elif begins is not None and not manifest.run.refitted:
        texts = [begins]
    else:
        # The step after the last row.
        following = times_ahead(kept_panel(bundle), 1)
        texts = [(times if following is None else following).max().isoformat()]
    # Their offsets may differ, where the clocks were changed in between.
    apart = time is not None and time.timezone is not None
    dates = pd.to_datetime(texts, format="ISO8601", utc=apart)
    own = places(bundle, start) if len(dates) > 1 else np.zeros(count, np.int64)
    dates = dates.insert(len(dates), dates.min())[own]
    if times.tz is None or dates.tz is None:
        return dates.tz_localize(None).tz_localize(times.tz)
    return dates.tz_convert(times.tz)


def _times(start: Start) -> pd.DatetimeIndex:
    """The times of the rows of a table that has some."""
    if start.panel.timeline is None:
        raise ValueError("the rows have no times")
    return start.panel.timeline.times
