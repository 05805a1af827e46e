"""The pretrained network as a member of a trained ensemble: its forecasts beside those of a graph.

What it reads of a series is computed by NumPy, so it is not in the graph of the other members.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..config.ensemble import CONTEXT
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.scaling import Scaling
from ..core.windows import Floats, Ints
from .manifest import MemberRecord
from .pretrained import PretrainedRuntime

# Forecasts of a split that are made at most, one of each series at least: each takes milliseconds,
# where those of a graph take microseconds.
MOST_FORECASTS = 400
# A forecast that is 0, where logarithms are taken, counts as this share of the smallest value.
LEAST_SHARE = 0.5
# Series that are forecast at a time, which bounds the memory.
BATCH = 500


@dataclass(frozen=True)
class PretrainedMember:
    """The pretrained network and its weights in an ensemble.

    Args:
        runtime: The network.
        shares: Shape `(targets,)`: the weight of its forecasts; the others have the rest.
        context: Rows of a series that it reads at most.
    """

    runtime: PretrainedRuntime
    shares: Floats
    context: int = CONTEXT

    def forecast(self, series: Sequence[Floats], scaling: Scaling, steps: int) -> Floats:
        """Forecast the next steps of series by the pretrained network alone.

        Args:
            series: Of shape `(rows, targets)` each, without gaps, original units; the last
                `context` of them are read.
            scaling: Of the targets, of samples with an axis of steps.
            steps: How many.

        Returns:
            Scaled, shape `(samples, steps, targets)`.
        """
        rows = [each[-self.context :] for each in series]
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
            known = contexts(rows, indptr, origins[part], self.context)
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


def contexts(rows: Floats, indptr: Ints, origins: Ints, context: int) -> list[Floats]:
    """Return the rows before each origin, at most `context` of its series.

    Args:
        rows: Shape `(n_rows, targets)`.
        indptr: Shape `(n_series + 1,)`: series `i` is rows `indptr[i]:indptr[i + 1]`.
        origins: Shape `(samples,)`.
        context: How many, at most.

    Returns:
        Of each origin, shape `(rows, targets)`.
    """
    begins = np.maximum(indptr[owner_series(indptr, origins - 1)], origins - context)
    return [rows[first:end] for first, end in zip(begins, origins, strict=True)]
