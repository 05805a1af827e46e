"""A folder of forecasts: a file for each part of a table, written by any worker, and resumable."""

import hashlib
import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..core.errors import DataError, Interrupted, UsageError, counted
from ..core.events import Done, Listener, Note, Stage, ignore
from ..core.parallel import run_all
from ..data.io.remote import identify, is_address
from ..data.io.writer import Format
from ..data.series_table import SeriesTable
from ..model.file_writing import locked, partial_folder, remove_special, unwritable, write_whole
from .part_prediction import Found, PartNotes
from .partitions import LocalTarget, Record, Target, Work, read_record, write_part

# Of the folder: what it holds. Readers of folders of Parquet files ignore such names.
MANIFEST = "_manifest.json"
OWN = re.compile(rf"{re.escape(MANIFEST)}|part-\d{{5,}}(\.\w+){{1,2}}")
# Of the folder beside it, while forecasts are made.
RUN, RECORDS, PARTS, REPLACED = "run.json", "records", "parts", "replaced"
# What must be the same where a run is resumed, and what to say where it is not.
UNREADABLE = "a run that cannot be read"
SAME = {"model": "another model", "input": "another table", "request": "other options"}


@dataclass(frozen=True)
class Summary:
    """What a folder holds.

    Args:
        records: Of each part, in order.
        made: Those of them that this run has made, and no earlier one.
    """

    records: list[Record]
    made: list[Record]

    @property
    def restored(self) -> int:
        """How many parts an earlier run had made."""
        return len(self.records) - len(self.made)


@dataclass
class PredictionFolder(ABC):
    """Forecasts all parts of a table into a folder.

    The same call goes on with what is missing in one that is unfinished.

    Args:
        output: The path or address of the folder.
        work: What the parts have in common.
        sources: The parts in order, as `find_sources` returns them.
        format: Of the files.
        excel_safe: As in `render`.
        on_event: Notified of progress, and of what was noted of the parts.
    """

    output: str
    work: Work
    sources: Sequence[SeriesTable | str]
    format: Format
    excel_safe: bool = False
    on_event: Listener = ignore

    def __post_init__(self) -> None:
        self.identity = self._identify()
        # A worker that still works for another run finds its folder gone.
        self.key = hashlib.sha256(json.dumps(self.identity).encode()).hexdigest()[:8]

    def write(self, jobs: int | None) -> Summary:
        """Make the forecasts that are missing.

        Args:
            jobs: How many parts at a time; None: as many as the engine has workers.

        Raises:
            DataError: The table does not hold what the model needs, or a series is in two files.
            UsageError: The folder holds something else, or forecasts of another run.
            Interrupted: Ctrl-C was pressed.
        """
        with self._alone():
            self._begin()
            targets = [self._target(self.name_part(n)) for n in range(len(self.sources))]
            found = self._find(targets)
            if found:
                many = f"{len(found)} of {counted(len(targets), 'part')}"
                self.on_event(Note(f"{many} were restored from an earlier run"))
            missing = [each for each in targets if each not in found]
            try:
                self._make(found, targets, jobs)
            except KeyboardInterrupt:
                raise Interrupted(
                    f"Stopped; {len(found)} of {counted(len(targets), 'part')} are stored, repeat "
                    "the same command to go on."
                ) from None
            records = [found[each] for each in targets]
            self._finish(records)
        return Summary(records, [found[each] for each in missing])

    @abstractmethod
    def _alone(self) -> AbstractContextManager[None]:
        """Refuse a folder of something else, and let no other run write to it meanwhile."""

    @abstractmethod
    def _begin(self) -> None:
        """Open what is unfinished; a `UsageError` where it is that of another run."""

    @abstractmethod
    def _target(self, name: str) -> Target:
        """Return where a part of this name is written."""

    @abstractmethod
    def _read(self, target: Target) -> Record | None:
        """Return the record of a part that an earlier run has made; None where there is none."""

    def _find(self, targets: Sequence[Target]) -> dict[Target, Record]:
        """Return the records of the parts that an earlier run has made."""
        found = {each: self._read(each) for each in targets}
        return {
            each: record
            for each, record in found.items()
            if record is not None and record.part == each.part
        }

    @abstractmethod
    def _finish(self, records: Sequence[Record]) -> None:
        """Make the folder one of these parts, and of nothing else."""

    def _make(self, found: dict[Target, Record], targets: list[Target], jobs: int | None) -> None:
        """Make the parts that are missing, and add their records."""
        notes = PartNotes(self.on_event)
        for record in found.values():
            _add_notes(notes, record)
        missing = [number for number, each in enumerate(targets) if each not in found]
        pieces = [(self.work, self.sources[each], targets[each]) for each in missing]
        self.on_event(Stage("forecasting"))
        checked = 1
        with closing(run_all(write_part, pieces, jobs=jobs)) as running:
            for place, record in running:
                found[targets[missing[place]]] = record
                _add_notes(notes, record)
                self.on_event(Done("parts", len(found), len(targets)))
                if len(found) == 2 * checked:
                    checked *= 2
                    self._require_once(found.values())
        self._require_once(found.values())
        notes.end()

    def _require_once(self, records: Iterable[Record]) -> None:
        """Refuse files that have a series in common: each would be forecast from its own rows.

        Raises:
            DataError: Two have.
        """
        several = list(records)
        # The series of one file were found before it was divided.
        if isinstance(self.sources[0], SeriesTable):
            return
        marks = np.concatenate([np.array(each.marks, np.uint64) for each in several])
        owners = np.repeat(np.arange(len(several)), [len(each.marks) for each in several])
        order = np.argsort(marks, kind="stable")
        twice = np.flatnonzero(marks[order][1:] == marks[order][:-1])
        if len(twice):
            first = int(twice[0])
            pair = [several[owners[order[place]]].source for place in (first, first + 1)]
            raise DataError(
                f"{len(twice):,} series are in more than one file, such as in "
                f"{pair[0]} and {pair[1]}.",
                "All rows of a series must be in one file: divide the table by series, not by "
                "time.",
            )

    def _identify(self) -> dict[str, str]:
        """Return what the forecasts depend on, as digests."""
        paths = [each if isinstance(each, str) else each.batches.path for each in self.sources]
        tables = [[path, _state(path)] for path in dict.fromkeys(paths)]
        request = [asdict(self.work.wanted), dict(self.work.reading), self.format, self.excel_safe]
        whole = {
            "model": self.work.digest,
            "input": [tables, len(self.sources)],
            "request": request,
        }
        return {
            name: hashlib.sha256(json.dumps(each, sort_keys=True, default=str).encode()).hexdigest()
            for name, each in whole.items()
        }

    def name_part(self, number: int) -> str:
        """Return what a part is called, without an ending."""
        return f"part-{number:05d}"

    def describe(self, records: Sequence[Record]) -> bytes:
        """Return what the manifest of the folder says of its parts."""
        about = {
            "model": self.work.digest,
            "series": sum(each.series for each in records),
            "parts": [
                {"part": each.part, "source": each.source, "series": each.series, "rows": each.rows}
                for each in records
            ],
        }
        return json.dumps(about, indent=1).encode()


