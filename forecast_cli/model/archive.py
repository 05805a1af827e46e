"""The entries of a model file, a zip: what its directory states is checked, nothing is believed."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import BinaryIO

from ..core.errors import ModelFileError

# The largest unpacked size of a model in bytes, and as a multiple of the file for large ones; that
# of text, which takes more memory when it is understood.
LARGEST = 2 * 1024**3
MOST_PACKED, SMALL = 200, 64 * 1024**2
MOST_PACKED_TEXT, SMALL_TEXT = 30, 4 * 1024**2
# The record at the end of a zip without comment: its mark, and where its directory's size is.
END, END_SIZE = b"PK\x05\x06", 22
# The mark of what stands before it in an archive of more than 4 GB.
LARGE = b"PK\x06\x07"
MOST_ENTRIES, LARGEST_DIRECTORY = 64, 64 * 1024
PIECE = 256 * 1024
ENCRYPTED = 1


class Archive:
    """A model file that is open; use it as a context.

    Args:
        path: The file.

    Raises:
        ModelFileError: It is no zip, is truncated, or holds other than plain files, each once.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.left = 0
        try:
            self.file = open(path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            raise ModelFileError(
                f"There is no model {self.path}.",
                "Train a model first, or give the path of another one.",
            ) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ModelFileError(f"{self.path} cannot be read: {why}.") from None
        try:
            self.archive = zipfile.ZipFile(self._checked(self.file))
            self.entries = self._plain(self.archive.infolist())
        except BaseException as error:
            self.file.close()
            raise self._no_model(error) from None
        self.left = min(LARGEST, MOST_PACKED * os.fstat(self.file.fileno()).st_size + SMALL)

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def _checked(self, file: BinaryIO) -> BinaryIO:
        """Check the record at the end before a library makes an object of each entry."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END_SIZE - 20))
        tail = file.read()
        end = tail[-END_SIZE:]
        if not end.startswith(END) or len(end) != END_SIZE:
            raise zipfile.BadZipFile
        count, directory = struct.unpack("<HI", end[10:16])
        if tail.startswith(LARGE) or count > MOST_ENTRIES or directory > LARGEST_DIRECTORY:
            raise ModelFileError(
                f"{self.path} has {count:,} entries: too many.", "Expected a saved model."
            )
        return file

    def _plain(self, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """Return the entries by name; refuse folders, links, encryption and repeated names."""
        found: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            # A name may be empty, or end where a byte is 0.
            plain = kind in (0, stat.S_IFREG) and not entry.filename.endswith(("/", "\\"))
            plain &= bool(entry.filename)
            # The other methods of compression unpack to any size at once.
            plain &= entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if entry.filename in found or not plain or entry.flag_bits & ENCRYPTED:
                raise ModelFileError(
                    f"{self.path} is refused: its entry {entry.filename[:100]!r} is not a file of "
                    "its own.",
                    "Expected a saved model.",
                )
            found[entry.filename] = entry
        return found

    def require_only(self, names: Iterable[str]) -> None:
        """Refuse entries with other names.

        Raises:
            ModelFileError: There is one.
        """
        if more := self.entries.keys() - set(names):
            raise ModelFileError(
                f"{self.path} is refused: a model has no entry {min(more)[:100]!r}.",
                "Expected a saved model.",
            )

    def read(self, name: str) -> bytes:
        """Return what an entry holds; it is counted as it is unpacked.

        Raises:
            ModelFileError: It is missing, damaged, or unpacks to more than any model.
        """
        try:
            entry = self.entries[name]
            left = self.left
            if name.endswith(".json"):
                left = min(left, MOST_PACKED_TEXT * entry.compress_size + SMALL_TEXT)
            parts, size = [], 0
            with self.archive.open(entry) as file:
                while piece := file.read(PIECE):
                    size += len(piece)
                    if size > left:
                        raise ModelFileError(
                            f"{self.path} would unpack to more than {left:,} bytes in {name}: too "
                            "much.",
                            "Expected a saved model.",
                        )
                    parts.append(piece)
        except Exception as error:
            raise self._no_model(error) from None
        self.left -= size
        return b"".join(parts)

    def _no_model(self, error: BaseException) -> BaseException:
        """Return the error to raise for one of reading a zip."""
        known = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, ValueError)
        if isinstance(error, OSError):
            return ModelFileError(f"{self.path} cannot be read: {error.strerror or error}.")
        # RuntimeError: compressed by a method that zipfile does not support.
        if isinstance(error, (*known, NotImplementedError, struct.error, MemoryError)):
            return ModelFileError(
                f"{self.path} is not a model, or is truncated.",
                "Expected a saved model: copy the file again, or train again.",
            )
        return error
