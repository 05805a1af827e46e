"""A model as Keras or TensorFlow keeps it."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...model.bundle import Bundle


def export_keras(bundle: Bundle) -> bytes:
    """Return a model as a `.keras` file.

    It reads and makes scaled values; layers of this package come with it where it is installed.
    """
    network = _network(bundle)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.keras")
        network.save(path)
        return path.read_bytes()


def export_saved_model(bundle: Bundle) -> dict[str, bytes]:
    """Return the files of a SavedModel of TensorFlow, which needs nothing of this package."""
    network = _network(bundle)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        files = [each for each in Path(folder).rglob("*") if each.is_file()]
        return {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the libraries warn of each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _network(bundle: Bundle) -> Any:
    """Return the Keras model of a model, with its weights."""
    from ...networks.batches import WindowFeed
    from ...training.combined_network import restore

    manifest, horizon = bundle.manifest, bundle.runtime.horizon
    inputs, none = manifest.columns.inputs, np.empty(0, np.int64)
    values = np.empty((0, inputs.features), np.float32)

    def feed(timesteps: int) -> WindowFeed:
        return WindowFeed(values, inputs, none, none, timesteps, horizon)

    return restore(manifest.config, feed, bundle.weights, bundle.effects)[1]
