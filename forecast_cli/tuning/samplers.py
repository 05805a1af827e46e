"""Samplers, which propose the settings of trials, and what prunes trials that fall behind."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from optuna import TrialPruned
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from ..backtesting.folds import learning_dataset
from ..config.schema import Config
from ..core.errors import UsageError, counted
from ..core.events import Epoch, Event, ignore
from ..core.windows import Floats
from .folds import TrialFolds
from .options import SamplerName
from .space import Choices, Range, Setting, Space, as_toml

# Reports of a trial in each fold.
REPORTS = 10
# Losses in scaled units as in Keras, and the power that makes them errors.
LOSSES: dict[str, tuple[Callable[[Floats], Floats], float]] = {
    "mse": (np.square, 0.5),
    "mae": (np.abs, 1.0),
    "huber": (lambda e: np.where(np.abs(e) <= 1.0, e**2 / 2.0, np.abs(e) - 0.5), 0.5),
    "log-cosh": (lambda error: np.logaddexp(error, -error) - np.log(2.0), 0.5),
}


class Numbered(BaseSampler):
    """A sampler whose random numbers follow from the seed and the number of the trial alone.

    A study that is continued proposes what it would have proposed without the break, and two runs
    that share a study do not propose the same.

    Args:
        make: Makes a sampler from a seed.
        seed: Of the search.
        first: The values of the first trials, as a study stores them, by name.
    """

    def __init__(
        self,
        make: Callable[[int], BaseSampler],
        seed: int,
        first: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.make = make
        self.seed = seed
        self.first = first
        self.inner = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make a sampler for this trial."""
        own = np.random.SeedSequence([self.seed, trial.number]).generate_state(1)
        self.inner = self.make(int(own[0]))
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        if trial.number < len(self.first):
            return {}
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        if trial.number < len(self.first):
            return self.first[trial.number][param_name]
        return self.inner.sample_independent(study, trial, param_name, param_distribution)


class Grid(BaseSampler):
    """All combinations, each once, in an order drawn from the seed.

    Args:
        values: The values of each setting, as a trial has them.
        seed: Of the search.
    """

    def __init__(self, values: Mapping[str, Sequence[Any]], seed: int) -> None:
        self.values = values
        size = math.prod(map(len, values.values()))
        self.order = np.random.default_rng(seed).permutation(size)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        """Return the value at the place of the trial among all combinations."""
        number = int(self.order[trial.number % len(self.order)])
        for name, values in self.values.items():
            number, place = divmod(number, len(values))
            if name == param_name:
                return values[place]
        raise KeyError(param_name)


def make_sampler(name: SamplerName, space: Space, seed: int) -> BaseSampler:
    """Return a sampler of a space by its name.

    Raises:
        UsageError: It cannot search this space, or a package is missing.
    """
    if name == "grid":
        return Grid({each: labels(values) for each, values in space.grid().items()}, seed)
    if name == "cmaes":
        _check_numbers(space)
    makers: dict[str, Callable[[int], BaseSampler]] = {
        "tpe": lambda own: TPESampler(seed=own),
        "random": lambda own: RandomSampler(seed=own),
        "cmaes": lambda own: CmaEsSampler(seed=own, warn_independent_sampling=False),
    }
    first = space.variations() if name == "tpe" else []
    stored = [dict(zip(each, labels([*each.values()]), strict=True)) for each in first]
    return Numbered(makers[name], seed, stored)


def _check_numbers(space: Space) -> None:
    """Refuse a space without two numbers, which CMA-ES cannot search, and a missing package."""
    numbers = [each.name for each in space.settings if isinstance(each.domain, Range)]
    if len(numbers) < 2:
        held = counted(len(numbers), "range")
        raise UsageError(
            f"cmaes searches numbers, at least two of them; {space.source} has {held}.",
            "Pass `sampler=tpe`.",
        )
    if find_spec("cmaes") is None:
        raise UsageError(
            "`sampler=cmaes` needs the package cmaes, which is not installed.",
            "Install it: pip install cmaes.",
        )


def suggest(space: Space, trial: Trial, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a trial, which draws them; conditions may depend on those given."""
    chosen: dict[str, Any] = {}
    for setting in space.settings:
        known = {**given, **chosen}
        if all(known.get(name) in values for name, values in setting.when.items()):
            chosen[setting.name] = _drawn(setting, trial)
    return chosen


def _drawn(setting: Setting, trial: Trial) -> Any:
    name, domain = setting.name, setting.domain
    if isinstance(domain, Choices):
        known = dict(zip(labels(domain.values), domain.values, strict=True))
        return known[trial.suggest_categorical(name, list(known))]
    low, high, step = domain.low, domain.high, domain.step
    if domain.whole:
        return trial.suggest_int(name, int(low), int(high), step=int(step or 1), log=domain.log)
    return trial.suggest_float(name, low, high, step=step, log=domain.log)


def labels(values: Sequence[Any]) -> list[Any]:
    """Return values as a study can store them: lists and None as text.

    >>> labels([16, "gru", (64, 32), None])
    [16, 'gru', '[64, 32]', '"none"']
    """
    plain = bool | int | float | str
    return [each if isinstance(each, plain) else as_toml(each) for each in values]


def decode_params(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a stored trial, by flat names."""
    values: dict[str, Any] = {n: params[n] for n in space.names if n in params}
    for each in space.settings:
        if isinstance(each.domain, Choices) and each.name in values:
            known = each.domain.values
            values[each.name] = known[labels(known).index(values[each.name])]
    return values


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
    steps = dataset.steps_at_once
    firsts = dataset.starts("validation", horizon=steps) + dataset.timesteps
    scaled = dataset.scaled[:, dataset.targets].astype(np.float64)
    errors = scaled[firsts[:, None] + np.arange(steps)] - scaled[firsts - 1][:, None]
    function, power = LOSSES[loss]
    known = function(errors[np.isfinite(errors)])
    unit = float(known.mean()) if len(known) else 0.0
    return (unit, power) if unit > 0.0 else (None, power)
