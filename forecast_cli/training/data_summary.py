"""Notes about what was read and how it is split, before a training."""

import numpy as np
import pandas as pd

from ..core.errors import listed
from ..core.events import Listener, Note
from ..core.padding import owner_series
from ..core.windows import Floats
from ..data.checks import find_broken_bounds
from ..data.dataset import Dataset
from ..data.dates.date_writing import write_dates
from ..data.inspection.outliers import describe_stand_ins
from ..data.last_values import note_ended, note_far_ends
from ..data.missing import note_filled
from ..data.panel import Panel
from ..data.splits import PARTS

# A least value within this share of the range of values is near 0.
NEAR = 0.1


def describe(dataset: Dataset, on_event: Listener) -> None:
    """Note what was read and how it is split."""
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
        if frequency.alias.startswith("B") or frequency.hours:
            hint = (
                ""
                if frequency.open_days or frequency.listed
                else " (set `calendar` for holidays: XNYS, KR or data)"
            )
            on_event(Note(f"forecast dates: {frequency.rule}{hint}"))
    _describe_covariates(panel, on_event)
    _describe_errors(dataset, on_event)
    parts = [f"{splits.rows(part):,} {part}" for part in PARTS]
    on_event(Note(f"{rows}; {', '.join(parts)}"))
    numeric = panel.values[:, : len(panel.columns.columns)]
    names = panel.columns.columns
    for text in describe_stand_ins(names, numeric, panel.indptr):
        on_event(Note(text, warning=True))
    _describe_series(dataset, on_event)
    _describe_bounds(dataset, on_event)
    _describe_season(dataset, on_event)
    quantile = dataset.config.training.quantile
    if quantile not in (None, 0.5):
        text = f"forecasts are {quantile:g}-quantiles, not medians: point errors are of little use"
        on_event(Note(text, warning=True))


def _describe_season(dataset: Dataset, on_event: Listener) -> None:
    """Note a season of the training rows that is stronger than the chosen one."""
    season, stronger = dataset.season_length, dataset.stronger_season
    if stronger:
        than = f"a stronger season of {stronger} than {season}"
        what = than if season > 1 else f"a season of {stronger}"
        on_event(Note(f"the training rows have {what}: its seasonal-naive forecast is scored too"))


def _describe_covariates(panel: Panel, on_event: Listener) -> None:
    """Note which covariates are read, by their kind."""
    covariates = panel.columns.covariates
    of_kind = {
        "past": covariates.past,
        "future": covariates.future,
        "static": covariates.static,
        "calendar": panel.data.calendar_features,
    }
    parts = [f"{kind} {', '.join(names)}" for kind, names in of_kind.items() if names]
    if parts:
        on_event(Note(f"covariates: {'; '.join(parts)}"))
    for name, values in covariates.categories.items():
        on_event(Note(f'"{name}" has {len(values)} categories'))


def _describe_errors(dataset: Dataset, on_event: Listener) -> None:
    """Note which future covariates have errors in validation and test."""
    share, noisy = dataset.config.data.future_noise, dataset.noisy_covariates
    if not share:
        return
    others = [each for each in dataset.panel.columns.covariates.future if each not in noisy]
    if not noisy:
        text = "`future_noise` changes nothing: no future covariate has more than two values"
        on_event(Note(text, warning=True))
        return
    text = f"future values of {listed(noisy)} have simulated errors in validation and test, at step"
    text += f" {dataset.horizon} of {100 * share:g} % of their standard deviation"
    left = f"; those of {listed(others)}, with two values or categories, have none"
    on_event(Note(text + left if others else text))


def _describe_bounds(dataset: Dataset, on_event: Listener) -> None:
    """Note which forecasts are never below 0 because no value is, where that may matter."""
    lower, panel = dataset.scaling.lower, dataset.panel
    if lower is None or dataset.config.lower_bound is not None:
        return
    later = find_broken_bounds(dataset.scaling, panel)
    if later:
        names = [panel.columns.features[place] for place in later]
        text = f"values of {', '.join(names)} after the training rows are below 0: forecasts of"
        on_event(Note(f"{text} the test split are not, those of the model may be", warning=True))
    names = [
        name
        for place, name in zip(dataset.targets, panel.columns.targets, strict=True)
        if np.isfinite(lower[place]) and place not in later and _is_near(panel.values[:, place])
    ]
    if names:
        text = f"no value of {', '.join(names)} is below 0, so neither are forecasts and intervals"
        on_event(Note(f"{text} (set `lower_bound=none` if values may be)"))


def _is_near(values: Floats) -> bool:
    """Whether the least of the values, shape `(n_rows,)`, is near 0, beside their range."""
    known = values[np.isfinite(values)]
    return bool(len(known)) and float(known.min()) <= NEAR * float(known.max() - known.min())


def _describe_series(dataset: Dataset, on_event: Listener) -> None:
    """Note which series are not scored, and what was filled."""
    panel, splits = dataset.panel, dataset.splits
    note_ended(panel, dataset.horizon, on_event)
    note_far_ends(panel, on_event)
    born = int(np.sum(splits.train_end == splits.indptr[:-1]))
    if born:
        on_event(Note(f"{born} of {panel.count} series start after the training split: not scored"))
    elif splits.rows("test") and panel.count > 1:
        scored = len(np.unique(owner_series(panel.indptr, dataset.origins("test"))))
        if scored < panel.count:
            why = "too short for a window and a test split, or they end before it"
            on_event(Note(f"{panel.count - scored} of {panel.count} series are not scored: {why}"))
    note_filled(panel, on_event)
