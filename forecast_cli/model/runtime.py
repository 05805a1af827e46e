"""Predict with a trained network by ONNX Runtime, within limits of memory and time."""

import os
import threading
import time
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from ..config.covariates import Inputs
from ..core.errors import ModelFileError
from ..core.forecast import Forecast
from ..core.windows import Floats, Ints, gather
from .graph_check import check_graph

Float32s = npt.NDArray[np.float32]
# Values in one batch of windows. The network's own arrays are hundreds of times as large, so this
# bounds the memory of a call; and small batches stay in the caches, which is faster too.
BATCH_VALUES = 20_000


class Forecasting(Protocol):
    """What forecasts its own horizon from scaled windows, as `Runtime` does."""

    @property
    def horizon(self) -> int: ...

    @property
    def quantile_count(self) -> int: ...

    def __call__(self, windows: Floats, *ahead: Floats) -> Floats:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled."""

    def quantiles(self, windows: Floats, *ahead: Floats) -> Floats:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets, quantiles)`."""

    def reaching(self, steps: int) -> "Forecasting":
        """Return what forecasts so many steps from one window, where it can; else the same."""


class Runtime:
    """A network that maps scaled windows to scaled forecasts.

    Args:
        onnx: As `networks/onnx_export.py` writes it.
    """

    # How long all networks of this process have run.
    seconds: ClassVar[float] = 0.0

    def __init__(self, onnx: bytes) -> None:
        check_graph(onnx)
        options = session_options()
        # ONNX Runtime ignores the variable that sets the number of threads of other libraries.
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdigit():
            options.intra_op_num_threads = int(threads)
        try:
            # What is constant is computed when the network runs, within its limits.
            self.session = onnxruntime.InferenceSession(
                onnx, options, ["CPUExecutionProvider"], disabled_optimizers=["ConstantFolding"]
            )
        except FAILURES as error:
            raise unusable("cannot be read", error) from None
        given, made = self.session.get_inputs(), self.session.get_outputs()
        if any(each.type != "tensor(float)" or len(each.shape) < 2 for each in (*given, *made)):
            raise unusable("does not map arrays of numbers to arrays of numbers")
        self.size = len(onnx)
        self.inputs = [each.name for each in given]
        self.window_shape: list[Any] = given[0].shape if given else []
        self.widths = [each.shape[-1] for each in given[1:]]
        shape = made[0].shape if made else []
        if len(shape) not in (3, 4) or not all(isinstance(each, int) for each in shape[1::2]):
            raise unusable(f"returns an array of shape {tuple(shape)}; forecasts were expected")
        # What it makes of a window: `(horizon, targets)`, or `(horizon, targets, quantiles)`; the
        # graph of a median does not tell for how many targets, which is None then.
        self.shape = tuple(each if isinstance(each, int) else None for each in shape[1:])
        sizes = [each for each in self.shape if each is not None]
        if min(sizes) < 1 or not all(isinstance(each, int) for each in self.widths):
            raise unusable(f"makes a forecast of shape {self.shape}")
        # The horizon of its forecasts.
        self.horizon: int = shape[1]
        # Number of quantiles that it forecasts; 0 for none.
        self.quantile_count: int = shape[3] if len(shape) == 4 else 0

    def __call__(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Shape `(batch, timesteps, features)` to `(batch, horizon, targets)`, both scaled.

        A network that reads what is known ahead takes that too, shape `(batch, horizon, known)`;
        of quantiles the median is returned.
        """
        forecast = self.carry(windows, ahead)[0]
        return forecast[..., self.quantile_count // 2] if self.quantile_count else forecast

    def makes(self, shape: tuple[int, ...]) -> bool:
        """Whether a forecast may have this shape, without the axis of windows."""
        known = [own in (None, other) for own, other in zip(self.shape, shape, strict=False)]
        return len(shape) == len(self.shape) and all(known)

    def quantiles(self, windows: Floats, *ahead: Floats) -> Float32s:
        """Return the quantiles, shape `(batch, horizon, targets, quantiles)`, as above."""
        return self.carry(windows, ahead)[0]

    def reaching(self, steps: int) -> "Runtime":
        """Return the same: beyond its own horizon, a network is fed its forecasts."""
        return self

    def carry(self, windows: Floats, states: Sequence[Floats]) -> tuple[Float32s, list[Float32s]]:
        """Forecast with a network whose states are inputs and outputs.

        Args:
            windows: Shape `(batch, timesteps, features)`, scaled.
            states: Its inputs in addition to the windows: initial states of shape `(batch, units)`,
                or what is known ahead.

        Returns:
            The forecast, shape `(batch, horizon, targets)`, and the final states.
        """
        values = [each.astype(np.float32, copy=False) for each in (windows, *states)]
        given = dict(zip(self.inputs, values, strict=True))
        seconds = seconds_for(self.size, windows, self.horizon)
        began = perf_counter()
        try:
            outputs = LIMIT.run(self.session, given, seconds)
        except (TimeoutError, *FAILURES) as error:
            raise unusable("cannot be run", error) from None
        Runtime.seconds += perf_counter() - began
        forecast, *ended = [np.asarray(each) for each in outputs]
        if len(forecast) != len(windows) or not self.makes(forecast.shape[1:]):
            raise unusable(
                f"made forecasts of shape {forecast.shape}, not {(len(windows), *self.shape)}"
            )
        return forecast, ended


def unusable(why: str, error: Exception | None = None, what: str = "network") -> ModelFileError:
    """Return the error for a network that is none, or does not run."""
    text = f": {str(error).splitlines()[0][:300]}" if error and str(error) else ""
    return ModelFileError(
        f"The {what} of the model {why}{text}.",
        "Train again, or install the latest version of onnxruntime.",
    )


def roll_out(
    runtime: Forecasting, windows: Floats, ahead: Floats | None, *, inputs: Inputs, horizon: int
) -> Forecast:
    """Forecast any number of steps; beyond its own horizon, a trained network is fed its forecasts.

    Quantiles come from the same call as the forecasts, and cover the steps of that call.

    Args:
        runtime: The network; to be fed back, it must forecast all inputs that are not known ahead.
        windows: Shape `(batch, timesteps, features)`, scaled.
        ahead: Shape `(batch, horizon, features)`, scaled: future rows, of which only what is
            known ahead is read; the last one is repeated. None where nothing is known.
        inputs: The positions of columns and covariates in a row.
        horizon: Steps ahead.

    Returns:
        Scaled, `point` of shape `(batch, horizon, targets)`.
    """
    timesteps = windows.shape[1]
    runtime = runtime.reaching(horizon) if horizon > runtime.horizon else runtime
    parts, quantiles, done = list[Floats](), None, 0
    while done < horizon:
        known = _known(runtime, ahead, inputs, done)
        if not done and runtime.quantile_count:
            quantiles = runtime.quantiles(windows, *known)
            parts.append(quantiles[..., runtime.quantile_count // 2])
        else:
            parts.append(runtime(windows, *known))
        steps = min(parts[-1].shape[1], horizon - done)
        done += steps
        if done == horizon:
            break
        rows = np.full((len(windows), steps, inputs.features), np.nan, np.float32)
        if ahead is not None:
            places = list(inputs.known)
            rows[..., places] = ahead[:, done - steps : done, places]
        rows[..., list(inputs.targets)] = parts[-1][:, :steps]
        windows = np.concatenate([windows, rows], axis=1)[:, -timesteps:]
    point = np.concatenate(parts, axis=1)[:, :horizon].astype(np.float64)
    return Forecast(point, None if quantiles is None else quantiles.astype(np.float64))


def _known(runtime: Forecasting, ahead: Floats | None, inputs: Inputs, done: int) -> list[Floats]:
    """Return what is known ahead for the next call, shape `(batch, horizon, known)`, if anything.

    `ahead` has shape `(batch, horizon, features)`, scaled; its last row is repeated. `done` steps
    are forecast so far.
    """
    if ahead is None or not inputs.ahead:
        return []
    steps = np.minimum(np.arange(done, done + runtime.horizon), ahead.shape[1] - 1)
    return [ahead[:, steps][..., list(inputs.ahead)]]


def batch_size(*, timesteps: int, features: int) -> int:
    """Return how many windows fit into little memory."""
    return max(1, BATCH_VALUES // (timesteps * features))


def chunks(origins: Ints, *, timesteps: int, features: int) -> list[Ints]:
    """Split origins, shape `(samples,)`, into batches whose windows fit into little memory."""
    size = batch_size(timesteps=timesteps, features=features)
    return [origins[first : first + size] for first in range(0, len(origins), size)]


def forecast_origins(
    runtime: Forecasting,
    scaled: Floats,
    origins: Ints,
    *,
    inputs: Inputs,
    timesteps: int,
    horizon: int,
    ahead: Floats | None = None,
) -> Forecast:
    """Forecast from each origin, the row of the first target, on the rows before it.

    Args:
        runtime: The network.
        scaled: Shape `(n_rows, features)`, all series end to end.
        origins: Shape `(samples,)`, each with `timesteps` rows of its series before it, and, where
            something is known ahead, `horizon` from it on.
        inputs: The positions of columns and covariates in a row.
        timesteps: Rows of an input window.
        horizon: Steps ahead, any number.
        ahead: Shape `(samples, horizon, features)`, scaled: the rows from each origin on, of which
            what is known ahead is read; those of `scaled` where None.

    Returns:
        Scaled, `point` of shape `(samples, horizon, targets)`.
    """
    windows = gather(scaled, origins - timesteps, timesteps=timesteps)
    if ahead is None and inputs.known:
        ahead = gather(scaled, origins, timesteps=horizon)
    return roll_out(runtime, windows, ahead, inputs=inputs, horizon=horizon)


# The most memory of all networks of a process, in bytes: several times what the widest need.
MOST_MEMORY = 2 * 1024**3
# Seconds that any call may take, and operations a second of a machine that is slow a hundredfold.
LEAST_SECONDS, SLOWEST = 10.0, 1e8
# How often the time is looked at, in seconds.
TICK = 0.25
# What goes wrong in ONNX Runtime, by its own name or by that of C++.
FAILURES = (
    MemoryError,
    RuntimeError,
    ValueError,
    *(
        getattr(onnxruntime.capi.onnxruntime_pybind11_state, name)
        for name in (
            "EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf",
            "NotImplemented", "RuntimeException",
        )
    ),
)  # fmt: skip


def session_options() -> Any:
    """Return the options of a session that takes its memory from that of all networks."""
    _share_memory()
    options = onnxruntime.SessionOptions()
    # Errors are raised, and need not be printed too.
    options.log_severity_level = 4
    options.add_session_config_entry("session.use_env_allocators", "1")
    # The numbers of a network are as large as its file, and are not counted.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return options


@cache
def _share_memory() -> None:
    """Make the memory of all networks of this process, once; none is taken before it is used."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    arena = onnxruntime.OrtArenaCfg(MOST_MEMORY, -1, -1, -1)
    onnxruntime.create_and_register_allocator(memory, arena)


def seconds_for(size: int, windows: np.ndarray[Any, Any], horizon: int) -> float:
    """Return how many seconds a call may take: each number of a network is used at each step.

    The network has `size` bytes, and makes `horizon` steps of each of the windows, shape
    `(batch, timesteps, features)`.
    """
    batch, timesteps, features = windows.shape
    return LEAST_SECONDS + float(batch * (timesteps + horizon) * features * size) / SLOWEST


class TimeLimit:
    """Ends calls that take too long; one thread watches one call after the other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.watched: dict[int, tuple[float, Any]] = {}
        self.awake = threading.Event()
        self.thread: threading.Thread | None = None

    def run(self, session: Any, inputs: dict[str, Any], seconds: float) -> list[Any]:
        """Run a network for at most so many seconds.

        Raises:
            TimeoutError: It took longer.
        """
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        deadline = time.monotonic() + seconds
        with self.lock:
            self.watched[id(options)] = deadline, options
            if self.thread is None:
                self.thread = threading.Thread(target=self._watch, daemon=True)
                self.thread.start()
        self.awake.set()
        try:
            outputs: list[Any] = session.run(None, inputs, options)
            return outputs
        except FAILURES:
            if options.terminate:
                raise TimeoutError(f"it ran for more than {seconds:,.0f} seconds") from None
            raise
        finally:
            with self.lock:
                del self.watched[id(options)]

    def _watch(self) -> None:
        """Look at all calls now and then, for as long as there are some."""
        while True:
            self.awake.wait()
            with self.lock:
                for deadline, options in self.watched.values():
                    if time.monotonic() > deadline:
                        options.terminate = True
                if not self.watched:
                    self.awake.clear()
            time.sleep(TICK)


LIMIT = TimeLimit()
