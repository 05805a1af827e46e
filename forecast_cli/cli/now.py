"""`forecast now`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import counted
from ..data.io.writer import render
from .backtest import narrow
from .charts import show_forecast
from .console import Console
from .inputs import one_or_all
from .options import ExcelSafe, NoChart, OutputOptions, Strict, ZeroShot
from .outputs import (
    as_records,
    choose_format,
    choose_target,
    fit_times,
    spare,
    write,
    write_to_database,
)
from .predict_options import Output, OutputFormat
from .progress import Progress
from .train import Tables

if TYPE_CHECKING:
    from ..backtesting import zero_shot

# As long as a line of 80 columns.
EXPLANATION = "skill: error below the best baseline's, in percent; coverage: before correction"


@dataclass(frozen=True)
class NowOptions:
    """The options of `now` beside the settings."""

    strict: Strict = False
    no_chart: NoChart = False
    excel_safe: ExcelSafe = False
    output: Output = "-"
    format: OutputFormat = None


def now(
    tables: Tables, settings: ZeroShot, output_options: OutputOptions, options: NowOptions
) -> None:
    """Forecast a table at once, without training.

    A network that was trained on simulated series alone makes the forecast. The verdict beside the
    naive forecasts is of forecasts of the last rows from the ones before.

    Examples:
        forecast now prices.csv --column Close
        forecast now sales.csv -c sales --series store --horizon 28 --level 80 -o next.csv
        forecast now load.csv -c MW --missing interpolate --json
    """
    from ..backtesting.zero_shot import forecast_now
    from ..model.manifest import TimeAxis

    console, output = Console(output_options, options.strict), options.output
    target = choose_target(output, options.format, output_options)
    form = None if target else choose_format(output, options.format, output_options)
    spare(output, tables)
    with Progress(console, plain=False) as progress:
        found = forecast_now(one_or_all(tables), settings.resolve(), on_event=progress.on_event)
    time = TimeAxis.of(found.panel)
    if output_options.json:
        document = {name: getattr(found, name) for name in ("settings", "scores", "verdict")}
        records = as_records(fit_times(found.frame, "json", time))
        more = {"notes": progress.notes.texts, "forecast": records}
        return console.document(document | more)
    frame = fit_times(found.frame, form, time)
    if target is not None:
        write_to_database(found.frame, target, console, list(found.panel.ids.columns), time)
    elif output == "-" and form is None and console.shows_tables:
        console.table(frame.to_dict("records"))
        if not options.no_chart:
            show_forecast(console, found.panel, found.frame)
    else:
        write(render(frame, form or "csv", excel_safe=options.excel_safe), output)
    _explain(found, console)


def _explain(found: "zero_shot.ZeroShot", console: Console) -> None:
    """Say on stderr how good such forecasts were, beside the naive ones."""
    from ..api.summaries import shorten_rows

    settings = found.settings
    if found.scores:
        console.grid(shorten_rows(map(narrow, found.scores)))
        scored, whole = settings["series"], found.panel.count
        several = f" of {scored:,} series" if scored > 1 else ""
        several = f" of {scored:,} of {whole:,} series" if scored < whole else several
        count, size = settings["n_windows"], settings["step_size"]
        apart = f"{count} cutoffs {counted(size, 'step')} apart" if count > 1 else "1 cutoff"
        console.say(
            f"{counted(settings['forecasts'], 'forecast')} of known rows, horizon "
            f"{settings['horizon']}{several}, from {apart}"
        )
        console.say(EXPLANATION)
    console.say(found.verdict, "bold")
