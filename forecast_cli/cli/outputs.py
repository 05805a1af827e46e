"""Where a command writes a table, and in which format."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ..core.errors import UsageError
from .options import OutputOptions

Form = Literal["csv", "json", "jsonl", "parquet"]
# Formats that a file's name may stand for and that are not written.
UNWRITTEN = {".xlsx", ".xls", ".ods", ".feather", ".arrow", ".forecast", ".pkl", ".h5", ".xml"}


def choose_form(output: str, format: Form | None, output_options: OutputOptions) -> Form | None:
    """The output format, by the flag or by the name of the file.

    Raises:
        UsageError: Two are given, or one that is not supported.
    """
    from ..data.io.writer import guess_format

    if output_options.json and (format is not None or output != "-"):
        raise UsageError(
            "--json cannot be combined with --format or --output.",
            "Leave it out, or pass --format json.",
        )
    if format is None and output != "-" and Path(output).suffix.lower() in UNWRITTEN:
        raise UsageError(
            f"{output}: unsupported output format {Path(output).suffix}.",
            "Name a .csv, .json, .jsonl or .parquet file, or pass --format.",
        )
    return format or guess_format(output)


def spare(output: str, sources: Sequence[str | Path | None]) -> None:
    """Refuse to write over what the output is made from, or over any model.

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


def write(data: bytes, output: str) -> None:
    """Write bytes to a file, whole or not at all, or to stdout."""
    from ..model.file_writing import write_whole

    if output != "-":
        write_whole(Path(output), data)
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
