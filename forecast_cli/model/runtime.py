"""A trained network at work, by ONNX Runtime: NumPy arrays in, NumPy arrays out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from ..core.windows import Floats, Ints, gather
from ..errors import ModelFileError

UNREADABLE = tuple(
    getattr(onnxruntime.capi.onnxruntime_pybind11_state, name)
    for name in ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented")
)
Float32s = npt.NDArray[np.float32]
# Values in one batch of windows. The network's own arrays are hundreds of times as large, so this
# bounds the memory of a call; and small batches stay in the caches, which is faster too.
BATCH_VALUES = 20_000


class Runtime:
    """A network that maps scaled windows to scaled forecasts."""

    def __init__(self, onnx: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(onnx, options, ["CPUExecutionProvider"])
        except UNREADABLE as error:
            raise ModelFileError(
                f"The network of the model cannot be read: {str(error).splitlines()[0]}.",
                "Train again, or upgrade: pip install --upgrade onnxruntime.",
            ) from None
        self.inputs = [each.name for each in self.session.get_inputs()]
        self.widths = [each.shape[-1] for each in self.session.get_inputs()[1:]]

    def __call__(self, windows: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""
        return self.carry(windows, ())[0]

    def carry(self, windows: Floats, states: Sequence[Floats]) -> tuple[Float32s, list[Float32s]]:
        """The same, of a network that takes states and gives them out.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            states: What it begins with, each of shape `(batch, units)`; as many as it takes.
        """
        values = [each.astype(np.float32, copy=False) for each in (windows, *states)]
        outputs: Any = self.session.run(None, dict(zip(self.inputs, values, strict=True)))
        return np.asarray(outputs[0]), [np.asarray(each) for each in outputs[1:]]


def roll_out(runtime: Runtime, windows: Floats, *, horizon: int) -> Float32s:
    """Forecast any number of steps: beyond its own, the network goes on from its forecasts.

    Args:
        runtime: The network; to go on, it must give every column that it reads, in order.
        windows: Shape `(batch, timesteps, features)`, scaled.
        horizon: Steps ahead.

    Returns:
        Shape `(batch, horizon, targets)`, scaled.
    """
    timesteps = windows.shape[1]
    parts = [runtime(windows)]
    steps = parts[0].shape[1]
    while steps < horizon:
        windows = np.concatenate([windows, parts[-1]], axis=1)[:, -timesteps:]
        parts.append(runtime(windows))
        steps += parts[-1].shape[1]
    return np.concatenate(parts, axis=1)[:, :horizon]


def chunks(origins: Ints, *, timesteps: int, features: int) -> list[Ints]:
    """Cut many origins into batches whose windows fit into little memory."""
    size = max(1, BATCH_VALUES // (timesteps * features))
    return [origins[first : first + size] for first in range(0, len(origins), size)]


def forecast_origins(
    runtime: Runtime, scaled: Floats, origins: Ints, *, timesteps: int, horizon: int
) -> Float32s:
    """Forecast from each origin, the row of the first target, on the rows before it.

    Args:
        runtime: The network.
        scaled: Shape `(n_rows, features)`, all series end to end.
        origins: Shape `(samples,)`, each with `timesteps` rows of its series before it.
        timesteps: Steps back.
        horizon: Steps ahead, any number.

    Returns:
        Shape `(samples, horizon, targets)`, scaled.
    """
    windows = gather(scaled, origins - timesteps, timesteps=timesteps)
    return roll_out(runtime, windows, horizon=horizon)
