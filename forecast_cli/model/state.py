"""The state of a stateful network between two predictions, as a JSON file."""

import hashlib
import os
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from ..config.layers import Frozen
from ..core.errors import ModelFileError
from ..core.windows import Floats
from .bundle import Bundle
from .file_writing import write_whole


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
