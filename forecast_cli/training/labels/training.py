"""Train a model on sequences with a label."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import numpy as np

from ...config.model_name import name_model
from ...config.schema import Config
from ...core.events import Listener, Note, Stage
from ...data.io.tables import Readable
from ...data.sequences import read_sequences
from ...data.splits import PARTS
from ...forecasting.label_prediction import pad_sequences
from ...model.bundle import Bundle
from ...model.checkpoints import Checkpoints
from ...model.manifest import (
    LabelAxis,
    LabelEvaluation,
    LayerRow,
    Manifest,
    SplitRows,
)
from ...model.runtime import Runtime
from ..checkpointing import begin_checkpoints, describe_labels
from ..effort import require_room, with_time
from ..fitting import PROBES, Fitted, Trained, fit_network, keep, report_ending
from ..model_assembly import make_run, scaling_numbers, stored_config
from .datasets import LabelledDataset, make_labelled, on_all
from .evaluation import evaluate_labels

# Up to so many columns are listed by name.
MOST_NAMED = 12


def train_on_labels(
    source: Readable,
    config: Config,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
    checkpoints: Checkpoints | None = None,
) -> Bundle:
    """Train a network on sequences with a label; see `forecast_cli.training.pipeline.train`."""
    began = time.perf_counter()
    on_event(Stage("reading"))
    sequences = read_sequences(source, config.data, on_event=on_event)
    dataset = make_labelled(sequences, config, on_event=on_event)
    _describe(dataset, on_event)
    began -= begin_checkpoints(checkpoints, partial(describe_labels, dataset), on_event)
    require_room(dataset.config)
    on_event = with_time(on_event, dataset.config)
    learn = partial(_train, checkpoints=checkpoints)
    scored = learn(dataset, on_event=on_event, should_stop=should_stop)
    report_ending(scored.fitted, on_event)
    on_event(Stage("scoring", unit="evaluation"))
    evaluation = evaluate_labels(dataset, Runtime(scored.fitted.onnx))
    if evaluation is None:
        on_event(Note("no test split: nothing is scored"))
    kept = keep(scored, on_all, learn, on_event=on_event, should_stop=should_stop)
    return _bundle(scored, kept, evaluation, seconds=time.perf_counter() - began)


def _train(
    dataset: LabelledDataset,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
    before: Fitted | None = None,
    checkpoints: Checkpoints | None = None,
) -> Trained[LabelledDataset]:
    """Train a network on the training split, and export it."""
    on_event(Stage("loading TensorFlow", unit="refit" if before else ""))
    from ...networks.batches import LabelFeed

    train, indptr = dataset.parts["train"], dataset.sequences.indptr
    feed = LabelFeed(
        values=dataset.scaled,
        indptr=indptr,
        labels=dataset.targets,
        train=train,
        validation=dataset.parts["validation"],
        timesteps=dataset.timesteps,
    )
    probes = pad_sequences(
        dataset.scaled, indptr, train[:: 1 + len(train) // PROBES], dataset.timesteps
    )
    activation = "softmax" if dataset.classes else "linear"
    fitted = fit_network(
        dataset.config,
        feed,
        [probes],
        activation=activation,
        before=before,
        checkpoints=checkpoints,
        on_event=on_event,
        should_stop=should_stop,
    )
    return Trained(dataset, fitted)


def _describe(dataset: LabelledDataset, on_event: Listener) -> None:
    """Note what was read and how it is split."""
    sequences, lengths = dataset.sequences, dataset.sequences.lengths
    steps = f"{lengths.min()} to {lengths.max()}" if len(set(lengths.tolist())) > 1 else lengths[0]
    columns = sequences.columns
    named = ", ".join(columns if len(columns) <= MOST_NAMED else (*columns[:3], "...", columns[-1]))
    on_event(Note(f"steps from {len(columns)} columns: {named}"))
    parts = [f"{len(dataset.parts[part]):,} {part}" for part in PARTS]
    on_event(
        Note(
            f"{sequences.source}: {len(sequences):,} sequences of {steps} steps of "
            f"{len(sequences.features)} {'feature' if len(sequences.features) == 1 else 'features'}"
            f"; {', '.join(parts)}"
        )
    )


def _bundle(
    scored: Trained[LabelledDataset],
    kept: Trained[LabelledDataset],
    evaluation: LabelEvaluation | None,
    *,
    seconds: float,
) -> Bundle:
    """Return the model to save."""
    dataset, fitted = scored.dataset, kept.fitted
    sequences = dataset.sequences
    manifest = Manifest(
        **name_model(dataset.config)._asdict(),
        config=stored_config(dataset.config),
        features=sequences.features,
        targets=(),
        time=None,
        scaling=scaling_numbers(kept.dataset.scaling),
        splits=SplitRows(**{part: len(dataset.parts[part]) for part in PARTS}),
        evaluation=evaluation,
        labels=LabelAxis(
            names=dataset.config.data.label,
            columns=sequences.columns,
            classes=dataset.classes,
            scaling=scaling_numbers(kept.dataset.label_scaling),
        ),
        layers=tuple(LayerRow(**row) for row in fitted.layers),
        run=make_run(
            scored.fitted,
            refitted=kept is not scored,
            windows=len(dataset.parts["train"]),
            seconds=seconds,
        ),
        rows=len(sequences),
    )
    nothing = np.empty((0, len(sequences.features)))
    epochs = [asdict(epoch) for epoch in scored.fitted.epochs]
    return Bundle(manifest, fitted.onnx, fitted.weights, nothing, epochs)
