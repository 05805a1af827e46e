"""Check that what a model file holds is what its manifest describes."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ..core.windows import Floats
from ..data.columns import calendar_columns
from ..data.dates.date_formats import DECIMAL, EPOCHS, EXCEL
from ..data.dates.date_writing import write_dates
from .bundle import Bundle
from .manifest import Manifest, TimeAxis

Shape = tuple[int, ...]


def check_contents(bundle: Bundle) -> None:
    """Refuse a model whose arrays, times, scores or effects do not fit its manifest.

    Raises:
        ValueError: They do not; other exceptions too, of times that are none.
    """
    manifest, series, scales = bundle.manifest, bundle.series, bundle.scales
    _check_covariates(manifest)
    if manifest.config.network.pretrained and manifest.features != manifest.targets:
        raise ValueError("its pretrained network would read columns that it does not forecast")
    _check_member(bundle)
    _check_networks(bundle)
    for what, array, expected in _shapes(bundle):
        if array.shape != expected:
            raise ValueError(
                f"{what} {array.dtype} of shape {array.shape}; {expected} was expected"
            )
    if manifest.scaling is None if scales is None else _unusable(scales):
        raise ValueError("it has no scaler")
    if series and manifest.time and not series.lasts:
        raise ValueError("its series have no ends")
    if manifest.time:
        try:
            _check_times(bundle, manifest.time)
        except Exception as error:
            # Of time zones, languages and dates that are none, each library has its own.
            raise ValueError(f"its times cannot be read: {error}") from None
    if bundle.effects:
        from ..baselines.effects import row_effects

        ahead = np.zeros((2, len(manifest.columns.inputs.ahead)))
        made = row_effects(bundle.effects, ahead, np.array([0, 2]))
        if made.shape != (2, len(manifest.targets)) or not np.isfinite(made).all():
            raise ValueError("its effects are not those of its targets")


def _check_member(bundle: Bundle) -> None:
    """Refuse weights of a pretrained network that is not there, and one without weights."""
    record = bundle.manifest.member
    if (bundle.pretrained is None) != (record is None):
        raise ValueError("its pretrained network has no weights, or the weights no network")
    if record is None:
        return
    if len(record.shares) != len(bundle.manifest.targets):
        raise ValueError("its pretrained network has no weight for each target")
    if not all(0.0 <= each <= 1.0 for each in record.shares):
        raise ValueError("a weight of its pretrained network is not from 0 to 1")


def _check_networks(bundle: Bundle) -> None:
    """Refuse weights of series where the model has none, and those that are no numbers."""
    weights, config = bundle.networks, bundle.manifest.config
    if (weights is not None) != config.training.per_series:
        raise ValueError("it has no network for each series, or is not configured to")
    if weights is None:
        return
    if bundle.series is None or weights.ndim != 2 or len(weights) != len(bundle.series.ids):
        raise ValueError(f"its networks have weights of shape {weights.shape}")
    if weights.dtype != np.float32 or not np.isfinite(weights).all():
        raise ValueError("the weights of its networks are not finite numbers of 32 bits")


def _check_covariates(manifest: Manifest) -> None:
    """Refuse calendar covariates that are not configured, and errors of what has none."""
    calendar, configured = manifest.covariates.calendar, manifest.config.data.calendar_features
    if (calendar or configured) and calendar != calendar_columns(configured):
        raise ValueError("its calendar covariates are not those of its configuration")
    errors = manifest.future_errors
    if not errors:
        return
    if len(errors) != len(manifest.features):
        raise ValueError("it has no error for each feature")
    erring = {name for name, each in zip(manifest.features, errors, strict=True) if each}
    if not erring <= set(manifest.covariates.future):
        raise ValueError("features that are no future covariates have errors in tests")
    if not all(math.isfinite(each) and each >= 0 for each in errors):
        raise ValueError("an error of a feature is not finite, or below 0")


def _shapes(bundle: Bundle) -> Iterator[tuple[str, Floats, Shape]]:
    """Yield the arrays that there are, each with what messages call it and its required shape."""
    manifest, series = bundle.manifest, bundle.series
    features, targets = len(manifest.features), len(manifest.targets)
    # Models of labels store no rows.
    rows = 0 if manifest.labels else manifest.timesteps
    if manifest.config.network.pretrained:
        # All rows of a series that is shorter.
        rows = min(max(1, len(bundle.history)), manifest.timesteps)
    if manifest.member:
        # It reads more rows than the others, where there are more.
        rows = min(max(rows, len(bundle.history)), manifest.context)
    rows = sum(series.rows) if series else rows
    count = len(series.ids) if series else 1
    steps = bundle.ahead.shape[1] if bundle.ahead is not None and bundle.ahead.ndim > 1 else 0
    units = bundle.state.size if bundle.state is not None else 0
    every: list[tuple[str, Floats | None, Shape]] = [
        ("its last rows are", bundle.history, (rows, features)),
        ("its state is", bundle.state, (units,)),
        ("its scaler is", bundle.scales, (2, count, features)),
        ("its future covariates are", bundle.ahead, (count, steps, features)),
        ("its in-sample error of the naive forecast is", bundle.naive, (2, count, targets)),
        ("its record of levels is", bundle.levels, (5, count, features)),
        ("its usual values of covariates are", bundle.usual, (count, features)),
    ]
    yield from ((what, array, shape) for what, array, shape in every if array is not None)
    if (calibration := bundle.calibration) is not None:
        samples, quantiles = len(calibration.errors), manifest.config.outputs_per_value
        each = (samples, manifest.horizon, targets, *([quantiles] if quantiles > 1 else []))
        yield "the errors for its intervals are", calibration.errors, each
        yield "its recent errors are", calibration.recent, (samples, targets)
        yield "the units of its errors are", calibration.units, (count, targets)
        yield "its last errors are", calibration.ended.total, (count, targets)


def _unusable(scales: Floats) -> bool:
    """Whether centers and scales, shape `(2, n_series, features)`, are invalid."""
    return not np.isfinite(scales).all() or bool((scales[1] == 0).any())


def _check_times(bundle: Bundle, time: TimeAxis) -> None:
    """Refuse times, a time zone, a frequency or a style that are none."""
    manifest, series = bundle.manifest, bundle.series
    splits = manifest.splits
    lasts = _read_times(series.lasts if series else [time.last], time)
    begins = (splits.validation_begins, splits.test_begins, time.last)
    _read_times([each for each in begins if each is not None], time)
    if series:
        _read_times([*series.fresh, *series.known], time)
    if "%" not in time.style and time.style not in (*EPOCHS, EXCEL, DECIMAL):
        raise ValueError(f"{time.style[:50]!r} is no way to write times")
    ends = pd.DatetimeIndex([lasts.min(), lasts.max()])
    rows = max(series.rows) if series else len(bundle.history)
    first = time.frequency.moved(ends, np.array([-rows, -rows]))
    following = time.frequency.moved(ends, np.array([1, 1]))
    write_dates(pd.DatetimeIndex([*first, *following]), time.style)


def _read_times(texts: Sequence[str], time: TimeAxis) -> pd.DatetimeIndex:
    """Return times, ISO 8601; with offsets where there is a time zone, and without where not."""
    zoned = time.timezone is not None
    dates = pd.to_datetime(list(texts), format="ISO8601", utc=zoned)
    if dates.hasnans or (dates.tz is None) == zoned:
        raise ValueError(f"{str(texts[0])[:50]} is no time of zone {time.timezone}")
    return dates.tz_convert(time.timezone) if zoned else dates
