"""The trials that a run has to make: new ones, and those of before that were interrupted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from optuna.study import Study
from optuna.trial import FrozenTrial

from ..core.events import Listener, Note
from .options import Search
from .ranking import RUN
from .space import Space

# What a study stores of a trial: the key of the run that made it.
BY = "by"
# More trials than fit into any time budget.
ENDLESS = 100_000


@dataclass(frozen=True)
class EarlierTrials:
    """The trials that were in a study when a run began, or was resumed.

    Args:
        own: Those of the run itself, before it was interrupted.
        others: How many are of other runs.
    """

    own: Sequence[FrozenTrial]
    others: int

    @property
    def done(self) -> int:
        """How many of its own are finished."""
        return sum(each.state.is_finished() for each in self.own)

    @property
    def begun(self) -> list[int]:
        """The identifiers of its own that were interrupted, which are run again."""
        return [each._trial_id for each in self.own if not each.state.is_finished()]

    @property
    def seconds(self) -> float:
        """How long its finished trials took."""
        runs = [each.user_attrs[RUN] for each in self.own if each.state.is_finished()]
        return sum(float(each["seconds"]) for each in runs)


@dataclass(frozen=True)
class Workload:
    """The trials of a run.

    Args:
        earlier: Those of before.
        most: How many it has in all; None for as many as there is time for.
    """

    earlier: EarlierTrials
    most: int | None

    @property
    def left(self) -> list[int | None]:
        """What is to be run: trials that were interrupted, by their identifiers, and new ones."""
        count = ENDLESS if self.most is None else max(0, self.most - self.earlier.done)
        begun = self.earlier.begun[:count]
        return [*begun, *[None] * (count - len(begun))]

    def say(self, on_event: Listener) -> None:
        """Note what the run goes on with."""
        if self.earlier.own:
            of = "" if self.most is None else f" of {self.most}"
            on_event(Note(f"resuming the search after {self.earlier.done}{of} trials"))
        if self.earlier.others:
            on_event(Note(f"the study has {self.earlier.others} trials; this run continues it"))


def trials_of(study: Study, key: str, *, alone: bool = False) -> EarlierTrials:
    """Return the trials of a study, apart by the run that made them.

    Args:
        study: The study.
        key: Of the run.
        alone: Whether no other run uses the study: then a trial without a key is of this one too.
    """
    trials = study.get_trials(deepcopy=False)
    own = [
        each
        for each in trials
        if each.user_attrs.get(BY) == key or (alone and BY not in each.user_attrs)
    ]
    return EarlierTrials(own, len(trials) - len(own))


def most_trials(search: Search, space: Space, others: int) -> int | None:
    """Return how many trials a run has in all; None for as many as there is time for.

    Args:
        search: The options.
        space: What is searched.
        others: How many trials the study has of other runs.
    """
    if search.sampler != "grid":
        return search.most
    size = max(0, math.prod(map(len, space.grid().values())) - others)
    return min(search.most or size, size)
