"""`forecast future`."""

import json
from typing import Any

from .console import Console, Notes
from .inputs import MODEL, one_or_all
from .options import ExcelSafe, OutputOptions, Reading
from .outputs import choose_format, spare, write
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
    from ..data.io.writer import holds_times, render
    from ..forecasting.frames import in_table_style
    from ..forecasting.history import future_frame
    from ..model.loading import load_bundle

    console = Console(output_options)
    form = choose_format(output, None, output_options) or "csv"
    spare(output, [model, *(tables or [])])
    bundle, notes = load_bundle(model), Notes(console)
    source: Any = one_or_all(tables) if tables else None
    frame = future_frame(bundle, source, horizon, reading=reading, on_event=notes.on_event)
    if not holds_times(frame, form):
        frame = in_table_style(frame, bundle.manifest.time)
    if output_options.json:
        records = json.loads(render(frame, "json"))
        console.document({"model": str(model), "notes": notes.texts, "future": records})
    else:
        write(render(frame, form, excel_safe=excel_safe), output)
