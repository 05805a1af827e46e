"""From samples to a trained network and its files: what every task has in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..config.schema import Config
from ..core.events import Epoch, Listener, Note, Stage
from ..core.windows import Floats
from ..model.history import Ending, TrainingHistory

if TYPE_CHECKING:
    from ..networks.batches import Feed

# Samples on which the exported network is compared with the trained one.
PROBES = 32


@dataclass(frozen=True)
class Fitted:
    """A network after its epochs, or several made one.

    Args:
        courses: How the training of each went.
        onnx: The network for prediction.
        weights: Its weights, in Keras's HDF5 form.
        layers: A row for each layer, as in Keras's summary.
        dropout: The same network with the masks of its dropout as inputs, where forecasts are to
            be drawn with it; else None.
        shares: Shape `(members, targets)`: what each network and each simple forecast counts for,
            where weights were learned; else None.
    """

    courses: tuple[TrainingHistory, ...]
    onnx: bytes
    weights: bytes
    layers: list[dict[str, Any]]
    dropout: bytes | None = None
    shares: Floats | None = None

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs of all networks, one network after the other."""
        return [epoch for course in self.courses for epoch in course.epochs]

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped the training of one."""
        return any(course.interrupted for course in self.courses)

    @property
    def ending(self) -> Ending:
        """Why there were no more epochs, of the last network."""
        return self.courses[-1].ending

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are kept, of the last network."""
        return self.courses[-1].best

    @property
    def loss(self) -> float:
        """The watched loss of the weights that are kept, a mean over the networks."""
        kept = [course.epochs[course.best - 1] for course in self.courses]
        losses = [
            each.loss if each.validation_loss is None else each.validation_loss for each in kept
        ]
        return sum(losses) / len(losses)


D = TypeVar("D")


@dataclass(frozen=True)
class Trained(Generic[D]):
    """A network and the dataset that it learned from."""

    dataset: D
    fitted: Fitted


def fit_network(
    config: Config,
    feed: "Feed",
    probes: Sequence[Floats],
    *,
    activation: str | None = None,
    before: Fitted | None = None,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Fitted:
    """Build one network, train it, and export it.

    Args:
        config: Its `network` and `training`, and which quantiles are forecast.
        feed: What to learn from.
        probes: Where the export is checked: windows of shape `(samples, timesteps, features)`, and
            what is known ahead where the network reads that, scaled.
        activation: Of the output layer where the outputs are labels; None for forecasts.
        before: The network whose number of epochs is taken; its last weights are kept.
        on_event: Told of each epoch.
        should_stop: Asked after each epoch whether to stop.

    Raises:
        TrainingError: The loss is not finite.
    """
    from ..networks.ensemble_training import EnsembleTrainer

    courses = None if before is None else before.courses
    workshop = EnsembleTrainer(config, lambda _: feed, activation, before=courses)
    network, course = workshop.train(0, seconds=None, on_event=on_event, should_stop=should_stop)
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
    """The files of a trained network.

    Args:
        config: What it was built by.
        network: The Keras model.
        courses: How the training of each of its networks went.
        feed: What it learned from.
        probes: As in `fit_network`.
        shares: As in `Fitted`.
        on_event: Told that this begins.

    Raises:
        TrainingError: The exported network is not the trained one.
    """
    from ..networks.build import layer_rows
    from ..networks.onnx_export import weights_bytes

    on_event(Stage("exporting"))
    weights, rows = weights_bytes(network), layer_rows(network)
    onnx = _exported(config, network, feed, probes)
    dropout = _with_masks(config, network, feed, probes)
    return Fitted(tuple(courses), onnx, weights, rows, dropout, shares)


def _exported(config: Config, network: Any, feed: "Feed", probes: Sequence[Floats]) -> bytes:
    """The network for prediction; a stateful one takes its states and gives them out."""
    from ..networks.onnx_export import export_onnx
    from ..networks.stateful_export import with_states

    if not config.network.stateful:
        return export_onnx(network, probes[0], probes[1:])
    return export_onnx(*with_states(config.network, network, probes[0], feed.shape[2]))


def _with_masks(
    config: Config, network: Any, feed: "Feed", probes: Sequence[Floats]
) -> bytes | None:
    """The network whose dropout comes from outside, where forecasts are drawn with it.

    Raises:
        TrainingError: With masks of ones it is not the trained network.
    """
    if not config.interval_method.by_dropout:
        return None
    from ..networks.external_dropout import export_thinned

    return export_thinned(config.network, network, feed, probes)


def say_ending(fitted: Fitted, on_event: Listener) -> None:
    """Say how many epochs there were, why no more, and whose weights are kept."""
    for number, course in enumerate(fitted.courses, start=1):
        which = f"network {number}: " if len(fitted.courses) > 1 else ""
        on_event(Note(which + _ending(course)))


def say_shares(shares: Floats | None, names: Sequence[str], on_event: Listener) -> None:
    """Say what each forecast of an ensemble counts for, in percent; of several targets, a mean.

    Args:
        shares: As in `Fitted`.
        names: Of the members.
        on_event: Told of it.
    """
    if shares is None:
        return
    parts = [
        f"{name} {100.0 * each:.0f} %"
        for name, each in zip(names, shares.mean(axis=1), strict=True)
    ]
    on_event(Note(f"what each counts for: {', '.join(parts)}"))


def _ending(course: TrainingHistory) -> str:
    training = course.training
    why = {
        "epochs": "all of them",
        "patience": f"the last {training.patience} without improvement",
        "interrupted": "then stopped",
        "budget": "as many as the time allows",
    }[course.ending]
    best = course.epochs[course.best - 1]
    loss = f"loss {best.loss:.4g}"
    if best.validation_loss is not None:
        loss += f", validation {best.validation_loss:.4g}"
    kept = f"the weights of epoch {course.best}"
    if training.average:
        kept = f"the mean of the weights after the last {min(training.average, course.best)}"
    return f"{len(course.epochs)} epochs, {why}; kept are {kept}: {loss}"


def keep(
    scored: Trained[D],
    whole: Callable[[D], D],
    learn: Callable[..., Trained[D]],
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Trained[D]:
    """The network that is to predict: trained again on all there is, where that is asked for.

    Args:
        scored: The network that was trained on the training split.
        whole: Puts everything into the training split.
        learn: Trains on a dataset, as `forecast_cli.training.train_network` does.
        on_event: Told of it.
        should_stop: Asked after each epoch; a refit that is stopped leaves the network before it.
    """
    fitted = scored.fitted
    if not fitted.courses[0].training.refit or fitted.interrupted:
        return scored
    epochs = ", ".join(str(course.best) for course in fitted.courses)
    on_event(
        Note(
            f"training again on all there is, for {epochs} epochs; scores and intervals are of "
            "what was trained before that"
        )
    )
    again = learn(whole(scored.dataset), before=fitted, on_event=on_event, should_stop=should_stop)
    if again.fitted.interrupted:
        on_event(Note("the refit was stopped: the network before it is kept", warning=True))
        return scored
    return again
