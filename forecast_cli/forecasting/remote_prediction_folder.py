"""A folder of forecasts at an address, where files are written whole and cannot be renamed."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO

from ..core.errors import UsageError, counted, listed
from ..data.io.remote_folder import RemoteFolder
from .partitions import Record, Target, read_record
from .prediction_folder import MANIFEST, OWN, RECORDS, PredictionFolder, find_change, unfinished

# Readers of folders of Parquet files ignore what begins so.
PARTIAL = "_partial/"
RUN = f"{PARTIAL}run.json"
RECORD = re.compile(rf"{PARTIAL}{RECORDS}-[0-9a-f]{{8}}/part-\d{{5,}}\.json")
SHARED = (
    "Name storage that all workers share (file:// is that of one machine), and let one run at a "
    "time write to a folder."
)


@dataclass(frozen=True)
class AddressedTarget(Target):
    """A part at an address.

    Args:
        address: Of the folder.
        key: Of the run, which must not have been given up for another one.
    """

    address: str
    key: str

    @property
    def record(self) -> str:
        """The name of its record."""
        return f"{PARTIAL}{RECORDS}-{self.key}/{self.name}.json"

    @contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        """Open the part."""
        folder = RemoteFolder(self.address)
        with folder.writing(self.part) as file:
            yield file
            # A lost worker may still be at work when the folder is that of another run.
            if f'"key": "{self.key}"'.encode() not in (folder.read(RUN) or b""):
                raise UsageError(
                    f"{folder} is not that of this run any more, or not for this worker.",
                    SHARED,
                )

    def keep(self, record: bytes) -> None:
        """Write its record."""
        RemoteFolder(self.address).write(self.record, record)


@dataclass
class AddressedFolder(PredictionFolder):
    """A folder at an address; its manifest is written when all parts are there.

    Parts have their names from the beginning. What is known of those of an unfinished run is in
    `_partial/`: the run itself, with the parts of earlier forecasts that it replaces, and a record
    for each part, written after it. Nothing but such files is ever removed.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.folder = RemoteFolder(self.output)
        self.names: set[str] = set()
        self.replaced: set[str] = set()

    def __str__(self) -> str:
        return str(self.folder)

    def _alone(self) -> AbstractContextManager[None]:
        # There are no locks: a run of something else finds that of this one, and is refused.
        return nullcontext()

    def _begin(self) -> None:
        """Refuse a folder of something else, and note what is replaced before it is.

        Raises:
            UsageError: It holds other files, or forecasts of another run that are unfinished.
        """
        self.names = self.folder.names()
        run = self.folder.read(RUN) if RUN in self.names else None
        if run is not None and (change := find_change(run, self.identity)):
            # The advice is to remove the folder, which must not hold anything else.
            if others := [each for each in self.names if not _is_own(each)]:
                raise self._holding(others)
            raise unfinished(self.folder, change)
        listing = self.folder.read(MANIFEST) if MANIFEST in self.names else None
        self.replaced = _names_in(run, "replaced") | _names_in(listing, "parts")
        self._refuse_others(made=run is not None)
        about = self.identity | {"key": self.key, "replaced": sorted(self.replaced)}
        self.folder.write(RUN, json.dumps(about).encode())
        # Of no other run, whose parts these are not: the parts of all have the same names.
        own = f"{PARTIAL}{RECORDS}-{self.key}/"
        for each in filter(RECORD.fullmatch, self.names):
            if run is None or not each.startswith(own):
                self.folder.remove(each)
                self.names = self.names - {each}
        self.folder.remove(MANIFEST)

    def _refuse_others(self, *, made: bool) -> None:
        """Refuse a folder with files that are neither of this run nor of earlier forecasts.

        Args:
            made: Whether parts of this run may be there.

        Raises:
            UsageError: There are some.
        """
        own = {MANIFEST, RUN} | self.replaced
        if made:
            own |= {self._target(self.name_part(n)).part for n in range(len(self.sources))}
        if others := [each for each in self.names - own if not RECORD.fullmatch(each)]:
            raise self._holding(others)

    def _holding(self, others: Sequence[str]) -> UsageError:
        """Return the error of a folder with files that are, or may be, of something else."""
        hint = "Name a folder that does not exist, or one of earlier forecasts, with -o."
        # Parts of which nothing is known: of a run whose `_partial/` was removed, or of others.
        if MANIFEST not in self.names and all(map(_is_own, self.names)):
            hint = (
                "Name a folder that does not exist with -o; or, if these are parts of an "
                f"unfinished run, remove {self.folder} with all its files."
            )
        return UsageError(
            f"{self.folder} holds other files ({listed(sorted(others))}), and is not replaced.",
            hint,
        )

    def _target(self, name: str) -> AddressedTarget:
        return AddressedTarget(name, self.format, self.excel_safe, self.output, self.key)

    def _read(self, target: Target) -> Record | None:
        if (
            not isinstance(target, AddressedTarget)
            or not {target.part, target.record} <= self.names
        ):
            return None
        data = self.folder.read(target.record)
        return None if data is None else read_record(data)

    def _finish(self, records: Sequence[Record]) -> None:
        """Write the manifest, once all parts are there and earlier ones are gone.

        Raises:
            UsageError: Some are not: they were removed, or written elsewhere.
        """
        parts, names = {each.part for each in records}, self.folder.names()
        if lacking := sorted(parts - names):
            raise UsageError(
                f"{self.folder} lacks {counted(len(lacking), 'part')}, written before: "
                f"{listed(lacking)}.",
                SHARED,
            )
        for each in sorted((self.replaced - parts) & names):
            self.folder.remove(each)
        self.folder.write(MANIFEST, self.describe(records))
        for each in [RUN, *filter(RECORD.fullmatch, names)]:
            self.folder.remove(each)
        self.folder.remove_empty(f"{PARTIAL}{RECORDS}-{self.key}", PARTIAL)


def _is_own(name: str) -> bool:
    """Whether a file has a name that those of forecasts have."""
    return name == RUN or any(each.fullmatch(name) for each in (OWN, RECORD))


def _names_in(data: bytes | None, key: str) -> set[str]:
    """Return the names of parts in a run or a manifest; what is no such name is left out."""
    try:
        found = json.loads(data or b"{}").get(key, ())
        names = {each["part"] if isinstance(each, dict) else each for each in found}
        return {each for each in names if OWN.fullmatch(each) and each != MANIFEST}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return set()
