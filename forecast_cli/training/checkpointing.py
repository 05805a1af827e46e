"""What a run depends on: an unfinished one is resumed where all of that is equal."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.schema import Config
from ..core.errors import Interrupted
from ..core.events import Listener
from ..data.dataset import Dataset
from ..data.panel import Panel, add_panel
from ..model.checkpoints import Checkpoints, Keeper, Part, library_versions

if TYPE_CHECKING:
    from .labels.datasets import LabelledDataset

Marks = Mapping[str, str]


def begin_checkpoints(
    checkpoints: Checkpoints | None, job: Callable[[], Marks], on_event: Listener
) -> float:
    """Find the unfinished run that is to be resumed; return the seconds it had taken.

    Args:
        checkpoints: Where it is looked for; None for nowhere.
        job: Returns digests of what the run depends on.
        on_event: Notified of an unfinished run.

    Raises:
        UsageError: The unfinished run is another one.
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


def describe_run(command: str, panel: Panel, settings: Any) -> Marks:
    """Return digests of what a run of several trainings depends on.

    Args:
        command: That makes such runs.
        panel: The table.
        settings: All of its settings, as JSON values.
    """
    data = hashlib.sha256()
    add_panel(data.update, panel)
    text = json.dumps(settings, sort_keys=True)
    return {
        "command": command,
        "data": data.hexdigest(),
        "settings": hashlib.sha256(text.encode()).hexdigest(),
        "versions": library_versions(),
    }


def part_of(run: Checkpoints | None, dataset: Dataset) -> Part | None:
    """Return the checkpoints of a training within a run of several; None where none are kept."""
    return None if run is None else run.part(describe_dataset(dataset))


def _marks(data: str, config: Config, start: bytes) -> Marks:
    return {
        "data": data,
        "settings": hashlib.sha256(config.model_dump_json().encode()).hexdigest(),
        "start": hashlib.sha256(start).hexdigest(),
        "versions": library_versions(),
    }


def stop(checkpoints: Keeper | None, finished: str) -> Interrupted:
    """Write what is finished, and return the error of a training that was stopped.

    Args:
        checkpoints: Where that is kept; None for nowhere.
        finished: What is trained, as the beginning of a sentence.
    """
    text = f"Stopped; {finished} are trained"
    if checkpoints is None:
        return Interrupted(f"{text}, and no model is saved.")
    checkpoints.write()
    return Interrupted(f"{text}: repeat the command with `resume=true` to go on.")
