"""Looks at a trial while it trains, so that one that is behind others is ended early."""

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
from .folds import Rounds

# How often a trial is looked at in each round.
LOOKS = 10


def squared(error: Floats) -> Floats:
    """The squared error."""
    result: Floats = error**2
    return result


def huber(error: Floats) -> Floats:
    """Half the squared error up to 1, and a line from there on, as Keras has it."""
    size = np.abs(error)
    result: Floats = np.where(size <= 1.0, error**2 / 2.0, size - 0.5)
    return result


def log_cosh(error: Floats) -> Floats:
    """The logarithm of the hyperbolic cosine."""
    result: Floats = np.logaddexp(error, -error) - np.log(2.0)
    return result


# Losses in scaled units, and the power that makes them errors.
LOSSES: dict[str, tuple[Callable[[Floats], Floats], float]] = {
    "mse": (squared, 0.5),
    "mae": (np.abs, 1.0),
    "huber": (huber, 0.5),
    "log-cosh": (log_cosh, 0.5),
}


@dataclass
class Watch:
    """Hears the epochs of a trial, and reports how far it is.

    What is reported is the validation loss as an error in units of that of the last value, which
    trials with different losses, scalers and transforms have in common: its mean over the rounds
    that are done and the present one, of the best epoch of each.

    Args:
        trial: Whom it is reported to.
        epochs: How many there were so far.
    """

    trial: Trial
    epochs: int = 0
    unit: float | None = None
    power: float = 1.0
    done: list[float] = field(default_factory=list)
    best: float = float("inf")
    looks: int = 0

    def begin(self, rounds: Rounds, number: int, config: Config) -> None:
        """Find the unit of a round."""
        self.unit, self.power = loss_unit(rounds, number, config)
        self.best, self.looks = float("inf"), number * LOOKS

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
        self._report(len(self.done) * LOOKS + int(share * LOOKS))

    def end(self) -> None:
        """A round is over, however many epochs it had."""
        if self.unit is not None and np.isfinite(self.best):
            self._report((len(self.done) + 1) * LOOKS)
        self.done.append(self.best)

    def _report(self, look: int) -> None:
        """Report at every look that is due, up to one of them."""
        value = float(np.mean([*self.done, self.best]))
        due = range(self.looks + 1, look + 1)
        for each in due:
            self.trial.report(value, each)
        self.looks = max(self.looks, look)
        if due and self.trial.should_prune():
            raise TrialPruned


def loss_unit(rounds: Rounds, number: int, config: Config) -> tuple[float | None, float]:
    """The validation loss of the last value in a round, and the power that makes it an error.

    None where the loss is taken in other units, or there is nothing to validate on.
    """
    dataset = learning_dataset(rounds.fold(number), config, ignore)
    loss = dataset.config.training.loss or ""
    if loss not in LOSSES or dataset.config.quantile_levels:
        return None, 1.0
    errors = _last_value_errors(dataset)
    function, power = LOSSES[loss]
    known = function(errors[np.isfinite(errors)])
    unit = float(known.mean()) if len(known) else 0.0
    return (unit, power) if unit > 0.0 else (None, power)


def _last_value_errors(dataset: Dataset) -> Floats:
    """How far scaled values of the validation split are from the last one before each window's."""
    steps = dataset.steps_at_once
    firsts = dataset.starts("validation", horizon=steps) + dataset.timesteps
    scaled = dataset.scaled[:, dataset.targets].astype(np.float64)
    errors: Floats = scaled[firsts[:, None] + np.arange(steps)] - scaled[firsts - 1][:, None]
    return errors
