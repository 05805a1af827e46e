"""`forecast backtest`."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args

from ..config.registries import CELLS, PRESETS
from ..core.engines import LOCAL, open_engine
from ..core.errors import UsageError, counted
from ..core.libraries import collect_garbage_again
from ..data.io.writer import Format, holds_times, render
from .completion import complete_models
from .conditions import Conditions, FailIf
from .console import Console
from .inputs import one_or_all
from .options import (
    Engine,
    EngineAddress,
    ExcelSafe,
    FoldSettings,
    OutputOptions,
    ReportPage,
    option,
)
from .outputs import as_records, check_page, choose_format, spare, write
from .progress import Progress
from .spelling import names
from .train import Tables

if TYPE_CHECKING:
    from ..backtesting.backtest import Backtest
    from ..backtesting.fold_cache import FoldStores
    from ..backtesting.plan import Plan, Refit

# Columns that a table on a terminal leaves out, as it does the widths of intervals.
UNSHOWN = ("rmse", "smape")
# What the other columns of scores mean, beside those that are in units.
MEASURES = (
    "MASE is scaled by the in-sample MAE of the seasonal naive before the first cutoff; skill: "
    "error reduction in percent against the best baseline"
)
# What a document has of a result, before the forecasts.
DOCUMENT = ("settings", "scores", "by_cutoff", "by_step", "verdict", "descriptions")


# fmt: off
@dataclass(frozen=True)
class BacktestOptions:
    """The options of `backtest` beside the settings."""

    models: Annotated[str | None, option("--models", metavar="NAME[,NAME...]",
        autocompletion=complete_models,
        help=f"Models to compare: model (what train builds), {', '.join((*PRESETS, *CELLS))}, "
        "naive, seasonal-naive, drift, mean, window-mean, croston, sba, tsb, ets, theta, "
        "arima, .forecast files and .toml configurations.", default="model,naive,seasonal-naive",
        )] = None
    n_windows: Annotated[int | None, option("--n-windows", metavar="N", min=1,
        help="Number of cutoffs to forecast from.",
        default="10, fewer to learn from half of the table")] = None
    step_size: Annotated[int | None, option("--step-size", metavar="N", min=1, common=False,
        help="Steps from one cutoff to the next.", default="the horizon")] = None
    refit_every: Annotated[str, option("--refit-every", metavar="never|always|N",
        help="Train networks once, before the first cutoff; again at every cutoff; or at every "
        "N-th.", default="never")] = "never"
    sliding: Annotated[int | None, option("--sliding", metavar="ROWS", min=1, common=False,
        help="Learn from this many rows before a cutoff.", default="all")] = None
    jobs: Annotated[int | None, option("--jobs", "-j", metavar="N", min=1, common=False,
        help="Folds to train at a time.", default="one per core, or per worker")] = None
    engine: Engine = LOCAL
    engine_address: EngineAddress = None
    output: Annotated[str, option("--output", "-o", metavar="PATH",
        help="Where to write all forecasts beside the actual values.", default="stdout")] = "-"
    format: Annotated[Format | None, option("--format", "-f", metavar="NAME", common=False,
        help=f"Output format ({', '.join(get_args(Format))}).",
        default="by the file's name; scores alone on a terminal, else csv")] = None
    excel_safe: ExcelSafe = False
    report: ReportPage = None
    fail_if: FailIf = None

    @property
    def candidates(self) -> tuple[str, ...]:
        """The models."""
        return names(self.models or "")

    def plan(self) -> "Plan":
        """The same for the library."""
        from ..backtesting.plan import Plan

        refit = _refit(self.refit_every)
        return Plan(self.candidates, self.n_windows, self.step_size, refit, self.sliding, self.jobs)
# fmt: on


def backtest(
    tables: Tables, settings: FoldSettings, output_options: OutputOptions, options: BacktestOptions
) -> None:
    """Compare models and baselines from many forecast origins.

    The verdict says which is best, and whether the difference is significant.

    Examples:
        forecast backtest prices.csv --column Close
        forecast backtest sales.csv -c sales --models auto,lstm,ets,theta --horizon 28
        forecast backtest load.csv -c MW --models model.forecast,arima --refit-every always
    """
    from ..backtesting.backtest import backtest
    from ..backtesting.fold_cache import FoldStores

    collect_garbage_again()
    console = Console(output_options)
    form = choose_format(options.output, options.format, output_options)
    spare(options.output, [*tables, *options.candidates])
    check_page(options.report, "--report", [*tables, *options.candidates, options.output])
    plan, conditions, stores = options.plan(), Conditions(options.fail_if), FoldStores()
    place = (options.engine, options.engine_address, options.jobs)
    with Progress(console) as progress, open_engine(*place, progress.on_event):
        how: Any = {"on_event": progress.on_event, "should_stop": progress.should_stop}
        result = backtest(one_or_all(tables), settings.resolve(), plan, stores=stores, **how)
    if options.report is not None:
        from ..api.report.writing import write_backtest_report

        write_backtest_report(result, options.report)
        console.say(f"saved {options.report}")
    conditions.compare(result.scores, of=result.scores[0]["model"], key="model")
    with cleared(stores):
        if output_options.json:
            met = {"conditions_met": conditions.met} if conditions.all else {}
            document = {name: getattr(result, name) for name in DOCUMENT}
            document |= {"forecasts": as_records(result.in_table_style)}
            console.document(document | met | {"notes": progress.notes.texts})
        else:
            _present(result, form, options, console)
    conditions.end_if_met(console)


@contextmanager
def cleared(stores: "FoldStores") -> Iterator[None]:
    """Delete finished folds when their result is written, or its reader has had enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        stores.clear()
        raise
    stores.clear()


