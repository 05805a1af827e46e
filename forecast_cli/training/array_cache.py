"""A folder of arrays that a table was turned into once, so that later trainings need not read it.

`cache.json` holds what the arrays were made from, `series.parquet` the names of the series and
where their rows are. A folder for each way to prepare the rows has two files for each block of
series: `NUMBER.npy`, its rows, and `NUMBER.npz`, the numbers of its series with a digest of the
rows. The second one is written last: a block without it is made again.
"""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import UsageError
from ..core.events import Listener, Note
from ..core.ragged import cumulate
from ..core.windows import Floats, Ints
from ..model.file_writing import unwritable, whole_file

# Of the folder, and of what it holds. A change of what is written makes older arrays anew.
FORMAT = 1
ABOUT, SERIES = "cache.json", "series.parquet"
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class ArrayCache:
    """The folder of the arrays of one table.

    Args:
        folder: It.
    """

    folder: Path

    def begin(self, paths: Sequence[str], series: Sequence[str], on_event: Listener) -> None:
        """Keep what was made from the same files before, and remove what was made from others.

        Args:
            paths: The files of the table.
            series: The columns that name the series.
            on_event: Notified where the files have changed.

        Raises:
            UsageError: The folder holds something else, or cannot be written.
        """
        before = self._about()
        if before is None and self.folder.is_dir() and any(self.folder.iterdir()):
            raise UsageError(
                f"{self.folder} holds files that are no arrays of a table.",
                "Name a new folder, or an empty one, with `cache`.",
            )
        known = {} if before is None else {each["path"]: each for each in before["files"]}
        files = [_describe(path, known.get(str(Path(path).absolute()))) for path in paths]
        about = {"format": FORMAT, "series": list(series), "files": files}
        if before is not None and _contents(before) != _contents(about):
            text = f"{self.folder} was made from other rows: its arrays are made again"
            on_event(Note(text))
            self.remove()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(*unwritable(self.folder, error, "folder")) from None
        with whole_file(self.folder / ABOUT) as file:
            file.write(json.dumps(about, indent=1).encode())

    def _about(self) -> Any:
        """Return what the arrays were made from; None where there are none."""
        try:
            about = json.loads((self.folder / ABOUT).read_bytes())
            return about if about["format"] and about["files"] and about["series"] else None
        except (*DAMAGED, TypeError):
            return None

    def remove(self) -> None:
        """Remove the arrays, and nothing else that is in the folder."""
        for each in self.folder.iterdir():
            if each.is_dir() and _is_preparation(each.name):
                shutil.rmtree(each, ignore_errors=True)
        for name in (SERIES, ABOUT):
            (self.folder / name).unlink(missing_ok=True)

    def find_series(self) -> tuple[pd.DataFrame, Ints] | None:
        """Return the names of the series and their `indptr`; None where they are not there."""
        try:
            frame = pd.read_parquet(self.folder / SERIES)
            lengths = frame.pop(frame.columns[-1]).to_numpy(np.int64)
        except (*DAMAGED, IndexError):
            return None
        return (frame, cumulate(lengths)) if len(frame.columns) else None

    def keep_series(self, ids: pd.DataFrame, indptr: Ints) -> None:
        """Keep the names of the series, and where their rows are."""
        name = next(name for name in ("rows", "rows of it", "its rows") if name not in ids)
        with whole_file(self.folder / SERIES) as file:
            ids.assign(**{name: np.diff(indptr)}).to_parquet(file, index=False)

    def prepared(self, settings: str) -> "PreparedArrays":
        """Return the folder for rows that are prepared in one way, by a description of it."""
        name = hashlib.sha256(settings.encode()).hexdigest()[:16]
        return PreparedArrays(self.folder / name)


@dataclass(frozen=True)
class PreparedArrays:
    """The arrays of blocks of series.

    Args:
        folder: Where they are.
    """

    folder: Path

    def path(self, number: int) -> Path:
        """Return the path of the rows of a block, a NumPy file that can be memory-mapped."""
        return self.folder / f"{number:05d}.npy"

    def holds(self, number: int) -> bool:
        """Whether a block was written, though it may be damaged."""
        return self.path(number).with_suffix(".npz").exists()

    def find(self, number: int) -> Arrays | None:
        """Return the numbers of a block; None where it is not there as it was written."""
        path = self.path(number)
        try:
            with path.with_suffix(".npz").open("rb") as stream, np.load(stream) as file:
                numbers = {name: file[name] for name in file.files}
            rows = np.load(path, mmap_mode="r")
        except DAMAGED:
            return None
        return numbers if numbers.pop("digest", rows).tobytes() == _digest(rows) else None

    def keep(self, number: int, rows: Floats, numbers: Arrays) -> None:
        """Keep a block, whole or not at all.

        Args:
            number: Of the block.
            rows: Shape `(rows, features)`, float32.
            numbers: Arrays of its series.

        Raises:
            UsageError: They cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(number)
        with whole_file(path) as file:
            np.save(file, rows)
        digest = np.frombuffer(_digest(rows), np.uint8)
        with whole_file(path.with_suffix(".npz")) as file:
            np.savez(file, allow_pickle=False, **numbers, digest=digest)


@contextmanager
def open_cache(folder: Path | None, beside: Path | None) -> Iterator[ArrayCache]:
    """Open the folder of arrays; without one a temporary one, which is removed at the end.

    Args:
        folder: As given; None for a temporary one.
        beside: The file in whose folder the temporary one is; None for that of the system.
    """
    if folder is not None:
        yield ArrayCache(folder)
        return
    prefix = ".forecast-" if beside is None else f".{beside.name}-"
    where = None if beside is None else beside.absolute().parent
    with TemporaryDirectory(prefix=prefix, suffix=".arrays", dir=where) as made:
        yield ArrayCache(Path(made))


def _describe(path: str, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what tells a file from others; one that looks as it did is not read again."""
    facts = os.stat(path)
    found = {
        "path": str(Path(path).absolute()),
        "bytes": facts.st_size,
        "modified": facts.st_mtime_ns,
    }
    if known is not None and all(known.get(name) == value for name, value in found.items()):
        return dict(known)
    with open(path, "rb") as file:
        return {**found, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _contents(about: Mapping[str, Any]) -> Any:
    """Return what the arrays depend on: not where the files are, nor when they were written."""
    return about["format"], about["series"], [each.get("sha256") for each in about["files"]]


def _digest(rows: Floats) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(rows).data).digest()


def _is_preparation(name: str) -> bool:
    return len(name) == 16 and set(name) <= set("0123456789abcdef")