@dataclass
class LocalFolder(PredictionFolder):
    """A folder of this machine, or of storage that workers share; it takes its name when whole.

    Meanwhile parts and what is known of them are in a folder beside it, whose name ends in
    `.partial`.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.path = Path(os.path.realpath(self.output))
        self.partial = partial_folder(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _own(self, name: str) -> Path:
        """Return a folder of this run beside the output."""
        return self.partial / f"{name}-{self.key}"

    def _target(self, name: str) -> Target:
        folders = (str(self._own(PARTS)), str(self._own(RECORDS)))
        return LocalTarget(name, self.format, self.excel_safe, *folders)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._refuse_others()
        with locked(self.partial, self.path):
            yield

    def _read(self, target: Target) -> Record | None:
        if not (isinstance(target, LocalTarget) and target.file.is_file()):
            return None
        with suppress(OSError):
            return read_record(target.record.read_bytes())
        return None

    def _refuse_others(self) -> None:
        """Refuse to replace a folder of something else.

        Raises:
            UsageError: It is one.
        """
        if self.path.is_dir() and any(self.path.iterdir()):
            own = all(each.is_file() and OWN.fullmatch(each.name) for each in self.path.iterdir())
            if not own or not (self.path / MANIFEST).is_file():
                raise UsageError(
                    f"{self.path} holds other files, and is not replaced.",
                    "Name a folder that does not exist, or one of earlier forecasts, with -o.",
                )
        elif self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file.", "Name a folder with -o.")
        if self.partial.is_symlink():
            raise UsageError(f"{self.partial} is a link.", "Remove it, or name another folder.")

    def _begin(self) -> None:
        """Open the folder of what is unfinished.

        Raises:
            UsageError: It is that of another run.
        """
        own, path = self.identity, self.partial / RUN
        if os.path.lexists(path) and (change := find_change(_read_run(path), own)):
            raise unfinished(self.partial, change)
        try:
            for each in map(self._own, (PARTS, RECORDS)):
                remove_special(each)
                each.mkdir(exist_ok=True)
                for entry in each.iterdir():
                    remove_special(entry)
        except OSError as error:
            raise UsageError(*unwritable(self.partial, error, "folder")) from None
        write_whole(path, json.dumps(own).encode())

    def _finish(self, records: Sequence[Record]) -> None:
        """Give the folder its name, in the place of the one of an earlier run."""
        parts, replaced = self._own(PARTS), self.partial / REPLACED
        names = {each.part for each in records}
        # What killed workers have left, and what is no part.
        for stale in [each for each in parts.iterdir() if each.name not in names]:
            if stale.is_dir() and not stale.is_symlink():
                shutil.rmtree(stale, ignore_errors=True)
            else:
                stale.unlink()
        write_whole(parts / MANIFEST, self.describe(records))
        try:
            if self.path.is_dir():
                shutil.rmtree(replaced, ignore_errors=True)
                self.path.rename(replaced)
            parts.rename(self.path)
        except OSError as error:
            raise UsageError(*unwritable(self.path, error, "folder")) from None
        (self.partial / RUN).unlink()
        for each in (self._own(RECORDS), replaced):
            shutil.rmtree(each, ignore_errors=True)


def unfinished(where: object, change: str) -> UsageError:
    """Return the error of a folder that another run has not finished."""
    return UsageError(
        f"{where} holds unfinished forecasts of {change}.",
        f"Give the same again to finish them, or remove {where} with all its files to "
        "begin from scratch.",
    )


def find_change(run: bytes, own: Mapping[str, str]) -> str:
    """Return what an unfinished run has other than this one; empty where it has the same."""
    try:
        before = json.loads(run)
        return next((why for name, why in SAME.items() if before.get(name) != own[name]), "")
    except (ValueError, AttributeError, RecursionError):
        return UNREADABLE


def _read_run(path: Path) -> bytes:
    """Return what is known of an unfinished run; nothing where that is no file."""
    return b"" if path.is_symlink() or not path.is_file() else path.read_bytes()


def _add_notes(notes: PartNotes, record: Record) -> None:
    for each in record.notes:
        notes.add(Found(**each))


def _state(path: str) -> str:
    """Return what changes with a file."""
    if is_address(path):
        return identify(path)
    about = os.stat(path)
    return f"{about.st_size} {about.st_mtime_ns}"
