"""Names of files as a report shows them: it is sent on, and folders and passwords are private."""

from pathlib import PurePath
from typing import Any

from ...data.io.remote import masked
from ...data.io.tables import Readable

STDIN = "-"


def file_names(table: Readable | None) -> dict[str, str]:
    """Return the names of the files of a table by their paths; none where it is in memory.

    >>> file_names("/home/ann/sales.csv"), file_names("https://a:b@example.org/s.csv?token=c")
    ({'/home/ann/sales.csv': 'sales.csv'}, {'https://a:b@example.org/s.csv?token=c': 's.csv'})
    """
    given: Any = table if isinstance(table, list | tuple) else [table]
    paths = [str(each) for each in given if isinstance(each, str | PurePath)]
    return {path: file_name(path) for path in paths if path != STDIN}


def file_name(path: str) -> str:
    """Return the name of a file, without folders, and of an address without what is private."""
    return PurePath(path.partition("?")[0] if "://" in path else path).name or masked(path)


def without_folders(text: str, names: dict[str, str]) -> str:
    """Return a message that names files without their folders."""
    for path, name in sorted(names.items(), key=lambda each: -len(each[0])):
        text = text.replace(masked(path), name).replace(path, name)
    return text
