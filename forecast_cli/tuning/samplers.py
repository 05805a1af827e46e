"""Samplers: how the settings of a trial are proposed."""

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

from ..core.errors import UsageError, counted
from .options import SamplerName
from .space import Choices, Range, Setting, Space, as_toml


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
    """Return a sampler.

    Args:
        name: Of the sampler.
        space: What is searched.
        seed: Of the search.

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
    """Return the settings of a trial, by flat names.

    Args:
        space: What is searched.
        trial: Draws the values.
        given: Fixed settings, which conditions may depend on.
    """
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
