"""What a search for settings is to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ..core.errors import UsageError, nearest
from ..model.manifest import METRICS, Metric

USUAL_TRIALS = 40
USUAL_STUDY = "forecast"
SamplerName = Literal["tpe", "random", "grid", "cmaes"]
PrunerName = Literal["median", "hyperband", "none"]


@dataclass(frozen=True)
class Search:
    """What a search is to do.

    Args:
        trials: How many more; None: 40, or as many as fit into the time budget.
        time_budget: Seconds after which no more is tried; None: no bound. The model that is trained
            at the end comes on top.
        space: A TOML file or a mapping that says what is tried; None: chosen by the data.
        sampler: Who proposes settings: `tpe` learns from the trials before, and so does `cmaes`,
            for numbers alone; `random`; `grid` tries all combinations.
        pruner: Who ends trials that are behind others early.
        storage: A SQLite file or the address of a database that keeps the study; None: nothing
            is kept.
        study: Its name there.
        jobs: How many trials run at a time.
        n_windows: Cutoffs at which each trial is trained and scored; None: 3, or fewer where the
            table is short.
        metric: What is to be small.
    """

    trials: int | None = None
    time_budget: float | None = None
    space: str | Path | Mapping[str, Any] | None = None
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    storage: str | Path | None = None
    study: str = USUAL_STUDY
    jobs: int = 1
    n_windows: int | None = None
    metric: Metric = "mase"

    def __post_init__(self) -> None:
        numbers = {"trials": self.trials, "jobs": self.jobs, "n_windows": self.n_windows}
        for name, number in numbers.items():
            if number is not None and number < 1:
                raise UsageError(f"{name} {number} cannot be.", "Give at least 1.")
        if self.time_budget is not None and not self.time_budget > 0:
            raise UsageError(f"time_budget {self.time_budget} cannot be.", "Give some seconds.")
        words = {
            "sampler": (self.sampler, get_args(SamplerName)),
            "pruner": (self.pruner, get_args(PrunerName)),
            "metric": (self.metric, METRICS),
        }
        for name, (word, valid) in words.items():
            if word not in valid:
                raise UsageError(f'There is no {name} "{word}".', nearest(word, valid))

    @property
    def url(self) -> str | None:
        """The address of the database; a path is a SQLite file."""
        if self.storage is None:
            return None
        text = str(self.storage)
        return text if "://" in text else f"sqlite:///{Path(text).absolute()}"

    @property
    def most(self) -> int | None:
        """How many trials there are to be at the most; None: as many as fit."""
        return self.trials or (None if self.time_budget else USUAL_TRIALS)
