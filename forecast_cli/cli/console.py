"""The streams of a command: stdout for results, stderr for messages."""

import itertools
import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from ..core.brief import visible, visible_json
from ..core.errors import ConditionMet, DataError, ForecastError
from ..core.events import Event, Note
from .options import OutputOptions
from .spelling import as_flags, translate
from .terminal import columns, is_dumb, print_message, wrap

if TYPE_CHECKING:
    import rich.console


# Wide enough for every cell of a table where there is no terminal.
PIPE_WIDTH = 240
# The number of the shape of JSON documents; docs/json.schema.json describes it.
SHAPE = 1
# Columns between the cells of a table.
GUTTER = 3
# How many digits a number has for people.
DIGITS = 6


@dataclass(frozen=True)
class Console:
    """The streams of one command, and what is printed on them.

    Args:
        output_options: How much is printed, and in which form.
        strict: Whether a warning is an error.
    """

    output_options: OutputOptions
    strict: bool = False

    @property
    def silent(self) -> bool:
        """Whether only errors are printed."""
        return self.output_options.quiet or (
            self.output_options.json and not self.output_options.debug
        )

    @property
    def interactive(self) -> bool:
        """Whether stderr is a terminal."""
        return sys.stderr.isatty() and not self.silent

    @property
    def shows_tables(self) -> bool:
        """Whether stdout is a terminal."""
        return sys.stdout.isatty()

    @cached_property
    def words(self) -> "rich.console.Console":
        """Stderr for a person; a progress bar and lines of words share it."""
        from rich.console import Console as RichConsole

        size: Any = {"width": columns(), "height": 24} if is_dumb() else {}
        return RichConsole(stderr=True, highlight=False, **size)

    def say(self, text: str, style: str = "", first: str = "") -> None:
        """A line of words on stderr, settings spelled as flags; `first` styles its first word."""
        if self.silent:
            return
        text = visible(as_flags(text))
        if self.interactive:
            from rich.markup import escape

            word, blank, rest = text.partition(" ") if first else ("", "", text)
            begin = f"[{first}]{escape(word)}[/]{blank}" if first else ""
            self.words.print(begin + escape(rest), style=style)
        else:
            print(text, file=sys.stderr, flush=True)

    def on_event(self, event: Event) -> None:
        """Print a note."""
        if isinstance(event, Note) and event.warning:
            self.warn([event.text])
        elif isinstance(event, Note):
            self.say(event.text)

    def warn(self, texts: Sequence[str]) -> None:
        """Print warnings.

        Raises:
            DataError: There are some, and warnings are errors.
        """
        if self.strict and texts:
            end = "" if texts[0].endswith(("?", ".", ")")) else "."
            raise DataError(f"{texts[0]}{end}", "Leave out --strict to go on nevertheless.")
        for text in texts:
            self.say(f"warning: {text}", first="yellow")

    def document(self, data: Mapping[str, Any]) -> None:
        """The one JSON document of a command on stdout; docs/json.md describes its shape."""
        print_document(self.output_options.command, data)

    def lines(self, lines: Sequence[str]) -> None:
        """Lines of a result on stdout."""
        for line in lines:
            print(visible(as_flags(line)))

    def facts(self, lines: Sequence[str], indent: int) -> None:
        """Lines of a name and a fact on stdout: on a terminal broken between words.

        A broken line goes on at the column `indent`, at which facts begin.
        """
        if self.shows_tables:
            lines = [
                part
                for line in lines
                for part in wrap(visible(as_flags(line)), columns() - 1, indent=" " * indent)
            ]
        self.lines(lines)

    def table(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        """Rows of a result on stdout: a table for a person, CSV in a pipe."""
        if not rows:
            return
        if self.shows_tables:
            self.show(rows)
            return
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([_cell(value, exact=True) for value in row.values()] for row in rows)

    def grid(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        """Rows that explain a result, on stderr; on a narrow terminal in blocks of columns."""
        if self.silent or not rows:
            return
        texts = {name: [str(name), *(str(row[name]) for row in rows)] for name in rows[0]}
        room = columns() if self.interactive else sys.maxsize
        for block in _blocks(texts, 1, room, gutter=2):
            aligned = [[t.rjust(max(map(len, texts[n]))) for t in texts[n]] for n in block]
            for cells in zip(*aligned, strict=True):
                self.say("  ".join(cells))

    def show(self, rows: Sequence[Mapping[Any, Any]], title: str = "") -> None:
        """Rows on stdout as a table for people, wherever it goes."""
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        if not rows:
            return
        cells = {name: _align([row[name] for row in rows]) for name in rows[0]}
        width = columns() if self.shows_tables else PIPE_WIDTH
        # rich takes the width of a dumb terminal only beside a height.
        screen = _make_screen(highlight=False, width=width, height=max(len(rows), 1))
        named = len(list(itertools.takewhile(lambda name: not _is_number(rows[0][name]), cells)))
        for block in _blocks(cells, named, screen.width):
            head = escape(visible(title)) or None
            table = Table(title=head, box=SIMPLE_HEAD, title_justify="left")
            for name in block:
                side: Literal["left", "right"] = "right" if _is_number(rows[0][name]) else "left"
                table.add_column(escape(visible(str(name))), justify=side, overflow="fold")
            for texts in zip(*(cells[name] for name in block), strict=True):
                table.add_row(*(escape(visible(text)) for text in texts))
            screen.print(table)
            title = ""


class Notes:
    """Keeps and prints notes."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.texts: list[str] = []

    def on_event(self, event: Event) -> None:
        """Keep and print a note."""
        if isinstance(event, Note):
            self.texts.append(event.text)
            self.console.on_event(event)


def _make_screen(**options: Any) -> "rich.console.Console":
    """Return stdout as rich writes to it, where a reader that has gone is an error like any other.

    Rich's own console would exit with code 1 by itself.
    """
    from rich.console import Console as RichConsole

    class Screen(RichConsole):
        def on_broken_pipe(self) -> None:
            raise

    return Screen(**options)


def _cell(value: Any, *, exact: bool = False) -> str:
    """A value as text; numbers short for people, to 8 digits for programs."""
    if value is None or value != value:
        return "" if exact else "-"
    if isinstance(value, float):
        if exact:
            return f"{value:.8g}" if abs(value) < 1e7 else f"{value:.1f}"
        return f"{value:,.{DIGITS}g}" if abs(value) < 1000 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not exact else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) or value is None


def _blocks(
    cells: Mapping[Any, Sequence[str]], named: int, width: int, gutter: int = GUTTER
) -> list[list[Any]]:
    """The columns of a table in groups that fit beside each other, below one another.

    The columns that name a row, the first `named`, are repeated in each.
    """
    sizes = {name: max(len(str(name)), *map(len, cells[name])) + gutter for name in cells}
    names = list(cells)[:named]
    room = width - 1 - sum(sizes[name] for name in names)
    blocks: list[list[Any]] = [names.copy()]
    left = room
    for name in list(cells)[len(names) :]:
        if sizes[name] > left and len(blocks[-1]) > len(names):
            blocks.append(names.copy())
            left = room
        blocks[-1].append(name)
        left -= sizes[name]
    return blocks


def _align(values: Sequence[Any]) -> list[str]:
    """The values of a column as texts for people; numbers with the same decimals.

    >>> _align([18.2782, 117.645, None]), _align([2.5e-7, 3.0])
    (['18.278', '117.645', '-'], ['2.5e-07', '3'])
    """
    texts = [_cell(value) for value in values]
    numbers = [abs(value) for value in values if isinstance(value, float) and value == value]
    if not numbers or max(numbers) in (0.0, math.inf):
        return texts
    known = [text for text, value in zip(texts, values, strict=True) if isinstance(value, float)]
    shown = max(len(text.partition(".")[2]) for text in known)
    places = min(shown, max(DIGITS - 1 - math.floor(math.log10(max(numbers))), 1))
    # Not where a small number would be shown as 0.
    if any(0 < number < 10.0**-places for number in numbers) or any("e" in each for each in known):
        return texts
    return [
        f"{value:,.{places}f}" if isinstance(value, float) and value == value else text
        for text, value in zip(texts, values, strict=True)
    ]


def print_document(command: str, data: Mapping[str, Any]) -> None:
    """Print a JSON document: what all have, then the result of a command, or an error.

    The command is empty where none was called.
    """
    from importlib.metadata import version

    head = {"schema": SHAPE, "command": command or None, "version": version("forecast-cli")}
    document = translate({**head, "notes": [], **data})
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    print(visible_json(text), flush=True)


def end_condition_met(console: Console, text: str) -> NoReturn:
    """End a command by the exit code of a condition that is met; in JSON the document said it."""
    import typer

    if not console.output_options.json:
        show_error(ConditionMet(text), as_json=False)
    raise typer.Exit(ConditionMet.exit_code)


def show_error(error: ForecastError, *, as_json: bool, command: str = "") -> None:
    """An error as a message on stderr, or as the JSON document on stdout."""
    if as_json:
        text = {"code": error.code, "message": error.message, "hint": error.hint}
        # Where stdout takes no more, the words on stderr are all there is.
        with suppress(OSError):
            print_document(command, {"error": text})
            return
    print_message("error", as_flags(str(error)))
