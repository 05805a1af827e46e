"""From samples to a trained network and its files: what every task has in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..baselines.effects import Effects
from ..config.model_name import ModelName, name_model
from ..config.schema import Config
from ..core.errors import counted, listed
from ..core.events import Epoch, Listener, Note, Stage
from ..core.windows import Floats
from ..data.dataset import Dataset
from ..model.checkpoints import Keeper
from ..model.manifest import MemberRecord
from ..model.records import Ending, TrainingHistory

if TYPE_CHECKING:
    from ..networks.batches import Feed

# Samples on which the exported network is compared with the trained one.
PROBES = 32
# Networks whose epochs are listed one by one.
MOST_COUNTED = 12


@dataclass(frozen=True)
class SeriesFit:
    """The trained networks of one series.

    Args:
        weights: Shape `(weights,)`: all of the Keras model that combines them.
        courses: The training history of each network.
        shares: Shape `(members, targets)`, as in `Fitted`.
        probes: Inputs on which the export is checked: shape `(samples, timesteps, features)`, and
            what is known ahead, where the networks read that.
        expected: What the trained networks make of them, shape `(samples, horizon, targets)`, or
            with quantiles `(samples, horizon, targets, quantiles)`.
    """

    weights: Floats
    courses: tuple[TrainingHistory, ...]
    shares: Floats | None
    probes: tuple[Floats, ...]
    expected: Floats


@dataclass(frozen=True)
class Fitted:
    """One trained network, or several combined into one.

    Args:
        courses: The training history of each network.
        onnx: The network for prediction.
        weights: Its weights, in Keras's HDF5 form.
        layers: A row per layer, as in Keras's summary.
        dropout: The same network with its dropout masks as inputs, for intervals by Monte Carlo
            dropout; else None.
        shares: Shape `(members, targets)`: the weights of the networks and baselines of an
            ensemble, where they were learned; else None.
        cut: Whether networks are left out because the training was interrupted.
        effects: Of what is known ahead, on each target; empty where they are not estimated.
        probe: What the pretrained network forecasts of a fixed series; empty for trained networks.
        member: The pretrained network as a member of the ensemble; None where it is none.
        pretrained: The network itself, where it has a weight.
        series: The networks of each series, where they have networks of their own.
        networks: Shape `(n_series, numbers)`: their weights, as `onnx` takes them; else None.
    """

    courses: tuple[TrainingHistory, ...]
    onnx: bytes
    weights: bytes
    layers: list[dict[str, Any]]
    dropout: bytes | None = None
    shares: Floats | None = None
    cut: bool = False
    effects: tuple[Effects, ...] = ()
    probe: tuple[float, ...] = ()
    member: MemberRecord | None = None
    pretrained: bytes | None = None
    series: tuple[SeriesFit, ...] = ()
    networks: Floats | None = None

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs of all networks, one network after the other."""
        return [epoch for course in self.courses for epoch in course.epochs]

    @property
    def logged(self) -> list[Epoch]:
        """The epochs that a model file keeps; of a network of one series that of its weights."""
        if not self.series:
            return self.epochs
        kept = [course.epochs[course.best - 1] for course in self.courses]
        return [
            replace(epoch, network=number, networks=len(kept))
            for number, epoch in enumerate(kept, start=1)
        ]

    @property
    def interrupted(self) -> bool:
        """Whether the training was interrupted, of one of them or before another one."""
        return self.cut or any(course.interrupted for course in self.courses)

    @property
    def ending(self) -> Ending:
        """Why the training of the last network ended."""
        return "interrupted" if self.cut else self.courses[-1].ending

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are stored, of the last network."""
        return self.courses[-1].best

    @property
    def loss(self) -> float:
        """The monitored loss of the stored weights, averaged over the networks."""
        kept = [course.epochs[course.best - 1] for course in self.courses]
        losses = [
            each.loss if each.validation_loss is None else each.validation_loss for each in kept
        ]
        return sum(losses) / len(losses)


D = TypeVar("D")


@dataclass(frozen=True)
class Trained(Generic[D]):
    """A trained network and its dataset."""

    dataset: D
    fitted: Fitted


def name_trained(trained: Trained[Dataset]) -> ModelName:
    """Return what a trained model is called, and what it consists of."""
    shares = trained.fitted.shares
    weights = None if shares is None else shares.mean(axis=1).tolist()
    member = trained.fitted.member
    own = None if member is None else sum(member.shares) / len(member.shares)
    return name_model(trained.dataset.config, weights, own)


def fit_network(
    config: Config,
    feed: "Feed",
    probes: Sequence[Floats],
    *,
    activation: str | None = None,
    before: Fitted | None = None,
    checkpoints: Keeper | None = None,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Fitted:
    """Build one network, train it, and export it.

    Args:
        config: The network, its training, and the quantiles to forecast.
        feed: The training samples.
        probes: Inputs on which the export is checked, scaled: windows of shape
            `(samples, timesteps, features)`, and what is known ahead, where the network reads that.
        activation: Of the output layer, where the outputs are labels; None for forecasts.
        before: An earlier training whose number of epochs is used; the last weights are kept.
        checkpoints: Where an unfinished training is kept and found; None to keep none.
        on_event: Notified of each epoch.
        should_stop: Called after each epoch; True stops the training.

    Raises:
        TrainingError: The loss is not finite.
    """
    from ..networks.ensemble_training import EnsembleTrainer

    courses = None if before is None else before.courses
    trainer = EnsembleTrainer(
        config, lambda _: feed, activation, before=courses, checkpoints=checkpoints
    )
    network, course = trainer.train(0, seconds=None, on_event=on_event, should_stop=should_stop)
    return export(config, network, [course], feed, probes, on_event=on_event)


def export(
    config: Config,
    network: Any,
    courses: Sequence[TrainingHistory],
    feed: "Feed",
    probes: Sequence[Floats],
    *,
    shares: Floats | None = None,
    on_event: Listener,
) -> Fitted:
    """Export a trained network.

    Args:
        config: Its configuration.
        network: The Keras model.
        courses: The training history of each of its networks.
        feed: Its training samples.
        probes: As in `fit_network`.
        shares: Shape `(members, targets)`, as in `Fitted`.
        on_event: Notified that the export begins.

    Raises:
        TrainingError: The exported network forecasts differently from the trained one.
    """
    from ..networks.build import layer_rows
    from ..networks.extra_inputs import export_thinned, with_states
    from ..networks.onnx_export import export_onnx, weights_bytes

    on_event(Stage("exporting", unit="export"))
    weights, rows, layers = weights_bytes(network), layer_rows(network), config.network
    if layers.stateful:
        onnx = export_onnx(*with_states(layers, network, probes[0], feed.shape[2]))
    else:
        onnx = export_onnx(network, probes[0], probes[1:])
    dropout = None
    if config.interval_method.by_dropout:
        dropout = export_thinned(layers, network, feed, probes)
    return Fitted(tuple(courses), onnx, weights, rows, dropout, shares)


def report_ending(fitted: Fitted, on_event: Listener) -> None:
    """Note how many epochs each network was trained, and which weights were restored."""
    if fitted.series:
        counts = [len(course.epochs) for course in fitted.courses]
        least = f"{min(counts)} to " if min(counts) < max(counts) else ""
        epochs = f"{least}{counted(max(counts), 'epoch')}"
        many = f"{counted(len(counts), 'network')} of {len(fitted.series):,} series"
        on_event(Note(f"trained {many}: {epochs} each, loss {fitted.loss:.4g} on average"))
        return
    for number, course in enumerate(fitted.courses, start=1):
        which = f"network {number}: " if len(fitted.courses) > 1 else ""
        on_event(Note(which + _ending(course)))


def _ending(course: TrainingHistory) -> str:
    """Return a note on how a training ended, and with which weights."""
    training = course.training
    if course.ending == "untrained":
        return "nothing is trained: the network was trained on simulated series beforehand"
    epochs = counted(len(course.epochs), "epoch")
    ended = {
        "epochs": f"trained {epochs}",
        "patience": f"stopped after {epochs}",
        "interrupted": f"interrupted after {epochs}",
        "budget": f"stopped by the time budget after {epochs}",
    }[course.ending]
    best = course.epochs[course.best - 1]
    loss = f"loss {best.loss:.4g}"
    if best.validation_loss is not None:
        loss += f", validation {best.validation_loss:.4g}"
    restored = f"restored the best weights (epoch {course.best})"
    if training.average:
        averaged = counted(min(training.average, course.best), "epoch")
        restored = f"averaged the weights of the last {averaged}"
    elif not training.patience:
        restored = f"kept the last weights (epoch {course.best})"
    return f"{ended}; {restored}: {loss}"


def keep(
    scored: Trained[D],
    whole: Callable[[D], D],
    learn: Callable[..., Trained[D]],
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Trained[D]:
    """Return the network to save: refitted on all data where `refit` is set, else the same.

    Args:
        scored: The network that was trained on the training split.
        whole: Returns the dataset with all data in the training split.
        learn: Trains on a dataset, as `forecast_cli.training.train_network` does.
        on_event: Notified of the refit.
        should_stop: Called after each epoch; an interrupted refit is discarded.
    """
    fitted, late = scored.fitted, "the network from before it is saved"
    if not fitted.courses[0].training.refit or fitted.interrupted:
        return scored
    if should_stop():
        on_event(Note(f"stopped before the refit: {late}", warning=True))
        return scored
    epochs = _count_epochs([course.best for course in fitted.courses])
    text = f"refitting on all data ({epochs}); scores and intervals are from before the refit"
    on_event(Note(text))
    again = learn(whole(scored.dataset), before=fitted, on_event=on_event, should_stop=should_stop)
    if again.fitted.interrupted:
        on_event(Note(f"the refit was interrupted: {late}", warning=True))
        return scored
    return again


def _count_epochs(epochs: Sequence[int]) -> str:
    """Return the epochs of some networks in words.

    >>> _count_epochs([25]), _count_epochs([25, 25]), _count_epochs([25, 7])
    ('25 epochs', '25 epochs per network', '25, 7 epochs')
    """
    if len({*epochs}) > 1 and len(epochs) > MOST_COUNTED:
        return f"{min(epochs)} to {max(epochs)} epochs"
    if len({*epochs}) > 1:
        return f"{listed(epochs, most=len(epochs))} epochs"
    return counted(epochs[0], "epoch") + " per network" * (len(epochs) > 1)
