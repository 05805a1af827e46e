"""Reports of a trial while it trains, so that one that falls behind is pruned."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from optuna import TrialPruned
from optuna.trial import Trial

from ..backtesting.folds import learning_dataset
from ..config.schema import Config
from ..core.events import Epoch, Event, ignore
from ..core.windows import Floats
from ..data.dataset import Dataset
from .folds import TrialFolds

# Reports of a trial in each fold.
REPORTS = 10


def huber(error: Floats) -> Floats:
    """Return half the squared error up to 1, then a line, as in Keras; shape of `error`."""
    size = np.abs(error)
    result: Floats = np.where(size <= 1.0, error**2 / 2.0, size - 0.5)
    return result


# Losses in scaled units, and the power that makes them errors.
LOSSES: dict[str, tuple[Callable[[Floats], Floats], float]] = {
    "mse": (np.square, 0.5),
    "mae": (np.abs, 1.0),
    "huber": (huber, 0.5),
    "log-cosh": (lambda error: np.logaddexp(error, -error) - np.log(2.0), 0.5),
}


@dataclass
class Pruner:
    """Reports the progress of a trial from its epochs, and ends it where it falls behind.

    The value that is reported is the validation loss as a multiple of the naive forecast's error,
    which trials with different losses, scalers and transforms have in common: its mean over the
    folds so far, of the best epoch of each.

    Args:
        trial: To which it is reported.
        epochs: How many there were so far.
    """

    trial: Trial
    epochs: int = 0
    unit: float | None = None
    power: float = 1.0
    done: list[float] = field(default_factory=list)
    best: float = float("inf")
    reports: int = 0

    def __post_init__(self) -> None:
        storage = self.trial.study._storage
        self.passed = storage.get_trial(self.trial._trial_id).last_step or 0

    def begin(self, folds: TrialFolds, number: int, config: Config) -> None:
        """Find the unit of a fold."""
        self.unit, self.power = loss_unit(folds, number, config)
        self.best, self.reports = float("inf"), number * REPORTS

    def on_event(self, event: Event) -> None:
        """Report an epoch.

        Raises:
            TrialPruned: The trial is behind others.
        """
        if not isinstance(event, Epoch):
            return
        self.epochs += 1
        if self.unit is None or event.validation_loss is None:
            return
        self.best = min(self.best, (event.validation_loss / self.unit) ** self.power)
        share = (event.network - 1 + event.number / event.epochs) / event.networks
        self._report(len(self.done) * REPORTS + int(share * REPORTS))

    def end(self) -> None:
        """End a fold, however many epochs it had."""
        if self.unit is not None and np.isfinite(self.best):
            self._report((len(self.done) + 1) * REPORTS)
        self.done.append(self.best)

    def _report(self, number: int) -> None:
        """Make every report that is due, up to one of them."""
        value = float(np.mean([*self.done, self.best]))
        due = range(self.reports + 1, number + 1)
        for each in due:
            if each > self.passed:
                self.trial.report(value, each)
        self.reports = max(self.reports, number)
        # One that is run again went on after all reports but the last one that it made then.
        if due and number >= self.passed and self.trial.should_prune():
            raise TrialPruned


def loss_unit(folds: TrialFolds, number: int, config: Config) -> tuple[float | None, float]:
    """Return the validation loss of the naive forecast, and the power that makes it an error.

    None where the loss is taken in other units, or there is no validation split.
    """
    dataset = learning_dataset(folds.fold(number), config, ignore)
    loss = dataset.config.training.loss or ""
    if loss not in LOSSES or dataset.config.quantile_levels:
        return None, 1.0
    errors = _naive_errors(dataset)
    function, power = LOSSES[loss]
    known = function(errors[np.isfinite(errors)])
    unit = float(known.mean()) if len(known) else 0.0
    return (unit, power) if unit > 0.0 else (None, power)


def _naive_errors(dataset: Dataset) -> Floats:
    """Return the errors of the naive forecast on the validation split, in scaled units.

    Shape `(windows, horizon, targets)`.
    """
    steps = dataset.steps_at_once
    firsts = dataset.starts("validation", horizon=steps) + dataset.timesteps
    scaled = dataset.scaled[:, dataset.targets].astype(np.float64)
    errors: Floats = scaled[firsts[:, None] + np.arange(steps)] - scaled[firsts - 1][:, None]
    return errors
