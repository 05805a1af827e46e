"""Training, from a table to a model."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from .config import Config
from .core.windows import gather
from .data.dateforms import write_dates
from .data.panel import read_panel
from .data.splits import PARTS
from .data.tables import Readable
from .datasets import Dataset, make_dataset, on_all_rows
from .evaluation import evaluate
from .events import Epoch, Listener, Note, Stage, ignore
from .model.bundle import Bundle
from .model.manifest import LayerRow, Manifest, Run, ScalingNumbers, SplitRows, TimeAxis
from .model.runtime import Runtime

if TYPE_CHECKING:
    import keras

PROBES = 32
LIBRARIES = (
    "forecast-cli",
    "tensorflow",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "onnx",
    "tf2onnx",
    "onnxruntime",
)


@dataclass(frozen=True)
class Trained:
    """A network after its epochs.

    Args:
        network: With the weights that are kept.
        epochs: What happened.
        best: The number of the epoch whose weights are kept.
        stopped: Why there were no more epochs.
    """

    network: "keras.Model"
    epochs: list[Epoch]
    best: int
    stopped: Literal["epochs", "patience", "interrupted"]


def train(
    source: Readable, config: Config, *, listen: Listener = ignore, stop: Callable[[], bool] = bool
) -> Bundle:
    """Train a network on columns of a table.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: What to train; what it leaves open is chosen by rule.
        listen: Told what was understood and how it goes.
        stop: Asked after each epoch whether to stop and keep the best so far.

    Raises:
        DataError: The table does not hold what is needed; said before TensorFlow is loaded.
        TrainingError: The loss is not finite.
    """
    began = time.perf_counter()
    listen(Stage("reading"))
    dataset = make_dataset(read_panel(source, config.data, listen=listen), config, listen=listen)
    _describe(dataset, listen)
    listen(Stage("loading TensorFlow"))
    trained = _fit(dataset, dataset.config, listen, stop)
    onnx, weights = _exported(dataset, trained.network, listen)
    listen(Stage("scoring"))
    evaluation = evaluate(dataset, Runtime(onnx))
    final = dataset
    if dataset.config.training.refit and trained.stopped != "interrupted":
        listen(Note(f"training again on all rows, for {trained.best} epochs"))
        final = on_all_rows(dataset)
        again = _fit(final, _for_epochs(dataset.config, trained.best), listen, stop)
        onnx, weights = _exported(final, again.network, listen)
    manifest = Manifest(
        config=dataset.config,
        features=dataset.panel.columns.features,
        targets=dataset.panel.columns.targets,
        time=_time_axis(dataset),
        scaling=ScalingNumbers(
            center=tuple(final.scaling.center), scale=tuple(final.scaling.scale)
        ),
        splits=_split_rows(dataset),
        evaluation=evaluation,
        layers=_layers(trained.network),
        run=_run(
            dataset, trained, refitted=final is not dataset, seconds=time.perf_counter() - began
        ),
        rows=len(dataset.filled),
    )
    return Bundle(
        manifest,
        onnx,
        weights,
        final.filled[-dataset.timesteps :],
        [asdict(epoch) for epoch in trained.epochs],
    )


def _describe(dataset: Dataset, listen: Listener) -> None:
    """Say what was read and how it is split."""
    panel, splits = dataset.panel, dataset.splits
    rows = f"{panel.source}: {len(panel.values):,} rows"
    if panel.timeline is not None:
        times = write_dates(panel.timeline.times[[0, -1]], panel.timeline.style)
        rows += f", {times[0]} to {times[1]}, {panel.timeline.frequency.name}"
    parts = [f"{splits.rows(part):,} {part}" for part in PARTS]
    listen(Note(f"{rows}; {', '.join(parts)}"))


def _fit(dataset: Dataset, config: Config, listen: Listener, stop: Callable[[], bool]) -> Trained:
    from .nn.build import build
    from .nn.feed import Feed
    from .nn.fit import fit

    columns = dataset.panel.columns
    steps = dataset.steps_at_once
    network = build(
        config.network,
        timesteps=dataset.timesteps,
        features=len(columns.features),
        outputs=(steps, len(columns.targets)),
        seed=config.training.seed,
    )
    feed = Feed(
        dataset.scaled,
        columns.target_places,
        dataset.starts("train", horizon=steps),
        dataset.starts("validation", horizon=steps),
        dataset.timesteps,
        steps,
    )
    listen(Stage("training"))
    epochs: list[Epoch] = []
    interrupted = False
    with closing(fit(network, feed, config.training)) as running:
        for epoch in running:
            epochs.append(epoch)
            listen(epoch)
            if interrupted := stop():
                break
    best = max((e.number for e in epochs if e.best), default=0) if config.training.patience else 0
    ended: Literal["epochs", "patience"] = (
        "epochs" if len(epochs) == config.training.epochs else "patience"
    )
    return Trained(network, epochs, best or len(epochs), "interrupted" if interrupted else ended)


def _exported(dataset: Dataset, network: "keras.Model", listen: Listener) -> tuple[bytes, bytes]:
    from .nn.export import export_onnx, weights_bytes

    listen(Stage("exporting"))
    starts = dataset.starts("train", horizon=dataset.steps_at_once)
    probes = gather(
        dataset.scaled, starts[:: max(1, len(starts) // PROBES)], timesteps=dataset.timesteps
    )
    return export_onnx(network, probes), weights_bytes(network)


def _layers(network: "keras.Model") -> tuple[LayerRow, ...]:
    from .nn.build import layer_rows

    return tuple(LayerRow(**row) for row in layer_rows(network))


def _for_epochs(config: Config, epochs: int) -> Config:
    """The configuration for a refit: so many epochs, and the last weights."""
    training = config.training.model_copy(update={"epochs": epochs, "patience": 0})
    return config.model_copy(update={"training": training})


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
    begins: dict[str, Any] = {}
    for part in ("validation", "test"):
        if timeline is not None and splits.rows(part):
            begins[f"{part}_begins"] = timeline.times[splits.bounds(part)[0][0]].isoformat()
    return SplitRows(
        train=splits.rows("train"),
        validation=splits.rows("validation"),
        test=splits.rows("test"),
        **begins,
    )


def _run(dataset: Dataset, trained: Trained, *, refitted: bool, seconds: float) -> Run:
    return Run(
        created=datetime.now(UTC).replace(microsecond=0),
        seconds=seconds,
        epochs=len(trained.epochs),
        best_epoch=trained.best,
        stopped=trained.stopped,
        refitted=refitted,
        windows=len(dataset.starts("train", horizon=dataset.steps_at_once)),
        versions={name: version(name) for name in LIBRARIES},
    )
