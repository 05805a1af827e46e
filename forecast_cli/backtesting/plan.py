"""The options of a backtest."""

from dataclasses import dataclass
from typing import Literal

from ..core.arguments import Options
from ..core.errors import UsageError

Refit = Literal["never", "always"] | int


@dataclass(frozen=True)
class Plan(Options):
    """The options of a backtest.

    Args:
        models: Names of candidates; the default ones where empty.
        n_windows: How many cutoffs; None: 10, fewer where that would leave less than half of the
            table before the first.
        step_size: Steps from one cutoff to the next; None: the horizon.
        refit_every: When networks are trained: once, before the first cutoff ("never" again), at
            every cutoff ("always"), or at every N-th.
        sliding: How many rows before a cutoff may be learned from; None: all.
        jobs: How many folds are trained at a time; None: as many as there are cores.
        keep: Whether finished folds are kept until the whole run is done.
    """

    models: tuple[str, ...] = ()
    n_windows: int | None = None
    step_size: int | None = None
    refit_every: Refit = "never"
    sliding: int | None = None
    jobs: int | None = None
    keep: bool = True

    def __post_init__(self) -> None:
        self.check("names", "models", default=())
        self.check("int", "n_windows", "step_size", "sliding", "jobs", least=1)
        self.check("bool", "keep", default=True)
        if not isinstance(self.refit_every, str):
            self.check("int", "refit_every", least=1, default="never")
        elif self.refit_every not in ("never", "always"):
            raise UsageError(
                f'Invalid `refit_every` "{self.refit_every}": must be never, always or a number '
                "of cutoffs."
            )
