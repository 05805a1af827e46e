"""A trained network at work, by ONNX Runtime: NumPy arrays in, NumPy arrays out."""

import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# Its official builds send usage data to their vendor, and leave files, unless told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

from ..config.covariates import Inputs
from ..core.errors import ModelFileError
from ..core.forecast import Forecast
from ..core.windows import Floats, Ints, gather

UNREADABLE = tuple(
    getattr(onnxruntime.capi.onnxruntime_pybind11_state, name)
    for name in ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented")
)
Float32s = npt.NDArray[np.float32]
# Values in one batch of windows. The network's own arrays are hundreds of times as large, so this
# bounds the memory of a call; and small batches stay in the caches, which is faster too.
BATCH_VALUES = 20_000


class Forecasting(Protocol):
    """Forecasts its own horizon of steps from scaled windows, as `Runtime` does."""

    @property
    def horizon(self) -> int: ...

    @property
    def quantile_count(self) -> int: ...

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """The same to `(batch, horizon, targets, quantiles)`, where there are quantiles."""


class Runtime:
    """A network that maps scaled windows to scaled forecasts.

    Args:
        onnx: As `forecast_cli.nn.export` writes it.
    """

    def __init__(self, onnx: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # ONNX Runtime does not read what tells other libraries how many threads to take.
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdigit():
            options.intra_op_num_threads = int(threads)
        try:
            self.session = onnxruntime.InferenceSession(onnx, options, ["CPUExecutionProvider"])
        except UNREADABLE as error:
            raise ModelFileError(
                f"The network of the model cannot be read: {str(error).splitlines()[0]}.",
                "Train again, or upgrade: pip install --upgrade onnxruntime.",
            ) from None
        self.inputs = [each.name for each in self.session.get_inputs()]
        self.widths = [each.shape[-1] for each in self.session.get_inputs()[1:]]
        # Of its forecasts, or of what it reads of the steps ahead.
        shape = self.session.get_outputs()[0].shape
        self.horizon: int = shape[1]
        # How many quantiles it forecasts; 0 for none.
        self.quantile_count: int = shape[3] if len(shape) == 4 else 0

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled.

        A network that reads what is known ahead takes that too, shape `(batch, horizon, known)`;
        one that forecasts quantiles gives their median.
        """
        forecast = self.carry(windows, ahead)[0]
        return forecast[..., self.quantile_count // 2] if self.quantile_count else forecast

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """The same of a network that forecasts quantiles, shape `(batch, horizon, targets, Q)`."""
        return self.carry(windows, ahead)[0]

    def carry(self, windows: Floats, states: Sequence[Floats]) -> tuple[Float32s, list[Float32s]]:
        """The same, of a network that takes states and gives them out.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            states: What it begins with, each of shape `(batch, units)`; all that it takes beside
                the windows.
        """
        values = [each.astype(np.float32, copy=False) for each in (windows, *states)]
        outputs: Any = self.session.run(None, dict(zip(self.inputs, values, strict=True)))
        return np.asarray(outputs[0]), [np.asarray(each) for each in outputs[1:]]


def roll_out(
    runtime: Forecasting, windows: Floats, ahead: Floats | None, *, inputs: Inputs, horizon: int
) -> Forecast:
    """Forecast any number of steps: beyond its own, the network goes on from its forecasts.

    Quantiles come from the same call as the forecasts, and are of the network's own horizon.

    Args:
        runtime: The network; to go on, it must forecast all that it reads and is not known ahead.
        windows: Shape `(batch, timesteps, features)`, scaled.
        ahead: Shape `(batch, horizon, features)`, scaled: the rows to come, of which only what is
            known ahead is read, the last one standing for those after; None where nothing is.
        inputs: The columns of a row.
        horizon: Steps ahead.

    Returns:
        Scaled, `point` of shape `(batch, horizon, targets)`.
    """
    timesteps = windows.shape[1]
    parts: list[Float32s] = []
    quantiles, done = None, 0
    while done < horizon:
        known = _known(runtime, ahead, inputs, done)
        if not done and runtime.quantile_count:
            quantiles = runtime.quantiles(windows, *known)
            parts.append(quantiles[..., runtime.quantile_count // 2])
        else:
            parts.append(runtime(windows, *known))
        steps = min(parts[-1].shape[1], horizon - done)
        rows = np.full((len(windows), steps, inputs.features), np.nan, np.float32)
        if ahead is not None:
            places = list(inputs.known)
            rows[..., places] = ahead[:, done : done + steps, places]
        rows[..., list(inputs.targets)] = parts[-1][:, :steps]
        windows = np.concatenate([windows, rows], axis=1)[:, -timesteps:]
        done += steps
    point = np.concatenate(parts, axis=1)[:, :horizon].astype(np.float64)
    return Forecast(point, None if quantiles is None else quantiles.astype(np.float64))


def _known(runtime: Forecasting, ahead: Floats | None, inputs: Inputs, done: int) -> list[Floats]:
    """What the network reads of the steps of its next call; the last row stands for those after."""
    if ahead is None or not inputs.ahead:
        return []
    steps = np.minimum(np.arange(done, done + runtime.horizon), ahead.shape[1] - 1)
    return [ahead[:, steps][..., list(inputs.ahead)]]


def chunks(origins: Ints, *, timesteps: int, features: int) -> list[Ints]:
    """Cut many origins into batches whose windows fit into little memory."""
    size = max(1, BATCH_VALUES // (timesteps * features))
    return [origins[first : first + size] for first in range(0, len(origins), size)]


def forecast_origins(
    runtime: Forecasting,
    scaled: Floats,
    origins: Ints,
    *,
    inputs: Inputs,
    timesteps: int,
    horizon: int,
) -> Forecast:
    """Forecast from each origin, the row of the first target, on the rows before it.

    Args:
        runtime: The network.
        scaled: Shape `(n_rows, features)`, all series end to end.
        origins: Shape `(samples,)`, each with `timesteps` rows of its series before it, and, where
            something is known ahead, `horizon` from it on.
        inputs: The columns of a row.
        timesteps: Rows of an input window.
        horizon: Steps ahead, any number.

    Returns:
        Scaled, `point` of shape `(samples, horizon, targets)`.
    """
    windows = gather(scaled, origins - timesteps, timesteps=timesteps)
    ahead = gather(scaled, origins, timesteps=horizon) if inputs.known else None
    return roll_out(runtime, windows, ahead, inputs=inputs, horizon=horizon)
