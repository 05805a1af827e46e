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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib import format as npy

from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note
from ..core.ragged import cumulate
from ..core.windows import Floats, Ints
from ..data.io.row_batches import RowBatches
from ..model.file_writing import remove_special, unwritable, whole_file
from ..model.loading import read_array

# Of the folder, and of what it holds. A change of what is written makes older arrays anew.
FORMAT = 2
ABOUT, SERIES = "cache.json", "series.parquet"
DAMAGED = (
    OSError, ValueError, KeyError, TypeError, EOFError, IndexError, MemoryError, OverflowError,
    RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
# The kinds of NumPy types of the numbers of series: truth, integers, floating-point numbers, text.
KINDS = "biufU"
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
            remove_special(self.folder / ABOUT)
        except OSError as error:
            raise UsageError(*unwritable(self.folder, error, "folder")) from None
        with whole_file(self.folder / ABOUT) as file:
            file.write(json.dumps(about, indent=1).encode())

    def _about(self) -> Any:
        """Return what the arrays were made from; None where there are none."""
        try:
            about = json.loads(_plain(self.folder / ABOUT).read_bytes())
            paths = {each["path"] for each in about["files"] if each["sha256"]}
            return about if about["format"] and paths and about["series"] else None
        except DAMAGED:
            return None

    def remove(self) -> None:
        """Remove the arrays, and nothing else that is in the folder."""
        for each in self.folder.iterdir():
            if each.is_dir() and _is_preparation(each.name):
                shutil.rmtree(each, ignore_errors=True)
        for name in (SERIES, ABOUT):
            (self.folder / name).unlink(missing_ok=True)

    def find_series(
        self, table: RowBatches, series: Sequence[str]
    ) -> tuple[pd.DataFrame, Ints] | None:
        """Return the names of the series and their `indptr`; None where they are not there.

        Args:
            table: The table.
            series: The columns that name the series.
        """
        try:
            kept = RowBatches(str(_plain(self.folder / SERIES)))
            *names, count = kept.schema.names
            if kept.count > table.count or names != list(series):
                return None
            frames = [each.to_pandas() for each in kept.read(kept.schema.names)]
            ids = pd.concat(frames, ignore_index=True)
            lengths = ids.pop(count).to_numpy(np.int64)
        except (*DAMAGED, DataError):
            return None
        whole = lengths.min(initial=1) > 0 and lengths.sum() == table.count
        kinds = all(kept.schema.field(each).type == table.schema.field(each).type for each in names)
        return (
            (ids, cumulate(lengths)) if whole and kinds and not ids.isna().any(axis=None) else None
        )

    def keep_series(self, ids: pd.DataFrame, indptr: Ints) -> None:
        """Keep the names of the series, and where their rows are."""
        name = next(name for name in ("rows", "rows of it", "its rows") if name not in ids)
        remove_special(self.folder / SERIES)
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

    def find(self, number: int, fits: Callable[[Arrays, Floats], bool]) -> Arrays | None:
        """Return the numbers of a block; None where it is not there as it was written.

        Args:
            number: Of the block.
            fits: Whether numbers and rows may be those of the block.
        """
        path = self.path(number)
        try:
            numbers = _read_numbers(_plain(path.with_suffix(".npz")))
            rows = npy.open_memmap(_plain(path), mode="r")
            same = numbers.pop("digest").tobytes() == _digest(rows)
            return numbers if same and fits(numbers, rows) else None
        except DAMAGED:
            return None

    def keep(self, number: int, rows: Floats, numbers: Arrays) -> None:
        """Keep a block, whole or not at all.

        Args:
            number: Of the block.
            rows: Shape `(rows, features)`, float32.
            numbers: Arrays of its series.

        Raises:
            UsageError: They cannot be written.
        """
        path, about = self.path(number), self.path(number).with_suffix(".npz")
        try:
            remove_special(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            for each in (path, about):
                remove_special(each)
        except OSError as error:
            raise UsageError(*unwritable(self.folder, error, "folder")) from None
        with whole_file(path) as file:
            np.save(file, rows)
        digest = np.frombuffer(_digest(rows), np.uint8)
        with whole_file(about) as file:
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


def _plain(path: Path) -> Path:
    """Return the path of a file.

    Raises:
        ValueError: It is a link, or no file: opening a pipe would wait for its writer.
    """
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path} is no file")
    return path


def _read_numbers(path: Path) -> dict[str, Any]:
    """Return the arrays of a file as `numpy.savez` writes it: each as large as in the file.

    Raises:
        ValueError: It is something else; other exceptions, of what is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(each.compress_type != zipfile.ZIP_STORED for each in entries):
            raise ValueError("its arrays are compressed")
        return {
            each.filename.removesuffix(".npy"): read_array(each.filename, archive.read(each), KINDS)
            for each in entries
        }


def _digest(rows: Floats) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(rows).data).digest()


def _is_preparation(name: str) -> bool:
    return len(name) == 16 and set(name) <= set("0123456789abcdef")
