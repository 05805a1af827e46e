"""Training, from a table to a model."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

from .config import Config
from .core.windows import Floats, Ints, gather
from .data.dateforms import write_dates
from .data.panel import read_panel
from .data.splits import PARTS
from .data.tables import Readable
from .datasets import Dataset, make_dataset, on_all_rows
from .evaluation import evaluate
from .events import Epoch, Listener, Note, Stage, ignore
from .model.bundle import Bundle
from .model.runtime import Runtime
from .packing import Trained, make_bundle

# Windows on which the exported network is compared with the trained one.
PROBES = 32


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
    scored = train_network(dataset, dataset.config, listen=listen, stop=stop)
    _say_ending(scored, listen)
    listen(Stage("scoring"))
    evaluation = evaluate(dataset, Runtime(scored.onnx))
    kept = scored
    if dataset.config.training.refit and not scored.interrupted:
        again = _refit(scored, listen=listen, stop=stop)
        if again.interrupted:
            listen(Note("the refit was stopped: the network before it is kept", warning=True))
        kept = scored if again.interrupted else again
    return make_bundle(scored, kept, evaluation, seconds=time.perf_counter() - began)


def train_network(
    dataset: Dataset,
    config: Config,
    *,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    last: int | None = None,
) -> Trained:
    """Build a network for a dataset, train it, and export it.

    Args:
        dataset: What to learn from.
        config: The dataset's own, or one that differs in `network` and `training`.
        listen: Told of each epoch.
        stop: Asked after each epoch whether to stop.
        last: The number of the last epoch, where it is known beforehand.
    """
    listen(Stage("loading TensorFlow"))
    from .nn.build import assemble, layer_rows, with_states
    from .nn.export import export_onnx, weights_bytes
    from .nn.feed import WindowFeed
    from .nn.fit import fit
    from .nn.passes import Lanes

    steps = dataset.steps_at_once
    feed = WindowFeed(
        values=dataset.scaled,
        targets=dataset.panel.columns.target_places,
        train=dataset.starts("train", horizon=steps),
        validation=dataset.starts("validation", horizon=steps),
        timesteps=dataset.timesteps,
        horizon=steps,
        every_step=config.network.head == "sequence",
        units=dataset.units,
    )
    seed = config.training.seed
    lanes = Lanes(feed, config.training).batch_size if config.network.stateful else None
    built = assemble(config.network, *feed.shape, seed=seed, targets=feed.targets, batch_size=lanes)
    listen(Stage("training"))
    with closing(fit(built.network, feed, config.training, learner=built.learner)) as running:
        epochs, interrupted = _follow(islice(running, last), listen, stop)
    listen(Stage("exporting"))
    network, probes = built.network, _probes(dataset, feed.train)
    weights, rows = weights_bytes(network), layer_rows(network)
    if config.network.stateful:
        onnx = export_onnx(*with_states(config.network, network, probes, feed.shape[2]))
    else:
        onnx = export_onnx(network, probes)
    return Trained(dataset, config, onnx, weights, rows, epochs, interrupted)


def _probes(dataset: Dataset, starts: Ints) -> Floats:
    """Some of the training windows, from all over the table."""
    return gather(dataset.scaled, starts[:: 1 + len(starts) // PROBES], timesteps=dataset.timesteps)


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


def _say_ending(trained: Trained, listen: Listener) -> None:
    """Say how many epochs there were, why no more, and whose weights are kept."""
    training, count = trained.config.training, len(trained.epochs)
    why = {
        "epochs": "as asked",
        "patience": f"the last {training.patience} without improvement",
        "interrupted": "then stopped",
    }[trained.ending]
    best = trained.epochs[trained.best - 1]
    loss = f"loss {best.loss:.4g}"
    if best.validation_loss is not None:
        loss += f", validation {best.validation_loss:.4g}"
    listen(Note(f"{count} epochs, {why}; kept are the weights of epoch {trained.best}: {loss}"))
    if not trained.dataset.splits.rows("test"):
        listen(Note("no test split: nothing is scored"))


def _refit(scored: Trained, *, listen: Listener, stop: Callable[[], bool]) -> Trained:
    """Train again on all rows, for the number of epochs found."""
    listen(
        Note(
            f"training again on all rows, for {scored.best} epochs; the scores are those of the "
            "network before that"
        )
    )
    training = scored.config.training.model_copy(update={"patience": 0})
    config = scored.config.model_copy(update={"training": training})
    dataset = on_all_rows(scored.dataset)
    return train_network(dataset, config, listen=listen, stop=stop, last=scored.best)


def _describe(dataset: Dataset, listen: Listener) -> None:
    """Say what was read and how it is split."""
    panel, splits = dataset.panel, dataset.splits
    rows = f"{panel.source}: {len(panel.values):,} rows"
    if panel.timeline is not None:
        times = write_dates(panel.timeline.times[[0, -1]], panel.timeline.style)
        rows += f", {times[0]} to {times[1]}, {panel.timeline.frequency.name}"
    parts = [f"{splits.rows(part):,} {part}" for part in PARTS]
    listen(Note(f"{rows}; {', '.join(parts)}"))
    quantile = dataset.config.training.quantile
    if quantile not in (None, 0.5):
        text = f"the forecasts are {quantile:g}-quantiles, not the middle: errors say little"
        listen(Note(text, warning=True))