def _present(
    result: "Backtest", form: Format | None, options: BacktestOptions, console: Console
) -> None:
    """Write the long table, and show the scores."""
    output = options.output
    if output != "-" or form is not None or not console.shows_tables:
        frame = result.frame if holds_times(result.frame, form) else result.in_table_style
        write(render(frame, form or "csv", excel_safe=options.excel_safe), output)
    _show(result, console, on_stdout=console.shows_tables and (output != "-" or form is None))


def _refit(text: str) -> "Refit":
    """When networks are trained again; other words are refused."""
    whens: dict[str, Refit] = {"never": "never", "always": "always"}
    if text in whens:
        return whens[text]
    if not text.isdigit() or not int(text):
        raise UsageError(
            f"Invalid --refit-every {text}: must be never, always, or a number of cutoffs."
        )
    return int(text)


def _show(result: "Backtest", console: Console, *, on_stdout: bool) -> None:
    """The scores, as the result on a terminal and as words in a pipe; and the verdict."""
    from ..api.summaries import shorten_rows

    if on_stdout and not console.output_options.quiet:
        console.table([narrow(row) for row in result.scores])
    elif not on_stdout:
        console.grid(shorten_rows(result.scores))
    settings = result.settings
    count, step_size = settings["n_windows"], settings["step_size"]
    cutoffs = f"{count} cutoffs {step_size} step{'s' * (step_size > 1)} apart"
    several = f" of {settings['series']:,} series" if settings["series"] > 1 else ""
    console.say(
        f"{counted(settings['forecasts'], 'forecast')}, horizon {settings['horizon']}{several}, "
        f"from {cutoffs if count > 1 else '1 cutoff'}; {explain_measures(console)}"
    )
    for text in describe_candidates(result.descriptions):
        console.say(text)
    trained = settings["trained"]
    if trained and settings["refit_every"] == "never" and settings["classical"]:
        console.say(
            f"{', '.join(trained)}: trained once, before the first cutoff; "
            f"{', '.join(settings['classical'])}: fitted at each (--refit-every always refits all)"
        )
    console.say(result.verdict, "bold")


def describe_candidates(descriptions: Mapping[str, str]) -> list[str]:
    """Return a line on each trained candidate.

    >>> describe_candidates({"lstm": "lstm: LSTM(50)", "fast": "ensemble: 1 LSTM network 9 %"})
    ['lstm: LSTM(50)', 'fast (ensemble: 1 LSTM network 9 %)']
    """
    return [
        text if text.startswith(f"{name}: ") else f"{name} ({text})"
        for name, text in descriptions.items()
    ]


def explain_measures(console: Console) -> str:
    """Return what the columns of scores mean that are shown."""
    units = "mae in the column's units"
    if not console.shows_tables:
        units = "mae and rmse in the column's units, smape in percent"
    return f"{units}; {MEASURES}"


def narrow(row: dict[str, Any]) -> dict[str, Any]:
    """What a terminal has room for: five digits, and of intervals the coverage alone."""
    return {
        name: float(f"{each:.5g}") if isinstance(each, float) else each
        for name, each in row.items()
        if name not in UNSHOWN and "width" not in name
    }
