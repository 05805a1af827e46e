"""Networks for each series, trained on its own rows alone: by processes, or an open engine."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.schema import Config
from ..core.errors import DataError, Interrupted, counted, listed
from ..core.events import Done, Listener, Note, Stage, ignore
from ..core.parallel import run_all
from ..data.dataset import Dataset
from ..model.checkpoints import Keeper, Saved
from ..model.records import TrainingHistory
from ..model.runtime import Runtime
from ..model.series_networks import SeriesNetworks
from .checkpointing import stop
from .effect_removal import Adjusted
from .ensemble_fitting import (
    build_combined,
    combine_networks,
    fit_combination,
    network_inputs,
)
from .fitting import Fitted, SeriesFit, Trained
from .preparation import make_feed

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed

# The series of a task: it begins with the import of TensorFlow, and ends with a checkpoint. The
# same whatever the number of workers.
TASK_SERIES = 10
# Windows of a series on which the exported network is compared with the trained one.
PROBES = 4


@dataclass(frozen=True)
class Task:
    """Some of the series, and how they were trained before.

    Args:
        dataset: With these series alone.
        before: How each was trained on fewer rows; empty in a first training.
    """

    dataset: Dataset
    before: tuple[SeriesFit, ...] = ()


def train_each(
    dataset: Dataset,
    before: Fitted | None,
    checkpoints: Keeper | None,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Trained[Dataset]:
    """Train networks for each series of a dataset, all of one architecture.

    The seed of a series is made of the seed and its name, and it is trained with one thread, so
    that neither other series nor the number of workers matter.

    Args:
        dataset: The data and the resolved configuration.
        before: An earlier training, whose numbers of epochs and ensemble weights are used.
        checkpoints: Where finished tasks are kept and found; None to keep none.
        on_event: Notified of the progress.
        should_stop: Asked after each task whether to stop.

    Raises:
        DataError: A series has no window with a whole horizon to train on.
        Interrupted: The training was stopped.
        TrainingError: A loss is not finite, or the networks have no graph in common.
    """
    require_windows(dataset)
    tasks = divide(dataset, () if before is None else before.series)
    on_event(Stage("training", unit="task"))
    kept = _TaskStore(checkpoints, "refit" if before else "series", len(tasks))
    done = kept.find(dataset.config)
    if done:
        on_event(Note(f"{len(done)} of {len(tasks)} tasks were finished by an earlier run"))
    left = [number for number in range(len(tasks)) if number not in done]
    with closing(run_all(train_task, [(tasks[each],) for each in left])) as running:
        for place, trained in running:
            done[left[place]] = trained
            kept.keep(left[place], trained)
            on_event(Done("series", sum(map(len, done.values())), dataset.panel.count))
            if should_stop() and len(done) < len(tasks):
                raise kept.stopped(len(done))
    return _export(dataset, [fit for number in sorted(done) for fit in done[number]], on_event)


def divide(dataset: Dataset, before: tuple[SeriesFit, ...]) -> list[Task]:
    """Return the tasks of a training; `before` are the networks of all series, or empty."""
    count = dataset.panel.count
    return [
        Task(dataset.only(each), before[each[0] : each[-1] + 1])
        for each in np.array_split(np.arange(count), -(-count // TASK_SERIES))
    ]


def require_windows(dataset: Dataset) -> None:
    """Refuse series without a window to train on.

    Raises:
        DataError: There is one.
    """
    panel = dataset.panel
    starts = dataset.starts("train", horizon=dataset.steps_at_once)
    found = np.searchsorted(starts, np.cumsum(panel.lengths + dataset.padding.added))
    lacking = np.flatnonzero(np.diff(found, prepend=0) == 0)
    if len(lacking):
        raise DataError(
            f"{counted(len(lacking), 'series')[:-1]} of {panel.source} have no window of "
            f"{dataset.timesteps} steps with {dataset.steps_at_once} steps after it to train on: "
            f"{listed(lacking.tolist(), say=panel.name)}.",
            "Lower `timesteps`, `horizon`, `validation` or `test`, leave short series out, or "
            "train one network for all series: leave out `per_series`.",
        )


def train_task(task: Task) -> list[SeriesFit]:
    """Train the networks of some series, one after the other from shared compiled code."""
    from ..networks import prefer_one_thread

    prefer_one_thread()
    count = task.dataset.panel.count
    each = task.before or (None,) * count
    return [_train_one(task.dataset.only(np.array([n])), each[n]) for n in range(count)]


def seed_of(seed: int, name: str) -> int:
    """Return the seed of a series, by that of the training and its name.

    >>> seed_of(0, "north") == seed_of(0, "north") != seed_of(0, "south")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4], "big") >> 1


