"""What was read and how it is used, said before a training."""

import numpy as np
import pandas as pd

from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..data.dataset import Dataset
from ..data.panel import Panel
from ..data.splits import PARTS
from ..data.time.date_formats import write_dates


def describe(dataset: Dataset, on_event: Listener) -> None:
    """Say what was read and how it is split."""
    panel, splits = dataset.panel, dataset.splits
    rows = f"{panel.source}: {len(panel.values):,} rows"
    if panel.count > 1:
        low, high = panel.lengths.min(), panel.lengths.max()
        rows += f" of {panel.count:,} series" + (f" of {low:,} to {high:,}" if low < high else "")
    if panel.timeline is not None:
        times, frequency = panel.timeline.times, panel.timeline.frequency
        ends = pd.DatetimeIndex([times.min(), times.max()])
        first, last = write_dates(ends, panel.timeline.style)
        rows += f", {first} to {last}, {frequency.name}"
        if frequency.alias == "B":
            hint = "" if frequency.open_days else " (--calendar XNYS, KR ... or data for holidays)"
            on_event(Note(f"dates to come: {frequency.rule}{hint}"))
    _describe_covariates(panel, on_event)
    parts = [f"{splits.rows(part):,} {part}" for part in PARTS]
    on_event(Note(f"{rows}; {', '.join(parts)}"))
    _describe_series(dataset, on_event)
    quantile = dataset.config.training.quantile
    if quantile not in (None, 0.5):
        text = f"the forecasts are {quantile:g}-quantiles, not the middle: errors say little"
        on_event(Note(text, warning=True))


def _describe_covariates(panel: Panel, on_event: Listener) -> None:
    """Say which covariates are read, and as what."""
    covariates = panel.columns.covariates
    of_kind = {
        "past": covariates.past,
        "future": covariates.future,
        "static": covariates.static,
        "calendar": panel.data.calendar_features,
    }
    said = [f"{kind} {', '.join(names)}" for kind, names in of_kind.items() if names]
    if said:
        on_event(Note(f"covariates: {'; '.join(said)}"))
    for name, values in covariates.categories.items():
        on_event(Note(f'"{name}" names {len(values)} categories'))


def _describe_series(dataset: Dataset, on_event: Listener) -> None:
    """Say which series are not scored, and what was filled."""
    panel, splits = dataset.panel, dataset.splits
    born = int(np.sum(splits.train_end == splits.indptr[:-1]))
    if born:
        on_event(Note(f"{born} of {panel.count} series begin after the training: not scored"))
    elif splits.rows("test") and panel.count > 1:
        scored = len(np.unique(owner_series(panel.indptr, dataset.origins("test"))))
        if scored < panel.count:
            why = "too short for a test, or for a window before it, or they end before it"
            on_event(Note(f"{panel.count - scored} of {panel.count} series are not scored: {why}"))
    columns = panel.values[:, : len(panel.columns.columns)]
    missing = np.isnan(columns)
    if not missing.any() or panel.data.missing in ("mask", "drop"):
        return
    on_event(Note(f"{int(missing.sum()):,} missing values filled: {panel.data.missing}"))
    ends = int(missing[panel.indptr[1:] - 1].any(axis=1).sum())
    if ends:
        what = f"{ends} of {panel.count} series end" if panel.count > 1 else "the table ends"
        text = f"{what} with missing values: forecasts begin after what was filled there"
        on_event(Note(text, warning=True))
