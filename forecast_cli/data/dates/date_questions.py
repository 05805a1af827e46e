"""What is asked about dates that cannot be read, or in several ways."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.errors import DataError
from ...core.windows import Ints
from ..io.footer import TOTAL
from ..io.tables import Table
from ..time.time_index import closest_frequency, infer_frequency, when
from .date_formats import ISO, day_first, plain_format

AS_STEPS = "`time=none` to use the rows as steps, the last row as the newest"
SAMPLE = 60
# The years that are taken for those of the Gregorian calendar unless a format says so, and those of
# these times in other calendars.
EARLIEST, LATEST = 1500, 2200
CALENDARS = {"Buddhist": range(2400, 2700), "Hijri or Persian": range(1300, 1500)}


@dataclass(frozen=True)
class Cells:
    """The distinct cells of a column, and which of them each row has.

    Args:
        table: What messages are about.
        column: The name of the column.
        cells: Shape `(distinct,)`.
        codes: Shape `(rows,)`.
    """

    table: Table
    column: str
    cells: pd.Series
    codes: Ints

    def place(self, cell: int) -> str:
        """Return where the first row with a cell is."""
        return self.table.place(int((self.codes == cell).argmax()))

    def first(self, bad: Sequence[bool] | pd.Series) -> int:
        """Return the cell of the first row whose cell is marked, shape `(distinct,)`."""
        return int(self.codes[np.asarray(bad)[self.codes].argmax()])

    def held(self, cell: int | None = None) -> str:
        """Return where a cell is and what it holds, for messages; that of the first row if None."""
        cell = int(self.codes[0]) if cell is None else cell
        return f'{self.place(cell)}: column "{self.column}" holds "{self.cells[cell]}"'


def check_years(cells: Cells, form: str) -> None:
    """Refuse days of months, such as Jan-01, Jan-02, Jan-03, as years of two digits."""
    if not re.fullmatch(r"%[bB]\W*%-?y(@.*)?", form):
        return
    rows = cells.cells[cells.codes[:SAMPLE]].str.extract(r"^(?P<name>\D+)(?P<number>\d+)$")
    same = (rows["name"] == rows["name"].shift()).iloc[1:]
    steps = rows["number"].astype(float).diff().iloc[1:]
    if len(same) and (same & (steps.abs() == 1)).mean() > 0.5:
        raise _without_year(cells)


def _without_year(cells: Cells) -> DataError:
    return DataError(
        f"{cells.held()}, which seems to be a day without a year.",
        f"Write the year in each date, or set {AS_STEPS}.",
    )


def _holds_days(form: str, times: pd.Series) -> bool:
    """Whether numbers that a format takes for years are days: as years they are in no order."""
    if "%d" in form or not any(year in form for year in ("%y", "%-y")):
        return False
    whole = pd.DatetimeIndex(times).unique().sort_values()
    return not (_in_order(times) or infer_frequency(whole) is not None)


def without_gaps(whole: Mapping[str, pd.Series]) -> list[str]:
    """Return the formats by which the times are regular, or by which months go on over years."""
    regular = [
        form for form, times in whole.items()
        if infer_frequency(pd.DatetimeIndex(times).unique().sort_values()) is not None
    ]  # fmt: skip
    months = [form for form, times in whole.items() if form.replace("-", "").endswith("%m")
              and times.dt.year.nunique() > 2 and times.dt.month.max() > 4]  # fmt: skip
    return regular if len(regular) == 1 else months


def ambiguous(cells: Cells, whole: Mapping[str, pd.Series]) -> DataError:
    """Return the question which of several formats is meant."""
    forms = list(whole)
    times = whole[forms[0]]
    other = next(form for form in forms if not whole[form].equals(times))
    cell = cells.first(times != whole[other])
    by_day = {day_first(form) for form in (forms[0], other)} == {True, False}
    return DataError(
        f"{cells.held(cell)}, which could be {when(times[cell])} or {when(whole[other][cell])}.",
        "Pass `dayfirst=true` or `dayfirst=false`." if by_day else
        f"Set {_proposed(whole)}.",
    )  # fmt: skip


def _proposed(whole: Mapping[str, pd.Series]) -> str:
    """Return formats with the times that they give, those in order of the rows first."""
    ranked = sorted(whole.items(), key=lambda item: not _in_order(item[1]))[:3]
    return " or ".join(
        f"`date_format={plain_format(form)}` ({when(times.min())} to {when(times.max())})"
        for form, times in ranked
    )


def _in_order(times: pd.Series) -> bool:
    return bool(times.is_monotonic_increasing or times.is_monotonic_decreasing)


def _guessed(cells: Cells, guesses: Mapping[str, pd.Series]) -> DataError:
    """Return the question whether cells are dates: by the one format that leaves no gap, or any."""
    what, steps = f"{cells.held()}, which may be a date.", AS_STEPS
    if len(regular := without_gaps(guesses)) == 1:
        guesses = {regular[0]: guesses[regular[0]]}
        times = pd.DatetimeIndex(guesses[regular[0]]).unique().sort_values()
        frequency = closest_frequency(times)
        what += f" By {plain_format(regular[0])} the rows are {frequency.adjective}, without a gap"
        what += "; years of one digit are taken for 2000 and later." * ("%-y" in regular[0]) or "."
        if frequency.season_length > 1:
            season = f"`season_length={frequency.season_length}`"
            steps = steps.replace("`time=none`", f"`time=none` and {season}")
    return DataError(what, f"Set {_proposed(guesses)}, or {steps}.")


def complain(cells: Cells, parsed: Mapping[str, pd.Series]) -> None:
    """Ask which format is meant, or name the first cell that does not match most others."""
    guesses = {form: times for form, times in parsed.items() if times.notna().all()}
    if guesses and all(_holds_days(form, times) for form, times in guesses.items()):
        raise _without_year(cells)
    if guesses:
        raise _guessed(cells, guesses)
    form, times = max(parsed.items(), key=lambda item: item[1].notna().sum(), default=("", None))
    bad = [True] * len(cells.cells) if times is None else times.isna()
    cell, fits = cells.first(bad), None if times is None else times.first_valid_index()
    if TOTAL.search(str(cells.cells[cell])):
        raise DataError(
            f"{cells.held(cell)}: the total of other rows, not a row of its own.",
            "Remove the rows of totals.",
        )
    if times is not None and fits is not None and is_implausible(times[fits].year):
        place = cells.place(int(np.argmax(times.notna())))
        raise implausible(place, cells.column, times[fits].year, None)
    like = f' Other rows look like "{cells.cells[fits]}".' if fits is not None else ""
    shown = f" ({plain_format(form)} was expected)" if form not in ("", ISO) else ""
    raise DataError(
        f"{cells.held(cell)}, which is not a known date format{shown}.{like}",
        f"Fix the cell, or specify `date_format`, or {AS_STEPS}.",
    )


def is_implausible(year: int) -> bool:
    """Whether a year is far ahead, or may be one of another calendar."""
    return year > LATEST or any(year in span for span in CALENDARS.values())


def implausible(place: str, column: str, year: int, form: str | None) -> DataError:
    """Return the question whether a year is meant; `form` is the format, if one could be given."""
    calendar = next((name for name, span in CALENDARS.items() if year in span), None)
    what = f", which may be one of the {calendar} calendar" if calendar else ""
    right = f"; or, if the year is right, `date_format={plain_format(form)}`" if form else ""
    return DataError(
        f'{place}: column "{column}" holds a date of the year {year}{what}.',
        f"Write the dates in the Gregorian calendar, or set {AS_STEPS}{right}.",
    )


def unknown_start(cells: Cells) -> DataError:
    """Return the question in which month seasons of two years begin."""
    return DataError(
        f"{cells.held()}, a year that begins in one calendar year and ends in the next, and its "
        "first month is not known.",
        "Set `fiscal_start=7` where it begins in July, or another month from 2 to 12.",
    )


def with_fiscal_start(cells: Cells, form: str, fiscal_start: int | None) -> str:
    """Return the format of fiscal years with the month in which they begin."""
    if fiscal_start is None:
        raise unknown_fiscal_start(cells.held())
    return f"{form}@{fiscal_start}"


def unknown_fiscal_start(held: str) -> DataError:
    """Return the question in which month fiscal years begin; `held` is where one stands."""
    return DataError(
        f"{held}, and the first month of the fiscal year is not known.",
        "Set `fiscal_start=10` where fiscal years begin in October, and `fiscal_start=1` where "
        "they are calendar years.",
    )
