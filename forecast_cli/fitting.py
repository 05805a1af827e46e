"""From samples to a trained network and its files: what every task has in common."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .config import Config, Training
from .core.windows import Floats
from .events import Epoch, Listener, Note, Stage
from .model.manifest import Ending

if TYPE_CHECKING:
    from .nn.feed import Feed

# Samples on which the exported network is compared with the trained one.
PROBES = 32


@dataclass(frozen=True)
class Fitted:
    """A network after its epochs.

    Args:
        training: How it was trained.
        onnx: The network for prediction.
        weights: Its weights, in Keras's HDF5 form.
        layers: A row for each layer, as in Keras's summary.
        epochs: What happened.
        interrupted: Whether somebody stopped it.
        dropout: The same network with the masks of its dropout as inputs, where forecasts are to
            be drawn with it; else None.
    """

    training: Training
    onnx: bytes
    weights: bytes
    layers: list[dict[str, Any]]
    epochs: list[Epoch]
    interrupted: bool
    dropout: bytes | None = None

    @property
    def best(self) -> int:
        """The number of the epoch whose weights are kept."""
        if not self.training.patience:
            return len(self.epochs)
        return max(epoch.number for epoch in self.epochs if epoch.best)

    @property
    def ending(self) -> Ending:
        """Why there were no more epochs."""
        if self.interrupted:
            return "interrupted"
        return "epochs" if len(self.epochs) == self.training.epochs else "patience"


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
    last: int | None = None,
    listen: Listener,
    stop: Callable[[], bool],
) -> Fitted:
    """Build a network, train it, and export it.

    Args:
        config: Its `network` and `training`, and which quantiles are forecast.
        feed: What to learn from.
        probes: Where the export is checked: windows of shape `(samples, timesteps, features)`, and
            what is known ahead where the network reads that, scaled.
        activation: Of the output layer where the outputs are labels; None for forecasts.
        last: The number of the last epoch, where it is known beforehand; its weights are kept.
        listen: Told of each epoch.
        stop: Asked after each epoch whether to stop.

    Raises:
        TrainingError: The loss is not finite.
    """
    from .nn.build import assemble, layer_rows
    from .nn.export import weights_bytes
    from .nn.fit import fit
    from .nn.passes import Lanes

    network, training, levels = config.network, config.training, config.quantile_levels
    timesteps, inputs, outputs = feed.shape
    if last is not None:
        training = training.model_copy(update={"patience": 0})
    built = assemble(
        network,
        timesteps,
        inputs,
        (*outputs, len(levels)) if levels else outputs,
        seed=training.seed,
        batch_size=Lanes(feed, training).batch_size if network.stateful else None,
        activation=activation,
    )
    listen(Stage("training"))
    running = fit(built.network, feed, training, learner=built.learner, quantiles=levels)
    with closing(running):
        epochs, interrupted = _follow(islice(running, last), listen, stop)
    listen(Stage("exporting"))
    weights, rows = weights_bytes(built.network), layer_rows(built.network)
    onnx = _exported(config, built.network, feed, probes)
    dropout = _with_masks(config, built.network, feed, probes)
    return Fitted(training, onnx, weights, rows, epochs, interrupted, dropout)


def _exported(config: Config, network: Any, feed: "Feed", probes: Sequence[Floats]) -> bytes:
    """The network for prediction; a stateful one takes its states and gives them out."""
    from .nn.carrying import with_states
    from .nn.export import export_onnx

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
    if config.intervals != "dropout":
        return None
    from .nn.dropout import export_thinned

    return export_thinned(config.network, network, feed, probes)


def _follow(
    running: Iterator[Epoch], listen: Listener, stop: Callable[[], bool]
) -> tuple[list[Epoch], bool]:
    """The epochs until they end, or until somebody stops them."""
    epochs = []
    for epoch in running:
        epochs.append(epoch)
        listen(epoch)
        if stop():
            return epochs, True
    return epochs, False


def say_ending(fitted: Fitted, listen: Listener) -> None:
    """Say how many epochs there were, why no more, and whose weights are kept."""
    count = len(fitted.epochs)
    why = {
        "epochs": "as asked",
        "patience": f"the last {fitted.training.patience} without improvement",
        "interrupted": "then stopped",
    }[fitted.ending]
    best = fitted.epochs[fitted.best - 1]
    loss = f"loss {best.loss:.4g}"
    if best.validation_loss is not None:
        loss += f", validation {best.validation_loss:.4g}"
    listen(Note(f"{count} epochs, {why}; kept are the weights of epoch {fitted.best}: {loss}"))


def keep(
    scored: Trained[D],
    whole: Callable[[D], D],
    learn: Callable[..., Trained[D]],
    *,
    listen: Listener,
    stop: Callable[[], bool],
) -> Trained[D]:
    """The network that is to predict: trained again on all there is, where that is asked for.

    Args:
        scored: The network that was trained on the training split.
        whole: Puts everything into the training split.
        learn: Trains on a dataset, as `forecast_cli.training.train_network` does.
        listen: Told of it.
        stop: Asked after each epoch; a refit that is stopped leaves the network before it.
    """
    training, fitted = scored.fitted.training, scored.fitted
    if not training.refit or fitted.interrupted:
        return scored
    listen(
        Note(
            f"training again on all there is, for {fitted.best} epochs; the scores are those of "
            "the network before that"
        )
    )
    again = learn(whole(scored.dataset), last=fitted.best, listen=listen, stop=stop)
    if again.fitted.interrupted:
        listen(Note("the refit was stopped: the network before it is kept", warning=True))
        return scored
    return again
