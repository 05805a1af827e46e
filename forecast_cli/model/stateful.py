"""A stateful network along the rows of a series, and its state between two predictions."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ..config.layers import Frozen
from ..core.errors import ModelFileError
from ..core.windows import Floats, Ints
from .bundle import Bundle
from .file_writing import write_whole
from .runtime import BATCH_VALUES, Float32s, Runtime


class Walk:
    """Reads rows in order, and forecasts from any of them.

    Args:
        runtime: A network whose states are inputs and outputs.
        scaled: Shape `(n_rows, features)`, scaled, all rows of one series.
        states: The initial states, each of shape `(1, units)`; zeros where None.
    """

    def __init__(
        self, runtime: Runtime, scaled: Floats, states: Sequence[Floats] | None = None
    ) -> None:
        self.runtime = runtime
        self.scaled = scaled
        self.states = zeros(runtime) if states is None else list(states)
        self.row = 0

    def read(self, row: int) -> Float32s | None:
        """Read up to a row, and forecast from there: shape `(1, horizon, targets)`, scaled.

        Args:
            row: The number of the row after the last one to read.

        Returns:
            None where the row was read before.
        """
        if row <= self.row:
            return None
        step = max(1, BATCH_VALUES // self.scaled.shape[1])
        for first in range(self.row, row, step):
            rows = self.scaled[None, first : min(first + step, row)]
            forecast, self.states = self.runtime.carry(rows, self.states)
        self.row = row
        return forecast

    def forecast(self, origins: Ints, *, horizon: int) -> Float32s:
        """Forecast from each origin, the row of the first target, on all rows before it.

        Args:
            origins: Shape `(samples,)`, ascending, after the rows already read.
            horizon: Steps ahead, any number.

        Returns:
            Shape `(samples, horizon, targets)`, scaled.
        """
        firsts, states = [], []
        for origin in origins.tolist():
            first = self.read(origin)
            if first is None:
                raise ValueError(f"row {origin} was read already: the walk is at row {self.row}")
            firsts.append(first)
            states.append(self.states)
        ahead = [np.concatenate(parts) for parts in zip(*states, strict=True)]
        return feed_back(self.runtime, np.concatenate(firsts), ahead, horizon=horizon)


def feed_back(
    runtime: Runtime, first: Float32s, states: Sequence[Floats], *, horizon: int
) -> Float32s:
    """Continue forecasts from their own values, shape `(samples, horizon, targets)`, scaled.

    Args:
        runtime: A network whose states are inputs and outputs.
        first: Shape `(samples, steps, targets)`, scaled: what it forecasts from the last rows.
        states: Its states after those rows, each of shape `(samples, units)`.
        horizon: Steps ahead, any number.
    """
    parts = [first]
    while sum(part.shape[1] for part in parts) < horizon:
        following, states = runtime.carry(parts[-1], states)
        parts.append(following)
    return np.concatenate(parts, axis=1)[:, :horizon]


def zeros(runtime: Runtime) -> list[Floats]:
    """Return the initial states of a network, zeros of shape `(1, units)` each."""
    return [np.zeros((1, width), np.float32) for width in runtime.widths]


def joined(states: Sequence[Floats]) -> Floats:
    """Return the states of one sample, shape `(1, units)` each, as one array `(all units,)`."""
    return np.concatenate([each[0] for each in states])


def parted(runtime: Runtime, state: Floats) -> list[Floats]:
    """Return the states of one sample, shape `(1, units)` each, from one array `(all units,)`."""
    cuts = np.cumsum(runtime.widths)[:-1]
    return [each[None] for each in np.split(state, cuts)]


class State(Frozen):
    """The state of a stateful network after some rows.

    Args:
        model: SHA-256 of the weights of the network.
        last: Time of the last row read, ISO 8601; None where rows are steps.
        rows: Number of rows read so far.
        values: The states of all layers, end to end.
    """

    model: str
    last: str | None
    rows: int
    values: tuple[float, ...]

    @property
    def array(self) -> Floats:
        """The states as an array, shape `(units,)`."""
        return np.array(self.values, np.float32)


def make_state(bundle: Bundle, array: Floats, *, last: str | None, rows: int) -> State:
    """Return the state of a model's network.

    Args:
        bundle: The model.
        array: Shape `(units,)`: the states of all layers, end to end.
        last: Time of the last row read, ISO 8601; None where rows are steps.
        rows: Number of rows read so far.
    """
    return State(model=weights_sum(bundle), last=last, rows=rows, values=tuple(array.tolist()))


def load_state(path: str | os.PathLike[str], bundle: Bundle) -> State | None:
    """Read a state; None where there is no file yet.

    Raises:
        ModelFileError: The file is no state, or that of another model.
    """
    try:
        state = State.model_validate_json(Path(path).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError):
        raise ModelFileError(
            f"{os.fspath(path)} is not the state of a network.",
            "Give a file written with `state`, or another path.",
        ) from None
    if state.model != weights_sum(bundle):
        raise ModelFileError(
            f"{os.fspath(path)} holds the state of another network.",
            "Remove it to start from the model's own state, or pass another `state`.",
        )
    return state


def save_state(state: State, path: str | os.PathLike[str]) -> None:
    """Write the state whole or not at all."""
    write_whole(Path(path), state.model_dump_json().encode())


def weights_sum(bundle: Bundle) -> str:
    """Return the SHA-256 of the weights of a model, by which its states know it."""
    return hashlib.sha256(bundle.weights).hexdigest()
