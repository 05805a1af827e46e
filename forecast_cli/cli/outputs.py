"""Where a command writes a table, and in which format."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import UsageError
from ..data.io.writer import (
    COMPRESSED,
    SUFFIXES,
    TEXT,
    Format,
    compress,
    guess_format,
    is_unknown,
    spare_database,
)
from .options import OutputOptions


def choose_format(
    output: str, format: Format | None, output_options: OutputOptions
) -> Format | None:
    """The output format, by the flag or by the name of the file.

    Raises:
        UsageError: Two are given, or one that is not written there.
    """
    if output_options.json and (format is not None or output != "-"):
        raise UsageError(
            "--json cannot be combined with --format or --output.",
            "Leave it out, or pass --format json.",
        )
    if format is None and output != "-" and is_unknown(output):
        raise UsageError(
            f"{output}: unsupported output format {''.join(Path(output).suffixes[-2:])}.",
            f"Name a file that ends with {', '.join(SUFFIXES)}, text compressed as "
            f"{', '.join(COMPRESSED)}; or pass --format.",
        )
    format = format or guess_format(output)
    if output == "-" and format not in (None, *TEXT) and sys.stdout.isatty():
        raise UsageError(
            f"{format} is not text, and stdout is a terminal.", f"Pass -o forecast.{format}."
        )
    return format


def spare(output: str, sources: Sequence[str | Path | None]) -> None:
    """Refuse to write over what the output is made from, any model, or another's database.

    Raises:
        UsageError: It would be.
    """
    from ..model.bundle import is_model

    path = Path(output)
    if output == "-" or not path.is_file():
        return
    files = [Path(each) for each in sources if each not in (None, "-")]
    if is_model(path) or any(each.exists() and path.samefile(each) for each in files):
        raise UsageError(
            f"{output} is a model, a state, or the table itself; it is not overwritten.",
            "Name another file with -o.",
        )
    spare_database(path)


def write(data: bytes, output: str) -> None:
    """Write bytes to a file, whole or not at all, or to stdout; by its name they are compressed."""
    from ..model.file_writing import write_whole

    if output != "-":
        write_whole(Path(output), compress(data, output))
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
