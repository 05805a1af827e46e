"""The checkpoints of an unfinished run, in a folder beside its model.

The folder `model.forecast.partial` has a file for each network, written whole or not at all, and
`job.json`, which says what is trained. A run that is begun from the start moves them to
`model.forecast.partial.1` and so on. Nothing in them is code: they are arrays and JSON, and of a
search for settings its study.
"""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import UsageError
from ..core.events import Listener, Note
from ..core.libraries import version_of
from ..core.tidying import tidied
from ..core.windows import Floats
from .file_writing import LOCK, locked, partial_folder, remove_special, remove_stale, write_whole

JOB = "job.json"
# Seconds of training before the first checkpoint, and between two.
EVERY = 30.0
# What must be equal for a run to be resumed to the bit, and how it differs.
DIFFERS = {
    "command": "another command",
    "data": "other rows",
    "settings": "other settings",
    "start": "other initial weights",
    "versions": "other versions of libraries",
}
# The exceptions of reading a file that is damaged.
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
Arrays = Mapping[str, Floats]


class Saved(NamedTuple):
    """The state of the training of one network.

    Args:
        facts: JSON values: its epochs, and whether it is finished.
        arrays: Of any shape, by name.
    """

    facts: dict[str, Any]
    arrays: Arrays


@dataclass
class Checkpoints:
    """The checkpoints of one run.

    Args:
        model: The path of the model.
        every: The least seconds between two checkpoints.
        resume: Whether an unfinished run is resumed.
        stopped: Whether a training that is stopped is kept however short it was.
    """

    model: Path
    every: float = EVERY
    resume: bool = False
    stopped: bool = False
    # Seconds that the resumed run had taken.
    elapsed: float = 0.0
    # Whether there are any of this run.
    used: bool = False
    _marks: Callable[[], Mapping[str, str]] = dict
    _resumed: bool = False
    _pending: dict[str, Saved] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = partial_folder(self.model)
        self.began = self.last = perf_counter()

    def begin(self, marks: Callable[[], Mapping[str, str]], on_event: Listener) -> None:
        """Say what is trained, and find the unfinished run that is to be resumed.

        Args:
            marks: Returns digests of what the run depends on, by the keys of `DIFFERS`.
            on_event: Notified of an unfinished run.

        Raises:
            UsageError: The unfinished run is another one.
        """
        self._marks = marks
        found = {each: _read_job(each) for each in _unfinished(self.folder)}
        if self.folder not in found:
            # What is left of a removal that was killed is of another run.
            _empty(self.folder)
        if not found:
            if self.resume:
                on_event(Note("there is no unfinished run to resume: it begins now"))
            return
        if not self.resume:
            self._set_aside(on_event)
            return
        own = dict(marks())
        equal = [each for each, known in found.items() if known == own]
        if not equal:
            raise _other(next(iter(found)), next(iter(found.values())), own)
        # It goes on where it is, also where that is aside.
        self.folder = max(equal, key=_elapsed)
        self.elapsed, self.used, self._resumed = _elapsed(self.folder), True, True

    def find(self, name: str) -> Saved | None:
        """Return the state of a network in the run that is resumed; None for none."""
        return _read(self.folder / f"{name}.npz") if self._resumed else None

    def part(self, marks: Mapping[str, str]) -> "Part":
        """Return the checkpoints of one of several trainings of the run.

        Args:
            marks: Digests of what it depends on.
        """
        text = json.dumps(dict(marks), sort_keys=True)
        return Part(self, hashlib.sha256(text.encode()).hexdigest()[:12])

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return perf_counter() - self.last >= self.every

    @property
    def kept_at_stop(self) -> bool:
        """Whether a training that is stopped is kept."""
        return self.used or self.stopped

    def keep(self, name: str, saved: Saved, *, now: bool) -> None:
        """Keep the state of a network; write it, and those kept before, where it is time.

        A checkpoint that cannot be written is left out: the training goes on without.
        """
        elapsed = self.elapsed + perf_counter() - self.began
        self._pending[name] = Saved({**saved.facts, "elapsed": elapsed}, saved.arrays)
        if now or self.used:
            self.write()

    def write(self) -> None:
        """Write what is kept so far, as far as it can be written."""
        name = ""
        try:
            first = not (self.folder / JOB).exists()
            for name in list(self._pending):
                remove_special(self.folder / f"{name}.npz")
                write_whole(self.folder / f"{name}.npz", _packed(self._pending[name]))
                del self._pending[name]
            if first:
                job = json.dumps({"marks": dict(self._marks())}).encode()
                write_whole(self.folder / JOB, job)
            self.used = True
        except (OSError, UsageError):
            self._pending.pop(name, None)
        self.last = perf_counter()

    def finish(self) -> None:
        """Remove the checkpoints of this training: its model is saved."""
        own = self._marks() if self.used else None
        for each in _unfinished(self.folder) if own is not None else ():
            if _read_job(each) == own:
                # What says that there are any goes first.
                (each / JOB).unlink(missing_ok=True)
                _empty(each)
                if not (each / LOCK).exists():
                    shutil.rmtree(each, ignore_errors=True)

    def _set_aside(self, on_event: Listener) -> None:
        """Move checkpoints of the last run out of the way, and say so."""
        if not (self.folder / JOB).is_file():
            return
        number = 1
        while (other := self.folder.with_name(f"{self.folder.name}.{number}")).exists():
            number += 1
        other.mkdir()
        # What says that there are checkpoints comes last, and goes first.
        for path in sorted(self.folder.iterdir(), key=lambda each: each.name == JOB):
            if path.name != LOCK:
                os.replace(path, other / path.name)
        on_event(
            Note(
                f"an unfinished run for {self.model} is moved to {other.name}: repeat its "
                "command with `resume=true` to continue it, or delete the folder",
                warning=True,
            )
        )


