"""Train a model on a table."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..core.libraries import require_training
from ..data.dataset import Dataset
from ..data.future_table import with_future
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..evaluation.scoring import IntervalSpec
from ..evaluation.split_evaluation import Scores, evaluate
from ..forecasting.covariate_effects import Importance, permutation_importance
from ..forecasting.intervals.calibration import (
    RecentErrors,
    SplitErrors,
    calibrate,
    validation_errors,
)
from ..forecasting.intervals.interval_methods import make_bands
from ..forecasting.network_forecaster import NetworkForecaster
from ..model.bundle import Bundle
from ..model.checkpoints import Checkpoints, Keeper
from ..model.records import Calibration
from .checkpointing import begin_checkpoints, describe_dataset, part_of
from .data_summary import describe
from .effort import require_room, with_time
from .fitting import Trained, keep, report_ending
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
    checkpoints: Checkpoints | None = None,
    on_scored: Callable[[Bundle], None] | None = None,
) -> Bundle:
    """Train a network on columns of a table, or on sequences with a label.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: The settings; those left open are chosen by rule.
        future: A table of future covariates for the steps after the end, stored for predictions.
        on_event: Notified of how the table is read, and of the progress.
        should_stop: Called after each epoch; True stops the training with the best weights so far.
        checkpoints: Where an unfinished training is kept and found; None to keep none.
        on_scored: Called with the model as it was scored, where another is returned, refitted on
            all rows; not for labels.

    Raises:
        DataError: The table lacks what is needed; raised before TensorFlow is loaded.
        TrainingError: The loss is not finite.
    """
    if future is not None and not config.data.future_covariates:
        raise UsageError(
            "There are no future covariates to read from `future`.",
            "Name them in `future_covariates`, or leave `future` out.",
        )
    how: Any = {"on_event": on_event, "should_stop": should_stop, "checkpoints": checkpoints}
    if config.data.label:
        require_training("Training")
        from .labels.training import train_on_labels

        return train_on_labels(source, config, **how)
    began = time.perf_counter()
    dataset = read_dataset(source, config, future=future, on_event=on_event)
    return _train_on(dataset, began, on_scored=on_scored, **how)


def train_panel(
    panel: Panel,
    config: Config,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
    run: Checkpoints | None = None,
) -> Bundle:
    """Train a network on a table that is read already; errors as in `train`.

    Args:
        panel: The table.
        config: As in `train`.
        on_event: As in `train`.
        should_stop: As in `train`.
        run: The checkpoints of the run that this training is a part of; None to keep none.
    """
    began = time.perf_counter()
    dataset = prepare(panel, config, on_event)
    how: Any = {"on_event": on_event, "should_stop": should_stop}
    return _train_on(dataset, began, checkpoints=part_of(run, dataset), **how)


def _train_on(
    dataset: Dataset,
    began: float,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
    checkpoints: Keeper | None,
    on_scored: Callable[[Bundle], None] | None = None,
) -> Bundle:
    """Train on a dataset; `began` is when that was, in seconds of `time.perf_counter`."""
    if isinstance(checkpoints, Checkpoints):
        began -= begin_checkpoints(checkpoints, partial(describe_dataset, dataset), on_event)
    require_room(dataset.config)
    on_event = with_time(on_event, dataset.config)
    budget = dataset.config.training.time_budget
    end = None if budget is None else began + budget
    by = partial(train_network, deadline=end, checkpoints=checkpoints)
    learned = learn(dataset, by=by, on_event=on_event, should_stop=should_stop)
    bundle = finish(learned, began, by=by, on_event=on_event, should_stop=should_stop)
    return hand_over(learned, bundle, on_scored)


@dataclass(frozen=True)
class Learned:
    """A network trained on the training split, its validation errors and its scores.

    Args:
        scored: The network and its dataset.
        forecaster: The network at work.
        calibration: The errors on the validation split; None without one.
        scores: On the test split; None without one.
    """

    scored: Trained[Dataset]
    forecaster: NetworkForecaster
    calibration: Calibration | None
    scores: Scores | None


def read_dataset(
    source: Readable, config: Config, *, future: Readable | None = None, on_event: Listener
) -> Dataset:
    """Read a table, prepare it for training, and note how it was read.

    Args:
        source: The table.
        config: How it is read, and what is trained.
        future: A table of future covariates for the steps after its end.
        on_event: Notified of how the table is read.

    Raises:
        DataError: The table lacks what is needed.
    """
    on_event(Stage("reading"))
    panel = read_panel(source, config.data, on_event=on_event)
    if future is not None:
        panel = with_future(panel, future, config.data, on_event=on_event)
    return prepare(panel, config, on_event)


def prepare(panel: Panel, config: Config, on_event: Listener) -> Dataset:
    """Prepare a table for training, and note how it was read.

    Raises:
        DataError: The table lacks what is needed.
    """
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
        dataset: The data and the resolved configuration.
        by: Trains networks as `train_network` does.
        on_event: Notified of the progress.
        should_stop: Called after each epoch; True stops the training.
    """
    scored = by(dataset, on_event=on_event, should_stop=should_stop)
    dataset = scored.dataset
    report_ending(scored.fitted, on_event)
    on_event(Stage("scoring", unit="evaluation"))
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
    return Learned(scored, network, calibration, scores)


