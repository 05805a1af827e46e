"""What a training depends on: an unfinished one is resumed where all of that is equal."""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..config.schema import Config
from ..core.events import Listener
from ..data.dataset import Dataset
from ..data.fingerprint import add_panel
from ..model.checkpoints import Checkpoints, library_versions

if TYPE_CHECKING:
    from .labels.datasets import LabelledDataset

Marks = Mapping[str, str]


def begin_checkpoints(
    checkpoints: Checkpoints | None, job: Callable[[], Marks], on_event: Listener
) -> float:
    """Find the unfinished training that is to be resumed; return the seconds it had taken.

    Args:
        checkpoints: Where it is looked for; None for nowhere.
        job: Returns digests of what the training depends on.
        on_event: Notified of an unfinished training.

    Raises:
        UsageError: The unfinished training is another one.
    """
    if checkpoints is None:
        return 0.0
    checkpoints.begin(job, on_event)
    return checkpoints.elapsed


def describe_dataset(dataset: Dataset, *, start: bytes = b"") -> Marks:
    """Return digests of what a training on a table depends on.

    Args:
        dataset: The data and the resolved configuration.
        start: The weights of the model that it starts from; empty for none.
    """
    data = hashlib.sha256()
    add_panel(data.update, dataset.panel)
    # The scaler may be that of another model.
    data.update(np.ascontiguousarray(dataset.scaled).tobytes())
    return _marks(data.hexdigest(), dataset.config, start)


def describe_labels(dataset: "LabelledDataset") -> Marks:
    """Return digests of what a training on sequences with a label depends on."""
    data = hashlib.sha256()
    for array in (dataset.scaled, dataset.sequences.indptr, dataset.targets):
        data.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return _marks(data.hexdigest(), dataset.config, b"")


def _marks(data: str, config: Config, start: bytes) -> Marks:
    return {
        "data": data,
        "settings": hashlib.sha256(config.model_dump_json().encode()).hexdigest(),
        "start": hashlib.sha256(start).hexdigest(),
        "versions": library_versions(),
    }
