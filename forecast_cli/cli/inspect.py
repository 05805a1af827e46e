"""`forecast inspect`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import UsageError
from .console import Console
from .inputs import is_named_model, one_or_all
from .options import Inspecting, OutputOptions, option
from .progress import Progress

Markdown = Annotated[
    bool,
    option("--markdown", help="Write a model as a page of Markdown, to keep beside it.", env=False),
]
# So many columns of a table are shown one by one.
MOST_SHOWN = 20
# The column at which the fact of a line begins.
FACT = 12


def inspect(
    settings: Inspecting,
    output_options: OutputOptions,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            show_default=False,
            help="Model or table, or - for stdin; several tables are read as one.",
        ),
    ],
    markdown: Markdown = False,
) -> None:
    """Show what is in a model or in a table.

    Of a model: data, columns, splits, members, training, command, scores and layers.

    Examples:
        forecast inspect prices.csv
        forecast inspect sales.csv --series store,item
        forecast inspect model.forecast --markdown > model.md
    """
    console = Console(output_options)
    file = files[0]
    if len(files) == 1 and is_named_model(file):
        if settings:
            raise UsageError(f"{file} is a model: how a table is read says nothing of it.")
        _model(file, console, markdown=markdown)
    elif markdown:
        raise UsageError(f"--markdown is for a model, and {file} is none.", "Leave it out.")
    else:
        _table(one_or_all(files), settings, console)


def _model(file: str, console: Console, *, markdown: bool) -> None:
    from ..api import summaries
    from ..model.loading import load_bundle

    bundle = load_bundle(file)
    if markdown:
        from ..api.model_card import write_card

        if console.output_options.json:
            raise UsageError("--json cannot be combined with --markdown.", "Leave one of them out.")
        return console.lines(write_card(bundle, Path(file).name).splitlines())
    if console.output_options.json:
        return console.document(summaries.training_document(bundle, Path(file)))
    console.show(summaries.layer_rows(bundle.manifest), title=file)
    console.facts(summaries.describe_model(bundle.manifest), FACT)
    console.show(summaries.score_rows(bundle.manifest.evaluation))
    console.show(summaries.worst_rows(bundle))
    console.show(summaries.confusion_rows(bundle.manifest))


def _table(files: str | list[str], settings: Inspecting, console: Console) -> None:
    from ..api.summaries import describe_table
    from ..data.inspection.report import inspect_table

    data = settings.resolve().data
    with Progress(console, plain=False) as progress:
        report = inspect_table(files, data, on_event=progress.on_event)
    if console.output_options.json:
        console.document(report.document())
        return
    console.facts(describe_table(report), FACT)
    console.show([asdict(column) for column in report.columns[:MOST_SHOWN]])
    if len(report.columns) > MOST_SHOWN:
        console.lines([f"and {len(report.columns) - MOST_SHOWN:,} more columns"])
    for text in report.warnings:
        console.facts([f"{'warning':<11} {text}"], FACT)
    if report.train:
        console.lines([f"Start with: {report.train}"])
