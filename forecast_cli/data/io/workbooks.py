"""The first sheet of a workbook as a table, without its titles, units, totals and notes."""

import io
from collections.abc import Callable
from typing import Any

import pandas as pd

from ...config.sections import Dialect
from ...core.errors import UsageError
from ...core.libraries import how_to_install
from .body import Line
from .footer import MOST_LINES as LAST_LINES
from .footer import Rows, count_footer, describe_footer
from .header import MOST_LINES, find_header


def _opened(data: bytes, name: str) -> pd.ExcelFile:
    """Return a workbook; `name` is what messages call it."""
    try:
        return pd.ExcelFile(io.BytesIO(data))
    except ImportError:
        raise UsageError(
            f"{name} is a workbook, and the library that reads workbooks is not installed.",
            how_to_install("excel"),
        ) from None


def read_workbook(data: bytes, name: str, dialect: Dialect) -> tuple[pd.DataFrame, list[str]]:
    """Read the first sheet of a workbook.

    Args:
        data: The workbook.
        name: What messages call it.
        dialect: What is known of its lines.

    Returns:
        The rows, and notes on what was left out.

    Raises:
        DataError: There is no line of names.
        UsageError: The library that reads workbooks is not installed.
    """
    book = _opened(data, name)
    how: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}
    top = _lines(pd.read_excel(book, header=None, nrows=MOST_LINES, dtype=object, **how))
    if not any(line.filled for line in top):
        return pd.DataFrame(), []
    header = find_header(top, dialect, name)
    # The library itself takes the first row for the names, blank or not.
    plain = header.plain and header.skipped == 1
    if not plain:
        how |= {"header": None, "skiprows": header.skipped}
    frame = _named(pd.read_excel(book, **how), None if plain else header.names)
    count, notes = dialect.skip_footer, list(header.notes)
    tail = _lines(frame.tail(LAST_LINES))
    if count is None:
        rows = [line for line in top if line.before >= header.skipped and line.filled]
        count = count_footer(Rows(header.names, rows), tail, len(frame))
    if count:
        notes.append(describe_footer(tail[-count:]))
        frame = _named(pd.read_excel(book, skipfooter=count, **how), list(frame.columns))
    return frame, notes


def _named(frame: pd.DataFrame, names: list[str] | None) -> pd.DataFrame:
    """Return the rows with the names, without columns that have neither name nor values."""
    if names is not None:
        frame = frame.set_axis([*names, *[""] * (frame.shape[1] - len(names))], axis=1)
    held: Callable[[int], bool] = lambda at: bool(frame.iloc[:, at].notna().any())  # noqa: E731
    kept = [at for at, each in enumerate(frame.columns) if str(each) or held(at)]
    return frame.iloc[:, kept]


def _lines(frame: pd.DataFrame) -> list[Line]:
    """Return rows as lines of text."""
    cells = frame.astype(object).where(frame.notna(), "").to_numpy().tolist()
    return [Line(row, row + 1, [_text(cell) for cell in each]) for row, each in enumerate(cells)]


def _text(cell: Any) -> str:
    """Return a cell as text; whole numbers without a decimal point, days without a clock time."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).removesuffix(" 00:00:00")
