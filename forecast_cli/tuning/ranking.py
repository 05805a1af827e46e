"""Results of a search: its trials in order, the importance of settings, and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..core.diebold_mariano import Comparison
from ..core.errors import counted
from ..evaluation.verdicts import compare_losses, describe_significance, is_significant
from ..model.manifest import Evaluation
from .folds import TrialFolds, describe_forecasts
from .samplers import decode_params
from .space import BY_PRESET, Space, as_toml

# What a study stores of the course of a trial, and the reason of one that was stopped.
RUN, STOPPED = "run", "stopped"
# Trials from which the importance of settings can be estimated.
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
        trials: All of them, those of earlier runs included.
        space: What was searched.
        folds: The folds that they were scored on.
        given: The score of the settings as given.
        importance: Share of the variance between trials that each setting explains.
    """

    trials: Sequence[FrozenTrial]
    space: Space
    folds: TrialFolds
    given: Mapping[str, Any]
    importance: dict[str, float]

    @property
    def complete(self) -> list[FrozenTrial]:
        """The trials that were scored on all folds, the best first."""
        done = [each for each in self.trials if each.state == TrialState.COMPLETE]
        return sorted(done, key=lambda trial: (trial.value, trial.number))

    @property
    def candidates(self) -> list[int | None]:
        """Trial numbers, in the order in which they are to be trained.

        First come the trials that are significantly better than the settings as given, the best
        before the others; the settings as given are None, and the last.
        """
        beating = [each.number for each in self.better if is_significant(self.test(each.number))]
        return [*beating, None]

    @property
    def better(self) -> list[FrozenTrial]:
        """The trials with a smaller error than the settings as given, the best first."""
        return [each for each in self.complete if (each.value or 0.0) < self.given["value"]]

    def test(self, number: int) -> Comparison | None:
        """Test the difference of a trial from the settings as given; None without a test."""
        own, given = _run(self.trials[number])["losses"], self.given["losses"]
        return compare_losses(np.asarray(own) - np.asarray(given), lags=self.folds.lags)

    def rival(self, best: int | None) -> tuple[int | None] | None:
        """Return what the trained model is shown beside: the settings as given, or a better trial.

        It is trained with the `best` trial, or None, the settings as given. None where no trial is
        better than these.
        """
        if best is not None:
            return (None,)
        return (self.better[0].number,) if self.better else None

    def settings(self, number: int | None) -> dict[str, Any]:
        """Return the settings of a trial that are not left to the preset, by flat names."""
        if number is None:
            return {}
        settings = decode_params(self.space, self.trials[number].params)
        return {name: each for name, each in settings.items() if each != BY_PRESET}

    @property
    def failures(self) -> list[str]:
        """The reasons why trials failed."""
        failed = [each for each in self.trials if each.state == TrialState.FAIL]
        return [why for each in failed if (why := _run(each)["why"]) != STOPPED]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each trial and one for the settings as given, the best first.

        Settings that are the same in all trials are left out.
        """
        params = [each.params for each in self.trials]
        names = [n for n in self.space.names if len({str(each.get(n)) for each in params}) > 1]
        rows = [self._row(each, names) for each in self.trials]
        rows.append(
            {"trial": GIVEN, self.folds.metric: float(self.given["value"])}
            | dict.fromkeys(names)
            | {"epochs": None, "seconds": self.given["seconds"], "state": "complete"}
        )

        def place(row: Mapping[str, Any]) -> tuple[int, float, int]:
            error, number = row[self.folds.metric], row["trial"]
            first = ORDER.index(row["state"])
            return first, error or 0.0, -1 if isinstance(number, str) else number

        return sorted(rows, key=place)

    def _row(self, trial: FrozenTrial, names: Sequence[str]) -> dict[str, Any]:
        run, complete = _run(trial), trial.state == TrialState.COMPLETE
        return (
            {"trial": trial.number, self.folds.metric: trial.value if complete else None}
            | {name: trial.params.get(name) for name in names}
            | {"epochs": run["epochs"], "seconds": run["seconds"]}
            | {"state": STOPPED if run["why"] == STOPPED else STATES[trial.state]}
        )

    def verdict(self, best: int | None) -> str:
        """Return the result of the search in sentences; `best` is the chosen trial, if one is."""
        metric, own = self.folds.metric, float(self.given["value"])
        after = counted(self.folds.count, "cutoff")
        where = f"on {describe_forecasts(self.folds)} after {after}"
        many = counted(len(self.trials), "trial")
        if best is None:
            kept = f"The settings as given are kept: {metric} {own:.4g} {where}"
            if not self.better:
                ending = f"none of {many} is better" if self.trials else "no trial was run"
                return f"{kept}; {ending}."
            first = self.better[0]
            share = _compare((first.value or 0.0) / own, "that")
            clause = self._significance(first.number)
            return f"{kept}; trial {first.number}, the best of {many}, is {share}, but {clause}."
        value = self.trials[best].value or 0.0
        others = {"the settings as given": own} | self.folds.baseline_errors()
        parts = [_compare(value / each, name) for name, each in others.items() if each > 0]
        text = " and ".join([", ".join(parts[:-1]), *parts[-1:]]).removeprefix(" and ")
        return (
            f"Trial {best} is the best of {many}: {metric} {value:.4g} {where}; {text}. Against "
            f"the settings as given {self._significance(best)}."
        )

    def _significance(self, number: int) -> str:
        """Return a clause on how sure it is that a trial differs from the settings as given."""
        test, count = self.test(number), len(self.complete)
        clause = describe_significance(test, "the forecasts are too few")
        if test is None or count < 2 or not is_significant(test):
            return clause
        # The probability that the smallest of so many p-values is as small by chance.
        return f"{clause}, p = {1.0 - (1.0 - test.p_value) ** count:.2g} for the best of {count}"


def importance(study: Study) -> dict[str, float]:
    """Return the share of the variance between trials that each setting explains, largest first.

    Empty where there are too few trials, or all have the same error. A setting that only some
    trials have is left out.

    Source: Hutter, Hoos and Leyton-Brown (2014), functional analysis of variance.
    """
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(done) < ENOUGH or len({each.value for each in done}) < 2:
        return {}
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: round(float(share), 4) for name, share in shares.items()}


def compare_tested(evaluation: Evaluation, name: str, other: Evaluation) -> tuple[str, bool]:
    """Return how the saved model does on the test split beside another, and whether it is worse."""
    measure = evaluation.measure or ("mae" if evaluation.series == 1 else "mase")
    pair = [each.own_scores.get(measure, {}).values() for each in (evaluation, other)]
    own, than = (float(np.mean([np.nan if v is None else v for v in each])) for each in pair)
    if not (np.isfinite(own) and than > 0):
        return "", False
    which = f"the settings {name}" if name == GIVEN else name
    text = _compare(own / than, f"that of {which}")
    return f"On the test split its {measure.upper()} is {text}.", own > than


def describe_settings(settings: Mapping[str, Any]) -> str:
    """Return settings on one line, without those that are left to the preset.

    >>> describe_settings({"units": 64, "learning_rate": 0.00123456, "cell": "gru"})
    'units 64, learning_rate 0.001235, cell gru'
    """

    def text(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.4g}"
        return value if isinstance(value, str) else as_toml(value)

    chosen = settings.items()
    return ", ".join(f"{name} {text(value)}" for name, value in chosen if value != BY_PRESET)


def _compare(ratio: float, name: str) -> str:
    """Return how an error compares with another one."""
    return f"{100 * abs(1 - ratio):.1f} % {'below' if ratio <= 1 else 'above'} {name}"


def _run(trial: FrozenTrial) -> dict[str, Any]:
    """Return the stored course of a trial; one that was cut off has stored nothing."""
    nothing: dict[str, Any] = {"epochs": None, "seconds": None, "losses": [], "why": STOPPED}
    going = trial.state in (TrialState.RUNNING, TrialState.WAITING)
    return dict(trial.user_attrs.get(RUN, nothing | ({"why": ""} if going else {})))