@dataclass(frozen=True)
class Part:
    """The checkpoints of one of several trainings of a run.

    Args:
        whole: Those of the run.
        prefix: Of the names of its networks.
    """

    whole: Checkpoints
    prefix: str

    @property
    def kept_at_stop(self) -> bool:
        """Whether a training that is stopped is kept."""
        return self.whole.kept_at_stop

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.whole.due

    def find(self, name: str) -> Saved | None:
        """Return the state of a network in the run that is resumed; None for none."""
        return self.whole.find(f"{self.prefix}-{name}")

    def keep(self, name: str, saved: Saved, *, now: bool) -> None:
        """Keep the state of a network; write it where it is time."""
        self.whole.keep(f"{self.prefix}-{name}", saved, now=now)

    def write(self) -> None:
        """Write what is kept so far."""
        self.whole.write()


# Where the networks of one training are kept.
Keeper = Checkpoints | Part


@contextmanager
def open_checkpoints(
    model: Path, *, every: float = EVERY, resume: bool = False, stopped: bool = False
) -> Iterator[Checkpoints]:
    """Hold the lock on a model while it is trained, and keep checkpoints beside it.

    Args:
        model: The path of the model.
        every: The least seconds between two checkpoints.
        resume: Whether an unfinished run is resumed.
        stopped: Whether a training that is stopped is kept however short it was.

    Raises:
        UsageError: Another run is writing the model.
    """
    folder = partial_folder(model)
    with locked(folder, model):
        remove_stale(model)

        def leave() -> None:
            if not (folder / JOB).exists():
                shutil.rmtree(folder, ignore_errors=True)

        with tidied(leave):
            yield Checkpoints(model, every, resume, stopped)


def library_versions() -> str:
    """Return the versions of the libraries that the weights of a training depend on."""
    names = ("forecast-cli", "tensorflow", "keras", "numpy", "scipy")
    return ", ".join(f"{name} {version_of(name)}".rstrip() for name in names)


def _unfinished(folder: Path) -> list[Path]:
    """Return the folders with checkpoints of a model, that of the last run first."""
    aside = sorted(folder.parent.glob(f"{folder.name}.*")) if folder.parent.is_dir() else []
    return [each for each in (folder, *aside) if (each / JOB).is_file()]


def _read_job(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / JOB).read_text())["marks"])
    except (*DAMAGED, TypeError):
        return {}


def _elapsed(folder: Path) -> float:
    """Return the seconds that an unfinished run had taken."""
    found = [_read(path) for path in folder.glob("*.npz")]
    return max((each.facts["elapsed"] for each in found if each), default=0.0)


def _other(folder: Path, known: Mapping[str, str], own: Mapping[str, str]) -> UsageError:
    """Return the error of an unfinished run that is another one."""
    differing = [why for name, why in DIFFERS.items() if known.get(name) != own.get(name)]
    return UsageError(
        f"The unfinished run in {folder.name} has {' and '.join(differing)}.",
        "Repeat the command that began it with `resume=true`, or leave that out to begin from the "
        "start.",
    )


def _packed(saved: Saved) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = dict(saved.arrays)
    np.savez(buffer, facts=np.array(json.dumps(saved.facts)), **arrays)
    return buffer.getvalue()


def _read(path: Path) -> Saved | None:
    """Return what a file holds; None where there is none, or it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
            facts = dict(json.loads(str(arrays.pop("facts"))))
            return Saved({**facts, "elapsed": float(facts.get("elapsed", 0.0))}, arrays)
    except (*DAMAGED, TypeError, RecursionError):
        return None


def _empty(folder: Path) -> None:
    """Delete the files of a folder but its lock."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != LOCK:
            with suppress(OSError):
                path.unlink()
