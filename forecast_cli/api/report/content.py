"""What a report holds, as plain data: facts, charts and tables; the names of files in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePath
from typing import Any

from ...core.errors import DataError, UsageError
from ...data.io.remote import masked
from ...data.io.tables import Readable
from ..charts.description import Chart

STDIN = "-"
# A row of a table by column.
Row = dict[str, Any]
# The heading of each kind of chart in a report, in order.
HEADINGS = {
    "test": "Test forecasts",
    "errors": "Errors",
    "coverage": "Intervals",
    "residuals": "Residuals",
    "seasons": "Seasons",
    "effects": "What it is made of",
    "loss": "Training",
}


def file_names(table: Readable | None) -> dict[str, str]:
    """Return the names of the files of a table by their paths; none where it is in memory.

    >>> file_names("/home/ann/sales.csv"), file_names("https://a:b@example.org/s.csv?token=c")
    ({'/home/ann/sales.csv': 'sales.csv'}, {'https://a:b@example.org/s.csv?token=c': 's.csv'})
    """
    given: Any = table if isinstance(table, list | tuple) else [table]
    paths = [str(each) for each in given if isinstance(each, str | PurePath)]
    return {path: file_name(path) for path in paths if path != STDIN}


def file_name(path: str) -> str:
    """Return the name of a file, without folders, and of an address without what is private."""
    return PurePath(path.partition("?")[0] if "://" in path else path).name or masked(path)


def without_folders(text: str, names: dict[str, str]) -> str:
    """Return a message that names files without their folders."""
    for path, name in sorted(names.items(), key=lambda each: -len(each[0])):
        text = text.replace(masked(path), name).replace(path, name)
    return text


@dataclass(frozen=True)
class Figures:
    """A table.

    Args:
        title: What it shows.
        rows: All with the same columns.
    """

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Args:
        name: For links within the page.
        title: Its heading.
        chart: What is drawn; None for nothing.
        text: In place of a chart, or before the tables.
        tables: Below the chart.
        choose: Whether one of the axes is shown at a time, chosen by the reader.
    """

    name: str
    title: str
    chart: Chart | None = None
    text: str = ""
    tables: tuple[Figures, ...] = ()
    choose: bool = False


@dataclass(frozen=True)
class Forecasts:
    """The forecasts, as a table that a reader copies and downloads.

    Args:
        columns: Their names.
        rows: The cells; times as text, None where a value is missing.
        keys: Which of the columns name the series.
        shown: For each of the axes that a reader chooses from, the values of these columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    keys: tuple[int, ...] = ()
    shown: tuple[tuple[str, ...], ...] = ()

    def rows_of(self, place: int) -> Sequence[tuple[Any, ...]]:
        """Return the rows of the series that one of the axes shows, by its place among them."""
        return self._by_names.get(self.shown[place], ()) if self.keys else self.rows

    @cached_property
    def _by_names(self) -> dict[tuple[str, ...], list[tuple[Any, ...]]]:
        found: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for row in self.rows:
            found.setdefault(tuple(str(row[key]) for key in self.keys), []).append(row)
        return found


@dataclass(frozen=True)
class Report:
    """All of a page.

    Args:
        title: What was forecast.
        verdict: How good that is, in a sentence.
        facts: What it was made from, by name.
        warnings: Reasons not to rely on it.
        sections: In order.
        notes: What was understood and chosen, a sentence each.
        forecasts: None where there are none.
        repeat: The command that makes the model again.
        config: The configuration, as TOML.
        end: By which programs and from which files it was made, by name.
    """

    title: str
    verdict: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    forecasts: Forecasts | None = None
    repeat: str = ""
    config: str = ""
    end: Sequence[tuple[str, str]] = field(default_factory=tuple)


def section(name: str, title: str, describe: Any, **more: Any) -> Section:
    """Return a section with a chart; with the reason in its place where it cannot be drawn.

    Args:
        name: Of the section, a name of `CHARTS`.
        title: Its heading.
        describe: Makes the chart.
        **more: Other parts of the section.
    """
    try:
        chart = describe()
        return Section(name, title, replace(chart, text=chart.text.replace("`", "")), **more)
    except (DataError, UsageError) as error:
        return Section(
            name, title, None, error.message.replace("`", ""), **more | {"choose": False}
        )
