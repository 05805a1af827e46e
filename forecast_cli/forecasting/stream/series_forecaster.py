"""One series of a stream: its rows, its forecasts, and what is thought of each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...core.events import Listener
from ...core.forecast import Forecast
from ...core.scaling import Scaling
from ...core.windows import Floats
from ...data.panel import Panel
from ...data.time.time_index import Timeline
from ..history import make_history
from ..saved_model_data import units_for
from .clock import Clock
from .live_model import LiveModel, scaling_of
from .network_inputs import NetworkInputs, StatefulRows, make_inputs
from .row_reader import Key
from .window import KnownAhead

# A row, shape `(features,)`, and its time.
Step = tuple[Floats, pd.Timestamp | None]


@dataclass(frozen=True)
class Ahead:
    """A forecast of one series, in original units.

    Args:
        point: Shape `(steps, targets)`.
        ends: Shape `(2, steps, targets, levels)`: of the intervals; None without any.
    """

    point: Floats
    ends: Floats | None


@dataclass(frozen=True)
class Verdict:
    """What is thought of a row that came.

    Args:
        before: Its forecast from the rows before it, of one step.
        p_value: The share of ordinary rows that are at least as unusual; NaN where unknown.
        anomaly: Whether that is at most the rate of false alarms.
    """

    before: Ahead
    p_value: float
    anomaly: bool


class SeriesForecaster:
    """Takes the rows of one series in order, and forecasts after each in constant memory.

    Args:
        model: The model.
        scaling: Of the series: its numbers have shape `(features,)`.
        unit: Shape `(targets,)`: its mean error, scaled.
        place: Of the series in the model; None where it is new to it.
        clock: Tells the times of steps; None where rows are steps.
    """

    def __init__(
        self,
        model: LiveModel,
        scaling: Scaling,
        unit: Floats,
        place: int | None,
        clock: Clock | None,
    ) -> None:
        self.model, self.place, self.clock = model, place, clock
        self.scaling, self.targets = scaling, scaling.only(model.places)
        self.unit = unit
        self.last: pd.Timestamp | None = None
        self.restart()

    def restart(self) -> None:
        """Forget all rows, as after a gap as long as the lookback."""
        model = self.model
        self.inputs = self.new_inputs()
        self.errors = model.latest_errors(self.unit, self.place)
        self.known = KnownAhead(model.columns, model.manifest.config.data.calendar_features)
        # The forecast from the last row, what was known of its steps, and whether errors are taken
        # from it: not from filled rows, which are filled again when others come.
        self.made: Forecast | None = None
        self.ahead: Floats | None = None
        self.fresh, self.sound = False, True
        # The rows with flagged ones as they were expected, until those have left the window.
        self.ordinary: NetworkInputs | None = None
        self.rows_since = 0

    def new_inputs(self) -> NetworkInputs:
        """Return inputs without rows."""
        model = self.model
        return make_inputs(model.bundle, self.scaling, model.policy, model.season, model.dropout)

    @property
    def always(self) -> bool:
        """Whether there is a forecast after each row, also where none is asked for."""
        return self.errors is not None or self.model.test is not None

    @property
    def lacks_future(self) -> bool:
        """Whether there are rows enough, and no forecast for want of future covariates."""
        return self.fresh and self.made is None and self.ahead is None and bool(self.known.future)

    def begin_from(self, rows: Floats, last: pd.Timestamp | None, state: Floats | None) -> None:
        """Begin with the rows of a model.

        Args:
            rows: Shape `(rows, features)`, original units.
            last: The time of the last one.
            state: Shape `(units,)`: that of a stateful network before them; None for others.
        """
        if isinstance(self.inputs, StatefulRows):
            self.inputs.begin_from(state)
        for place, row in enumerate(rows):
            self.inputs.push(row, fill=place == len(rows) - 1)
        self.last = last

    def push(
        self, row: Floats, time: pd.Timestamp | None = None, gap: Sequence[Step] = ()
    ) -> Verdict | None:
        """Take the next row.

        Args:
            row: Shape `(features,)`, original units, NaN where missing.
            time: Its time; None where rows are steps.
            gap: The steps without a row before it: what is known of each, and its time.

        Returns:
            What is thought of it; None where rows are not judged.
        """
        if self.always and not self.fresh:
            self._forecast()
        masked = self.model.policy == "mask"
        for place, (each, self.last) in enumerate(gap):
            now = self.always and (masked or place == len(gap) - 1)
            self._push_one(each, each, fill=now)
            if now:
                self._forecast()
        verdict = self._judge(row) if self.model.test is not None else None
        self._push_one(row, self._as_ordinary(row, verdict), fill=True)
        self.last = time
        if self.always:
            self._forecast()
        return verdict

    def forecast(self) -> Ahead | None:
        """Return the forecast of the next steps; None where too little is known."""
        if not self.fresh:
            self._forecast()
        if self.made is None:
            return None
        return self._in_units(self.made, self.model.steps)

    def _push_one(self, row: Floats, ordinary: Floats, *, fill: bool) -> None:
        """Read a row, and into `ordinary` inputs, where there are such, that row instead."""
        if self.errors is not None:
            point = None
            if self.made is not None and self.sound:
                point = self.made.point[0, : self.model.manifest.horizon]
            self.errors.push(self.targets.transform(row[self.model.places]), point)
        self.inputs.push(row, fill=fill)
        if self.ordinary is not None:
            self.ordinary.push(ordinary, fill=fill)
        self.known.step()
        self.made, self.fresh = None, False
        self.sound = self.model.policy == "mask" or not np.isnan(row).any()

    def _forecast(self) -> None:
        """Make the forecast from the last row."""
        model, window = self.model, self.inputs.window
        self.fresh, self.made, self.ahead = True, None, None
        if not window.count:
            return
        if model.reads_ahead:
            times = None
            if self.known.dated and self.clock is not None and self.last is not None:
                times = self.clock.after(self.last, model.made)
            self.ahead = self.known.scaled(window.rows[-1], self.scaling, times, model.made)
            if self.ahead is None:
                return
        made = self.inputs.forecast(self.ahead, model.made)
        self.made = made if made is None or np.isfinite(made.point).all() else None

    def _in_units(self, made: Forecast, steps: int) -> Ahead:
        """Return the first steps of a forecast in original units."""
        model = self.model
        size = np.ones((1, len(self.unit))) if self.errors is None else self.errors.size
        ends = model.ends(made, self.unit, size)
        point = model.in_units(made.point[0, :steps], self.targets)
        if ends is None:
            return Ahead(point, None)
        units = model.in_units(np.moveaxis(ends[:, :steps], -1, 0), self.targets)
        return Ahead(point, np.moveaxis(units, 0, -1))

    def _judge(self, row: Floats) -> Verdict | None:
        """Judge a row by its forecast from before.

        After a flagged row there are two: from the rows as they came, and with that one as it was
        expected. It may have been a fault of measuring, or how the series is from now on; the
        forecast counts that is nearer.
        """
        made = [self.made]
        if self.ordinary is not None and self.made is not None:
            made.append(self.ordinary.forecast(self.ahead, self.model.made))
        verdicts = [self._verdict(row, each) for each in made if each is not None]
        return max(verdicts, key=lambda each: each.p_value, default=None)

    def _verdict(self, row: Floats, made: Forecast) -> Verdict:
        """Judge a row by a forecast of it."""
        test = self.model.test
        if test is None:
            raise ValueError("rows are not judged")
        scaled = self.targets.transform(row[self.model.places])
        error = (scaled - made.point[0, 0]) / self.unit
        if test.adaptive and self.errors is not None:
            error = error / self.errors.size[0]
        p_value = test.p_value(float(test.score(error[None])[0]))
        return Verdict(self._in_units(made, 1), p_value, bool(p_value <= test.rate))

    def _as_ordinary(self, row: Floats, verdict: Verdict | None) -> Floats:
        """Return a row as it was expected where it is flagged, and as it is else."""
        if verdict is None or not verdict.anomaly:
            self.rows_since += 1
            if self.rows_since >= self.inputs.window.timesteps:
                self.ordinary = None
            return row
        if self.ordinary is None:
            self.ordinary = self.inputs.copy()
        self.rows_since = 0
        expected = row.copy()
        expected[self.model.places] = verdict.before.point[0]
        return expected

    def dump(self) -> dict[str, Any]:
        """What a restart needs, as arrays of constant shapes; without what is known ahead."""
        arrays = {f"inputs_{name}": each for name, each in self.inputs.dump().items()}
        if self.errors is not None:
            arrays |= {f"errors_{name}": each for name, each in self.errors.dump().items()}
        if self.model.test is not None:
            own = self.inputs if self.ordinary is None else self.ordinary
            arrays |= {f"ordinary_{name}": each for name, each in own.dump().items()}
        numbers = (self.ordinary is not None, self.rows_since, self.sound)
        return arrays | {"numbers": np.array(numbers, np.int64)}

    def load(self, saved: dict[str, Any]) -> None:
        """Take up what `dump` returned; what was not needed then starts from scratch."""
        self.inputs.load(_part(saved, "inputs_"))
        errors, ordinary = _part(saved, "errors_"), _part(saved, "ordinary_")
        if self.errors is not None and errors:
            self.errors.load(errors)
        apart, self.rows_since, sound = (int(each) for each in saved["numbers"])
        self.sound = bool(sound)
        if self.model.test is not None and apart and ordinary:
            self.ordinary = self.new_inputs()
            self.ordinary.load(ordinary)


def _part(saved: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the arrays whose names begin so, without that."""
    return {name.removeprefix(prefix): saved[name] for name in saved if name.startswith(prefix)}


