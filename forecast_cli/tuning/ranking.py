"""What came of a search: its trials in order, what mattered, and what it comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..core.errors import counted
from .folds import Rounds
from .samplers import decoded
from .space import Space, as_toml
from .trials import RUN, STOPPED

# Trials from which it can be said what mattered.
ENOUGH = 10
GIVEN = "as given"
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}
ORDER = ("complete", "pruned", STOPPED, "failed", "running", "waiting")


@dataclass(frozen=True)
class Ranking:
    """The trials of a study.

    Args:
        trials: All of them, those of earlier runs too.
        space: What was searched.
        rounds: What they were scored on.
        given: The error of the settings as given, without any that was searched.
    """

    trials: Sequence[FrozenTrial]
    space: Space
    rounds: Rounds
    given: Mapping[str, Any]

    @property
    def complete(self) -> list[FrozenTrial]:
        """Those that were scored to the end, the best first."""
        done = [each for each in self.trials if each.state == TrialState.COMPLETE]
        return sorted(done, key=lambda trial: (trial.value, trial.number))

    @property
    def candidates(self) -> list[tuple[int | None, dict[str, Any]]]:
        """Numbers and settings, the best first; None is the number of the settings as given."""
        found = [(each.value or 0.0, each.number) for each in self.complete]
        ranked: list[tuple[float, int | None]] = [*found, (float(self.given["value"]), None)]
        ranked.sort(key=lambda pair: pair[0])
        return [(number, self.settings(number)) for _, number in ranked]

    def settings(self, number: int | None) -> dict[str, Any]:
        """What a trial has chosen, by flat names."""
        return {} if number is None else decoded(self.space, self.trials[number].params)

    @property
    def failures(self) -> list[str]:
        """Why trials failed."""
        failed = [each for each in self.trials if each.state == TrialState.FAIL]
        return [why for each in failed if (why := _run(each)["why"]) != STOPPED]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each trial and one for the settings as given, the best first.

        Settings that are the same in all trials are left out.
        """
        names = [name for name in self.space.names if self._differs(name)]
        rows = [self._row(each, names) for each in self.trials]
        rows.append(
            {"trial": GIVEN, self.rounds.metric: float(self.given["value"])}
            | dict.fromkeys(names)
            | {"epochs": None, "seconds": self.given["seconds"], "state": "complete"}
        )

        def place(row: Mapping[str, Any]) -> tuple[int, float, int]:
            error, number = row[self.rounds.metric], row["trial"]
            first = ORDER.index(row["state"])
            return first, error or 0.0, -1 if isinstance(number, str) else number

        return sorted(rows, key=place)

    def _differs(self, name: str) -> bool:
        return len({str(each.params.get(name)) for each in self.trials}) > 1

    def _row(self, trial: FrozenTrial, names: Sequence[str]) -> dict[str, Any]:
        run, complete = _run(trial), trial.state == TrialState.COMPLETE
        return (
            {"trial": trial.number, self.rounds.metric: trial.value if complete else None}
            | {name: trial.params.get(name) for name in names}
            | {"epochs": run["epochs"], "seconds": run["seconds"]}
            | {"state": STOPPED if run["why"] == STOPPED else STATES[trial.state]}
        )

    def verdict(self, best: int | None) -> str:
        """What the search comes to, in plain sentences.

        Args:
            best: The number of the trial that is kept; None for the settings as given.
        """
        metric, own = self.rounds.metric, float(self.given["value"])
        scored = counted(self.rounds.forecasts, "forecast")
        where = f"on {scored} behind {counted(self.rounds.count, 'cutoff')}"
        many = counted(len(self.trials), "trial")
        if best is None:
            return f"The settings as given are kept: {metric} {own:.4g} {where}, ahead of {many}."
        value = self.trials[best].value or 0.0
        others = {"the settings as given": own} | self.rounds.simple_errors()
        beside = [_beside(value / each, name) for name, each in others.items() if each > 0]
        said = " and ".join([", ".join(beside[:-1]), *beside[-1:]]).removeprefix(" and ")
        return f"Trial {best} is the best of {many}: {metric} {value:.4g} {where}; {said}."


def importance(study: Study) -> dict[str, float]:
    """What share of the differences between trials each setting explains, the largest first.

    Empty where there are too few trials, or all are alike. A setting that only some trials have is
    left out.

    Source: Hutter, Hoos and Leyton-Brown (2014), functional analysis of variance.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(done) < ENOUGH or len({each.value for each in done}) < 2:
        return {}
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: round(float(share), 4) for name, share in shares.items()}


def described(settings: Mapping[str, Any]) -> str:
    """Settings on one line.

    >>> described({"units": 64, "learning_rate": 0.00123456, "cell": "gru"})
    'units 64, learning_rate 0.001235, cell gru'
    """
    texts = []
    for name, value in settings.items():
        text = value if isinstance(value, str) else as_toml(value)
        texts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {text}")
    return ", ".join(texts)


def _beside(ratio: float, name: str) -> str:
    """How an error compares with that of something else."""
    percent = f"{100 * abs(1 - ratio):.1f}"
    return f"{percent} % {'below' if ratio <= 1 else 'above'} {name}"


def _run(trial: FrozenTrial) -> dict[str, Any]:
    """What is kept of how a trial went; one that was cut off has kept nothing."""
    nothing: dict[str, Any] = {"epochs": None, "seconds": None, "scores": [], "why": STOPPED}
    going = trial.state in (TrialState.RUNNING, TrialState.WAITING)
    return dict(trial.user_attrs.get(RUN, nothing | ({"why": ""} if going else {})))
