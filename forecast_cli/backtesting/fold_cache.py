"""Finished folds on disk, so that an interrupted backtest can be resumed."""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.forecast import Forecast
from ..core.libraries import PACKAGE, version_of
from ..data.panel import add_panel
from ..model.file_writing import write_whole
from .cutoffs import Cutoffs, Samples
from .models import Candidate
from .plan import Plan

# The exceptions of reading a file that is damaged or cut short.
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Outcome:
    """The forecasts of a fold.

    Args:
        forecast: The forecasts.
        seconds: Wall time of training and forecasting.
    """

    forecast: Forecast
    seconds: float


@dataclass(frozen=True)
class FoldStore:
    """The folder of the finished folds of one candidate.

    Args:
        folder: Created when a fold is stored.
    """

    folder: Path

    def find(self, fold: int) -> Outcome | None:
        """Return the forecasts of a fold from an earlier run; None where they are not stored."""
        try:
            data = io.BytesIO(self._path(fold).read_bytes())
            with np.load(data, allow_pickle=False) as kept:
                notes = tuple(kept["notes"].tolist())
                forecast = Forecast(
                    kept["point"],
                    ends=kept.get("ends"),
                    replaced=int(kept["replaced"]),
                    notes=notes,
                    makers=tuple(map(tuple, kept["makers"].tolist())),
                )
                return Outcome(forecast, float(kept["seconds"]))
        except DAMAGED:
            return None

    def keep(self, fold: int, outcome: Outcome) -> bool:
        """Store the forecasts of a fold; return whether that was possible."""
        buffer = io.BytesIO()
        forecast = outcome.forecast
        more: dict[str, Any] = {} if forecast.ends is None else {"ends": forecast.ends}
        more |= {"replaced": forecast.replaced, "notes": np.array(forecast.notes, np.str_)}
        more["makers"] = np.array(forecast.makers, np.str_).reshape(-1, 2)
        np.savez(buffer, point=forecast.point, seconds=outcome.seconds, **more)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(fold), buffer.getvalue())
        except (OSError, UsageError):
            return False
        return True

    def clear(self) -> None:
        """Delete all stored folds."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, fold: int) -> Path:
        return self.folder / f"fold-{fold}.npz"


@dataclass
class FoldStores:
    """The stores of a run; finished folds stay in them until their result is safe.

    Args:
        unfinished: Whether the run was stopped: then they stay for the next one.
    """

    unfinished: bool = False
    _stores: dict[str, FoldStore] = field(default_factory=dict)

    def of(self, candidate: Candidate, plan: Plan, cutoffs: Cutoffs, samples: Samples) -> FoldStore:
        """Return the store of a candidate."""
        if candidate.name not in self._stores:
            self._stores[candidate.name] = open_store(candidate, plan, cutoffs, samples)
        return self._stores[candidate.name]

    def clear(self) -> None:
        """Delete the folds of a run that is finished: what was made of them is saved."""
        for store in () if self.unfinished else self._stores.values():
            store.clear()


@contextmanager
def kept_folds(stores: FoldStores | None) -> Iterator[FoldStores]:
    """Keep finished folds in the given stores; without any, until the block ends whole."""
    own = FoldStores()
    yield stores or own
    own.clear()


def open_store(candidate: Candidate, plan: Plan, cutoffs: Cutoffs, samples: Samples) -> FoldStore:
    """Return the store of a candidate, named by a hash of all that its forecasts depend on."""
    digest = hashlib.sha256()
    add_panel(digest.update, candidate.panel)
    for array in (cutoffs.ends, samples.origins, samples.cutoffs):
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    identity = {"candidate": candidate.identity, "refit": candidate.refit, "sliding": plan.sliding}
    digest.update(json.dumps(identity | {"version": version_of(PACKAGE)}, sort_keys=True).encode())
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return FoldStore(caches / "forecast" / "backtest" / digest.hexdigest())
