"""Forecasts of the parts of a table, each made on its own: in this process, or by any worker."""

import hashlib
import json
import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from ..core.errors import ModelFileError
from ..core.events import Done, Stage
from ..core.memory import require_memory
from ..core.parallel import run_all
from ..data.groups import hash_names
from ..data.io.row_batches import RowBatches
from ..data.io.writer import Format, PartWriter, holds_times
from ..data.series_table import SeriesTable, is_number
from ..model.bundle import Bundle
from ..model.file_writing import whole_file, write_whole
from ..model.loading import load_bundle
from .frames import in_table_style
from .history import data_as_trained
from .part_prediction import (
    Found,
    PartPrediction,
    Seconds,
    bytes_for,
    find_series_table,
    together,
)
from .prediction_request import PredictionRequest

# The rows of a task: few enough to be repeated where a worker is lost, so many that handing it
# over costs little. The same whatever the number of workers.
TASK_ROWS = 1_000_000


@dataclass(frozen=True)
class Work:
    """What the forecasts of all parts have in common.

    Args:
        model: The path of the model.
        digest: The SHA-256 of its file.
        wanted: Which forecasts are requested.
        reading: How the table is read, where it differs from the one that was trained on.
        rows: How many rows are read at a time.
        least: Shape `(targets,)`: the lowest value of each target in the whole table.
    """

    model: str
    digest: str
    wanted: PredictionRequest
    reading: Mapping[str, Any]
    rows: int
    least: Sequence[float]


@dataclass(frozen=True)
class Made:
    """The forecasts of a part, and what is to be said of them.

    Args:
        frame: The forecasts.
        notes: What was noted.
        ends: When each series ended; empty without times.
        seconds: How long the parts of the work took.
    """

    frame: pd.DataFrame
    notes: list[Found]
    ends: list[pd.DatetimeIndex]
    seconds: Seconds


