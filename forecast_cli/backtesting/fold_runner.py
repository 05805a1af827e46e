"""The run of a backtest: folds read from disk, or made here or in other processes, and stored."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..core.errors import Interrupted, counted
from ..core.events import Done, Event, Listener, Note, Stage, ignore
from ..core.forecast import Forecast, join
from ..core.parallel import run_all
from ..core.ragged import Flags
from ..core.windows import Floats, Ints
from ..data.missing import fill_targets
from .cutoffs import Samples, schedule
from .fold_cache import FoldStore, FoldStores, Outcome
from .folds import Fold
from .models import Candidate
from .setup import Setup

# The forecasts of a fold, and the numbers of their samples, shape `(samples of the fold,)`.
Part = tuple[Ints, Forecast]


# The forecasts that every candidate made, what they are by candidate, and how long each took; those
# that finished no fold are left out.
Finished = tuple[Samples, dict[str, Forecast], dict[str, float]]


@dataclass
class FoldWork:
    """The folds of all candidates.

    Args:
        setup: The table, the cutoffs and the candidates.
        samples: The forecasts to make.
        on_event: Notified of progress.
        should_stop: Called after each fold.
        stores: Where finished folds are kept.
    """

    setup: Setup
    samples: Samples
    on_event: Listener
    should_stop: Callable[[], bool]
    stores: FoldStores
    kept: int = 0

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self.stores.unfinished

    @cached_property
    def known(self) -> Floats:
        """The targets without gaps, filled without values from after a cutoff.

        Shape `(n_rows, targets)`, original units.
        """
        ends, season = self.setup.cutoffs.ends[0], self.setup.season_length
        return fill_targets(self.setup.panel, ends, season_length=season)

    def run(self) -> Finished:
        """Return the forecasts of all candidates; after a stop, of the folds finished by then.

        Raises:
            Interrupted: Ctrl-C ended it at once, or before anything was finished.
        """
        parts: dict[str, list[Part]] = {each.name: [] for each in self.setup.candidates}
        seconds = dict.fromkeys(parts, 0.0)
        try:
            for candidate, part, outcome in self._outcomes():
                parts[candidate.name].append((part, outcome.forecast))
                seconds[candidate.name] += outcome.seconds
        except KeyboardInterrupt:
            raise self._interrupted() from None
        return self._finished(parts, seconds)

    def _finished(self, parts: dict[str, list[Part]], seconds: dict[str, float]) -> Finished:
        """Return the forecasts that all candidates made, without candidates that made none."""
        kept, names = _in_common(parts, len(self.samples.origins))
        if not names:
            raise self._interrupted()
        forecasts = {}
        for name in names:
            own = np.sort(np.concatenate([places for places, _ in parts[name]]))
            found = [(np.searchsorted(own, places), each) for places, each in parts[name]]
            whole = join(found, len(own))
            for text in whole.remarks:
                self.on_event(Note(f"{name}: {text}", warning=True))
            forecasts[name] = whole.only(kept[own])
        if self.stopped:
            self._say_stopped(kept, [name for name in parts if name not in names])
        return self.samples.only(kept), forecasts, {name: seconds[name] for name in names}

    def _say_stopped(self, kept: Flags, missing: list[str]) -> None:
        """Warn of what is not scored; `kept` has shape `(samples,)`."""
        done = len(np.unique(self.samples.cutoffs[kept]))
        count = len(np.unique(self.samples.cutoffs))
        if done == count and not missing:
            return
        text = f"stopped: scores are of {done} of {count} cutoffs"
        if missing:
            text += f"; left out, since not finished: {', '.join(missing)}"
        self.on_event(Note(f"{text}{self._resumable()}", warning=True))

    def fold(self, candidate: Candidate, part: Ints) -> Fold:
        """Return what a candidate may know to make some of the forecasts.

        Args:
            candidate: Of the setup.
            part: Shape `(samples of the fold,)`: numbers of samples.
        """
        cutoffs, samples, panel = self.setup.cutoffs, self.samples, candidate.panel
        # It is trained at the first cutoff of the fold, whether or not a forecast begins there.
        served = schedule(cutoffs.count, candidate.refit)
        learned = next(int(each[0]) for each in served if samples.cutoffs[part[0]] in each)
        begins, ends = self.setup.rows_before(learned)
        origins = samples.origins[part]
        firsts = panel.indptr[samples.series[part]]
        if (most := self.setup.plan.sliding or candidate.most) is not None:
            firsts = np.maximum(firsts, origins - most)
        return Fold(panel, self.known, begins, ends, origins, firsts, self.setup.horizon)

    def parts(self, candidate: Candidate) -> list[Ints]:
        """Return the samples of each fold of a candidate, shape `(samples of the fold,)` each."""
        served = schedule(self.setup.cutoffs.count, candidate.refit)
        parts = [np.flatnonzero(np.isin(self.samples.cutoffs, each)) for each in served]
        return [part for part in parts if len(part)]

    def _outcomes(self) -> Iterator[tuple[Candidate, Ints, Outcome]]:
        """Yield the outcome of each fold, in any order, with its samples of shape `(samples,)`."""
        costly: list[tuple[Candidate, int, Ints]] = []
        for candidate in self.setup.candidates:
            parts = self.parts(candidate)
            if candidate.costs:
                costly += [(candidate, number, part) for number, part in enumerate(parts)]
                continue
            if candidate.learns:
                yield from self._learned_once(candidate, parts)
                continue
            for part in parts:
                yield candidate, part, forecast_fold(candidate, self.fold(candidate, part))
        if not self._stops():
            yield from self._costly(costly)

    def _costly(
        self, pieces: list[tuple[Candidate, int, Ints]]
    ) -> Iterator[tuple[Candidate, Ints, Outcome]]:
        """Yield outcomes worth storing: the stored ones first; pieces have shape `(samples,)`."""
        missing, restored = [], 0
        for candidate, number, part in pieces:
            if found := self._find(candidate, number, part):
                restored += 1
                yield candidate, part, found
            else:
                missing.append((candidate, number, part))
        if restored:
            many = f"{restored} of {len(pieces)} folds"
            self.on_event(Note(f"{many} were restored from an earlier run"))
        if not missing:
            return
        # In the order of their cutoffs: where those of quick and slow candidates alternate, the
        # time left is estimated well.
        missing.sort(key=lambda piece: piece[1])
        self.on_event(Stage(f"{len(missing)} windows", unit="window"))
        work = [(each, self.fold(each, part)) for each, _, part in missing]
        # A single one needs no other process.
        jobs = 1 if len(pieces) == 1 else self.setup.plan.jobs
        with closing(run_all(forecast_fold, work, jobs=jobs)) as running:
            for done, (place, outcome) in enumerate(running, start=1):
                candidate, number, part = missing[place]
                self._keep(candidate, number, outcome)
                yield candidate, part, outcome
                self.on_event(Done("windows", done, len(missing)))
                if done < len(missing) and self._stops():
                    return

    def _learned_once(
        self, candidate: Candidate, parts: list[Ints]
    ) -> Iterator[tuple[Candidate, Ints, Outcome]]:
        """Yield the outcomes of a network that is trained here, or was in an earlier run.

        `parts` are the samples of its folds, shape `(samples of the fold,)` each.
        """
        for number, part in enumerate(parts):
            found = self._find(candidate, number, part)
            if found is None and self._stops():
                return
            if found is None:
                doing = "training" if candidate.trains else "forecasting by"
                self.on_event(Note(f"{doing} {candidate.name}"))
                self.on_event(Stage(candidate.name, unit="model"))
                hear = self._listener(candidate)
                found = forecast_fold(candidate, self.fold(candidate, part), hear)
                self._keep(candidate, number, found)
            else:
                self.on_event(Note(f"{candidate.name} was restored from an earlier run"))
            yield candidate, part, found

    def _find(self, candidate: Candidate, number: int, part: Ints) -> Outcome | None:
        """Return a fold of an earlier run, with samples of shape `(samples of the fold,)`."""
        found = self._store(candidate).find(number) if self.setup.plan.keep else None
        shape = (len(part), self.setup.horizon, self.known.shape[1])
        if found is None or found.forecast.point.shape != shape:
            return None
        self.kept += 1
        return found

    def _keep(self, candidate: Candidate, number: int, outcome: Outcome) -> None:
        """Store a finished fold, where that is wanted and possible."""
        if self.setup.plan.keep and self._store(candidate).keep(number, outcome):
            self.kept += 1

    def _store(self, candidate: Candidate) -> FoldStore:
        return self.stores.of(candidate, self.setup.plan, self.setup.cutoffs, self.samples)

    def _listener(self, candidate: Candidate) -> Listener:
        """Return a listener that puts the name of the candidate before each stage."""

        def hear(event: Event) -> None:
            if isinstance(event, Stage):
                # The model is trained to its end: one that was cut short would look worse than it
                # is.
                event = Stage(f"{candidate.name}: {event.name}", unit="model")
            self.on_event(event)

        return hear

    def _stops(self) -> bool:
        self.stores.unfinished = self.stopped or self.should_stop()
        return self.stopped

    def _interrupted(self) -> Interrupted:
        if not self.kept:
            return Interrupted("Stopped; no finished fold was stored.")
        return Interrupted(f"Stopped{self._resumable()}.")

    def _resumable(self) -> str:
        """Return what an equal run resumes, as a clause."""
        if not self.kept:
            return ""
        stored = "is" if self.kept == 1 else "are"
        many = f"{counted(self.kept, 'finished fold')} {stored} stored"
        return f"; {many}, repeat the same command to resume it"


def _in_common(parts: dict[str, list[Part]], count: int) -> tuple[Flags, list[str]]:
    """Return the samples that all candidates forecast, and these candidates.

    Those with the most forecasts of the `count` samples come first; those that share none with them
    are left out. Flags have shape `(samples,)`, names are in the order of `parts`.
    """
    made = {name: np.zeros(count, bool) for name in parts}
    for name, each in parts.items():
        for places, _ in each:
            made[name][places] = True
    kept, names = np.ones(count, bool), set[str]()
    for name in sorted(made, key=lambda each: -int(made[each].sum())):
        if (kept & made[name]).any():
            kept &= made[name]
            names.add(name)
    return kept, [name for name in parts if name in names]


def forecast_fold(
    candidate: Candidate,
    fold: Fold,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Outcome:
    """Train a candidate on a fold, and forecast; it can run in any process."""
    began = time.perf_counter()
    forecast = candidate.forecast(fold, on_event, should_stop)
    return Outcome(forecast, time.perf_counter() - began)
