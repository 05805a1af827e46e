"""Training, from a table to a model."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from .config import Config
from .core.room import series_of
from .core.windows import Floats, Ints, gather
from .data.dateforms import write_dates
from .data.future import with_future
from .data.panel import Panel
from .data.reading import read_panel
from .data.splits import PARTS
from .data.tables import Readable
from .datasets import Dataset, make_dataset, on_all_rows
from .errors import UsageError
from .evaluation import evaluate
from .events import Listener, Note, Stage, ignore
from .fitting import PROBES, Trained, fit_network, keep, say_ending
from .model.bundle import Bundle
from .model.runtime import Runtime
from .packing import make_bundle


def train(
    source: Readable,
    config: Config,
    *,
    future: Readable | None = None,
    listen: Listener = ignore,
    stop: Callable[[], bool] = bool,
) -> Bundle:
    """Train a network on columns of a table, or on sequences with a label.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: What to train; what it leaves open is chosen by rule.
        future: A table of future covariates for the steps after the end, kept for predictions.
        listen: Told what was understood and how it goes.
        stop: Asked after each epoch whether to stop and keep the best so far.

    Raises:
        DataError: The table does not hold what is needed; said before TensorFlow is loaded.
        TrainingError: The loss is not finite.
    """
    if future is not None and not config.data.future_covariates:
        raise UsageError(
            "There are no future covariates to read from --future.",
            "Name them with --future-covariate, or leave --future out.",
        )
    if config.data.label:
        from .labels.training import train_on_labels

        return train_on_labels(source, config, listen=listen, stop=stop)
    began = time.perf_counter()
    listen(Stage("reading"))
    panel = read_panel(source, config.data, listen=listen)
    if future is not None:
        panel = with_future(panel, future, config.data, listen=listen)
    dataset = make_dataset(panel, config, listen=listen)
    _describe(dataset, listen)
    scored = train_network(dataset, listen=listen, stop=stop)
    say_ending(scored.fitted, listen)
    if not dataset.splits.rows("test"):
        listen(Note("no test split: nothing is scored"))
    listen(Stage("scoring"))
    scores = evaluate(dataset, Runtime(scored.fitted.onnx))
    if scores is None and dataset.splits.rows("test"):
        listen(Note("no forecast fits into the test split: nothing is scored", warning=True))
    kept = keep(scored, on_all_rows, train_network, listen=listen, stop=stop)
    return make_bundle(scored, kept, scores, seconds=time.perf_counter() - began)


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
        inputs=dataset.panel.columns.inputs,
        train=dataset.starts("train", horizon=steps),
        validation=dataset.starts("validation", horizon=steps),
        timesteps=dataset.timesteps,
        horizon=steps,
        every_step=config.network.head == "sequence",
        units=dataset.units,
        owners=dataset.owners if dataset.panel.count > 1 else None,
    )
    probes = _probes(dataset, feed.train)
    return Trained(dataset, fit_network(config, feed, probes, last=last, listen=listen, stop=stop))


def _probes(dataset: Dataset, starts: Ints) -> list[Floats]:
    """Some of the training windows, from all over the table, and what is known ahead of them."""
    starts = starts[:: 1 + len(starts) // PROBES]
    windows = gather(dataset.scaled, starts, timesteps=dataset.timesteps)
    known = list(dataset.panel.columns.inputs.ahead)
    if not known:
        return [windows]
    ahead = gather(dataset.scaled, starts + dataset.timesteps, timesteps=dataset.steps_at_once)
    return [windows, np.ascontiguousarray(ahead[..., known])]


def _describe(dataset: Dataset, listen: Listener) -> None:
    """Say what was read and how it is split."""
    panel, splits = dataset.panel, dataset.splits
    rows = f"{panel.source}: {len(panel.values):,} rows"
    if panel.count > 1:
        low, high = panel.lengths.min(), panel.lengths.max()
        rows += f" of {panel.count:,} series" + (f" of {low:,} to {high:,}" if low < high else "")
    if panel.timeline is not None:
        times, frequency = panel.timeline.times, panel.timeline.frequency
        ends = pd.DatetimeIndex([times.min(), times.max()])
        first, last = write_dates(ends, panel.timeline.style)
        rows += f", {first} to {last}, {frequency.name}"
        if frequency.alias == "B":
            hint = "" if frequency.open_days else " (--calendar XNYS, KR ... or data for holidays)"
            listen(Note(f"dates to come: {frequency.rule}{hint}"))
    _describe_covariates(panel, listen)
    parts = [f"{splits.rows(part):,} {part}" for part in PARTS]
    listen(Note(f"{rows}; {', '.join(parts)}"))
    _describe_series(dataset, listen)
    quantile = dataset.config.training.quantile
    if quantile not in (None, 0.5):
        text = f"the forecasts are {quantile:g}-quantiles, not the middle: errors say little"
        listen(Note(text, warning=True))


def _describe_covariates(panel: Panel, listen: Listener) -> None:
    """Say which covariates are read, and as what."""
    covariates = panel.columns.covariates
    of_kind = {
        "past": covariates.past,
        "future": covariates.future,
        "static": covariates.static,
        "calendar": panel.data.calendar_features,
    }
    said = [f"{kind} {', '.join(names)}" for kind, names in of_kind.items() if names]
    if said:
        listen(Note(f"covariates: {'; '.join(said)}"))
    for name, values in covariates.categories.items():
        listen(Note(f'"{name}" names {len(values)} categories'))


def _describe_series(dataset: Dataset, listen: Listener) -> None:
    """Say which series are not scored, and what was filled."""
    panel, splits = dataset.panel, dataset.splits
    born = int(np.sum(splits.train_end == splits.indptr[:-1]))
    if born:
        listen(Note(f"{born} of {panel.count} series begin after the training: not scored"))
    elif splits.rows("test") and panel.count > 1:
        scored = len(np.unique(series_of(panel.indptr, dataset.origins("test"))))
        if scored < panel.count:
            why = "too short for a test, or for a window before it, or they end before it"
            listen(Note(f"{panel.count - scored} of {panel.count} series are not scored: {why}"))
    columns = panel.values[:, : len(panel.columns.columns)]
    missing = np.isnan(columns)
    if not missing.any() or panel.data.missing in ("mask", "drop"):
        return
    listen(Note(f"{int(missing.sum()):,} missing values filled: {panel.data.missing}"))
    ends = int(missing[panel.indptr[1:] - 1].any(axis=1).sum())
    if ends:
        what = f"{ends} of {panel.count} series end" if panel.count > 1 else "the table ends"
        text = f"{what} with missing values: forecasts begin after what was filled there"
        listen(Note(text, warning=True))
