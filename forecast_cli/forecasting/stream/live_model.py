"""What the forecasts of all series of a stream share: network, intervals, units."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...config.registries import Intervals
from ...core.error_scale import Recent
from ...core.errors import UsageError
from ...core.events import Listener, Note
from ...core.forecast import Forecast
from ...core.scaling import Scaling, rounded
from ...core.windows import Floats
from ...data.season import find_season
from ...model.bundle import Bundle
from ...model.mc_dropout import MonteCarlo
from ..history import data_as_trained, require_mask, stored_panel
from ..intervals.calibration import MOST_WORKED
from ..intervals.conformal import grown, step_sizes
from ..intervals.interval_methods import Bands, few_errors, find_method, make_bands
from ..intervals.prediction_intervals import LATEST, LEAST
from ..prediction_request import steps_wanted
from ..saved_model_data import monte_carlo, refuse_labels
from .anomalies import AnomalyTest, LatestErrors, make_test
from .window import FILLED_BY

# What of the reading of a table applies to a stream.
READ_IN_STREAM = (
    "missing", "na", "decimal", "thousands", "delimiter", "encoding", "date_format", "timezone",
)  # fmt: skip
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class StreamRequest:
    """Which forecasts of a stream are requested.

    Args:
        horizon: Steps ahead; the model's own where None.
        level: Of the intervals, in percent; empty for none.
        intervals: How they are made; as the model was trained where None.
        anomalies: Whether each row is judged by its forecast from before.
        false_alarm_rate: The share of ordinary rows that may be flagged.
        reading: How rows are read, where it differs from the table that was trained on.
    """

    horizon: int | None = None
    level: tuple[float, ...] = ()
    intervals: Intervals | None = None
    anomalies: bool = False
    false_alarm_rate: float = 0.01
    reading: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


class LiveModel:
    """A model that forecasts series one at a time, without pandas.

    Args:
        bundle: The model.
        request: What is requested.
        on_event: Notified of what is worth knowing.

    Raises:
        UsageError: The model cannot forecast a stream, or not so.
    """

    def __init__(self, bundle: Bundle, request: StreamRequest, on_event: Listener) -> None:
        _require_streamable(bundle, request)
        self.bundle = bundle
        self.manifest = bundle.manifest
        self.columns = self.manifest.columns
        self.reads_ahead = bool(self.columns.inputs.known)
        self.steps = steps_wanted(bundle, request.horizon, on_event)
        self.data = data_as_trained(bundle, request.reading)
        policy = self.data.missing
        self.policy = FILLED_BY if policy == "error" else policy
        require_mask(bundle, self.policy)
        self.season = find_season(stored_panel(bundle), self.manifest.config)
        self.places = self.manifest.target_places
        scaling = bundle.scaling
        self.lower = self.manifest.make_scaler(scaling.center, scaling.scale).lower
        self.bands = self._make_bands(request, on_event)
        self.test = self._make_test(request, on_event)
        own = request.intervals in (None, self.manifest.config.intervals)
        self.dropout: MonteCarlo | None = monte_carlo(bundle) if request.level and own else None
        self.adaptive = self._adaptive(request)
        # A forecast of the whole horizon shows how large errors are.
        self.made = max(self.steps, self.manifest.horizon) if self.adaptive else self.steps

    def _make_bands(self, request: StreamRequest, on_event: Listener) -> Bands | None:
        """Return the intervals of the requested levels; None for none."""
        if not request.level:
            if request.intervals and not request.anomalies:
                raise UsageError(
                    "`intervals` specifies how the intervals of `level` are made.",
                    "Pass `level=80,95`.",
                )
            return None
        config, calibration = self.manifest.config, self.bundle.calibration
        bands = make_bands(calibration, config, level=request.level, method=request.intervals)
        if few := few_errors(bands):
            on_event(Note(few, warning=True))
        return bands

    def _adaptive(self, request: StreamRequest) -> bool:
        """Whether intervals or scores are relative to the latest errors."""
        if self.bundle.calibration is None:
            return False
        by_test = self.test is not None and self.test.adaptive
        return by_test or (self.bands is not None and self.bands.method.by_recent)

    def _make_test(self, request: StreamRequest, on_event: Listener) -> AnomalyTest | None:
        """Return the test of rows; None where they are not judged."""
        if not request.anomalies:
            return None
        method = find_method(request.intervals or self.manifest.config.intervals)
        test = make_test(
            self.bundle.calibration, adaptive=method.by_recent, rate=request.false_alarm_rate
        )
        on_event(Note(test.describe()))
        return test

    def unit_of(self, place: int) -> Floats:
        """Return the mean error of one of the model's series, scaled, shape `(targets,)`."""
        calibration = self.bundle.calibration
        if calibration is None:
            return np.ones(len(self.places))
        unit: Floats = calibration.units[place]
        return unit

    def latest_errors(self, unit: Floats, place: int | None) -> LatestErrors | None:
        """Return the latest errors of a series; None where they play no part.

        Args:
            unit: Shape `(targets,)`: its mean error, scaled.
            place: Of the series in the model; None where it is new to it.
        """
        calibration = self.bundle.calibration
        if not self.adaptive or calibration is None:
            return None
        horizon, targets = self.manifest.horizon, len(self.places)
        sizes = grown(step_sizes(calibration.of_forecasts), horizon)
        ended = calibration.ended
        before = Recent(np.zeros(targets), np.zeros(targets))
        if place is not None:
            before = Recent(ended.total[place], ended.weight[place])
        most = MOST_WORKED // (len(calibration.units) * horizon * targets)
        return LatestErrors(unit, sizes, before, min(LATEST, max(most, LEAST)))

    def in_units(self, scaled: Floats, targets: Scaling) -> Floats:
        """Return scaled values of targets in original units, as a prediction rounds them.

        Args:
            scaled: Shape `(..., targets)`.
            targets: Their scaling alone.
        """
        lower = None if self.lower is None else self.lower[self.places]
        values: Floats = replace(targets, lower=lower).inverse(scaled.astype(np.float64))
        return rounded(values)

    def ends(self, forecast: Forecast, unit: Floats, recent: Floats) -> Floats | None:
        """Return the ends of intervals, scaled, shape `(2, steps, targets, levels)`.

        Args:
            forecast: Of one sample.
            unit: Shape `(targets,)`: the mean error of its series, scaled.
            recent: Shape `(1, targets)`: the size of its latest errors.
        """
        if self.bands is None:
            return None
        if not self.bands.method.by_recent:
            recent = np.ones_like(recent)
        lower, upper = self.bands.around(forecast, unit[None], recent)
        return np.stack([lower[0], upper[0]])

    def lift_bounds(self, row: Floats, on_event: Listener) -> None:
        """Lift the lower bounds that the values of a row, shape `(features,)`, are below."""
        if self.lower is None:
            return
        for place in self.places:
            if row[place] < self.lower[place]:
                name, bound = self.columns.features[place], self.lower[place]
                self.lower = self.lower.copy()
                self.lower[place] = -np.inf
                text = f'a value of "{name}" is below {bound:g}, the lower bound of the model\'s'
                on_event(Note(f"{text} forecasts: they have no bound from now on", warning=True))


