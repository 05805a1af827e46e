"""Forecasts of a table of many series as a folder: a file for each part, by any worker."""

from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..core.engines import LOCAL, open_engine
from ..core.errors import DataError, UsageError, counted
from ..core.events import once
from ..core.memory import spare_memory
from ..data.io.remote import is_address, masked
from ..data.io.remote_folder import RemoteFolder
from ..data.io.writer import ADDED, PARQUET_FILE, begins_with
from .console import Console
from .options import OutputOptions, Reading
from .part_output import say_shares
from .predict_options import PredictOptions
from .progress import Progress

if TYPE_CHECKING:
    from ..forecasting.prediction_folder import PredictionFolder
    from ..model.bundle import Bundle

# Protocols of what is gone when the process ends.
IN_MEMORY = ("memory",)


def predict_to_folder(
    reading: Reading, output_options: OutputOptions, options: PredictOptions, console: Console
) -> None:
    """Forecast the parts of a table into a folder, or go on with what is missing there.

    Raises:
        DataError: The table does not hold what the model needs, or a series is in two files.
        UsageError: It is not made of parts, or the folder holds something else.
    """
    from ..model.loading import load_bundle

    _require_files(output_options, options)
    if is_address(options.output):
        _require_lasting(options.output)
        RemoteFolder(options.output).require_writable()
    paths = [path for table in options.tables or [] for path in _files(table)]
    began, bundle = perf_counter(), load_bundle(options.model)
    _require_parts(bundle, options, paths, reading)
    engine = options.engine, options.engine_address, options.jobs
    with (
        Progress(console, plain=False) as progress,
        open_engine(*engine, progress.on_event),
    ):
        folder = _folder(bundle, options, paths, reading, once(progress.on_event))
        # Of an engine, as many at a time as it has workers.
        summary = folder.write(options.jobs or (1 if options.engine == LOCAL else None))
    shares = Counter[str]()
    for record in summary.made:
        shares.update(record.seconds)
    took, text = perf_counter() - began, f"saved {folder}: {counted(len(summary.records), 'part')}"
    if summary.made:
        say_shares(sum(each.series for each in summary.made), shares, console, took=took)
    if summary.restored:
        many = f"{summary.restored:,} restored, {len(summary.made):,} made in {took:.1f} s"
        return console.say(f"{text}, {many}")
    console.say(f"{text} in {took:.1f} s")


def _require_files(output_options: OutputOptions, options: PredictOptions) -> None:
    """Refuse what is not written to files of a folder, and forecasts without a table.

    Raises:
        UsageError: It is asked for.
    """
    if output_options.json:
        raise UsageError(
            "--json prints one document, and a folder has a file for each part.",
            "Leave it out, or pass --format jsonl.",
        )
    if options.format not in (None, *ADDED):
        raise UsageError(
            f"A folder has no files of the format {options.format}.",
            f"Choose a --format of {', '.join(ADDED)}; or name a file with -o.",
        )
    if not options.tables:
        raise UsageError(
            "A folder of forecasts needs a table that is divided into parts.",
            "Name DATA: Parquet files, or a folder of them; or name a file with -o.",
        )


def _require_lasting(address: str) -> None:
    """Refuse an address of what ends with this process.

    Raises:
        UsageError: It is one.
    """
    protocol = address.partition("://")[0]
    if protocol in IN_MEMORY:
        raise UsageError(
            f"{masked(address)}: {protocol}:// is the memory of this process, and is gone when "
            "the command ends.",
            "Name a folder of this machine, such as forecasts/, or one of an object store.",
        )


def _files(table: str) -> list[str]:
    """Return the Parquet files of a folder, a pattern, an address or a path, in order."""
    from ..data.io.opening import matching_files

    folder = not is_address(table) and Path(table).is_dir()
    if folder:
        found = [str(each) for each in sorted(Path(table).glob("[!_.]*.parquet"))]
    else:
        found = matching_files(table) or [table]
    # Workers have other working folders.
    found = [each if is_address(each) else str(Path(each).absolute()) for each in found]
    others = [each for each in found if not (is_address(each) or begins_with(each, PARQUET_FILE))]
    if others or not found:
        missing = f"{others[0]} is no Parquet file" if others else f"{table} has no Parquet file"
        raise DataError(
            f"{masked(missing)}: a folder of forecasts is made of Parquet files alone.",
            "Name Parquet files, a folder of them, or a file for the forecasts with -o.",
        )
    return found


def _require_parts(
    bundle: "Bundle", options: PredictOptions, paths: list[str], reading: Reading
) -> None:
    """Refuse what depends on all series together."""
    from ..forecasting.history import data_as_trained
    from ..forecasting.part_prediction import treats_series_alone

    data = data_as_trained(bundle, reading)
    if not data.series or data.layout not in (None, "long"):
        raise UsageError(
            "A folder of forecasts has a file for some series each, and the table of this model "
            "has no column that names series.",
            "Name a file with -o.",
        )
    if not options.is_for_parts or not treats_series_alone(bundle, options.request(), reading):
        raise UsageError(
            "A folder of forecasts is made some series at a time, which this model or these "
            "options do not allow.",
            "Leave out --only, --start, --future, --what-if, --samples, --state and --in-sample; "
            "or name a file with -o.",
        )


def _folder(
    bundle: "Bundle", options: PredictOptions, paths: list[str], reading: Reading, hear: Any
) -> "PredictionFolder":
    """Divide the table into parts."""
    from ..forecasting.part_prediction import MOST_ROWS, rows_within
    from ..forecasting.partitions import Work, digest_of, find_sources
    from ..forecasting.prediction_folder import LocalFolder
    from ..forecasting.remote_prediction_folder import AddressedFolder

    wanted, model = options.request(), str(options.model.absolute())
    rows = MOST_ROWS
    if options.engine == LOCAL:
        rows = rows_within(bundle, spare_memory(options.memory, options.jobs or 1))
    elif options.memory is not None:
        # Of a cluster it is what each worker may hold.
        rows = rows_within(bundle, spare_memory(options.memory))
    sources, least = find_sources(bundle, paths, wanted, reading)
    how = dict(reading) | {"similar_names": "keep"}
    work = Work(model, digest_of(model), wanted, how, rows, least)
    form: Any = options.format or "parquet"
    kind = AddressedFolder if is_address(options.output) else LocalFolder
    return kind(options.output, work, sources, form, options.excel_safe, hear)
