"""Where the rows of a text table begin: titles above the names, the names, and units below them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ...config.sections import Dialect
from ...core.errors import DataError, UsageError
from ..dates.time_names import may_name_time
from .body import MOST_QUOTED, SAMPLE_COLUMNS, Body, Line, is_data, is_date, is_unit, quoted

# How many lines show where a table begins.
MOST_LINES = 100
MOST_LEVELS = 3


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where the rows begin.

    Args:
        names: The names.
        skipped: How many lines of the file stand before the first row.
        notes: What was left out or found out.
        plain: Whether the first line that is not blank holds the names, and no line is left out.
    """

    names: list[str]
    skipped: int
    notes: tuple[str, ...] = ()
    plain: bool = True


def find_header(lines: Sequence[Line], dialect: Dialect, where: str) -> Header:
    """Find the names of the columns, and where the rows begin.

    Args:
        lines: The first lines.
        dialect: What is known of them: `header`, `skip_rows`, `no_header`.
        where: What messages call the table.

    Raises:
        DataError: There is no line of names, or it is unclear which one it is.
    """
    first = dialect.skip_rows or 0
    filled = _filled(lines, first, where)
    body = Body(filled)
    if dialect.no_header:
        names = [str(number) for number in range(1, body.width + 1)]
        return Header(names, filled[0].before, plain=False)
    if dialect.header is not None:
        return _given(filled, dialect.header, body, where)
    if dialect.skip_rows is not None:
        return _below(filled, 0, body, plain=not first)
    at = next((at for at, line in enumerate(filled) if body.is_row(line)), None)
    if not body.data or at is None:
        return _below(filled, 0, body)
    above = [line for line in filled[:at] if body.may_be_names(line)]
    if not above and _are_steps(filled[at], body):
        return _titled(filled, at, body)
    if at == 0:
        _require_names(filled[0], body, where)
        return _below(filled, 0, body)
    if at == 1:
        return _beneath(filled, at, body, where)
    return _found(filled, at, body, where)


def _filled(lines: Sequence[Line], first: int, where: str) -> list[Line]:
    """The lines from the first one on that have a cell that is not empty."""
    filled = [line for line in lines if line.filled and line.before >= first]
    if filled:
        return filled
    if first:
        raise DataError(f"{where} has no row after its first {first} lines.", "Lower `skip_rows`.")
    raise DataError(
        f"All cells of {where} are empty.", "A header line and a row for each step are needed."
    )


def _given(filled: Sequence[Line], number: int, body: Body, where: str) -> Header:
    """Return the header in a line of the file, counted from 1."""
    at = next((at for at, line in enumerate(filled) if line.before < number <= line.end), None)
    if at is None:
        raise UsageError(
            f"{where} has no names in line {number}.", "Give the line of the names in `header`."
        )
    return _below(filled, at, body, plain=False)


def _below(filled: Sequence[Line], at: int, body: Body, *, plain: bool = True) -> Header:
    """Return a header with its names in one line, without the units in the lines below it."""
    names, rest = filled[at], at + 1
    while rest + 1 < len(filled) and _are_units(filled[rest], body):
        rest += 1
    units = filled[at + 1 : rest]
    notes = tuple(f"{_numbered([line])} holds units, left out: {quoted([line])}" for line in units)
    skipped = units[-1].end if units else names.end
    # Blanks around a name are of no use to anybody who has to type it.
    padded = [name.strip() for name in _padded(names.cells, body)]
    return Header(padded, skipped, notes, plain and not units and padded == names.cells)


def _titled(filled: Sequence[Line], at: int, body: Body) -> Header:
    """Return a header below lines of titles."""
    header = _below(filled, at, body, plain=not at)
    return _with_titles(header, filled[:at]) if at else header


def _with_titles(header: Header, titles: Sequence[Line]) -> Header:
    text = f"{_numbered(titles)} above the header left out: {quoted(titles)} (`skip_rows=0` if not)"
    return Header(header.names, header.skipped, (text, *header.notes), plain=False)


def _found(filled: Sequence[Line], at: int, body: Body, where: str) -> Header:
    """Return the header among the lines above the first row, which is line `at`."""
    above = filled[:at]
    if levels := _levels(above, body):
        return _joined(filled, at - 1, levels, body)
    names = [line for line in above if body.may_be_names(line)]
    if not names:
        return _beneath(filled, at, body, where)
    rivals = [line for line in names if not _are_units(line, body)] or names[:1]
    named = [line for line in rivals if body.width > 1 and _names_time(line)]
    chosen = (named or rivals)[-1]
    if not named and len(rivals) > 1 and chosen.before == rivals[-2].end:
        first = rivals[-2]
        raise DataError(
            f"{where}: line {first.before + 1} ({', '.join(first.filled[:3])}) and line "
            f"{chosen.before + 1} ({', '.join(chosen.filled[:3])}) could both be the names of the "
            "columns.",
            f"Pass `header={first.before + 1}` or `header={chosen.before + 1}`.",
        )
    return _titled(filled, filled.index(chosen), body)


def _beneath(filled: Sequence[Line], at: int, body: Body, where: str) -> Header:
    """Return the header in the line right above the rows, where it does not look like names."""
    last = filled[at - 1]
    title = len(last.filled) == 1 < body.width and bool(last.cells[0].strip())
    if (at > 1 or title) and not (len(last.cells) == body.width and _names_time(last)):
        raise DataError(
            f"{where}: no line of names was found above the row in line {filled[at].before + 1}.",
            "Give its number in `header`, or, where there is none, pass "
            f"`skip_rows={filled[at].before}` and `no_header=true`.",
        )
    return _titled(filled, at - 1, body)


