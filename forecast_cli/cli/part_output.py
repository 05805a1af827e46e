"""Forecasts of a large table, written while the rest of it is still to be read."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

from ..core.errors import DataError, UsageError
from ..core.events import Listener, Note, once
from ..core.memory import GB, require_memory, spare_memory
from ..data.io.writer import ADDED, COMPRESSED, TEXT, Format, PartWriter
from .console import Console
from .outputs import fit_times
from .predict_options import PredictOptions

if TYPE_CHECKING:
    import pandas as pd

    from ..data.io.row_batches import RowBatches
    from ..forecasting.part_prediction import PartPrediction
    from ..forecasting.prediction_request import PredictionRequest
    from ..model.bundle import Bundle


def predict_in_parts(
    bundle: "Bundle",
    options: PredictOptions,
    wanted: "PredictionRequest",
    form: Format | None,
    console: Console,
    **how: Any,
) -> bool:
    """Forecast a large table some series at a time, and write the forecasts as they are made.

    Args:
        bundle: The model.
        options: Of the command.
        wanted: Which forecasts are requested.
        form: Of the output; None for a table on a terminal.
        console: Where the shares of the time are printed.
        **how: The `reading` and `on_event` of `predict`.

    Returns:
        Whether that was done; where not, the table is small, or is to be read as a whole.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: There is too little memory for a table that is read as a whole.
    """
    batches = _open(options)
    if batches is None:
        return False
    from ..forecasting.part_prediction import rows_within

    spare = spare_memory(options.memory, options.jobs or 1)
    rows = rows_within(bundle, spare)
    if batches.count <= rows:
        return False
    how["on_event"] = once(how["on_event"])
    work = _find(bundle, batches, options, wanted, form, **how)
    if work is None:
        _require_whole(bundle, batches, options, how["on_event"])
    return work is not None and _work(work, options, form or "csv", rows, spare, console)


def _find(
    bundle: "Bundle",
    batches: "RowBatches",
    options: PredictOptions,
    wanted: "PredictionRequest",
    form: Format | None,
    **how: Any,
) -> "PartPrediction | None":
    """Find the series of a file; None where it has to be read as a whole."""
    from ..forecasting.part_prediction import PartPrediction, find_series_table

    packed = options.output.lower().endswith(COMPRESSED)
    form = form or (None if sys.stdout.isatty() else "csv")
    if form not in ADDED or packed or (options.output == "-" and form not in TEXT):
        return None
    began = perf_counter()
    table = find_series_table(bundle, batches, wanted, how["reading"])
    if table is None:
        return None
    work = PartPrediction(bundle, table, wanted, **how)
    work.seconds.finding = perf_counter() - began
    return work


def _work(
    work: "PartPrediction",
    options: PredictOptions,
    form: Format,
    rows: int,
    spare: float,
    console: Console,
) -> bool:
    """Write the forecasts; whether that was possible with so many rows, and bytes, at a time."""
    from ..forecasting.part_prediction import bytes_for

    try:
        _write(work, options, form, rows)
    except DataError:
        # What is refused in a part may be allowed, or be said better, of the whole table.
        if bytes_for(work.bundle, work.table.batches.count) > spare:
            raise
        return False
    say_shares(work.table.count, vars(work.seconds), console)
    return True


def _open(options: PredictOptions) -> "RowBatches | None":
    """Open a Parquet file; None for another table, for which --memory and --jobs are refused."""
    if options.parquet is not None:
        # Other tables need not load what reads one.
        from ..data.io.row_batches import RowBatches

        return RowBatches(options.parquet)
    text = f"{options.table or 'The end of the training table'} is no Parquet file"
    way = "or write the table to a Parquet file."
    if options.jobs is not None:
        raise UsageError(f"{text}, and is not divided.", f"Leave out --jobs, {way}")
    if options.memory is not None:
        raise UsageError(
            f"{text}: the memory for its rows has no bound.", f"Leave out --memory, {way}"
        )
    return None


def _require_whole(
    bundle: "Bundle", batches: "RowBatches", options: PredictOptions, on_event: Listener
) -> None:
    """Refuse a table that is read as a whole and will not fit in memory; else say so."""
    from ..forecasting.part_prediction import bytes_for

    needed = bytes_for(bundle, batches.count)
    what = f"{batches.name}, {batches.count:,} rows that are read as a whole,"
    hint = (
        "Write the forecast to a .parquet or .csv file, and the table in order of its series, so "
        "that a few series are read at a time."
    )
    if options.memory is not None and needed > options.memory * GB:
        text = f"{what} would need about {needed / GB:,.1f} GB of memory, more than "
        raise UsageError(f"{text}--memory {options.memory:g}.", hint)
    require_memory(needed, what, hint)
    on_event(Note(f"{what} need about {needed / GB:,.1f} GB of memory"))


def _write(work: "PartPrediction", options: PredictOptions, form: Format, rows: int) -> None:
    """Write the forecasts, all or none of them."""
    safe = options.excel_safe
    with (
        _target(options.output) as file,
        closing(PartWriter(file, form, excel_safe=safe)) as writer,
    ):
        for frame in _frames(work, options, rows):
            began = perf_counter()
            writer.write(fit_times(frame, form, work.bundle.manifest.time))
            work.seconds.writing += perf_counter() - began


def _frames(work: "PartPrediction", options: PredictOptions, rows: int) -> "Iterator[pd.DataFrame]":
    """Yield the forecasts in the order of the series, made here or by several processes."""
    if options.jobs in (None, 1):
        return work.frames(rows)
    from ..forecasting.partitions import Work, digest_of, make_frames

    model = str(options.model)
    own = Work(model, digest_of(model), work.wanted, work.reading, rows, work.table.least)
    return make_frames(work, own, options.jobs)


@contextmanager
def _target(output: str) -> Iterator[IO[bytes]]:
    """Open what the forecasts are written to: a file, or stdout once they all are made."""
    from ..model.file_writing import whole_file

    if output != "-":
        with whole_file(Path(output)) as file:
            yield file
        return
    with TemporaryFile() as kept:
        yield kept
        kept.seek(0)
        shutil.copyfileobj(kept, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def say_shares(
    series: int, seconds: Mapping[str, float], console: Console, *, took: float | None = None
) -> None:
    """Print how many series were forecast, and the shares of the work.

    Args:
        series: How many.
        seconds: How long each part of the work took, in all processes.
        console: Where it is printed.
        took: How long all of it took; None for the sum of the parts.
    """
    whole = sum(seconds.values())
    parts = ", ".join(
        f"{name} {100 * each / whole:.0f} %"
        for name, each in sorted(seconds.items(), key=lambda item: -item[1])
    )
    console.say(f"{series:,} series in {whole if took is None else took:.1f} s: {parts}")
