"""From a trained network to the model that is saved."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .config import Config
from .core.windows import Floats
from .data.missing import fill_missing
from .data.splits import everything
from .datasets import Dataset
from .events import Epoch
from .model.bundle import Bundle
from .model.manifest import (
    Ending,
    Evaluation,
    LayerRow,
    Manifest,
    Run,
    ScalingNumbers,
    SplitRows,
    TimeAxis,
)
from .model.runtime import Runtime
from .model.walk import Walk, joined

LIBRARIES = (
    "forecast-cli", "tensorflow", "keras", "numpy", "pandas", "scikit-learn", "onnx", "tf2onnx",
    "onnxruntime",
)  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A network after its epochs.

    Args:
        dataset: What it learned from.
        config: How.
        onnx: The network for prediction.
        weights: Its weights, in Keras's HDF5 form.
        layers: A row for each layer, as in Keras's summary.
        epochs: What happened.
        interrupted: Whether somebody stopped it.
    """

    dataset: Dataset
    config: Config
    onnx: bytes
    weights: bytes
    layers: list[dict[str, Any]]
    epochs: list[Epoch]
    interrupted: bool

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are kept."""
        if not self.config.training.patience:
            return len(self.epochs)
        return max(epoch.number for epoch in self.epochs if epoch.best)

    @property
    def ending(self) -> Ending:
        """Why there were no more epochs."""
        if self.interrupted:
            return "interrupted"
        return "epochs" if len(self.epochs) == self.config.training.epochs else "patience"


def make_bundle(
    scored: Trained, kept: Trained, evaluation: Evaluation | None, *, seconds: float
) -> Bundle:
    """Put together what is saved.

    Args:
        scored: The network that was trained on the training split and scored on the test split.
        kept: The one that is to predict: the same, or one refitted on all rows.
        evaluation: The scores.
        seconds: Wall time of the whole training.
    """
    dataset, scaling = scored.dataset, kept.dataset.scaling
    manifest = Manifest(
        config=dataset.config,
        features=dataset.panel.columns.features,
        targets=dataset.panel.columns.targets,
        time=_time_axis(dataset),
        scaling=ScalingNumbers(center=tuple(scaling.center), scale=tuple(scaling.scale)),
        splits=_split_rows(dataset),
        evaluation=evaluation,
        layers=tuple(LayerRow(**row) for row in kept.layers),
        run=_run(scored, kept, seconds),
        rows=len(dataset.filled),
    )
    # Filled as a table that comes to predict is: nothing of the future is left to be hidden.
    panel, missing = dataset.panel, dataset.config.data.missing
    filled = fill_missing(panel.values, everything(panel), missing, source=panel.source)
    history = filled[-dataset.timesteps :]
    epochs = [asdict(epoch) for epoch in scored.epochs]
    state = _state_before(kept, filled) if dataset.config.network.stateful else None
    return Bundle(manifest, kept.onnx, kept.weights, history, epochs, state)


def _state_before(kept: Trained, filled: Floats) -> Floats:
    """The state of a stateful network in front of the last rows."""
    dataset = kept.dataset
    scaled = dataset.scaling.transform(filled).astype(np.float32)
    walk = Walk(Runtime(kept.onnx), scaled)
    walk.read(len(scaled) - dataset.timesteps)
    return joined(walk.states)


def _time_axis(dataset: Dataset) -> TimeAxis | None:
    timeline = dataset.panel.timeline
    if timeline is None:
        return None
    zone = timeline.times.tz
    return TimeAxis(
        column=dataset.panel.columns.time or "time",
        style=timeline.style,
        freq=timeline.frequency.alias,
        day=timeline.frequency.day,
        last=timeline.times[-1].isoformat(),
        timezone=None if zone is None else str(zone),
    )


def _split_rows(dataset: Dataset) -> SplitRows:
    splits, timeline = dataset.splits, dataset.panel.timeline
    begins = {}
    for part in ("validation", "test"):
        if timeline is not None and splits.rows(part):
            begins[f"{part}_begins"] = timeline.times[splits.bounds(part)[0][0]].isoformat()
    return SplitRows(
        train=splits.rows("train"),
        validation=splits.rows("validation"),
        test=splits.rows("test"),
        **begins,
    )


def _run(scored: Trained, kept: Trained, seconds: float) -> Run:
    dataset = scored.dataset
    return Run(
        created=datetime.now(UTC).replace(microsecond=0),
        seconds=seconds,
        epochs=len(scored.epochs),
        best_epoch=scored.best,
        stopped=scored.ending,
        refitted=kept is not scored,
        windows=len(dataset.starts("train", horizon=dataset.steps_at_once)),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    """The versions of the libraries; one that is installed under another name is left out."""
    versions = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
