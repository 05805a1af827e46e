"""Training, from a table to a model."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ..config.members import member_names
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..data.dataset import Dataset
from ..data.future_table import with_future
from ..data.io.tables import Readable
from ..data.reading import read_panel
from ..evaluation.scoring import IntervalSpec
from ..evaluation.split_evaluation import Scores, evaluate
from ..forecasting.intervals.calibration import (
    RecentErrors,
    SplitErrors,
    calibrate,
    validation_errors,
)
from ..forecasting.intervals.interval_methods import make_bands
from ..model.bundle import Bundle
from ..model.calibration import Calibration
from .data_summary import describe
from .fitting import Trained, keep, say_ending, say_shares
from .model_assembly import make_bundle
from .network_training import make_forecaster, train_network
from .preparation import make_dataset, on_all_rows


def train(
    source: Readable,
    config: Config,
    *,
    future: Readable | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Bundle:
    """Train a network on columns of a table, or on sequences with a label.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: What to train; what it leaves open is chosen by rule.
        future: A table of future covariates for the steps after the end, kept for predictions.
        on_event: Told what was understood and how it goes.
        should_stop: Asked after each epoch whether to stop and keep the best so far.

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

        return train_on_labels(source, config, on_event=on_event, should_stop=should_stop)
    began = time.perf_counter()
    dataset = read_dataset(source, config, future=future, on_event=on_event)
    budget = config.training.time_budget
    by = partial(train_network, deadline=None if budget is None else began + budget)
    learned = learn(dataset, by=by, on_event=on_event, should_stop=should_stop)
    return finish(learned, began, by=by, on_event=on_event, should_stop=should_stop)


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
    source: Readable, config: Config, *, future: Readable | None = None, on_event: Listener
) -> Dataset:
    """Read a table, make it ready to learn from, and say what was understood.

    Args:
        source: The table.
        config: How it is read and what is to be learned.
        future: A table of future covariates for the steps after its end.
        on_event: Told what was understood.

    Raises:
        DataError: The table does not hold what is needed.
    """
    on_event(Stage("reading"))
    panel = read_panel(source, config.data, on_event=on_event)
    if future is not None:
        panel = with_future(panel, future, config.data, on_event=on_event)
    dataset = make_dataset(panel, config, on_event=on_event)
    describe(dataset, on_event)
    if not dataset.splits.rows("test"):
        on_event(Note("no test split: nothing is scored"))
    return dataset


def learn(
    dataset: Dataset,
    *,
    by: Callable[..., Trained[Dataset]] = train_network,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Learned:
    """Train networks on the training split, and score their forecast on the test split.

    Args:
        dataset: What to learn from, and how.
        by: What trains, as `train_network` does.
        on_event: Told how it goes.
        should_stop: Asked after each epoch whether to stop.
    """
    scored = by(dataset, on_event=on_event, should_stop=should_stop)
    dataset = scored.dataset
    say_ending(scored.fitted, on_event)
    say_shares(scored.fitted.shares, member_names(dataset.config), on_event)
    on_event(Stage("scoring"))
    network = make_forecaster(scored)
    validation = validation_errors(network)
    calibration = calibrate(dataset, validation)
    if calibration is None and dataset.config.interval_method.uses_errors:
        on_event(Note("no forecast fits into the validation split: there are no intervals"))
    claims = specify_intervals(calibration, dataset, validation)
    scores = evaluate(network, claims, validation)
    if calibration is not None and claims is not None and claims.recent is not None:
        calibration = replace(calibration, ended=claims.recent.ended())
    if scores is None and dataset.splits.rows("test"):
        on_event(Note("no forecast fits into the test split: nothing is scored", warning=True))
    return Learned(scored, calibration, scores)


def finish(
    learned: Learned,
    began: float,
    *,
    by: Callable[..., Trained[Dataset]] = train_network,
    whole: Callable[[Dataset], Dataset] = on_all_rows,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Bundle:
    """The model to save: refitted on all rows, where that is asked for.

    Args:
        learned: The network.
        began: When the training began, as `time.perf_counter` has it.
        by: What trains, as `train_network` does.
        whole: Puts every row into the training split.
        on_event: Told of the refit.
        should_stop: Asked after each epoch whether to stop.
    """
    kept, splits = learned.scored, learned.scored.dataset.splits
    if splits.rows("validation") or splits.rows("test"):
        kept = keep(learned.scored, whole, by, on_event=on_event, should_stop=should_stop)
    return make_bundle(
        learned.scored,
        kept,
        learned.calibration,
        learned.scores,
        seconds=time.perf_counter() - began,
    )


def specify_intervals(
    calibration: Calibration | None, dataset: Dataset, validation: SplitErrors | None
) -> IntervalSpec | None:
    """The intervals that the configuration asks for; None where they cannot be made.

    Args:
        calibration: What they are made of; quantiles need none.
        dataset: What the network learned from.
        validation: The errors that the calibration is of.
    """
    if calibration is None or validation is None:
        if dataset.config.interval_method.uses_errors:
            return None
        return IntervalSpec(make_bands(None, dataset.config))
    recent = RecentErrors(dataset, calibration.units, calibration.of_forecasts)
    recent.add(validation.origins, validation.errors)
    return IntervalSpec(make_bands(calibration, dataset.config), recent=recent)
