"""Lines below the rows of a table that are none: totals, averages, sources and notes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..dates.time_names import may_name_time
from .body import Line, is_data, is_date, is_wordy, quoted, shape
from .tables import MISSING_MARKERS

# The most lines at the end that are looked at, and the share of the rows that they may be.
MOST_LINES = 40
MOST_SHARE = 0.5
# A way to write the cells of a column is a usual one from this share on.
USUAL = 0.1
TOTAL = re.compile(
    r"(?<![^\W\d_])\W*((grand|sub|year)?[- ]?totals?|totale?s?|sum|summen?|gesamt\w*|"
    r"insgesamt|somme|suma|soma|"
    r"summary|average|avg\.?|mean|median|durchschnitt\w*|mittel(wert)?|moyenne|media|média|promedio|totaal|"
    r"gemiddelde|som|razem|ogółem|suma|średnia|celkem|průměr|итого|всего|сумма|среднее|toplam|"
    r"ortalama|合计|总计|总和|小计|平均|合計|総計|합계|총계|총합|평균)(?![^\W\d_])",
    re.IGNORECASE,
)
STEP = re.compile(r"\D{0,4}\d+")
NOTE = re.compile(
    r"\W*(sources?|notes?|footnotes?|data (source|from|as of|provided)|last updated?|generated|"
    r"created|copyright|©|\(c\)|disclaimer|end of|eof|quelle|stand|hinweis|anmerkung|erstellt|"
    r"fuente|notas?|fonte|bron|opmerking|источник|출처|자료|来源|資料)(?![^\W\d_])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rows:
    """What the rows of a table look like.

    Args:
        names: The names of the columns.
        lines: The first rows.
    """

    names: Sequence[str]
    lines: Sequence[Line]

    def column(self, column: int) -> list[str]:
        """The cells of a column that are not missing."""
        cells = [each.cells[column].strip() for each in self.lines if column < len(each.cells)]
        return [cell for cell in cells if cell not in MISSING_MARKERS]

    def usual(self, column: int, cell: str) -> bool:
        """Whether other cells of a column are written in the same way."""
        shapes = Counter(map(shape, self.column(column)))
        return shapes[shape(cell)] > max(1, USUAL * shapes.total())

    @property
    def are_series(self) -> bool:
        """Whether each row seems to be a series, its columns the steps; a total is one too."""
        steps = [name for name in self.names if is_data(name) or STEP.fullmatch(name.strip())]
        return len(steps) > len(self.names) / 2

    def time(self) -> int | None:
        """The column of times; None where there is none."""
        for column, name in enumerate(self.names[:MOST_LINES]):
            cells = self.column(column)
            written = any(re.search(r"\D", cell) for cell in cells)
            if sum(map(is_date, cells)) > 0.7 * len(cells) and (
                column == 0 or written or may_name_time(name)
            ):
                return column
        return None


def count_footer(rows: Rows, tail: Sequence[Line], total: int | None = None) -> int:
    """Return how many lines at the end are no rows: of the last ones, at most `MOST_LINES`.

    `total` is how many lines there are, where that is known.
    """
    time, found = rows.time(), 0
    for count, line in enumerate(reversed(tail), start=1):
        if not line.filled:
            # Empty cells between delimiters are no row; an empty line is nothing.
            found = count if line.cells and count == found + 1 else found
        elif is_footer(line, rows, time):
            found = count
        else:
            break
    return 0 if total is not None and found > MOST_SHARE * total else found


def is_footer(line: Line, rows: Rows, time: int | None) -> bool:
    """Whether a line that is not empty is no row: a word stands where the time should."""
    cells, width = [cell.strip() for cell in line.cells], len(rows.names)
    place = next(at for at, cell in enumerate(cells) if cell)
    first = cells[place]
    note = is_wordy(first) and not is_data(first) and not rows.usual(place, first)
    incomplete = width > 1 and (len(line.filled) == 1 or len(cells) != width)
    label = bool(TOTAL.match(first)) and rows.column(place).count(first) <= 1
    if width == 1:
        return not is_data(first) and bool(TOTAL.match(first) or NOTE.match(first))
    if time is None or time >= len(cells):
        if rows.are_series:
            # A series without a value, or the sum of the others, is a series too.
            return note and (len(cells) != width or bool(NOTE.match(first)))
        return (incomplete and note) or (label and not incomplete)
    cell = cells[time]
    if not cell:
        return label or (incomplete and note)
    if cell in MISSING_MARKERS or is_date(cell):
        return False
    if not re.search(r"\d", cell):
        return bool(re.search(r"[^\W\d_]", cell)) and not rows.usual(time, cell)
    return bool(TOTAL.search(cell) or NOTE.match(cell)) or (incomplete and note)


def describe_footer(lines: Sequence[Line]) -> str:
    """Return a note on lines that were left out."""
    held = [line for line in lines if line.filled]
    what = "the last line" if len(lines) == 1 else f"the last {len(lines)} lines"
    if not held:
        return f"{what} without values left out"
    keeps = "keeps it" if len(lines) == 1 else "keeps them"
    return f"{what} left out: {quoted(held)} (`skip_footer=0` {keeps})"