def begin_series(
    model: LiveModel, clock: Clock | None, key: Key, steps: Sequence[Step], on_event: Listener
) -> SeriesForecaster:
    """Return the forecaster of a new series after its first rows, as many as the lookback."""
    times = [time for _, time in steps]
    panel = one_row_each(model, clock, [key], np.array([row for row, _ in steps]), times)
    history = make_history(model.bundle, panel, on_event)
    calibration = model.bundle.calibration
    unit: Floats = np.ones(len(model.places))
    if calibration is not None:
        unit = units_for(model.bundle, history, calibration)[0]
    series = SeriesForecaster(model, scaling_of(history.scaling, 0), unit, None, clock)
    for place, (row, time) in enumerate(steps):
        series.inputs.push(row, fill=place == len(steps) - 1)
        series.last = time
    return series


def one_row_each(
    model: LiveModel,
    clock: Clock | None,
    keys: Sequence[Key],
    rows: Floats,
    times: Sequence[pd.Timestamp | None],
) -> Panel:
    """Return rows as a panel: one of each series, or all of a single one.

    Args:
        model: The model.
        clock: Of its times; None where rows are steps.
        keys: The names of the series.
        rows: Shape `(n_rows, features)`, original units, series by series.
        times: Of the rows.
    """
    columns, count = model.columns, len(keys)
    timeline = None
    if clock is not None:
        timeline = Timeline(pd.DatetimeIndex(list(times)), clock.frequency, clock.style)
    ids = pd.DataFrame(list(keys), columns=list(columns.series), index=pd.RangeIndex(count))
    nothing = np.empty((count, 0, len(columns.features)))
    indptr = np.arange(count + 1) * (len(rows) // count)
    return Panel(columns, rows, indptr, timeline, "the stream", model.data, ids, nothing)
