"""Train the networks for a dataset, and combine them into one forecast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ..baselines.effects import Effects
from ..config.members import of_first
from ..core.events import Listener, Note, Stage, ignore
from ..core.libraries import require_training
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.checkpoints import Keeper
from ..model.mc_dropout import MonteCarlo
from ..model.pretrained import open_member, open_pretrained
from ..model.records import TrainingHistory
from ..model.runtime import Runtime
from ..model.series_networks import SeriesNetworks
from .effect_removal import Adjusted, adjust
from .ensemble_fitting import combine_networks, fit_combination, network_inputs, restore
from .fitting import PROBES, Fitted, Trained, export, name_trained
from .member_tasks import is_divided, train_divided
from .per_series import train_each
from .preparation import make_feed
from .pretrained import make_trainer, take_finetuned, take_pretrained, with_member

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
        before: An earlier training whose numbers of epochs, weights and effects are used.
        initial: Initial weights of the same architecture, in Keras's HDF5 form; None to draw them.
        deadline: End of training and refit, by `time.perf_counter`; None: by the time budget.
        effects: Of covariates on each target, by an earlier training; None to estimate them.
        checkpoints: Where it is kept while it is unfinished; None for nowhere.
    """
    if dataset.config.network.pretrained:
        return _use_pretrained(dataset, before, deadline, checkpoints, on_event, should_stop)
    require_training("Training")
    if dataset.config.training.per_series:
        return train_each(dataset, before, checkpoints, on_event, should_stop)
    adjusted = adjust(dataset, effects, on_event, before.effects if before else None)
    dataset, budget = adjusted.dataset, adjusted.dataset.config.training.time_budget
    deadline = time.perf_counter() + budget if deadline is None and budget else deadline
    on_event(Stage("loading TensorFlow", unit="refit" if before else ""))
    feeds = cache(partial(make_feed, adjusted.rest))
    trainer = _trainer(adjusted, feeds, initial, before, checkpoints)
    networks, courses = _train_all(trainer, adjusted.rest, deadline, on_event, should_stop)
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


def _train_all(
    trainer: "EnsembleTrainer", rest: Dataset, deadline: float | None, *how: Any
) -> tuple[list[Any], list[TrainingHistory]]:
    """Train the networks one after the other, or as tasks; `how` are listener and `should_stop`."""
    if is_divided(trainer, rest, how[0]):
        return train_divided(trainer, rest, *how)
    return _train_members(trainer, deadline, *how)


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
    whole = combine_networks(config, feed, networks, made, adjusted.effects)
    fitted = export(config, whole, courses, feed, probes, shares=made.shares, on_event=on_event)
    return Trained(dataset, replace(fitted, effects=adjusted.effects))


def make_forecaster(trained: Trained[Dataset]) -> NetworkForecaster:
    """Return a forecaster: the trained network on the rows of its dataset."""
    config, fitted = trained.dataset.config, trained.fitted
    dropout = None
    if fitted.dropout is not None:
        rates = [layer.dropout for layer in config.network.recurrent]
        dropout = MonteCarlo(fitted.dropout, rates, seed=config.training.seed)
    pretrained, name = config.network.pretrained, name_trained(trained).name
    network: Any = open_pretrained(fitted.onnx, config) if pretrained else Runtime(fitted.onnx)
    if fitted.networks is not None:
        network = SeriesNetworks(network, fitted.networks)
    member = None
    if fitted.pretrained is not None and fitted.member is not None:
        member = open_member(fitted.pretrained, fitted.member, trained.dataset.horizon)
    return NetworkForecaster(trained.dataset, network, dropout, name, member)
