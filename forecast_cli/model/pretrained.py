"""The pretrained network of a model file, at work, by itself or beside those of a graph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime

from ..baselines.pretrained.forecaster import ends_of, forecast_quantiles
from ..baselines.pretrained.network import QUANTILES, Network, Rules, rules_of
from ..config.ensemble import CONTEXT
from ..config.schema import Config
from ..core.errors import ModelFileError
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.scaling import Scaling
from ..core.windows import Floats, Ints
from .graph_check import check_graph, count_weights
from .manifest import MemberRecord
from .runtime import FAILURES, LIMIT, Runtime, seconds_for, session_options, unusable

# What messages call it.
WHAT = "pretrained network"
# Longer windows of about as many rows are cut to the same length, at most by one in so many rows,
# since only windows of the same length are forecast together.
WHOLE, SHARE = 200, 20
# A series whose forecast shows whether a network is read as it was when its model was made.
PROBE = 100.0 + np.arange(40) + 10.0 * np.sin(np.arange(40) * np.pi / 2) + np.arange(40) % 7
PROBE_HORIZON, PROBE_SEASON = 6, 4
# Forecasts that differ by less than this share of their size are the same on another machine.
SAME = 1e-3


@dataclass(frozen=True)
class PretrainedRuntime:
    """Forecasts of windows by a pretrained network, as `Runtime` makes them.

    Args:
        onnx: The network.
        horizon: Steps ahead.
        season_length: Steps in a season; 1 for none.
        level: In percent, ascending: of the intervals whose ends are the quantiles; empty for none.
        first: The horizon of its model, where that is less: these steps are forecast as by it.
    """

    onnx: bytes
    horizon: int
    season_length: int
    level: tuple[float, ...] = ()
    first: int | None = None

    @property
    def quantile_count(self) -> int:
        """Number of quantiles; 0 for none."""
        return 2 * len(self.level) + 1 if self.level else 0

    def __call__(self, windows: Floats, *ahead: Floats) -> Floats:
        """Medians of shape `(batch, horizon, targets)`; see `quantiles`."""
        return self._forecast(windows, ())[..., 0]

    def quantiles(self, windows: Floats, *ahead: Floats) -> Floats:
        """Forecast the quantiles, the median in the middle.

        Args:
            windows: Shape `(batch, timesteps, targets)`, scaled without an offset; missing steps,
                NaN, in front of short series.
            ahead: Nothing: what is known ahead is not read.

        Returns:
            Shape `(batch, horizon, targets, quantiles)`.
        """
        return self._forecast(windows, self.level)

    def reaching(self, steps: int) -> "PretrainedRuntime":
        """Return the same for more steps; the first ones stay as they are."""
        if steps <= self.horizon:
            return self
        return self._changed(horizon=steps, first=self.first or self.horizon)

    def _changed(self, **fields: Any) -> "PretrainedRuntime":
        """Return the network with other fields; it is not opened again."""
        runtime = replace(self, **fields)
        runtime.__dict__["session"] = self.session
        return runtime

    def _forecast(self, windows: Floats, level: Sequence[float]) -> Floats:
        count, timesteps, targets = windows.shape
        apart = np.moveaxis(windows, 2, 1).reshape(count * targets, timesteps).astype(np.float64)
        known = [_known(row) for row in apart]
        found = np.full((len(known), self.horizon, 2 * len(level) + 1), np.nan)
        some = np.flatnonzero([len(each) > 0 for each in known])
        for steps in filter(None, (self.horizon, self.first)) if len(some) else ():
            made = forecast_quantiles(
                [known[each] for each in some],
                steps,
                self.season_length,
                network=Network(self._run, self.rules),
            )
            ends = ends_of(made, level)
            middle = made[..., made.shape[-1] // 2, None]
            found[some, :steps] = np.concatenate([ends[0][..., ::-1], middle, ends[1]], axis=-1)
        shaped = found.reshape(count, targets, *found.shape[1:])
        return np.moveaxis(shaped, 1, 2)

    def _run(self, inputs: dict[str, Any]) -> Floats:
        seconds = seconds_for(len(self.onnx), inputs["series"], self.horizon)
        began = perf_counter()
        try:
            outputs = LIMIT.run(self.session, inputs, seconds)
        except (TimeoutError, *FAILURES) as error:
            raise unusable("cannot be run", error, WHAT) from None
        finally:
            Runtime.seconds += perf_counter() - began
        found, expected = np.asarray(outputs[0], float), inputs["ahead"].shape
        if found.shape != (expected[0], expected[2], len(QUANTILES)):
            raise unusable(f"cannot be run: it made forecasts of shape {found.shape}", what=WHAT)
        return found

    @cached_property
    def session(self) -> Any:
        """The network, ready to run.

        Raises:
            ModelFileError: It is none.
        """
        check_graph(self.onnx)
        try:
            return onnxruntime.InferenceSession(
                self.onnx,
                session_options(),
                ["CPUExecutionProvider"],
                disabled_optimizers=["ConstantFolding"],
            )
        except FAILURES as error:
            raise unusable("cannot be run", error, WHAT) from None

    @property
    def rules(self) -> Rules:
        """How forecasts are made with it.

        Raises:
            ModelFileError: Only a later version knows.
        """
        try:
            return rules_of(self.session)
        except KeyError:
            raise ModelFileError(
                "This version does not know the rules of the model's pretrained network.",
                "Upgrade: pip install --upgrade forecast-cli.",
            ) from None

    @property
    def parameters(self) -> int:
        """Number of weights of the network."""
        return count_weights(self.onnx)

    def probe(self) -> tuple[float, ...]:
        """Return the median forecasts of a fixed series."""
        runtime = self._changed(horizon=PROBE_HORIZON, season_length=PROBE_SEASON, first=None)
        return tuple(runtime(PROBE[None, :, None])[0, :, 0].tolist())

    def require_same(self, before: Sequence[float]) -> None:
        """Refuse a network that forecasts a fixed series otherwise than when its model was made.

        Args:
            before: As `probe` returned it.

        Raises:
            ModelFileError: It does.
        """
        now = np.array(self.probe())
        if now.shape != np.shape(before) or not np.allclose(now, before, rtol=SAME):
            raise ModelFileError(
                "The pretrained network of the model reads series otherwise than this version "
                "describes them.",
                "Train again, which takes seconds, or install the version that wrote the model.",
            )


def open_pretrained(onnx: bytes, config: Config) -> PretrainedRuntime:
    """Return the network as a model of a resolved configuration has it."""
    level = config.level if config.interval_method.by_quantiles else ()
    return PretrainedRuntime(onnx, config.window.horizon or 1, config.network.season_length, level)


def _known(values: Floats) -> Floats:
    """Return the values, shape `(timesteps,)`, from the first known one on, a few less of many."""
    known = np.isfinite(values)
    rows: Floats = values[int(np.argmax(known)) :] if known.any() else values[:0]
    return rows if len(rows) < WHOLE else rows[len(rows) % (len(rows) // SHARE) :]


# Forecasts of a split that are made at most, one of each series at least: each takes milliseconds,
# where those of a graph take microseconds.
MOST_FORECASTS = 400
# A forecast that is 0, where logarithms are taken, counts as this share of the smallest value.
LEAST_SHARE = 0.5
# Series that are forecast at a time, which bounds the memory.
BATCH = 500


@dataclass(frozen=True)
class PretrainedMember:
    """The pretrained network as a member of an ensemble, with its weights in it.

    What it reads of a series is computed by NumPy, so it is not in the graph of the other members.

    Args:
        runtime: The network.
        shares: Shape `(targets,)`: the weight of its forecasts; the others have the rest.
    """

    runtime: PretrainedRuntime
    shares: Floats

    def forecast(self, series: Sequence[Floats], scaling: Scaling, steps: int) -> Floats:
        """Forecast the next steps of series by the pretrained network alone.

        Args:
            series: Of shape `(rows, targets)` each, without gaps, original units; the last
                `CONTEXT` of them are read.
            scaling: Of the targets, of samples with an axis of steps.
            steps: How many.

        Returns:
            Scaled, shape `(samples, steps, targets)`.
        """
        rows = [each[-CONTEXT:] for each in series]
        longest = max((len(each) for each in rows), default=1)
        windows = np.full((len(rows), longest, len(self.shares)), np.nan)
        for window, each in zip(windows, rows, strict=True):
            window[longest - len(each) :] = each
        made = self.runtime.reaching(steps)(windows)[:, :steps]
        if scaling.before == "log":
            least = np.fmin.reduce(windows, axis=1)[:, None]
            made = np.maximum(made, LEAST_SHARE * np.maximum(least, 0.0))
        return scaling.transform(made)

    def forecast_origins(
        self, rows: Floats, indptr: Ints, origins: Ints, *, scaling: Scaling, steps: int
    ) -> Floats:
        """Forecast from origins by the pretrained network alone; a batch at a time.

        Args:
            rows: Shape `(n_rows, targets)`, original units, without gaps.
            indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
            origins: Shape `(samples,)`.
            scaling: Of the targets, of all series.
            steps: Steps ahead.

        Returns:
            Scaled, shape `(samples, steps, targets)`.
        """
        series = owner_series(indptr, origins - 1)
        made: list[Floats] = [np.empty((0, steps, len(self.shares)))]
        for first in range(0, len(origins), BATCH):
            part = slice(first, first + BATCH)
            begins = np.maximum(indptr[series[part]], origins[part] - CONTEXT)
            known = [rows[a:b] for a, b in zip(begins, origins[part], strict=True)]
            made.append(self.forecast(known, scaling.each(series[part], steps=True), steps))
        return np.concatenate(made)

    def join(self, made: Forecast, own: Floats) -> Forecast:
        """Return the weighted mean of the forecasts of the other members and its own, scaled.

        Args:
            made: Of the others, `point` of shape `(samples, steps, targets)`.
            own: As `forecast` returns them.
        """
        return replace(made, point=made.point + self.shares * (own - made.point))


def open_member(onnx: bytes, record: MemberRecord, horizon: int) -> PretrainedMember:
    """Return the pretrained network as a member of a model with such a horizon."""
    runtime = PretrainedRuntime(onnx, horizon, record.season_length)
    return PretrainedMember(runtime, np.array(record.shares))
