"""Make a table ready to train on: resolved, split, filled and scaled."""

from dataclasses import replace

import numpy as np

from ..config.schema import Config
from ..core.events import Listener
from ..core.libraries import require_training
from ..core.scaling import Kind, fit_by_numpy
from ..core.windows import Floats, gather
from ..data.checks import note_undefined, require_positive
from ..data.dataset import Dataset, scaled_dataset
from ..data.panel import Panel
from ..data.splits import all_training
from .checks import check_dataset
from .resolution import Resolved, resolve_config

# Training windows whose spread is measured, at most.
SPREAD_WINDOWS = 1000


def make_dataset(panel: Panel, config: Config, *, on_event: Listener) -> Dataset:
    """Return a table split, filled and scaled, by its resolved configuration.

    Raises:
        DataError: There are too few rows; the message says how many are needed.
        UsageError: A setting does not go with the data.
    """
    return make_resolved(panel, config, on_event=on_event)[1]


def make_resolved(panel: Panel, config: Config, *, on_event: Listener) -> tuple[Resolved, Dataset]:
    """Return what was resolved for a table, and its dataset; errors as in `make_dataset`."""
    found = resolve_config(panel, config, on_event=on_event)
    panel, transform = found.panel, found.config.transform
    rows = found.splits.training_rows(panel.values)
    require_positive(rows, panel.columns.columns, transform, panel.source)
    note_undefined(panel, transform, on_event)
    dataset = scaled_dataset(found.panel, found.config, found.splits, found.season, fit=fit_scaler)
    check_dataset(dataset, on_event)
    return found, with_usual_spread(dataset)


def on_all_rows(dataset: Dataset) -> Dataset:
    """Return the dataset with every row in the training split, to refit on."""
    panel, season = dataset.panel, dataset.season_length
    return scaled_dataset(panel, dataset.config, all_training(panel), season, fit=fit_scaler)


def fit_scaler(kind: Kind, rows: Floats) -> tuple[Floats, Floats]:
    """Fit a scaler of scikit-learn; a prediction uses the numbers, and does not load it.

    Args:
        kind: Of the scaler.
        rows: Shape `(n_rows, features)`: training rows after the transform, NaN where missing.

    Returns:
        Center and scale, shape `(features,)` each.
    """
    if kind == "maxabs" or np.isinf(rows).any():
        # scikit-learn refuses infinite rows; such a column is left unscaled.
        return fit_by_numpy(kind, rows)
    require_training("Training")
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    if kind == "minmax":
        minmax = MinMaxScaler().fit(rows)
        return minmax.data_min_, minmax.data_range_
    if kind == "standard":
        standard = StandardScaler().fit(rows)
        return standard.mean_, np.sqrt(standard.var_)
    robust = RobustScaler().fit(rows)
    return robust.center_, robust.scale_


def with_usual_spread(dataset: Dataset) -> Dataset:
    """Return the dataset whose network has the mean spread of its training windows."""
    network = dataset.config.network
    if network.window_scale != "usual":
        return dataset
    starts = dataset.starts("train", horizon=dataset.steps_at_once)
    some = starts[:: 1 + len(starts) // SPREAD_WINDOWS]
    windows = gather(dataset.scaled, some, timesteps=dataset.timesteps)
    windows = windows[..., : len(dataset.panel.columns.columns)]
    last = network.anchor in ("last", "season")
    center = windows[:, -1:] if last else np.nanmean(windows, axis=1, keepdims=True)
    spread = float(np.nanmean(np.abs(windows - center)))
    changes = {"usual_spread": spread if spread > 0 else 1.0}
    return replace(dataset, config=dataset.config.changed(network=changes))