def _names_time(line: Line) -> bool:
    """Whether a cell is the name of a time column."""
    return any(map(may_name_time, line.filled))


def _levels(lines: Sequence[Line], body: Body) -> list[Line]:
    """Return the lines that together name the columns, as pandas writes several levels.

    Their names repeat, or the name of the index follows in a line of its own.
    """
    last = lines[-1]
    alone = len(last.filled) == 1 and bool(last.cells[0].strip()) and body.width > 2
    found = [] if alone else [last]
    for line in reversed(lines[:-1]):
        if not body.may_be_names(line) or len(found) == MOST_LEVELS:
            break
        found.insert(0, line)
    if alone:
        return [*found, last] if found and (len(found) > 1 or _names_time(last)) else []
    named = _names_time(last) or not any(map(_is_complete, found))
    repeats = not _is_complete(last) and body.may_be_names(last)
    return found if named and repeats and len(found) > 1 else []


def _joined(filled: Sequence[Line], last: int, levels: Sequence[Line], body: Body) -> Header:
    """Return a header of several lines: the parts of a name that tell the columns apart, joined."""
    rows = [_merged([*line.cells, ""][: body.width]) for line in levels]
    first = next(row[0] for row in [*reversed(rows), [""]] if row[0] or row == [""])
    rest = [row[1:] for row in rows if any(row[1:])]
    telling = [row for row in rest if len(set(row)) > 1] or rest[:1]
    unique = [row for row in telling if len(set(row)) == len(row)]
    names = [
        " ".join(dict.fromkeys(part for part in parts if part))
        for parts in zip(*(unique[:1] or telling), strict=True)
    ]
    text = f"{_numbered(levels)} read as the names of the columns: {', '.join(names[:MOST_QUOTED])}"
    text += " ..." if len(names) > MOST_QUOTED else ""
    titles = filled[: filled.index(levels[0])]
    below = _below(filled, last, body)
    header = Header([first, *names], below.skipped, (text, *below.notes), plain=False)
    return _with_titles(header, titles) if titles else header


def _merged(cells: Sequence[str]) -> list[str]:
    """Return cells with the empty ones after the first filled as those before them."""
    filled = accumulate(map(str.strip, cells), lambda held, cell: cell or held, initial="")
    return list(filled)[1:]


def _is_complete(line: Line) -> bool:
    """Whether the cells tell the columns apart."""
    return len(set(line.filled)) == len(line.filled) >= len(line.cells) - 1


def _require_names(line: Line, body: Body, where: str) -> None:
    """Refuse a first line whose cells are all numbers or dates, or words that recur in the rows."""
    words = [at for at, cell in enumerate(line.cells) if cell.strip() and not is_data(cell)]
    if not words and body.width > 1 and _counted(line.filled):
        return
    dated = body.dates is not None and re.search(r"\d\D+\d", line.cells[body.dates])
    recurs = any(
        body.column(at).count(line.cells[at].strip()) > 1
        for at in words if at < min(body.width, SAMPLE_COLUMNS)
    )  # fmt: skip
    if body.data_cells(line)[1] or (words and not (dated or recurs)):
        return
    raise DataError(
        f"{where} begins with {', '.join(line.filled[:3])}: a line of data, not of names.",
        "Pass `no_header=true` to name the columns 1, 2 and so on, or `header="
        f"{line.before + 1}` if these are names.",
    )


def _are_steps(line: Line, body: Body) -> bool:
    """Whether the names in a line are times or numbers in order, those of columns of steps."""
    steps = [cell.strip() for cell in line.cells if is_data(cell)]
    words = [cell for cell in line.filled if not is_data(cell)]
    if len(steps) < 2 or not words or len(set(steps)) < len(steps):
        return False
    return _counted(steps) or (body.dates is None and all(map(is_date, steps)))


def _counted(names: Sequence[str]) -> bool:
    """Whether names are consecutive numbers, as those of columns without names are."""
    return all(name.isdigit() for name in names) and [int(each) for each in names] == list(
        range(int(names[0]), int(names[0]) + len(names))
    )


def _are_units(line: Line, body: Body) -> bool:
    """Whether all cells of a line are units."""
    if len(line.cells) not in (body.width, body.width - 1):
        return False
    held = line.filled[:SAMPLE_COLUMNS]
    if any(map(is_data, held)) or not all(map(is_unit, held)) or {*held} == {"-"}:
        return False
    return len(held) > 1 or body.width == 1 or not line.cells[0].strip()


def _padded(names: Sequence[str], body: Body) -> list[str]:
    """Return names, with an empty one for a last column that has neither name nor values.

    Several columns without names are called after their number.
    """
    names = list(names)
    if len(names) == body.width - 1 and not any(body.column(body.width - 1)):
        names.append("")
    if sum(not name.strip() for name in names) > 1:
        return [name if name.strip() else f"column {at}" for at, name in enumerate(names, start=1)]
    return names


def _numbered(lines: Sequence[Line]) -> str:
    """Return e.g. "lines 1 to 3"."""
    first, last = lines[0].before + 1, lines[-1].end
    return f"line {first}" if first == last else f"lines {first} to {last}"
