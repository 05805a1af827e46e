"""Tables at an address, fetched whole through fsspec, and addresses without their secrets."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from ...core.errors import DataError, UsageError
from ...core.libraries import how_to_install

ADDRESS = re.compile(r"[A-Za-z][\w+.:-]*://")
# A password as it should be written, then one with characters that are not escaped; not a port.
PASSWORD = re.compile(r"(://[^/?#@:]*:)[^/?#]*@")
WILD_PASSWORD = re.compile(r"(://[^/?#@:]*:)(?!\d+(?:[/?#]|$)).*@")
TOKEN_AS_USER = re.compile(r"(https?://)[^/?#@:]+@")
# What follows the path: parts of a query or a fragment, or settings behind semicolons.
PART = re.compile(r"([?&;#])([^=&;#?\s]+)=([^&;#\s]+)")
# The parts whose values are no secrets; those of all others are not shown.
SHOWN = frozenset((
    "charset", "database", "date", "db", "dl", "download", "driver", "end", "format", "from", "gid",
    "limit", "mode", "month", "offset", "output", "page", "raw", "schema", "sheet", "single",
    "sslmode", "start", "table", "to", "version", "warehouse", "year",
))  # fmt: skip
# Values in a query of a database: in quotes, or between dollars.
LITERAL = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
# What to install for addresses of a kind.
PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    "smb": "smbprotocol",
}
# Where names can be listed, and a name found is an address again.
LISTED = ("s3", "s3a", "gs", "gcs", "memory", "file")
# The files of this machine.
OWN_FILES = ("file", "local")
PAGE = (b"<!doctype html", b"<html")
ESCAPES = "In a user's name or password, @ is written %40, : %3A and / %2F."


def is_address(path: str) -> bool:
    """Whether this is an address rather than a path.

    >>> is_address("s3://bucket/sales.csv"), is_address("data/sales.csv"), is_address("-")
    (True, False, False)
    """
    return ADDRESS.match(path) is not None


def masked(address: str) -> str:
    """Return an address, or a text with one in it, without passwords and other secrets.

    >>> masked("https://ann:secret@example.org/sales.csv?year=2024&token=abc")
    'https://ann:***@example.org/sales.csv?year=2024&token=***'
    """
    found = PASSWORD if PASSWORD.search(address) else WILD_PASSWORD
    address = TOKEN_AS_USER.sub(r"\1***@", found.sub(r"\1***@", address))
    if "://" not in address:
        return address
    return PART.sub(
        lambda part: part[0] if part[2].lower() in SHOWN else f"{part[1]}{part[2]}=***", address
    )


def without_literals(query: str) -> str:
    """Return a query of a database without the text that it compares with, or passes on.

    >>> without_literals("select day from sales where shop = 'north' and year > 2020")
    "select day from sales where shop = '***' and year > 2020"
    """
    return LITERAL.sub("'***'", masked(query))


def suffix(path: str) -> str:
    """Return the extension of a file, of an address without what follows the path.

    >>> suffix("https://example.org/Sales.XLSX?raw=1"), suffix("sales.csv")
    ('.xlsx', '.csv')
    """
    if is_address(path):
        path = re.split(r"[?#]|::", path)[0]
    return PurePosixPath(path).suffix.lower()


def fetch(address: str) -> bytes:
    """Return all bytes at an address.

    Raises:
        DataError: There are none, or they cannot be read.
        UsageError: The library for such addresses is not installed, or there is none.
    """
    with reached(address) as (files, path):
        data = bytes(files.cat_file(path))
    if _protocol(address) in ("http", "https") and data[:200].lstrip().lower().startswith(PAGE):
        raise DataError(
            f"{masked(address)} is a web page, not a table.",
            "Give the address of the file itself, such as its download or raw link.",
        )
    return data


def open_address(address: str) -> Any:
    """Return the bytes at an address as a file that is read where it is sought.

    Raises:
        DataError: There are none, or they cannot be read.
        UsageError: As `fetch`.
    """
    with reached(address) as (files, path):
        return files.open(path, "rb")


def identify(address: str) -> str:
    """Return what changes with the bytes at an address: their size, and a tag or a time.

    Raises:
        DataError: There are none.
        UsageError: As `fetch`.
    """
    with reached(address) as (files, path):
        about = files.info(path)
    marks = (about.get(name) for name in ("ETag", "etag", "md5Hash", "LastModified", "mtime"))
    return f"{about.get('size')} {next((each for each in marks if each), '')}"


def matching(address: str) -> list[str] | None:
    """Return the addresses that a pattern matches, in order; None where it is no pattern.

    Raises:
        DataError: There is none, or they cannot be listed.
        UsageError: The library for such addresses is not installed.
    """
    if _protocol(address) not in LISTED or "*" not in address:
        return None
    with reached(address) as (files, pattern):
        found = sorted(files.unstrip_protocol(each) for each in files.glob(pattern))
    if not found:
        raise DataError(f"Nothing matches {masked(address)}.", "Check the pattern.")
    return found


@contextmanager
def reached(address: str, *, writing: bool = False) -> Iterator[tuple[Any, str]]:
    """Use the file system of an address and the path in it, and translate its errors.

    Args:
        address: Of a file or folder.
        writing: Whether something is written there, rather than read.

    Raises:
        DataError: It cannot be read.
        UsageError: It cannot be written, or its library is not installed.
    """
    files, path = _files(address)
    try:
        yield files, path
    # Each protocol's library has exceptions of its own.
    except Exception as error:
        if writing:
            raise UsageError(
                f"{masked(address)} cannot be written: {_reason(error)}.",
                "Check the address, and that you may list, write and delete files there.",
            ) from error
        raise _unreachable(address, error) from error


def _files(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    _require_absolute(address)
    protocol, name = _protocol(address), masked(address)
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(
            f"{name} is an address, and the library that reads addresses is not installed.",
            how_to_install("remote"),
        ) from None
    # As other programs do, use the proxy that the environment names.
    web = {"client_kwargs": {"trust_env": True}} if protocol in ("http", "https") else {}
    try:
        files, path = url_to_fs(address, **web)
    except ImportError as error:
        other = how_to_install("remote") if web else "Install what is named."
        raise UsageError(
            f"{name} needs a library that is not installed: {first_line(error)}.",
            f"pip install {PACKAGES[protocol]}" if protocol in PACKAGES else other,
        ) from None
    except Exception as error:
        if "Protocol not known" in str(error):
            raise UsageError(
                f'{name}: unknown protocol "{protocol}".',
                "Common ones are https, http, s3, gs, az, abfs, ftp, sftp and file.",
            ) from None
        raise _unreachable(address, error) from error
    return files, path


def _require_absolute(address: str) -> None:
    """Refuse file:// before a path that is not absolute: it would be one below the working folder.

    Raises:
        UsageError: It is one.
    """
    for link in address.split("::"):
        protocol, _, path = link.partition("://")
        if protocol not in OWN_FILES or path.startswith("/") or os.path.isabs(path):
            continue
        whole = os.path.expanduser(path.removeprefix("localhost/"))
        raise UsageError(
            f"{masked(address)}: after {protocol}:// comes an absolute path.",
            f"Write {masked(f'{protocol}:///' + whole.lstrip('/'))}, or the path alone without "
            f"{protocol}://.",
        )


def _protocol(address: str) -> str:
    """Return what precedes `://`, without the protocols that are chained before it."""
    return address.partition("://")[0].rpartition("::")[2]


def _unreachable(address: str, error: Exception) -> DataError:
    """Return the error for an address that cannot be read."""
    name = masked(address)
    if isinstance(error, FileNotFoundError):
        return DataError(f"There is no file {name}.", "Check the address.")
    # Its text may hold a piece of the password.
    if isinstance(error, ValueError):
        return DataError(f"{name} is not a valid address.", ESCAPES)
    return DataError(
        f"{name} cannot be read: {_reason(error)}.", "Check the address, or try again."
    )


def _reason(error: Exception) -> str:
    """Return the reason in one line: the server's answer, or the system's message."""
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if status := getattr(error, "status", None):
        return f"the server answered {status} {getattr(error, 'message', '')}".rstrip()
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    reason = getattr(error, "strerror", None)
    return str(reason) if reason else first_line(error)


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, without secrets and full stop."""
    lines = masked(str(error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
