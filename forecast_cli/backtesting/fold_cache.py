"""Finished folds on disk, so that a backtest goes on where it was interrupted."""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import UsageError
from ..core.forecast import Forecast
from ..data.panel import Panel
from ..model.file_writing import write_whole
from .cutoffs import Cutoffs
from .models import Contender
from .origins import Samples
from .plan import Plan

# What a file that is none, or is cut short, raises when it is read.
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Outcome:
    """What came of a fold.

    Args:
        said: The forecasts.
        seconds: Wall time of learning and forecasting.
    """

    said: Forecast
    seconds: float


@dataclass(frozen=True)
class FoldStore:
    """The folder of the finished folds of one contender.

    Args:
        folder: It need not be there.
    """

    folder: Path

    def find(self, fold: int) -> Outcome | None:
        """What came of a fold in an earlier run; None where it is not kept."""
        try:
            data = io.BytesIO(self._path(fold).read_bytes())
            with np.load(data, allow_pickle=False) as kept:
                notes = tuple(kept["notes"].tolist())
                said = Forecast(
                    kept["point"],
                    ends=kept.get("ends"),
                    replaced=int(kept["replaced"]),
                    notes=notes,
                )
                return Outcome(said, float(kept["seconds"]))
        except DAMAGED:
            return None

    def keep(self, fold: int, outcome: Outcome) -> bool:
        """Keep what came of a fold; whether that was possible."""
        buffer = io.BytesIO()
        said = outcome.said
        more: dict[str, Any] = {} if said.ends is None else {"ends": said.ends}
        more |= {"replaced": said.replaced, "notes": np.array(said.notes, np.str_)}
        np.savez(buffer, point=said.point, seconds=outcome.seconds, **more)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(fold), buffer.getvalue())
        except (OSError, UsageError):
            return False
        return True

    def clear(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, fold: int) -> Path:
        return self.folder / f"fold-{fold}.npz"


def cache_folder() -> Path:
    """Where the finished folds of all backtests are kept."""
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(home or Path.home() / ".cache") / "forecast" / "backtest"


def open_store(contender: Contender, plan: Plan, cutoffs: Cutoffs, samples: Samples) -> FoldStore:
    """The store of a contender, told from others by everything that its forecasts depend on."""
    digest = hashlib.sha256()
    _add_panel(digest.update, contender.panel)
    for array in (cutoffs.ends, samples.origins, samples.cutoffs):
        digest.update(np.ascontiguousarray(array, np.int64).tobytes())
    said = {"contender": contender.says, "refit": contender.refit, "sliding": plan.sliding}
    digest.update(json.dumps(said | {"version": _version()}, sort_keys=True).encode())
    return FoldStore(cache_folder() / digest.hexdigest())


def _add_panel(add: Callable[[bytes], None], panel: Panel) -> None:
    """Everything in a panel that forecasts depend on."""
    for array in (panel.values, panel.ahead, panel.indptr):
        add(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    if panel.timeline is not None:
        add(f"{panel.timeline.frequency} {panel.timeline.times.dtype}".encode())
        add(np.ascontiguousarray(panel.timeline.times.asi8).tobytes())
    columns = asdict(panel.columns) | {"covariates": panel.columns.covariates.model_dump()}
    add(json.dumps(columns, sort_keys=True, default=str).encode())
    add(panel.data.model_dump_json().encode())
    add(panel.ids.to_csv().encode())


def _version() -> str:
    try:
        return version("forecast-cli")
    except PackageNotFoundError:
        return ""