def finish(
    learned: Learned,
    began: float,
    *,
    by: Callable[..., Trained[Dataset]] = train_network,
    whole: Callable[[Dataset], Dataset] = on_all_rows,
    on_event: Listener,
    should_stop: Callable[[], bool],
) -> Bundle:
    """Return the model to save, refitted on all rows where `refit` is set.

    Args:
        learned: The network trained on the training split.
        began: When the training began, in seconds of `time.perf_counter`.
        by: Trains networks as `train_network` does.
        whole: Returns the dataset with every row in the training split.
        on_event: Notified of the refit.
        should_stop: Called after each epoch; True stops the training.
    """
    kept, splits = learned.scored, learned.scored.dataset.splits
    if splits.rows("validation") or splits.rows("test"):
        kept = keep(learned.scored, whole, by, on_event=on_event, should_stop=should_stop)
    importance: Importance = {}
    if splits.rows("validation") and learned.scored.dataset.panel.columns.covariates.names:
        network = learned.forecaster
        importance, _ = permutation_importance(network, network.origins("validation"))
    return make_bundle(
        learned.scored,
        kept,
        learned.calibration,
        learned.scores,
        seconds=time.perf_counter() - began,
        importance=importance,
    )


def as_scored(learned: Learned, saved: Bundle) -> Bundle:
    """Return the model as it was scored; `saved` is the same refitted on all rows."""
    run, importance = saved.manifest.run, saved.manifest.importance
    how: Any = {"seconds": run.seconds, "importance": importance}
    return make_bundle(learned.scored, learned.scored, learned.calibration, learned.scores, **how)


def hand_over(
    learned: Learned, saved: Bundle, on_scored: Callable[[Bundle], None] | None
) -> Bundle:
    """Return a model, and show a listener how it was scored, where it was refitted on all rows."""
    if on_scored is not None and saved.manifest.run.refitted:
        on_scored(as_scored(learned, saved))
    return saved


def specify_intervals(
    calibration: Calibration | None, dataset: Dataset, validation: SplitErrors | None
) -> IntervalSpec | None:
    """Return the intervals of the configuration; None where they cannot be made.

    Args:
        calibration: The errors they are made of; quantiles need none.
        dataset: That of the network.
        validation: The errors on the validation split.
    """
    if calibration is None or validation is None:
        if dataset.config.interval_method.uses_errors:
            return None
        return IntervalSpec(make_bands(None, dataset.config))
    recent = RecentErrors(dataset, calibration.units, calibration.of_forecasts)
    recent.add(validation.origins, validation.errors)
    return IntervalSpec(make_bands(calibration, dataset.config), recent=recent)
