"""What is asked of a suite, and the table that it gives back."""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from common import SHORT, machine

SECONDS = "seconds"
PUBLISHED = "published"
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Asked:
    """What is to be measured.

    Args:
        data: The folder with the tables.
        seeds: Each trains once.
        preset: Of the forecaster; None for its own default.
        assignments: Settings, as `--set` takes them.
        classical: Whether AutoETS, AutoTheta and AutoARIMA take part.
        only: Parts of names of single series; all where empty.
        jobs: How many single series at a time.
        held_out: Whether the ends of training parts are forecast, and no test part is read.
        quick: Little data, to see that all works.
    """

    data: Path
    seeds: tuple[int, ...]
    preset: str | None = None
    assignments: tuple[str, ...] = ()
    classical: bool = True
    only: tuple[str, ...] = ()
    jobs: int = 1
    held_out: bool = False
    quick: bool = False


@dataclass(frozen=True)
class Line:
    """A line of a table: cells by column, and where they come from."""

    name: str
    cells: Mapping[str, str]
    source: str = ""


@dataclass(frozen=True)
class Table:
    """What a suite has found.

    Args:
        title: What was measured, and how.
        first: What the lines are.
        columns: The others.
        lines: In their order.
        notes: What one must know to read it.
        details: Every single figure.
        short: Whether something was not reached.
    """

    title: str
    first: str
    columns: Sequence[str]
    lines: Sequence[Line]
    notes: Sequence[str] = ()
    details: Sequence[Mapping[str, Any]] = ()
    short: bool = False


def progress(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


def plain(name: str, figures: Figures, source: str = "this run") -> Line:
    """A line of figures, with three decimals; of seconds with none, or one where they are few."""
    return Line(name, {column: _cell(column, value) for column, value in figures.items()}, source)


def over_seeds(name: str, runs: Sequence[Figures]) -> list[Line]:
    """The means of several runs, and in a second line their standard deviations."""
    means = {column: fmean(run[column] for run in runs) for column in runs[0]}
    if len(runs) == 1:
        return [plain(f"{name}, one seed", means)]
    spreads = {column: stdev([run[column] for run in runs]) for column in runs[0]}
    return [
        plain(f"{name}, mean of {len(runs)} seeds", means),
        plain("  standard deviation over seeds", spreads, ""),
    ]


def reached(limits: Figures, runs: Sequence[Figures]) -> tuple[list[Line], bool]:
    """What the means of several runs should be at most, and whether they are.

    Returns:
        The lines, and whether one is not.
    """
    means = {column: fmean(run[column] for run in runs) for column in limits}
    kept = {column: means[column] <= limit for column, limit in limits.items()}
    told = {column: "pass" if each else SHORT for column, each in kept.items()}
    lines = [plain("  to reach, at most", limits, ""), Line("  reached", told)]
    return lines, not all(kept.values())


def show(table: Table) -> None:
    """Print a table."""
    columns = [table.first, *table.columns, ""]
    rows = [
        [line.name, *[line.cells.get(each, "") for each in table.columns], line.source]
        for line in table.lines
    ]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    print(table.title, machine(), "", sep="\n")
    for cells in (columns, rule, *rows):
        inner = [f"{cell:>{width}}" for cell, width in zip(cells[1:-1], widths[1:-1], strict=True)]
        print("  ".join([f"{cells[0]:<{widths[0]}}", *inner, cells[-1]]).rstrip())
    print("", *table.notes, "", sep="\n", flush=True)


def write_details(path: Path, tables: Mapping[str, Table]) -> None:
    """Write every single figure of all suites as CSV."""
    rows = [{"suite": name, **row} for name, table in tables.items() for row in table.details]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _cell(column: str, value: float) -> str:
    if column == SECONDS:
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    return f"{value:.3f}"
