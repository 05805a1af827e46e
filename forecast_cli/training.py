"""Training, from a table to a model."""

import time
from collections.abc import Callable

from .config import Config
from .core.windows import Floats, Ints, gather
from .data.dateforms import write_dates
from .data.panel import read_panel
from .data.splits import PARTS
from .data.tables import Readable
from .datasets import Dataset, make_dataset, on_all_rows
from .evaluation import evaluate
from .events import Listener, Note, Stage, ignore
from .fitting import PROBES, Trained, fit_network, keep, say_ending
from .model.bundle import Bundle
from .model.runtime import Runtime
from .packing import make_bundle


def train(
    source: Readable, config: Config, *, listen: Listener = ignore, stop: Callable[[], bool] = bool
) -> Bundle:
    """Train a network on columns of a table, or on sequences with a label.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: What to train; what it leaves open is chosen by rule.
        listen: Told what was understood and how it goes.
        stop: Asked after each epoch whether to stop and keep the best so far.

    Raises:
        DataError: The table does not hold what is needed; said before TensorFlow is loaded.
        TrainingError: The loss is not finite.
    """
    if config.data.label:
        from .labels.training import train_on_labels

        return train_on_labels(source, config, listen=listen, stop=stop)
    began = time.perf_counter()
    listen(Stage("reading"))
    dataset = make_dataset(read_panel(source, config.data, listen=listen), config, listen=listen)
    _describe(dataset, listen)
    scored = train_network(dataset, listen=listen, stop=stop)
    say_ending(scored.fitted, listen)
    if not dataset.splits.rows("test"):
        listen(Note("no test split: nothing is scored"))
    listen(Stage("scoring"))
    evaluation = evaluate(dataset, Runtime(scored.fitted.onnx))
    kept = keep(scored, on_all_rows, train_network, listen=listen, stop=stop)
    return make_bundle(scored, kept, evaluation, seconds=time.perf_counter() - began)


def train_network(
    dataset: Dataset,
    *,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
    last: int | None = None,
) -> Trained[Dataset]:
    """Build a network for a dataset, train it, and export it.

    Args:
        dataset: What to learn from, and how.
        listen: Told of each epoch.
        stop: Asked after each epoch whether to stop.
        last: The number of the last epoch, where it is known beforehand; its weights are kept.
    """
    listen(Stage("loading TensorFlow"))
    from .nn.feed import WindowFeed

    config, steps = dataset.config, dataset.steps_at_once
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
    probes = _probes(dataset, feed.train)
    return Trained(dataset, fit_network(config, feed, probes, last=last, listen=listen, stop=stop))


def _probes(dataset: Dataset, starts: Ints) -> Floats:
    """Some of the training windows, from all over the table."""
    return gather(dataset.scaled, starts[:: 1 + len(starts) // PROBES], timesteps=dataset.timesteps)


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
