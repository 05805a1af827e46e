"""Tuning: settings are searched on the rows before the test split, and the best are trained."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..config.schema import Config
from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, Stage, ignore
from ..data.dataset import Dataset
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..model.bundle import Bundle
from ..training.data_summary import describe
from ..training.pipeline import finish, learn
from ..training.preparation import make_dataset
from .default_space import default_space, trial_config
from .folds import Rounds, make_rounds
from .options import Search
from .ranking import Ranking, described, importance
from .runner import AS_GIVEN, run_trials
from .space import Space
from .space_file import read_space
from .studies import claim, database, fingerprint
from .trials import Task

USUAL_SEARCH = Search()


@dataclass(frozen=True)
class Tuning:
    """What came of a search.

    Args:
        rows: A row for each trial of the study and one for the settings as given, the best first:
            `trial`, the error, the settings that differ, `epochs`, `seconds`, `state`.
        importance: What share of the differences each setting explains; empty where there are too
            few trials to say.
        trial: The number of the best one; None where the settings as given are ahead of all.
        settings: What it has chosen, by flat names.
        config: The whole configuration with these settings, as `forecast train` takes it.
        bundle: The model that was trained with them, scored on the test split.
        verdict: What it comes to, in plain sentences.
    """

    rows: list[dict[str, Any]]
    importance: dict[str, float]
    trial: int | None
    settings: dict[str, Any]
    config: Config
    bundle: Bundle
    verdict: str


@dataclass(frozen=True)
class Found:
    """What a search has found, before anything of the test split is looked at.

    Args:
        panel: The whole table.
        rounds: What trials were scored on.
        ranking: The trials.
        importance: As in `Tuning`.
    """

    panel: Panel
    rounds: Rounds
    ranking: Ranking
    importance: dict[str, float]


def tune(
    source: Readable,
    config: Config,
    search: Search = USUAL_SEARCH,
    *,
    fixed: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Tuning:
    """Search for settings, and train a model with the best.

    The test split has no part in the search: it is cut off before, and looked at when the model is
    scored at the end.

    Args:
        source: A path, `-` for standard input, or a pandas frame.
        config: Everything that is not searched.
        search: How is searched.
        fixed: Settings that are not to be searched, by flat names.
        on_event: Told what was understood and how it goes.
        should_stop: Asked after each epoch whether to stop; the best so far is trained then.

    Raises:
        UsageError: The space cannot be, or the study is of another search.
        DataError: The table does not hold what is needed.
        Interrupted: It was stopped before there was anything to train.
    """
    began = time.perf_counter()
    found = search_settings(
        source, config, search, fixed=fixed, on_event=on_event, should_stop=should_stop
    )
    best, settings, dataset = _best(found, config, on_event)
    describe(dataset, on_event)
    on_event(Note(f"training with {described(settings) or 'the settings as given'}"))
    # What has ended the search is not to cut the training short.
    final: Callable[[], bool] = bool if should_stop() else should_stop
    learned = learn(dataset, on_event=on_event, should_stop=final)
    bundle = finish(learned, began, on_event=on_event, should_stop=final)
    evaluation = learned.scores.evaluation.verdict if learned.scores else ""
    verdict = f"{found.ranking.verdict(best)} {evaluation}".strip()
    whole = _chosen(config, found.rounds, settings, best)
    return Tuning(found.ranking.rows(), found.importance, best, settings, whole, bundle, verdict)


def search_settings(
    source: Readable,
    config: Config,
    search: Search = USUAL_SEARCH,
    *,
    fixed: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
    should_stop: Callable[[], bool] = bool,
) -> Found:
    """Run trials on the rows before the test split; see `tune`."""
    on_event(Stage("reading"))
    panel, rounds, space = _prepare(source, config, search, fixed or {}, on_event)
    given = rounds.config.model_dump(mode="json", exclude={"data"})
    deadline = None if search.time_budget is None else time.time() + search.time_budget
    with database(search) as (url, storage):
        task = Task(
            rounds, rounds.config, space, search, fixed or {}, url, uuid.uuid4().hex, deadline
        )
        study = task.study(storage)
        claim(study, search, fingerprint(rounds, space, given))
        run_trials(task, study, on_event, should_stop)
        ranking = Ranking(study.get_trials(), space, rounds, study.user_attrs[AS_GIVEN])
        shares = importance(study)
    _check_failures(ranking, on_event)
    return Found(panel, rounds, ranking, shares)


def find_space(
    source: Readable,
    config: Config,
    search: Search = USUAL_SEARCH,
    *,
    fixed: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
) -> Space:
    """The space that would be searched; see `tune`."""
    return _prepare(source, config, search, fixed or {}, on_event)[2]


def _prepare(
    source: Readable, config: Config, search: Search, fixed: Mapping[str, Any], on_event: Listener
) -> tuple[Panel, Rounds, Space]:
    """The table, what trials are scored on, and what is searched."""
    if config.data.label:
        raise UsageError("tune is for forecasts, and --label asks for another task.")
    # A file is read first: nobody is to wait for the table to learn of a wrong name.
    written = None if search.space is None else read_space(search.space)
    panel = read_panel(source, config.data, on_event=on_event)
    rounds = make_rounds(
        panel, config, metric=search.metric, n_windows=search.n_windows, on_event=on_event
    )
    space = (written or default_space(rounds)).without(fixed)
    if written is not None and (held := [each for each in fixed if each in written.names]):
        on_event(Note(f"{', '.join(held)}: given, and so not searched"))
    on_event(Note(f"searched are {', '.join(space.names)}"))
    return panel, rounds, space


def _check_failures(ranking: Ranking, on_event: Listener) -> None:
    """Say why trials failed.

    Raises:
        UsageError: All did.
    """
    failures = ranking.failures
    if failures and not ranking.complete:
        raise UsageError(
            f"None of {len(failures)} trials could be trained; the first: {failures[0]}",
            "Change the space; forecast tune DATA --show-space prints one that fits.",
        )
    if failures:
        many = f"{len(failures)} of {len(ranking.trials)} trials"
        on_event(Note(f"{many} could not be trained; the first: {failures[0]}", warning=True))


def _best(
    found: Found, config: Config, on_event: Listener
) -> tuple[int | None, dict[str, Any], Dataset]:
    """The best settings that the whole table can be trained with."""
    candidates = found.ranking.candidates
    for number, settings in candidates:
        whole = _chosen(config, found.rounds, settings, number)
        try:
            return number, settings, make_dataset(found.panel, whole, on_event=on_event)
        except DataError as error:
            if number == candidates[-1][0]:
                raise
            on_event(Note(f"trial {number} is left out: {error.message}", warning=True))
    raise UsageError("There is nothing to train.")


def _chosen(
    config: Config, rounds: Rounds, settings: Mapping[str, Any], number: int | None
) -> Config:
    """The configuration as given, with the horizon that was forecast and what was chosen."""
    window = config.window.model_copy(update={"horizon": rounds.horizon})
    config = config.model_copy(update={"window": window})
    return config if number is None else trial_config(config, settings)
