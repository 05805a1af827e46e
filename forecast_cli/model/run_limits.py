"""Limits of memory and time within which ONNX Runtime runs networks, regardless of their nodes."""

import threading
import time
from functools import cache
from typing import Any

import numpy as np
import onnxruntime

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
