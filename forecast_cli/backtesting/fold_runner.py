"""The folds of a backtest at work: found on disk, made here or in other processes, and kept."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..core.errors import Interrupted
from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..core.forecast import Forecast, join
from ..core.parallel import run_all
from ..core.windows import Floats, Ints
from ..data.missing import fill_panel, last_known
from ..data.splits import Splits
from .cutoffs import schedule
from .fold_cache import FoldStore, Outcome, open_store
from .folds import Fold
from .models import Contender
from .origins import Samples
from .plan import Plan
from .setup import Contest


@dataclass
class FoldWork:
    """The folds of all contenders.

    Args:
        contest: Who forecasts what.
        plan: How.
        samples: The forecasts that are made.
        on_event: Told how it goes.
        should_stop: Asked between folds, and after each epoch, whether to stop.
    """

    contest: Contest
    plan: Plan
    samples: Samples
    on_event: Listener
    should_stop: Callable[[], bool]
    stores: dict[str, FoldStore] = field(default_factory=dict)
    kept: int = 0

    @cached_property
    def known(self) -> Floats:
        """The targets without gaps, filled with no look behind a cutoff from which one forecasts.

        Shape `(n_rows, targets)`, original units.
        """
        panel, ends = self.contest.panel, self.contest.cutoffs.ends[0]
        splits = Splits(panel.indptr, ends, ends)
        filled = fill_panel(panel, splits, season_length=self.contest.season_length)
        return last_known(filled[:, list(panel.columns.target_places)], panel.indptr)

    def run(self) -> tuple[dict[str, Forecast], dict[str, float]]:
        """The forecasts of all contenders, and how many seconds each took.

        Raises:
            Interrupted: Somebody stopped it.
        """
        parts: dict[str, list[tuple[Ints, Forecast]]] = {
            each.name: [] for each in self.contest.contenders
        }
        seconds = dict.fromkeys(parts, 0.0)
        try:
            for contender, part, outcome in self._outcomes():
                parts[contender.name].append((part, outcome.said))
                seconds[contender.name] += outcome.seconds
        except KeyboardInterrupt:
            raise self._interrupted() from None
        for store in self.stores.values():
            store.clear()
        count = len(self.samples.origins)
        said = {name: join(each, count) for name, each in parts.items()}
        for name, each in said.items():
            for text in each.remarks:
                self.on_event(Note(f"{name}: {text}", warning=True))
        return said, seconds

    def fold(self, contender: Contender, part: Ints) -> Fold:
        """What a contender may know to make some of the forecasts."""
        cutoffs, samples, panel = self.contest.cutoffs, self.samples, contender.panel
        # It learns at the first cutoff that it serves, whether or not a forecast begins there.
        served = schedule(cutoffs.count, contender.refit)
        learned = next(int(each[0]) for each in served if samples.cutoffs[part[0]] in each)
        begins, ends = self.contest.rows_before(learned)
        origins = samples.origins[part]
        firsts = panel.indptr[samples.series[part]]
        if self.plan.sliding is not None:
            firsts = np.maximum(firsts, origins - self.plan.sliding)
        return Fold(panel, self.known, begins, ends, origins, firsts, self.contest.horizon)

    def parts(self, contender: Contender) -> list[Ints]:
        """The samples of each fold of a contender."""
        served = schedule(self.contest.cutoffs.count, contender.refit)
        parts = [np.flatnonzero(np.isin(self.samples.cutoffs, each)) for each in served]
        return [part for part in parts if len(part)]

    def _outcomes(self) -> Iterator[tuple[Contender, Ints, Outcome]]:
        """What comes of each fold, in any order."""
        costly: list[tuple[Contender, int, Ints]] = []
        for contender in self.contest.contenders:
            parts = self.parts(contender)
            if contender.costs:
                costly += [(contender, number, part) for number, part in enumerate(parts)]
                continue
            hear = self._hears(contender)
            for part in parts:
                yield (
                    contender,
                    part,
                    forecast_fold(contender, self.fold(contender, part), hear, self.should_stop),
                )
                self._check_stop()
        yield from self._costly(costly)

    def _costly(
        self, pieces: list[tuple[Contender, int, Ints]]
    ) -> Iterator[tuple[Contender, Ints, Outcome]]:
        """What comes of the folds that are worth keeping: first those that are kept already."""
        missing = []
        for contender, number, part in pieces:
            found = self._store(contender).find(number) if self.plan.keep else None
            shape = (len(part), self.contest.horizon, self.known.shape[1])
            if found is not None and found.said.point.shape == shape:
                self.kept += 1
                yield contender, part, found
            else:
                missing.append((contender, number, part))
        if self.kept:
            self.on_event(Note(f"{self.kept} of {len(pieces)} folds are there from an earlier run"))
        if not missing:
            return
        self.on_event(Stage(f"{len(missing)} folds"))
        work = [(each, self.fold(each, part)) for each, _, part in missing]
        with closing(run_all(forecast_fold, work, jobs=self._jobs(pieces))) as running:
            for done, (place, outcome) in enumerate(running, start=1):
                contender, number, part = missing[place]
                self._keep(contender, number, outcome)
                yield contender, part, outcome
                self.on_event(Done("folds", done, len(missing)))
                self._check_stop()

    def _jobs(self, pieces: list[tuple[Contender, int, Ints]]) -> int | None:
        """How many folds at a time; a single one needs no other process."""
        return 1 if len(pieces) == 1 else self.plan.jobs

    def _store(self, contender: Contender) -> FoldStore:
        if contender.name not in self.stores:
            store = open_store(contender, self.plan, self.contest.cutoffs, self.samples)
            self.stores[contender.name] = store
        return self.stores[contender.name]

    def _keep(self, contender: Contender, number: int, outcome: Outcome) -> None:
        if not self.plan.keep:
            return
        if self._store(contender).keep(number, outcome):
            self.kept += 1

    def _hears(self, contender: Contender) -> Listener:
        """What is told of a training that is the only one of its network."""

        def hear(event: Event) -> None:
            if isinstance(event, Stage):
                event = Stage(f"{contender.name}: {event.name}")
            self.on_event(event)

        return hear

    def _check_stop(self) -> None:
        if self.should_stop():
            raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        if not self.kept:
            return Interrupted("Stopped; no fold was finished that is worth keeping.")
        folds = f"{self.kept} finished fold{'s are' if self.kept > 1 else ' is'} kept"
        return Interrupted(f"Stopped; {folds}.", "The same command goes on from there.")


def forecast_fold(
    contender: Contender,
    fold: Fold,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Outcome:
    """Let a contender learn what it may, and forecast; any process can do it."""
    began = time.perf_counter()
    said = contender.forecast(fold, on_event, should_stop)
    return Outcome(said, time.perf_counter() - began)
