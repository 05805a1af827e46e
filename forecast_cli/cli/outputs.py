"""Where a command writes a table, and in which format."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError, counted
from ..data.io.remote import is_address, masked
from ..data.io.writer import (
    COMPRESSED,
    SUFFIXES,
    TEXT,
    Format,
    compress,
    guess_format,
    holds_times,
    is_unknown,
    render,
    spare_database,
)
from .console import Console
from .options import OutputOptions

if TYPE_CHECKING:
    import pandas as pd

    from ..data.io.database_writer import DatabaseTable
    from ..model.manifest import TimeAxis


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
    if format is None and output != "-" and not is_address(output) and is_unknown(output):
        raise UsageError(
            f"{output}: unsupported output format {''.join(Path(output).suffixes[-2:])}.",
            f"Name a file that ends with {', '.join(SUFFIXES)}, text compressed as "
            f"{', '.join(COMPRESSED)}; or pass --format.",
        )
    if is_address(output):
        raise UsageError(
            f"{masked(output)} cannot be written: this command writes to files.",
            "Name a file with -o.",
        )
    format = format or guess_format(output)
    if output == "-" and format not in (None, *TEXT) and sys.stdout.isatty():
        raise UsageError(
            f"{format} is not text, and stdout is a terminal.", f"Pass -o forecast.{format}."
        )
    return format


def choose_target(
    output: str, format: Format | None, output_options: OutputOptions
) -> "DatabaseTable | None":
    """The table of a database that an output names; None where it is none.

    Raises:
        UsageError: It cannot be written, or another format is asked for.
    """
    if not is_address(output):
        return None
    from ..data.io.database_writer import parse_target

    target = parse_target(output)
    if target is not None and (output_options.json or format is not None):
        raise UsageError(
            "--json and --format cannot be combined with a database as --output.", "Leave them out."
        )
    return target


def fit_times(
    frame: "pd.DataFrame", form: Format | None, time: "TimeAxis | None"
) -> "pd.DataFrame":
    """Return forecasts with their times as text of the table's style, if a format has none."""
    from ..forecasting.frames import in_table_style

    return frame if holds_times(frame, form) else in_table_style(frame, time)


def as_records(frame: "pd.DataFrame") -> Any:
    """Return a table as records of a JSON document."""
    return json.loads(render(frame, "json"))


def write_to_database(
    frame: "pd.DataFrame",
    target: "DatabaseTable",
    console: Console,
    series: Sequence[str],
    time: "TimeAxis | None",
) -> None:
    """Write forecasts, as they are made, into a table of a database; say how many.

    Args:
        frame: As `predict` returns it.
        target: The table of the database.
        console: The streams.
        series: The columns that name a series.
        time: The times of the table that was forecast.
    """
    from ..data.io.database_writer import write_rows
    from ..forecasting.frames import CUTOFF, SCENARIO, in_table_style, key_columns, with_cutoff

    frame = in_table_style(with_cutoff(frame, series, time), time)
    named = [SCENARIO, *key_columns(series, time), *([CUTOFF] if target.mode == "update" else [])]
    keys = [] if target.mode == "append" else [each for each in frame if each in named]
    replaced = write_rows(frame, target, keys)
    console.say(
        f'wrote {counted(len(frame), "row")} to the table "{target.table}" of {target.path}, '
        f"in place of {replaced:,}"
    )


def spare(output: str, sources: Sequence[str | Path | None], flag: str = "-o") -> None:
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
            f"Name another file with {flag}.",
        )
    spare_database(path)


def check_page(page: Path | None, flag: str, sources: Sequence[str | Path | None]) -> None:
    """Refuse, before any work, a path that a page cannot be written to or that is a source of it.

    Raises:
        UsageError: It is one.
    """
    if page is None:
        return
    if str(page) == "-":
        raise UsageError("A page is not written to stdout.", f"Name a file with {flag}.")
    if page.is_dir() or not page.absolute().parent.is_dir():
        what = "is a directory" if page.is_dir() else f"needs the directory {page.parent}"
        raise UsageError(f"{page} {what}.", f"Name a file in a directory that exists with {flag}.")
    spare(str(page), sources, flag)


def write(data: bytes, output: str) -> None:
    """Write bytes to a file, whole or not at all, or to stdout; by its name they are compressed."""
    from ..model.file_writing import write_whole

    if output != "-":
        write_whole(Path(output), compress(data, output))
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