def _train_one(dataset: Dataset, before: SeriesFit | None) -> SeriesFit:
    """Train the networks of one series."""
    from ..networks.ensemble_graph import forecast_windows
    from ..networks.ensemble_training import EnsembleTrainer, train_members
    from ..networks.weight_inputs import flat_weights

    name = dataset.panel.name(0)
    seed = seed_of(dataset.config.training.seed, name)
    source = f"{dataset.panel.source}, series {name},"
    dataset = replace(
        dataset,
        config=dataset.config.changed(training={"seed": seed}),
        panel=replace(dataset.panel, source=source),
        scaling=dataset.scaling.each(np.array(0)) if dataset.scaling.by_series else dataset.scaling,
    )
    config = dataset.config
    feeds: Callable[[int], WindowFeed] = cache(partial(make_feed, dataset))
    courses = None if before is None else before.courses
    trainer = EnsembleTrainer(config, feeds, before=courses, one_device=True)
    running = train_members(trainer, on_event=ignore, should_stop=bool)
    networks, trained = zip(*running, strict=True)
    whole, shares, feed = networks[0], None, feeds(dataset.timesteps)
    if not config.ensemble.alone:
        earlier = None if before is None else before.shares
        made = fit_combination(Adjusted(dataset, dataset), networks, shares=earlier)
        whole, shares = combine_networks(config, feed, networks, made, ()), made.shares
    probes = network_inputs(dataset, feed.train[:: 1 + len(feed.train) // PROBES])
    expected = forecast_windows(whole, probes)
    return SeriesFit(flat_weights(whole), tuple(trained), shares, tuple(probes), expected)


def _export(dataset: Dataset, fits: list[SeriesFit], on_event: Listener) -> Trained[Dataset]:
    """Export one graph for the networks of all series, and compare each with what was trained.

    Raises:
        TrainingError: The graph forecasts differently with the weights of a series.
    """
    from ..networks.build import layer_rows
    from ..networks.onnx_export import check_equal, weights_bytes
    from ..networks.weight_inputs import export_weight_inputs, with_flat_weights

    on_event(Stage("exporting", unit="export"))
    first = dataset.only(np.array([0]))
    _, whole = build_combined(dataset.config, cache(partial(make_feed, first)))
    graph = export_weight_inputs(whole)
    rows = np.stack([graph.row(each.weights) for each in fits])
    networks = SeriesNetworks(Runtime(graph.onnx), rows)
    for place, fit in enumerate(fits):
        own = networks.of(np.full(len(fit.expected), place))
        made = own.quantiles(*fit.probes) if own.quantile_count else own(*fit.probes)
        check_equal([made], [fit.expected])
    shares = None
    if fits[0].shares is not None:
        shares = np.mean([each.shares for each in fits if each.shares is not None], axis=0)
    weights = weights_bytes(with_flat_weights(whole, fits[0].weights))
    courses = tuple(course for fit in fits for course in fit.courses)
    fitted = Fitted(
        courses, graph.onnx, weights, layer_rows(whole), shares=shares, series=tuple(fits),
        networks=rows,
    )  # fmt: skip
    return Trained(dataset, fitted)


@dataclass
class _TaskStore:
    """Keeps finished tasks in the checkpoints of a training, and finds those of an earlier run.

    Args:
        checkpoints: Where; None for nowhere.
        prefix: Of their names.
        count: How many tasks there are.
    """

    checkpoints: Keeper | None
    prefix: str
    count: int

    def find(self, config: Config) -> dict[int, list[SeriesFit]]:
        """Return the tasks that an earlier run has finished, by their numbers."""
        found = {}
        for number in range(self.count):
            saved = self.checkpoints and self.checkpoints.find(f"{self.prefix}-{number}")
            if saved:
                found[number] = _unpacked(saved, config)
        return found

    def keep(self, number: int, fits: Sequence[SeriesFit]) -> None:
        """Keep a task that is finished."""
        if self.checkpoints is not None:
            due = self.checkpoints.due
            self.checkpoints.keep(f"{self.prefix}-{number}", _packed(fits), now=due)

    def stopped(self, done: int) -> Interrupted:
        """Write what is finished, and return the error of a training that was stopped."""
        return stop(self.checkpoints, f"the networks of {counted(done, 'task')} of {self.count}")


def _packed(fits: Sequence[SeriesFit]) -> Saved:
    """Return the networks of some series as arrays and JSON values."""
    from ..networks.training_state import pack_epochs

    arrays = {"weights": np.stack([each.weights for each in fits])}
    for number, fit in enumerate(fits):
        arrays[f"expected-{number}"] = fit.expected
        arrays |= {f"probes-{number}-{place}": each for place, each in enumerate(fit.probes)}
        if fit.shares is not None:
            arrays[f"shares-{number}"] = fit.shares
    epochs = [[pack_epochs(course.epochs) for course in fit.courses] for fit in fits]
    return Saved({"epochs": epochs, "done": True}, arrays)


def _unpacked(saved: Saved, config: Config) -> list[SeriesFit]:
    """Return the networks that `_packed` gave.

    Raises:
        UsageError: The checkpoint is not that of these networks.
    """
    from ..networks.training_state import fitting, group_of

    with fitting():
        return [
            SeriesFit(
                saved.arrays["weights"][number],
                tuple(_courses(each, config)),
                saved.arrays.get(f"shares-{number}"),
                tuple(group_of(saved.arrays, f"probes-{number}")),
                saved.arrays[f"expected-{number}"],
            )
            for number, each in enumerate(saved.facts["epochs"])
        ]


def _courses(rows: Sequence[Any], config: Config) -> Iterator[TrainingHistory]:
    from ..config.members import list_members
    from ..networks.training_state import unpack_epochs

    for member, epochs in zip(list_members(config), rows, strict=True):
        yield TrainingHistory(member.training, unpack_epochs(epochs), False)
