"""A trained network as a checked ONNX file, and its weights, which are checked before use."""

import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import h5py
import keras
import numpy as np
import tensorflow as tf

from ..core.errors import ModelFileError, TrainingError
from ..core.windows import Floats
from ..model.runtime import Runtime
from .batches import alone
from .canonical_graph import make_canonical

TOLERANCE = 1e-5
# More groups and arrays than a file of weights has, and deeper ones.
MOST_ITEMS, DEEPEST = 100_000, 20


def export_onnx(
    network: keras.Model,
    probes: Floats,
    more: Sequence[Floats] = (),
    *,
    like: keras.Model | None = None,
) -> bytes:
    """Write the network as ONNX and compare both on probe windows.

    Args:
        network: A built network.
        probes: Shape `(samples, timesteps, features)`, scaled, at least one window.
        more: What else it takes: what is known ahead, or the states that it begins with.
        like: What it is to equal where that is another network, one that takes the first of these
            inputs alone; None for itself.

    Raises:
        TrainingError: The two differ by more than 1e-5 of the largest output (at least of 1).
    """
    inputs = [tf.constant(probes), *map(tf.constant, more)]
    reference = network if like is None else like
    outputs = reference(alone(inputs[: len(reference.inputs)]), training=False)
    expected = [np.asarray(each) for each in keras.tree.flatten(outputs)]
    data = convert(network)
    forecast, ended = Runtime(data).carry(probes, more)
    check_equal([forecast, *ended], expected)
    return data


def check_equal(exported: list[Floats], expected: list[Floats]) -> None:
    """Refuse an exported network whose outputs, of any shape, differ from those of Keras."""
    pairs = zip(exported, expected, strict=True)
    difference = max(float(np.max(np.abs(ours - theirs))) for ours, theirs in pairs)
    largest = max(float(np.max(np.abs(each))) for each in expected)
    if not difference <= TOLERANCE * max(1.0, largest):
        raise TrainingError(
            f"The exported network differs from the trained one by {difference:g}; "
            f"at most {TOLERANCE:g} was expected.",
            "Please report this with the command that you ran; nothing was saved.",
        )


def convert(network: keras.Model) -> bytes:
    """Convert the network to ONNX.

    `Model.export` gives the same graph, but traces it through an archive of a saved model, which
    takes twice the time and leaves generated source files behind.
    """
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    # tf2onnx copies the graph before each of its optimizers, unless a failure is to be an error.
    os.environ.setdefault("TF2ONNX_CATCH_ERRORS", "FALSE")
    signature = [tf.TensorSpec(each.shape, each.dtype, each.name) for each in network.inputs]
    call = tf.function(lambda *given: network(alone(list(given)), training=False), autograph=False)
    with _without_penalties(network), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _ = tf2onnx.convert.from_function(call, signature)
    make_canonical(model)
    return bytes(model.SerializeToString())


class Hdf5(io.BytesIO):
    """A file in memory, whose name tells Keras the form: a kill leaves no file on a disk."""

    def __str__(self) -> str:
        return "network.weights.h5"


def weights_bytes(network: keras.Model) -> bytes:
    """The weights in Keras's own HDF5 form, to train on."""
    with Hdf5() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.save_weights(file)
        return file.getvalue()


def with_weights(network: keras.Model, weights: bytes) -> keras.Model:
    """The network with weights that `weights_bytes` gave.

    Raises:
        ModelFileError: They are not weights of this network, or name other files.
    """
    check_weights(weights)
    with Hdf5(weights) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            network.load_weights(file)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ModelFileError(
                f"The weights of the model are not those of its network: {str(error)[:200]}.",
                "Copy the file again, or train again.",
            ) from None
    return network


def check_weights(weights: bytes) -> None:
    """Refuse links, arrays in other files, and arrays that are not stored as they are.

    Raises:
        ModelFileError: There is one, or it is no HDF5 file.
    """
    try:
        with h5py.File(io.BytesIO(weights), "r") as file:
            for number, _ in enumerate(_arrays(file, 0)):
                if number > MOST_ITEMS:
                    raise ValueError("there are too many")
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ModelFileError(
            f"The weights of the model are refused: {str(error)[:200]}.",
            "Use model files from sources that you trust, or train again.",
        ) from None


def _arrays(group: h5py.Group, depth: int) -> Iterator[str]:
    """Yield the names of all groups and arrays; a file may hold a group within itself."""
    if depth > DEEPEST:
        raise ValueError("groups are nested too deep")
    for name in group:
        yield name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name[:50]} is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _arrays(item, depth + 1)
        elif not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
            raise ValueError(f"{name[:50]} is no array of numbers")
        elif item.external or item.is_virtual or item.id.get_storage_size() != item.nbytes:
            # Compressed and unwritten arrays take more memory than the file has.
            raise ValueError(f"{name[:50]} is not stored as it is")


@contextmanager
def _without_penalties(network: keras.Model) -> Iterator[None]:
    """Leave the penalties on outputs away for a while: they are for training, and not exported."""
    layers = network.layers
    kept = [layer.activity_regularizer for layer in layers]
    for layer in layers:
        layer.activity_regularizer = None
    try:
        yield
    finally:
        for layer, penalty in zip(layers, kept, strict=True):
            layer.activity_regularizer = penalty
