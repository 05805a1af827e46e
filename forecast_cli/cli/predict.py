"""`forecast predict`."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

from ..core.errors import UsageError
from ..data.io.writer import Format, render
from .charts import show_compact
from .console import Console
from .options import OutputOptions, Reading
from .outputs import (
    as_records,
    choose_format,
    choose_target,
    fit_times,
    spare,
    write,
    write_to_database,
)
from .predict_options import PredictOptions, Tables, check_address, check_state
from .progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from ..data.io.database_writer import DatabaseTable
    from ..forecasting.prediction_request import PredictionRequest
    from ..model.bundle import Bundle

# The most columns of scenarios beside each other on a terminal.
WIDEST = 8


def predict(
    context: typer.Context, reading: Reading, output_options: OutputOptions, options: PredictOptions
) -> None:
    """Forecast the next steps from a saved model.

    Examples:
        forecast predict
        forecast predict newer.csv --horizon 5 --level 80,95
        forecast predict --only north,south --future plan.csv --what-if 'price*0.9, promo=1'
        tail -n +1 -F meter.csv | forecast predict --follow --anomalies --state meter.state
    """
    if options.follow:
        from .follow import follow

        return follow(reading, output_options, options)
    options = options.fit_to_table(context)
    console = Console(output_options, options.strict)
    wanted = options.request()
    if options.writes_folder:
        from .folder_output import predict_to_folder

        return predict_to_folder(reading, output_options, options, console)
    _predict(reading, output_options, options, wanted, console)


def _predict(
    reading: Reading,
    output_options: OutputOptions,
    options: PredictOptions,
    wanted: "PredictionRequest",
    console: Console,
) -> None:
    """Forecast a table, and write or show the forecast."""
    from ..model.loading import load_bundle
    from ..model.runtime import Runtime

    target, form = _choose_output(options, output_options)
    began = perf_counter(), Runtime.seconds
    bundle = load_bundle(options.model)
    with Progress(console, plain=False) as progress:
        how: Any = {"reading": reading, "on_event": progress.on_event}
        if target is None and options.is_for_parts and not output_options.json:
            from .part_output import predict_in_parts

            # A large table is forecast some series at a time, and written meanwhile.
            if predict_in_parts(bundle, options, wanted, form, console, **how):
                return
        frame, keep = _forecast(bundle, options, wanted, **how)
    if output_options.json:
        # How long it took: the whole, and the network.
        whole, network = perf_counter() - began[0], Runtime.seconds - began[1]
        document = {
            "model": str(options.model),
            "notes": progress.notes.texts,
            "forecast": as_records(fit_times(frame, "json", bundle.manifest.time)),
            "seconds": {"whole": whole, "network": network},
        }
        console.document(document)
    elif target is not None:
        write_to_database(frame, target, console, bundle.manifest.series, bundle.manifest.time)
    else:
        _deliver(frame, form, options, console, bundle, reading)
    if keep:
        keep()


def _choose_output(
    options: PredictOptions, output_options: OutputOptions
) -> tuple["DatabaseTable | None", Format | None]:
    """Return the table of a database, or the format, that forecasts are written to.

    An output is refused that cannot be one, or that would replace what it is made from.
    """
    check_address(options.output)
    target = choose_target(options.output, options.format, output_options)
    form = None if target else choose_format(options.output, options.format, output_options)
    if target is not None and options.in_sample:
        raise UsageError("--in-sample is written to a file.", "Name one with -o.")
    sources = [options.model, options.state, *options.futures, *(options.tables or [])]
    spare(options.output, sources)
    check_state(options.output, options.state)
    return target, form


def _deliver(
    made: "pd.DataFrame",
    form: Format | None,
    options: PredictOptions,
    console: Console,
    bundle: "Bundle",
    reading: Reading,
) -> None:
    """Write a forecast to a file or to stdout, on a terminal as a table with a chart below it."""
    from ..forecasting.frames import SCENARIO, key_columns, put_beside

    frame = fit_times(made, form, bundle.manifest.time)
    shown = form is None and options.output == "-"
    if shown and console.shows_tables:
        keys = key_columns(bundle.manifest.series, bundle.manifest.time)
        beside = put_beside(frame, keys) if SCENARIO in frame else frame
        # Wider ones would be folded; they stay one below the other.
        frame = beside if len(beside.columns) <= WIDEST else frame
        console.table(frame.to_dict("records"))
    else:
        write(render(frame, form or "csv", excel_safe=options.excel_safe), options.output)
    scenarios = options.what_if or len(options.futures) > 1
    other = scenarios or options.samples or options.in_sample or options.state
    if shown and not (options.no_chart or other):
        only = tuple(options.only or ())
        show_compact(console, bundle, options.table, made, only=only, reading=reading)


def _forecast(
    bundle: "Bundle", options: PredictOptions, wanted: "PredictionRequest", **how: Any
) -> tuple["pd.DataFrame", Callable[[], None] | None]:
    """Return the forecast, and what saves the state after it, where there is one to save."""
    from ..forecasting.prediction import predict, predict_in_sample

    if options.state is not None:
        return _going_on(bundle, options.table, options.state, options.horizon, **how)
    if options.in_sample and options.table is not None:
        return predict_in_sample(bundle, options.table, **how), None
    return predict(bundle, options.table, wanted, **how), None


def _going_on(
    bundle: "Bundle", table: Tables | None, path: Path, horizon: int | None, **how: Any
) -> tuple["pd.DataFrame", Callable[[], None]]:
    """Return a forecast from the state in a file, and what saves the state after it."""
    from ..forecasting.prediction import predict
    from ..forecasting.prediction_request import PredictionRequest
    from ..forecasting.updating import end_state, require_stateful, update_from_state
    from ..model.stateful import load_state, save_state

    require_stateful(bundle)
    before = load_state(path, bundle)
    if table is None and before is not None:
        raise UsageError(
            f"{path} has a state already, and there are no new rows.",
            "Name DATA with the rows since then.",
        )
    if table is not None:
        bundle = update_from_state(bundle, table, before, **how)
    frame = predict(bundle, None, PredictionRequest(horizon), on_event=how["on_event"])
    return frame, lambda: save_state(end_state(bundle), path)
