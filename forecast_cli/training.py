"""Training, from a table to a model."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .bands import make_bands
from .config import Config
from .core.windows import Floats, Ints, gather
from .data.future import with_future
from .data.reading import read_panel
from .data.tables import Readable
from .datasets import Dataset, make_dataset, on_all_rows
from .descriptions import describe
from .errors import UsageError
from .evaluation import Scores, evaluate
from .events import Listener, Note, Stage, ignore
from .fitting import PROBES, Trained, fit_network, keep, say_ending
from .forecaster import NetworkForecaster
from .model.bundle import Bundle
from .model.calibration import Calibration
from .model.dropout import MonteCarlo
from .model.runtime import Runtime
from .packing import make_bundle
from .residuals import calibrate
from .scoring import Claims


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
    dataset = read_dataset(source, config, future=future, listen=listen)
    learned = learn(dataset, listen=listen, stop=stop)
    return finish(learned, began, listen=listen, stop=stop)


@dataclass(frozen=True)
class Learned:
    """A network that was trained on the training split, and what it is like.

    Args:
        scored: The network.
        calibration: Its errors on the validation split; None without one.
        scores: On the test split; None without one.
    """

    scored: Trained[Dataset]
    calibration: Calibration | None
    scores: Scores | None


def read_dataset(
    source: Readable, config: Config, *, future: Readable | None = None, listen: Listener
) -> Dataset:
    """Read a table, make it ready to learn from, and say what was understood.

    Args:
        source: The table.
        config: How it is read and what is to be learned.
        future: A table of future covariates for the steps after its end.
        listen: Told what was understood.

    Raises:
        DataError: The table does not hold what is needed.
    """
    listen(Stage("reading"))
    panel = read_panel(source, config.data, listen=listen)
    if future is not None:
        panel = with_future(panel, future, config.data, listen=listen)
    dataset = make_dataset(panel, config, listen=listen)
    describe(dataset, listen)
    if not dataset.splits.rows("test"):
        listen(Note("no test split: nothing is scored"))
    return dataset


def learn(dataset: Dataset, *, listen: Listener, stop: Callable[[], bool]) -> Learned:
    """Train a network on the training split, and score it on the test split."""
    scored = train_network(dataset, listen=listen, stop=stop)
    say_ending(scored.fitted, listen)
    listen(Stage("scoring"))
    network = forecaster_of(scored)
    calibration = calibrate(network)
    if calibration is None and dataset.config.intervals != "quantile":
        listen(Note("no forecast fits into the validation split: there are no intervals"))
    scores = evaluate(replace(network), claims_of(calibration, dataset.config))
    if scores is None and dataset.splits.rows("test"):
        listen(Note("no forecast fits into the test split: nothing is scored", warning=True))
    return Learned(scored, calibration, scores)


def finish(learned: Learned, began: float, *, listen: Listener, stop: Callable[[], bool]) -> Bundle:
    """The model to save: refitted on all rows, where that is asked for.

    Args:
        learned: The network.
        began: When the training began, as `time.perf_counter` has it.
        listen: Told of the refit.
        stop: Asked after each epoch whether to stop.
    """
    kept = keep(learned.scored, on_all_rows, train_network, listen=listen, stop=stop)
    return make_bundle(
        learned.scored,
        kept,
        learned.calibration,
        learned.scores,
        seconds=time.perf_counter() - began,
    )


def forecaster_of(trained: Trained[Dataset]) -> NetworkForecaster:
    """A trained network at work on the rows of its dataset."""
    config, fitted = trained.dataset.config, trained.fitted
    dropout = None
    if fitted.dropout is not None:
        rates = [layer.dropout for layer in config.network.recurrent]
        dropout = MonteCarlo(fitted.dropout, rates, seed=config.training.seed)
    return NetworkForecaster(trained.dataset, Runtime(fitted.onnx), dropout)


def claims_of(calibration: Calibration | None, config: Config) -> Claims | None:
    """The intervals that the configuration asks for; None where nothing can be made of."""
    if calibration is None and config.intervals != "quantile":
        return None
    return Claims(make_bands(calibration, config))


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
