"""Assemble the model to save from the trained network."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from ..config.members import member_weights
from ..config.schema import Config
from ..core.events import ignore
from ..core.levels import block_length, measure_levels
from ..core.libraries import version_of
from ..core.ragged import cumulate
from ..core.scaling import Scaling
from ..core.windows import Floats, Ints
from ..data.checks import lift_broken_bounds
from ..data.columns import usual_values
from ..data.dataset import Dataset
from ..data.io.remote import without_literals
from ..data.known_future import times_ahead
from ..data.last_values import known_ends
from ..data.missing import fill_panel
from ..data.panel import Panel
from ..data.splits import PARTS, Splits, all_training
from ..evaluation.split_evaluation import Scores
from ..forecasting.covariate_effects import Importance
from ..model.bundle import Bundle
from ..model.manifest import LayerRow, Manifest, Run, ScalingNumbers, SplitRows, TimeAxis
from ..model.records import Calibration, SeriesRecord
from ..model.runtime import Runtime
from ..model.stateful import Walk, joined
from .fitting import Fitted, Trained, name_trained

LIBRARIES = (
    "forecast-cli", "tensorflow", "keras", "numpy", "pandas", "scikit-learn", "onnx", "tf2onnx",
    "onnxruntime",
)  # fmt: skip


def make_bundle(
    scored: Trained[Dataset],
    kept: Trained[Dataset],
    calibration: Calibration | None,
    scores: Scores | None,
    *,
    seconds: float,
    importance: Importance | None = None,
) -> Bundle:
    """Assemble the model to save.

    Args:
        scored: The network that was trained on the training split and scored on the test split.
        kept: The network to save: the same, or one refitted on all rows.
        calibration: Its errors on the validation split.
        scores: Its scores on the test split.
        seconds: Wall time of the whole training.
        importance: Of covariates, on the validation split.
    """
    dataset, scaling, panel = scored.dataset, kept.dataset.scaling, scored.dataset.panel
    filled, fitted = fill_all(dataset), kept.fitted
    manifest = _manifest(scored, kept, scores, seconds, importance or {})
    rows, last = take_last(dataset, filled, manifest.context)
    return Bundle(
        *(manifest, fitted.onnx, fitted.weights, last),
        [asdict(epoch) for epoch in scored.fitted.logged],
        state=_state_before(kept, filled) if dataset.config.network.stateful else None,
        series=record_series(panel, rows, kept.dataset.splits) if panel.columns.series else None,
        scales=np.stack([scaling.center, scaling.scale]) if scaling.by_series else None,
        ahead=panel.ahead if panel.ahead.shape[1] else None,
        scores=scores.by_series if scores else [],
        calibration=calibration and rescaled(calibration, dataset, kept.dataset),
        naive=dataset.naive,
        dropout=fitted.dropout,
        levels=take_levels(dataset),
        usual=take_usual(dataset),
        effects=fitted.effects,
        pretrained=fitted.pretrained,
        networks=fitted.networks,
    )


def fill_all(dataset: Dataset) -> Floats:
    """Return the rows filled as those of a table to predict from, shape `(n_rows, features)`."""
    # No row has to be hidden from training here.
    panel = dataset.panel
    return fill_panel(panel, all_training(panel), season_length=dataset.season_length)


def take_last(dataset: Dataset, filled: Floats, most: int) -> tuple[Ints, Floats]:
    """Return how many of the last rows of each series a model keeps, `(n_series,)`, and these rows.

    Args:
        dataset: With the series.
        filled: Shape `(n_rows, features)`: their rows, as `fill_all` returns them.
        most: Rows of a series that a forecast reads.
    """
    panel = dataset.panel
    rows = np.minimum(panel.lengths, most)
    last = [filled[end - n : end] for end, n in zip(panel.indptr[1:], rows, strict=True)]
    return rows, np.concatenate(last)


def take_levels(dataset: Dataset) -> Floats:
    """Return what the rows are like, shape `(5, n_series, features)`."""
    panel, length = dataset.panel, block_length(dataset.timesteps)
    return np.stack(measure_levels(panel.values, panel.indptr, length))


def take_usual(dataset: Dataset) -> Floats | None:
    """Return the usual values of covariates in the training rows, `(n_series, features)`."""
    panel = dataset.panel
    if not (panel.columns.covariates.past or panel.columns.covariates.future):
        return None
    begin, end = dataset.splits.bounds("train")
    rows = panel.values[panel.between(begin, end)]
    trained = usual_values(rows, cumulate(end - begin), panel.columns)
    # A series without a training row has others.
    return np.where(
        np.isfinite(trained), trained, usual_values(panel.values, panel.indptr, panel.columns)
    )


def rescaled(calibration: Calibration, before: Dataset, after: Dataset) -> Calibration:
    """Return the calibration in the units of another scaler, that of a refitted network.

    Args:
        calibration: Its `units` have shape `(n_series, targets)`.
        before: The dataset that the errors were taken on.
        after: The dataset of the refit.
    """
    if before is after:
        return calibration
    targets = before.targets
    ratio = before.scaling.only(targets).scale / after.scaling.only(targets).scale
    return replace(calibration, units=calibration.units * ratio)


def _manifest(
    scored: Trained[Dataset],
    kept: Trained[Dataset],
    scores: Scores | None,
    seconds: float,
    importance: Importance,
) -> Manifest:
    """Return the manifest: everything in a model file but the arrays."""
    dataset, columns = scored.dataset, scored.dataset.panel.columns
    errors, member = dataset.future_errors, kept.fitted.member
    own = () if member is None else member.shares
    return Manifest(
        **name_trained(scored)._asdict(),
        config=stored_config(dataset.config),
        features=columns.features,
        targets=columns.targets,
        covariates=columns.covariates,
        series=columns.series,
        time=TimeAxis.of(dataset.panel),
        scaling=scaling_numbers(kept.dataset.scaling),
        # Without a refit the bound is that of the training rows, and later ones may be below it.
        lower=name_bounds(lift_broken_bounds(kept.dataset.scaling, dataset.panel, ignore)),
        intermittent=dataset.intermittent,
        weights=member_weights(dataset.config, columns.targets, kept.fitted.shares, own),
        importance=importance,
        future_errors=() if errors is None else tuple(errors.sizes.tolist()),
        probe=kept.fitted.probe,
        member=None if kept.fitted.pretrained is None else member,
        splits=count_split_rows(dataset),
        evaluation=scores and scores.evaluation,
        layers=tuple(LayerRow(**row) for row in kept.fitted.layers),
        run=make_run(
            scored.fitted,
            refitted=kept is not scored,
            windows=len(dataset.starts("train", horizon=dataset.steps_at_once)),
            seconds=seconds,
        ),
        rows=len(dataset.filled),
    )


def stored_config(config: Config) -> Config:
    """Return a configuration as a model file keeps it: without the literals of its query."""
    query = config.data.query
    return config.changed(data={"query": without_literals(query)}) if query else config


def scaling_numbers(scaling: Scaling | None) -> ScalingNumbers | None:
    """Return the scaler's numbers; None where there is none, or each series has its own."""
    if scaling is None or scaling.by_series:
        return None
    return ScalingNumbers(center=tuple(scaling.center), scale=tuple(scaling.scale))


