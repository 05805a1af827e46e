"""Train the networks for a dataset, and combine them into one forecast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache, partial
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines.effects import Effects
from ..config.members import list_members, of_first
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..core.libraries import require_training
from ..core.memory import GB, spare_memory, used_memory
from ..core.scaling import Units
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..data.stored_rows import StoredRows
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.checkpoints import Keeper
from ..model.history import TrainingHistory
from ..model.mc_dropout import MonteCarlo
from ..model.pretrained import open_pretrained
from ..model.pretrained_member import open_member
from ..model.runtime import Runtime
from .effect_removal import Adjusted, adjust
from .ensemble_fitting import Combination, fit_combination, network_inputs
from .fitting import PROBES, Fitted, Trained, export, name_trained
from .member_share import with_member
from .pretrained import make_trainer, take_finetuned, take_pretrained

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed
    from ..networks.ensemble_training import EnsembleTrainer

# Seconds of a time budget that are reserved for the export and the scores.
EXPORTING = 3.0
# The share of a time budget that is reserved for forecasts of the pretrained network.
FORECASTING = 0.05
# An ensemble leaves a network out whose training is interrupted before this share of its epochs:
# at half all networks measured were within 4 % of the validated error of their whole training, at
# 30 % within 8 % (docs/presets.md).
SHARE = 0.5
# The time of a refit on all rows, as a multiple of that of the first training.
REFIT = 1.3
# What a training in blocks needs beside its rows: the compiled network, a batch, and later the
# scores; how often each row is held, in bytes of a number, and what its window needs: its place,
# shuffled, and in batches.
TRAINING_BYTES, COPIES, FLOAT, WINDOW_BYTES = 350_000_000, 2, 4, 20
# The places of rows are 32-bit numbers.
MOST_ROWS = 2**31 - 1


def train_network(
    dataset: Dataset,
    *,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    before: Fitted | None = None,
    initial: bytes | None = None,
    deadline: float | None = None,
    effects: Sequence[Effects] | None = None,
    checkpoints: Keeper | None = None,
) -> Trained[Dataset]:
    """Build the networks for a dataset, train them, and export their forecast.

    Args:
        dataset: The data and the resolved configuration; it may ask for the pretrained network.
        on_event: Notified of each epoch.
        should_stop: Called after each epoch; True stops the training.
        before: An earlier training whose numbers of epochs and ensemble weights are used, and the
            effects that it found worth while.
        initial: Initial weights of the same architecture, in Keras's HDF5 form; None to draw them.
        deadline: End of training and refit, by `time.perf_counter`; None: by the time budget.
        effects: Of covariates on each target, by an earlier training; None to estimate them.
        checkpoints: Where an unfinished training is kept and found; None to keep none.
    """
    if dataset.config.network.pretrained:
        return _use_pretrained(dataset, before, deadline, checkpoints, on_event, should_stop)
    require_training("Training")
    adjusted = adjust(dataset, effects, on_event, before.effects if before else None)
    dataset, training = adjusted.dataset, adjusted.dataset.config.training
    if deadline is None and training.time_budget is not None:
        deadline = time.perf_counter() + training.time_budget
    on_event(Stage("loading TensorFlow", unit="refit" if before else ""))
    feeds = cache(partial(make_feed, adjusted.rest))
    trainer = _trainer(adjusted, feeds, initial, before, checkpoints)
    networks, courses = _train_members(trainer, deadline, on_event, should_stop)
    if before is not None and courses[-1].interrupted:
        # An interrupted refit is discarded.
        return Trained(dataset, replace(before, courses=tuple(courses)))
    made = _export_trained(adjusted, feeds, networks, courses, before, on_event)
    return with_member(made, before)


def _use_pretrained(
    dataset: Dataset,
    before: Fitted | None,
    deadline: float | None,
    checkpoints: Keeper | None,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Trained[Dataset]:
    """Take the pretrained network, or train it further; arguments as in `train_network`."""
    if not dataset.config.network.finetuned:
        return take_pretrained(dataset)
    require_training("Training")
    on_event(Stage("loading TensorFlow", unit="refit" if before else ""))
    trainer = make_trainer(dataset, before, checkpoints)
    if trainer is None:
        on_event(Note("no window with a whole horizon to train on: nothing is trained"))
        config = dataset.config.changed(network={"finetuned": False})
        return take_pretrained(replace(dataset, config=config))
    networks, courses = _train_members(trainer, deadline, on_event, should_stop)
    if before is not None and courses[0].interrupted:
        return Trained(dataset, replace(before, courses=tuple(courses)))
    return take_finetuned(dataset, trainer, networks[0], courses[0], on_event)


def _export_trained(
    adjusted: Adjusted,
    feeds: Callable[[int], "WindowFeed"],
    networks: Sequence[Any],
    courses: Sequence[TrainingHistory],
    before: Fitted | None,
    on_event: Listener,
) -> Trained[Dataset]:
    """Export what was trained: fewer networks where the time was short, or it was interrupted."""
    config, count = adjusted.dataset.config, len(networks)
    if courses[-1].interrupted:
        count = count_trained(courses)
        on_event(Note(describe_interruption(courses, config.ensemble.size), warning=True))
    adjusted = adjusted.with_config(of_first(config, count))
    networks, kept = networks[:count], courses[:count]
    feed = feeds(adjusted.dataset.timesteps)
    shares = None if before is None else before.shares
    made = _export_combined(adjusted, feed, networks, kept, shares, on_event)
    return replace(made, fitted=replace(made.fitted, cut=count < len(courses)))


def count_trained(courses: Sequence[TrainingHistory]) -> int:
    """Return how many networks an interrupted training keeps: the last has to be trained enough.

    The first is kept however short its training was, since there is no model without a network.
    """
    last = courses[-1]
    short = last.interrupted and len(last.epochs) < SHARE * last.epochs[-1].epochs
    return max(1, len(courses) - short)


def describe_interruption(courses: Sequence[TrainingHistory], size: int) -> str:
    """Return which networks an interrupted training has left, as a note.

    Args:
        courses: Of the networks whose training began, the last one interrupted.
        size: How many networks there were to be.
    """
    count, epochs = count_trained(courses), courses[-1].epochs
    text = f"interrupted after {len(epochs)} of {epochs[-1].epochs} epochs"
    if size == 1:
        return f"{text}: the model has the best weights so far"
    text += f" of network {len(courses)}"
    if count < len(courses):
        text += ", which is left out"
    return f"{text}: the model has {count} of {size} networks"


def _trainer(
    adjusted: Adjusted,
    feeds: Callable[[int], "WindowFeed"],
    initial: bytes | None,
    before: Fitted | None,
    checkpoints: Keeper | None,
) -> "EnsembleTrainer":
    """Return what trains the networks of a dataset; arguments as in `train_network`."""
    from ..networks.ensemble_training import EnsembleTrainer

    config = adjusted.dataset.config
    begin = None if initial is None else restore(config, feeds, initial, adjusted.effects)[0]
    courses = None if before is None else before.courses
    return EnsembleTrainer(config, feeds, begin=begin, before=courses, checkpoints=checkpoints)


def _train_members(
    trainer: "EnsembleTrainer",
    deadline: float | None,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> tuple[list[Any], list[TrainingHistory]]:
    """Train the networks of a configuration: the Keras models, and their training histories."""
    from ..networks.ensemble_training import train_members

    config = trainer.config
    # A refit trains every network again, in the same time budget.
    again = REFIT * config.ensemble.size if config.training.refit and not trainer.before else 0.0
    reserved = EXPORTING
    if config.ensemble.has_pretrained:
        reserved += FORECASTING * (config.training.time_budget or 0.0)
    end = None if deadline is None else deadline - reserved
    running = train_members(
        trainer, deadline=end, waiting=again, on_event=on_event, should_stop=should_stop
    )
    networks, histories = zip(*running, strict=True)
    return list(networks), list(histories)


def _export_combined(
    adjusted: Adjusted,
    feed: "WindowFeed",
    networks: Sequence[Any],
    courses: Sequence[TrainingHistory],
    shares: Floats | None,
    on_event: Listener,
) -> Trained[Dataset]:
    """Export one network, or the ensemble with its weights `shares`, shape `(members, targets)`."""
    dataset, config = adjusted.dataset, adjusted.dataset.config
    # Some of the training windows, from all over the table.
    probes = network_inputs(dataset, feed.train[:: 1 + len(feed.train) // PROBES])
    if config.ensemble.alone:
        return Trained(
            dataset, export(config, networks[0], courses, feed, probes, on_event=on_event)
        )
    on_event(Stage("combining", unit="export"))
    made = fit_combination(adjusted, networks, shares=shares)
    whole = _combine(config, feed, networks, made, adjusted.effects)
    fitted = export(config, whole, courses, feed, probes, shares=made.shares, on_event=on_event)
    return Trained(dataset, replace(fitted, effects=adjusted.effects))


def restore(
    config: Config,
    feeds: Callable[[int], "WindowFeed"],
    weights: bytes,
    effects: Sequence[Effects],
) -> tuple[list[Any], Any]:
    """Return the Keras models of a saved model, and the one that combines them, with its weights.

    Args:
        config: As it was resolved for the training.
        feeds: Windows for each lookback; their shapes count, not what they hold.
        weights: In Keras's HDF5 form.
        effects: Of covariates on each target, as they are in the model.
    """
    from ..networks.ensemble_training import EnsembleTrainer
    from ..networks.onnx_export import with_weights

    trainer = EnsembleTrainer(config, feeds)
    networks = [trainer.build(member).network for member in list_members(config)]
    if config.ensemble.alone:
        return networks, with_weights(networks[0], weights)
    feed = feeds(config.window.timesteps or 1)
    timesteps, _, (horizon, targets) = feed.shape
    shape = (len(config.ensemble.maps), targets, timesteps, horizon)
    maps = np.zeros(shape, np.float32) if config.ensemble.maps else None
    again = config.ensemble.combine == "weights" and any(each.terms for each in effects)
    made = Combination(maps, maps if again else None)
    return networks, with_weights(_combine(config, feed, networks, made, effects), weights)


def _combine(
    config: Config,
    feed: "WindowFeed",
    networks: Sequence[Any],
    made: Combination,
    effects: Sequence[Effects],
) -> Any:
    """Return the Keras model of an ensemble."""
    from ..networks.ensemble_graph import combined

    timesteps, inputs, outputs = feed.shape
    return combined(
        networks,
        (timesteps, inputs, config.shape_of_outputs(outputs)),
        maps=made.maps,
        direct=made.direct,
        combine=config.ensemble.combine,
        weights=made.shares,
        spread=config.interval_method.by_members,
        effects=effects,
    )


def make_feed(dataset: Dataset, timesteps: int) -> "WindowFeed":
    """Return the windows of a dataset as training samples, for one of the lookbacks."""
    from ..networks.batches import WindowFeed

    steps, stored = dataset.steps_at_once, dataset.stored
    feed = WindowFeed(
        values=dataset.scaled.astype(np.float32, copy=False),
        inputs=dataset.panel.columns.inputs,
        train=dataset.starts("train", horizon=steps, timesteps=timesteps),
        validation=dataset.starts("validation", horizon=steps, timesteps=timesteps),
        timesteps=timesteps,
        horizon=steps,
        every_step=dataset.config.network.head == "sequence",
        units=dataset.units,
        owners=dataset.owners if dataset.panel.count > 1 else None,
    )
    return feed if stored is None else _from_disk(feed, stored, dataset.targets)


def _from_disk(feed: "WindowFeed", stored: StoredRows, targets: Sequence[int]) -> "WindowFeed":
    """Return training samples from all rows of a table, where `feed` is of some of its series."""
    from ..networks.block_feed import BlockFeed

    own = {each.name: getattr(feed, each.name) for each in fields(feed)}
    error = stored.naive_error
    known = np.where(error > 0, error, 1.0)
    shares = None if feed.units is None else feed.units.naive_smape
    own["units"] = Units(stored.scaling.only(targets), known, shares)
    most = rows_at_once(stored, feed.width + 1)
    return BlockFeed(**own | {"owners": None}, stored=stored, most=most)


def rows_at_once(stored: StoredRows, columns: int) -> int:
    """Return how many rows are held in memory at a time, of so many columns.

    Raises:
        UsageError: Not even those of the largest block fit.
    """
    spare = spare_memory(stored.memory) - TRAINING_BYTES
    bytes_each = COPIES * FLOAT * columns + WINDOW_BYTES
    largest = max(each.rows for each in stored.blocks)
    if spare < largest * bytes_each:
        needed = (used_memory() + TRAINING_BYTES + largest * bytes_each) / GB
        raise UsageError(
            f"`memory={stored.memory:g}` is too little for the training."
            if stored.memory
            else "Too little memory is free for the training.",
            f"Pass at least `memory={ceil(10 * needed) / 10:g}`, where so much is free.",
        )
    return int(min(spare / bytes_each, MOST_ROWS))


def make_forecaster(trained: Trained[Dataset]) -> NetworkForecaster:
    """Return a forecaster: the trained network on the rows of its dataset."""
    config, fitted = trained.dataset.config, trained.fitted
    dropout = None
    if fitted.dropout is not None:
        rates = [layer.dropout for layer in config.network.recurrent]
        dropout = MonteCarlo(fitted.dropout, rates, seed=config.training.seed)
    pretrained, name = config.network.pretrained, name_trained(trained).name
    network = open_pretrained(fitted.onnx, config) if pretrained else Runtime(fitted.onnx)
    member = None
    if fitted.pretrained is not None and fitted.member is not None:
        member = open_member(fitted.pretrained, fitted.member, trained.dataset.horizon)
    return NetworkForecaster(trained.dataset, network, dropout, name, member)
