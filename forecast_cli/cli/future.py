"""`forecast future`."""

from typing import Any

from ..data.io.writer import render
from .console import Console, Notes
from .inputs import MODEL, one_or_all
from .options import ExcelSafe, OutputOptions, Reading
from .outputs import as_records, choose_format, fit_times, spare, write
from .predict_options import Data, Horizon, ModelPath, Output


def future(
    reading: Reading,
    output_options: OutputOptions,
    tables: Data = None,
    model: ModelPath = MODEL,
    horizon: Horizon = None,
    output: Output = "-",
    excel_safe: ExcelSafe = False,
) -> None:
    """Write the table of future covariates, to fill in.

    It has a row for each series and step ahead, with the values that are known already.

    Examples:
        forecast future -o future.csv
        forecast future sales.csv --horizon 28 -o future.csv
        forecast future -m sales.forecast --json
    """
    from ..forecasting.history import future_frame
    from ..model.loading import load_bundle

    console = Console(output_options)
    form = choose_format(output, None, output_options) or "csv"
    spare(output, [model, *(tables or [])])
    bundle, notes = load_bundle(model), Notes(console)
    source: Any = one_or_all(tables) if tables else None
    frame = future_frame(bundle, source, horizon, reading=reading, on_event=notes.on_event)
    frame = fit_times(frame, form, bundle.manifest.time)
    if output_options.json:
        document = {"model": str(model), "notes": notes.texts, "future": as_records(frame)}
        console.document(document)
    else:
        write(render(frame, form, excel_safe=excel_safe), output)