@dataclass(frozen=True)
class Record:
    """What is kept of a part that was written.

    Args:
        part: The name of its file.
        source: The name of the file that it was made from.
        series: How many series it has.
        rows: How many rows.
        seconds: How long the parts of the work took, by name.
        notes: What was noted, as `Found`.
        marks: A number for each series, by its name.
        worker: The host and the process that made it.
    """

    part: str
    source: str
    series: int
    rows: int
    seconds: dict[str, float]
    notes: list[dict[str, Any]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    worker: str = ""


def read_record(data: bytes) -> Record | None:
    """Return a record as it was written; None where it is none."""
    try:
        return _read_record(data)
    except (ValueError, TypeError, RecursionError):
        return None


def _read_record(data: bytes) -> Record:
    record = Record(**json.loads(data))
    notes = [Found(**each) for each in record.notes]
    texts = [record.part, record.source, record.worker, *record.seconds]
    texts += [text for each in notes for text in (each.text, each.names)]
    counts = [record.series, record.rows, *record.marks, *(each.parts for each in notes)]
    typed = (
        all(isinstance(each, str) for each in texts)
        and all(type(each) is int and 0 <= each < 2**64 for each in counts)
        and all(isinstance(each.warning, bool) for each in notes)
        and all(type(each) in (int, float) for each in record.seconds.values())
    )
    if not typed or not record.seconds.keys() <= vars(Seconds()).keys():
        raise ValueError("it is no record of a part")
    return record


@dataclass(frozen=True)
class Target(ABC):
    """Where the forecasts of a part are written.

    Args:
        name: The name of the part, without an ending.
        format: Of the part.
        excel_safe: As in `render`.
    """

    name: str
    format: Format
    excel_safe: bool

    @property
    def part(self) -> str:
        """The name of the file."""
        return f"{self.name}.{self.format}"

    @abstractmethod
    def writing(self) -> AbstractContextManager[IO[bytes]]:
        """Open the part, which is there when the block ends, whole or not at all."""

    @abstractmethod
    def keep(self, record: bytes) -> None:
        """Write the record of the part, which counts from then on."""


@dataclass(frozen=True)
class LocalTarget(Target):
    """A part in a folder of this machine, or of storage that workers share.

    Args:
        parts: The folder of the parts.
        records: The folder of what is kept of them.
    """

    parts: str
    records: str

    @property
    def file(self) -> Path:
        """The path of the part."""
        return Path(self.parts) / self.part

    @property
    def record(self) -> Path:
        """The path of its record."""
        return Path(self.records) / f"{self.name}.json"

    def writing(self) -> AbstractContextManager[IO[bytes]]:
        """Open the part."""
        return whole_file(self.file)

    def keep(self, record: bytes) -> None:
        """Write its record."""
        write_whole(self.record, record)


def digest_of(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@lru_cache(maxsize=1)
def _load(path: str, digest: str) -> Bundle:
    """Return a model, which a process reads once.

    Raises:
        ModelFileError: It cannot be read, or is another one than when the work began.
    """
    bundle = load_bundle(path)
    if digest_of(path) != digest:
        raise ModelFileError(
            f"{path} was replaced while forecasts were made.", "Repeat the same command."
        )
    return bundle


def make_part(work: Work, table: SeriesTable) -> Made:
    """Forecast some series of a table.

    Raises:
        DataError: The table does not hold what the model needs.
    """
    done = PartPrediction(_load(work.model, work.digest), table, work.wanted, reading=work.reading)
    frames = list(done.parts(work.rows))
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return Made(frame, list(done.notes.seen.values()), done.ends, done.seconds)


def make_frames(done: PartPrediction, work: Work, jobs: int) -> Iterator[pd.DataFrame]:
    """Yield the forecasts of all series of a table in their order, as `PartPrediction.frames`.

    Args:
        done: The series; receives what is noted, and how long it took in all processes.
        work: What their parts have in common.
        jobs: How many processes work on them.
    """
    tables = done.table.cut(TASK_ROWS, together(done.bundle))
    held, at, series = dict[int, Made](), 0, 0
    done.on_event(Stage("forecasting"))
    with closing(run_all(make_part, [(work, each) for each in tables], jobs=jobs)) as running:
        for number, made in running:
            held[number] = made
            while (part := held.pop(at, None)) is not None:
                for each in part.notes:
                    done.notes.add(each)
                done.ends += part.ends
                for name, seconds in vars(part.seconds).items():
                    setattr(done.seconds, name, getattr(done.seconds, name) + seconds)
                series += tables[at].count
                at += 1
                done.on_event(Done("series", series, done.table.count))
                yield part.frame
    done.finish()


def write_part(work: Work, source: SeriesTable | str, target: Target) -> Record:
    """Forecast a part, write it whole or not at all, then its record, and return that.

    Args:
        work: What all parts have in common.
        source: Some series of a table, or the path or address of a Parquet file.
        target: Where to write; nothing is made of a folder that is gone.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: It cannot be written.
    """
    bundle = _load(work.model, work.digest)
    table = _table(bundle, work, source) if isinstance(source, str) else source
    done = PartPrediction(bundle, table, work.wanted, reading=work.reading)
    marks, rows, time = list[np.ndarray[Any, Any]](), 0, bundle.manifest.time
    names = list(bundle.manifest.series)
    with (
        target.writing() as file,
        closing(PartWriter(file, target.format, excel_safe=target.excel_safe)) as writer,
    ):
        for frame in _frames(done, work):
            plain = frame if holds_times(frame, target.format) else in_table_style(frame, time)
            writer.write(plain)
            marks.append(hash_names(frame[names].drop_duplicates()))
            rows += len(frame)
    done.finish()
    found = np.concatenate(marks)
    notes = [asdict(each) for each in done.notes.seen.values()]
    record = Record(
        target.part, table.batches.name, len(found), rows, vars(done.seconds), notes,
        found.tolist(), f"{platform.node()}:{os.getpid()}",
    )  # fmt: skip
    target.keep(json.dumps(asdict(record)).encode())
    return record


def _frames(done: PartPrediction, work: Work) -> Iterator[pd.DataFrame]:
    """Yield forecasts some series at a time, or all at once where they have to be read so."""
    if done.table.count:
        yield from done.parts(work.rows)
        return
    rows, name = done.table.batches.count, done.table.batches.name
    what = f"{name}, {rows:,} rows that are read as a whole,"
    require_memory(bytes_for(done.bundle, rows), what, "Write it in order of its series.")
    yield done.whole()


def _table(bundle: Bundle, work: Work, path: str) -> SeriesTable:
    """Return the series of a file; none where it has to be read as a whole."""
    batches = RowBatches(path)
    table = find_series_table(bundle, batches, work.wanted, work.reading)
    if table is None:
        data = data_as_trained(bundle, work.reading)
        return SeriesTable(batches, data, (), pd.DataFrame(), np.zeros(1, np.int64), work.least)
    return replace(table, least=work.least)


def find_sources(
    bundle: Bundle, paths: Sequence[str], wanted: PredictionRequest, reading: Mapping[str, Any]
) -> tuple[list[SeriesTable | str], list[float]]:
    """Divide tables into what is forecast by one task each.

    Args:
        bundle: The model.
        paths: Parquet files, by path or address: one is divided, of several each is a task.
        wanted: Which forecasts are requested.
        reading: How they are read, where it differs from the table that was trained on.

    Returns:
        The tasks in order, and the lowest value of each target, shape `(targets,)`.

    Raises:
        DataError: A file cannot be read.
    """
    batches = [RowBatches(path) for path in paths]
    if len(paths) == 1:
        table = find_series_table(bundle, batches[0], wanted, reading)
        if table is not None:
            return [*table.cut(TASK_ROWS, together(bundle))], list(table.least)
    least = []
    for name in bundle.manifest.columns.targets:
        lowest = [low for each in batches if (low := _least(each, name)) is not None]
        least.append(min(lowest, default=np.nan))
    return list(paths), least


def _least(batches: RowBatches, name: str) -> float | None:
    """Return the lowest value of a column, None where it has no numbers."""
    kinds = {each.name: each.type for each in batches.schema}
    if name not in kinds or not is_number(kinds[name]):
        return None
    return batches.least(name)