def scaling_of(scaling: Scaling, place: int) -> Scaling:
    """Return the scaling of one of several series; its numbers have shape `(features,)`."""
    if not scaling.by_series:
        return scaling
    return replace(scaling, center=scaling.center[place], scale=scaling.scale[place])


def _require_streamable(bundle: Bundle, request: StreamRequest) -> None:
    """Refuse, by a UsageError, models and options that a stream does not have."""
    refuse_labels(
        bundle,
        "A model of labels forecasts no steps: a stream of rows has no end to be labelled at.",
        "Pass whole sequences as a table.",
    )
    if bundle.networks is not None:
        raise UsageError(
            "The model has a network for each series, and a stream is forecast by one for all.",
            "Forecast from whole tables, or train one network for all series.",
        )
    data = bundle.manifest.config.data
    if data.resample or data.duplicates in ("mean", "sum"):
        made = f"resample={data.resample}" if data.resample else f"duplicates={data.duplicates}"
        raise UsageError(
            f"The model was trained with `{made}`: several rows make one of its steps, and only "
            "when the next step begins is one complete.",
            "Forecast from whole tables, or train on a table with one row for each step, and send "
            "such rows.",
        )
    for name in request.reading:
        if name not in READ_IN_STREAM:
            raise UsageError(
                f"`{name}` has no effect on rows that come one by one.",
                f"Leave it out; a stream takes {', '.join(READ_IN_STREAM)}.",
            )
