"""Studies: all trials of a search, in memory or in a database that several runs may share."""

import hashlib
import json
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from ..core.errors import DataError, ForecastError, UsageError, listed
from ..core.events import Listener, Note
from ..core.parallel import runs_here
from ..core.tidying import tidied
from ..data.io.remote import first_line, masked
from .folds import TrialFolds
from .options import Search
from .ranking import RUN
from .samplers import make_sampler
from .space import Space

SQLITE = "sqlite:///"
STUDY = "study.db"
# Codes of SQLite for a disk that is full, and for a file that cannot grow.
NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
# Seconds to wait for another run that writes to the same file.
PATIENCE = 120
# Complete trials before the first one that may be pruned.
STARTERS = 5
# Reports of a trial before it may be pruned: with a small learning rate it starts slowly.
PATIENT = 3
# What must be equal for trials to be compared, by its key in the study, and how it differs.
SAME = {
    "data": "of another table, or of other rows of it",
    "rounds": "of other cutoffs, or of another measure",
    "settings": "of other fixed settings",
    "space": "of another space",
}
# What a study stores of a trial: the key of the run that made it.
BY = "by"
# More trials than fit into any time budget.
ENDLESS = 100_000


def open_study(
    search: Search, storage: BaseStorage, *, space: Space, seed: int, steps: int
) -> Study:
    """Open the study of a search, or create it; trials have so many `steps` to report.

    Raises:
        UsageError: The sampler cannot search the space.
    """
    pruners: dict[str, BasePruner] = {
        "median": MedianPruner(n_startup_trials=STARTERS, n_warmup_steps=PATIENT),
        "hyperband": HyperbandPruner(max_resource=steps),
        "none": NopPruner(),
    }
    return optuna.create_study(
        storage=storage,
        study_name=search.study,
        sampler=make_sampler(search.sampler, space, seed),
        pruner=pruners[search.pruner],
        direction="minimize",
        load_if_exists=True,
    )


def fingerprint(folds: TrialFolds, space: Space, given: Mapping[str, Any]) -> dict[str, str]:
    """Return digests of what trials depend on; nothing of the test split is included."""
    panel = folds.panel
    data = hashlib.sha256()
    for array in (panel.values, panel.indptr):
        data.update(np.ascontiguousarray(array).tobytes())
    if panel.timeline is not None:
        data.update(np.ascontiguousarray(panel.timeline.times.asi8).tobytes())
    data.update(panel.ids.to_csv().encode())
    data.update(json.dumps([panel.columns.features, panel.columns.targets]).encode())
    cuts = [each.tolist() for each in folds.ends]
    return {
        "data": data.hexdigest(),
        "rounds": _digest([cuts, folds.horizon, folds.season_length, folds.metric]),
        "settings": _digest(given),
        "space": _digest([each.partition("  #")[0] for each in space.lines()]),
    }


def claim(study: Study, search: Search, marks: Mapping[str, str]) -> None:
    """Mark a new study as one of this search, or check that it is.

    Raises:
        DataError: It is of another table.
        UsageError: It is of another search.
    """
    known = study.user_attrs
    for name, why in SAME.items():
        if name not in known:
            study.set_user_attr(name, marks[name])
        elif known[name] != marks[name]:
            kind: type[ForecastError] = DataError if name == "data" else UsageError
            raise kind(
                f'The study "{search.study}" in {masked(str(search.storage))} is {why}: its '
                "trials cannot be compared with new ones.",
                "Give the same again, or another name in `study`.",
            )


@contextmanager
def database(search: Search, folder: Path | None) -> Generator[tuple[str | None, BaseStorage]]:
    """Open the storage of a study: its URL, None in memory, and the storage itself.

    Processes that share a study need a file, if only for a while, and so does a search that is to
    be resumed.

    Args:
        search: Its options.
        folder: Where a study without a storage of its own is kept until the model is saved; None
            to forget it.

    Raises:
        UsageError: It cannot be used.
    """
    if search.url is not None or folder is not None:
        url = search.url or f"{SQLITE}{(folder or Path()).absolute() / STUDY}"
        with closing_storage(url) as storage:
            yield url, storage
    elif runs_here(search.jobs):
        yield None, open_storage(None)
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own:
            url = f"{SQLITE}{Path(own) / STUDY}"
            remove = partial(shutil.rmtree, own, ignore_errors=True)
            with tidied(remove), closing_storage(url) as storage:
                yield url, storage


@contextmanager
def closing_storage(url: str) -> Generator[BaseStorage]:
    """Open a storage, and write everything to its file at the end.

    Raises:
        UsageError: It cannot be used, or no longer, as where there is no room for its file.
    """
    storage = open_storage(url)
    try:
        yield storage
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise _unusable(url, error, "Repeat the same command when it can be used again.") from None
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()
        if url.startswith(SQLITE):
            with suppress(sqlite3.Error), _connect(url.removeprefix(SQLITE)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def open_storage(url: str | None) -> BaseStorage:
    """Open the storage at a URL; one in memory where it is None.

    Raises:
        UsageError: It cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is None:
        return InMemoryStorage()
    more = {}
    if url.startswith(SQLITE):
        _prepare_file(url.removeprefix(SQLITE))
        more = {"connect_args": {"timeout": PATIENCE}}
    try:
        return RDBStorage(url, engine_kwargs=more)
    except (
        ImportError, RuntimeError, ValueError, optuna.exceptions.OptunaError, SQLAlchemyError
    ) as error:  # fmt: skip
        raise _unusable(url, error, "Name a SQLite file: `storage=study.db`.") from None


def _connect(path: str) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, timeout=PATIENCE))


def _unusable(url: str, error: Exception, hint: str) -> UsageError:
    """Return the error of a study that cannot be read or written."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    reason = first_line(cause) if isinstance(cause, Exception) else str(cause)
    if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF in NO_ROOM:
        hint = "Free some space, or name a file on another disk in `storage`."
    return UsageError(f"{masked(url)} cannot be used for a study: {reason}.", hint)


def _prepare_file(path: str) -> None:
    """Refuse a file that holds no studies, and let others read it while one run writes."""
    try:
        with _connect(path) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = [name for (name,) in rows]
            if tables and "studies" not in tables:
                raise UsageError(
                    f"{path} holds other tables than those of studies: {listed(tables)}.",
                    "Name another file in `storage`.",
                )
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        hint = "Name a SQLite file, or one that does not exist yet, in `storage`."
        raise _unusable(path, error, hint) from None


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


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
    """Return how many trials a run has, where the study has `others`; None: as time allows."""
    if search.sampler != "grid":
        return search.most
    size = max(0, math.prod(map(len, space.grid().values())) - others)
    return min(search.most or size, size)
