"""Options of a search for settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ..config.registries import KEPT_METRICS, Metric
from ..core.arguments import Options, require
from ..core.errors import UsageError

DEFAULT_TRIALS = 40
DEFAULT_STUDY = "forecast"
SamplerName = Literal["tpe", "random", "grid", "cmaes"]
PrunerName = Literal["median", "hyperband", "none"]


@dataclass(frozen=True)
class Search(Options):
    """Options of a search.

    Args:
        trials: Trials to run; None: 40, or as many as fit into the time budget.
        time_budget: Seconds after which the trials end; None: no limit. The score of the settings
            as given, and the training of the model at the end, are not included.
        space: A TOML file or a mapping of what is searched; None: chosen from the data.
        sampler: How settings are proposed: `tpe` learns from earlier trials, and so does `cmaes`,
            for numbers alone; `random`; `grid` tries all combinations.
        pruner: How trials that fall behind are ended early.
        storage: A SQLite file or the URL of a database that keeps the study; None: not kept.
        study: Name of the study in the storage.
        jobs: Trials to run at a time.
        n_windows: Cutoffs at which each trial is trained and scored; None: 3, or fewer where the
            table is short.
        metric: Metric to minimise.
    """

    trials: int | None = None
    time_budget: float | None = None
    space: str | Path | Mapping[str, Any] | None = None
    sampler: SamplerName = "tpe"
    pruner: PrunerName = "median"
    storage: str | Path | None = None
    study: str = DEFAULT_STUDY
    jobs: int = 1
    n_windows: int | None = None
    metric: Metric = "mase"

    def __post_init__(self) -> None:
        self.check("int", "trials", "n_windows", least=1)
        self.check("int", "jobs", least=1, default=1)
        self.check("seconds", "time_budget")
        self.check("str", "study", default=DEFAULT_STUDY)
        self.check("path", "storage")
        self.check("choice", "sampler", choices=get_args(SamplerName), default="tpe")
        self.check("choice", "pruner", choices=get_args(PrunerName), default="median")
        self.check("choice", "metric", choices=KEPT_METRICS, default="mase")
        require("space", self.space, (str, Path, Mapping), "a path or a mapping")
        if self.time_budget is not None and not self.time_budget > 0:
            text = f"Invalid `time_budget` {self.time_budget}: must be above 0 seconds."
            raise UsageError(text)

    @property
    def url(self) -> str | None:
        """The URL of the database; a path is a SQLite file."""
        if self.storage is None:
            return None
        text = str(self.storage)
        return text if "://" in text else f"sqlite:///{Path(text).absolute()}"

    @property
    def most(self) -> int | None:
        """The number of trials at most; None: as many as fit into the time budget."""
        return self.trials or (None if self.time_budget else DEFAULT_TRIALS)

    @property
    def identity(self) -> list[str]:
        """The options that must be the same where a search is resumed, beside its space."""
        return [self.sampler, self.pruner, self.metric, self.study, self.url or ""]