def name_bounds(scaling: Scaling) -> tuple[float | None, ...]:
    """Return the lower bound of each feature, None for none; empty without bounds."""
    bounds = () if scaling.lower is None else scaling.lower.tolist()
    return tuple(None if np.isinf(each) else each for each in bounds)


def record_series(panel: Panel, rows: Ints, splits: Splits) -> SeriesRecord:
    """Return the names of the series, their last times, and the first times not trained on.

    `rows`, shape `(n_series,)`: how many of the last rows of each series are stored.
    """
    lasts, known = panel.lasts, known_ends(panel)
    filled = lasts is not None and known is not None and (known < lasts).any()
    return SeriesRecord(
        columns=panel.columns.series,
        ids=tuple(tuple(plain_part(part) for part in each) for each in panel.ids.to_numpy(object)),
        rows=tuple(rows.tolist()),
        lasts=() if lasts is None else tuple(time.isoformat() for time in lasts),
        fresh=tuple(time.isoformat() for time in _fresh(panel, splits)),
        known=tuple(time.isoformat() for time in known) if known is not None and filled else (),
    )


def _fresh(panel: Panel, splits: Splits) -> Sequence[pd.Timestamp]:
    """Return the time of the first row after validation of each series, or after its end."""
    after = times_ahead(panel, 1)
    if panel.timeline is None or after is None:
        return []
    ends, times = splits.validation_end, panel.timeline.times
    inside = ends < panel.indptr[1:]
    there = times[np.where(inside, ends, 0)]
    return [a if known else b for a, b, known in zip(there, after, inside, strict=True)]


def plain_part(part: Any) -> int | float | str:
    """Return a part of a name as a JSON value."""
    part = part.item() if isinstance(part, np.generic) else part
    return part if isinstance(part, int | float | str) else str(part)


def _state_before(kept: Trained[Dataset], filled: Floats) -> Floats:
    """Return the state of a stateful network before the stored rows, shape `(units,)`.

    `filled` has shape `(n_rows, features)`, original units.
    """
    dataset = kept.dataset
    scaled = dataset.scaling.transform(filled).astype(np.float32)
    walk = Walk(Runtime(kept.fitted.onnx), scaled)
    walk.read(len(scaled) - dataset.timesteps)
    return joined(walk.states)


def count_split_rows(dataset: Dataset) -> SplitRows:
    """Return how many rows each split has, and when it begins."""
    splits, timeline = dataset.splits, dataset.panel.timeline
    begins = {}
    for part in PARTS:
        if timeline is not None and splits.rows(part):
            first, end = splits.bounds(part)
            begins[f"{part}_begins"] = timeline.times[first[end > first]].min().isoformat()
    return SplitRows(**{part: splits.rows(part) for part in PARTS}, **begins)


def make_run(fitted: Fitted, *, refitted: bool, windows: int, seconds: float) -> Run:
    """Return the record of a training run."""
    return Run(
        created=datetime.now(UTC).replace(microsecond=0),
        seconds=seconds,
        epochs=len(fitted.epochs),
        best_epoch=fitted.best,
        stopped=fitted.ending,
        refitted=refitted,
        windows=windows,
        # A library that is installed under another name is left out.
        versions={name: found for name in LIBRARIES if (found := version_of(name))},
    )
