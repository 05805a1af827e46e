"""From a dataset to trained networks, and to the one forecast that is made of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.members import list_members, of_first
from ..config.schema import Config
from ..core.events import Listener, Stage, ignore
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.history import TrainingHistory
from ..model.mc_dropout import MonteCarlo
from ..model.runtime import Runtime
from .ensemble_fitting import combination, given_at
from .fitting import PROBES, Fitted, Trained, export

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed

# Seconds of a time budget that are kept for the export and the scores.
EXPORTING = 3.0
# What training again on all rows takes of the time of the first training.
REFIT = 1.3


def train_network(
    dataset: Dataset,
    *,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
    before: Fitted | None = None,
    initial: bytes | None = None,
    deadline: float | None = None,
) -> Trained[Dataset]:
    """Build the networks for a dataset, train them, and export their forecast.

    Args:
        dataset: What to learn from, and how.
        on_event: Told of each epoch.
        should_stop: Asked after each epoch whether to stop.
        before: What was trained before, whose numbers of epochs and weights of members are taken.
        initial: The weights of a model of the same kind to go on from, in Keras's HDF5 form; None
            for new ones, drawn from the seed.
        deadline: Until when all must be trained, a refit included, as `time.perf_counter` has it;
            None for the time budget from now on, if there is one.
    """
    config, training = dataset.config, dataset.config.training
    if deadline is None and training.time_budget is not None:
        deadline = time.perf_counter() + training.time_budget
    on_event(Stage("loading TensorFlow"))
    from ..networks.ensemble_training import EnsembleTrainer, train_members

    feeds = cache(partial(make_feed, dataset))
    workshop = EnsembleTrainer(
        config,
        feeds,
        begin=None if initial is None else _restored(config, feeds, initial),
        before=None if before is None else before.courses,
    )
    again = REFIT * config.ensemble.size if training.refit and before is None else 0.0
    until = deadline and deadline - EXPORTING
    running = train_members(
        workshop, deadline=until, waiting=again, on_event=on_event, should_stop=should_stop
    )
    networks, courses = zip(*running, strict=True)
    if before is not None and courses[-1].interrupted:
        # What was trained before is kept.
        return Trained(dataset, replace(before, courses=courses))
    # There are fewer where it was stopped before the others began.
    dataset = replace(dataset, config=of_first(config, len(networks)))
    shares = None if before is None else before.shares
    return _made_one(dataset, feeds(dataset.timesteps), networks, courses, shares, on_event)


def _made_one(
    dataset: Dataset,
    feed: "WindowFeed",
    networks: Sequence[Any],
    courses: Sequence[TrainingHistory],
    shares: Floats | None,
    on_event: Listener,
) -> Trained[Dataset]:
    """The files of a single network, or of all and the simple forecasts together."""
    config = dataset.config
    # Some of the training windows, from all over the table.
    probes = given_at(dataset, feed.train[:: 1 + len(feed.train) // PROBES])
    if config.ensemble.alone:
        return Trained(
            dataset, export(config, networks[0], courses, feed, probes, on_event=on_event)
        )
    on_event(Stage("combining"))
    made = combination(dataset, networks, shares=shares)
    whole = _whole(config, feed, networks, made.maps, made.shares)
    fitted = export(config, whole, courses, feed, probes, shares=made.shares, on_event=on_event)
    return Trained(dataset, fitted)


def _restored(config: Config, feeds: Callable[[int], "WindowFeed"], weights: bytes) -> list[Any]:
    """The networks of a trained model, as it was saved."""
    from ..networks.ensemble_training import EnsembleTrainer
    from ..networks.onnx_export import with_weights

    workshop = EnsembleTrainer(config, feeds)
    networks = [workshop.build(member).network for member in list_members(config)]
    if config.ensemble.alone:
        return [with_weights(networks[0], weights)]
    feed = feeds(config.window.timesteps or 1)
    timesteps, _, (horizon, targets) = feed.shape
    baselines = len(config.ensemble.baselines)
    maps = np.zeros((baselines, targets, timesteps, horizon), np.float32) if baselines else None
    with_weights(_whole(config, feed, networks, maps), weights)
    return networks


def _whole(
    config: Config,
    feed: "WindowFeed",
    networks: Sequence[Any],
    maps: Floats | None,
    shares: Floats | None = None,
) -> Any:
    """The Keras model of an ensemble."""
    from ..networks.ensemble_graph import combined

    timesteps, inputs, outputs = feed.shape
    return combined(
        networks,
        inputs,
        timesteps,
        config.shape_of_outputs(outputs),
        maps=maps,
        combine=config.ensemble.combine,
        weights=shares,
        spread=config.interval_method.by_members,
    )


def make_feed(dataset: Dataset, timesteps: int) -> "WindowFeed":
    """What networks with so many steps back learn from: the windows of a dataset."""
    from ..networks.batches import WindowFeed

    steps = dataset.steps_at_once
    return WindowFeed(
        values=dataset.scaled,
        inputs=dataset.panel.columns.inputs,
        train=dataset.starts("train", horizon=steps, timesteps=timesteps),
        validation=dataset.starts("validation", horizon=steps, timesteps=timesteps),
        timesteps=timesteps,
        horizon=steps,
        every_step=dataset.config.network.head == "sequence",
        units=dataset.units,
        owners=dataset.owners if dataset.panel.count > 1 else None,
    )


def make_forecaster(trained: Trained[Dataset]) -> NetworkForecaster:
    """A trained network at work on the rows of its dataset."""
    config, fitted = trained.dataset.config, trained.fitted
    dropout = None
    if fitted.dropout is not None:
        rates = [layer.dropout for layer in config.network.recurrent]
        dropout = MonteCarlo(fitted.dropout, rates, seed=config.training.seed)
    return NetworkForecaster(trained.dataset, Runtime(fitted.onnx), dropout)
