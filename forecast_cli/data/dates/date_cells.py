"""Text read as times: the one format that all cells have, or a question."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import DataError, UsageError
from ...core.events import Listener, Note
from ...core.windows import Ints
from ..io.footer import TOTAL
from ..io.tables import Table
from ..time.time_index import Dates, closest_frequency, infer_frequency, when
from .date_formats import EXCEL, ISO, attempt, is_fiscal, iso_style
from .date_shapes import FIRST, GUESS, candidates, starts_of_periods
from .time_names import roles_of

SAMPLE = 60
# The beginnings of formats with the day before the month, or after it.
DAY_FIRST, DAY_LAST = ("%d/%m", "%d-%m"), ("%m/%d", "%m-%d")
# The directive of the number beside a year, by what a name says that it is.
SHORT = ("%Y%m", "%G%V")
MIDNIGHT = re.compile(r"(?<!\d)24:00")
NUMBERS = {"month": "m", "quarter": "Q", "week": "V"}
AS_STEPS = "`time=none` to use the rows as steps, the last row as the newest"


@dataclass(frozen=True)
class Reading:
    """How text is read as times, as in `parse_dates`."""

    form: str | None = None
    dayfirst: bool | None = None
    fiscal_start: int | None = None


@dataclass(frozen=True)
class _Cells:
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


def read_text(
    table: Table, column: str, text: pa.ChunkedArray, reading: Reading, on_event: Listener
) -> Dates:
    """Read a column of text as times.

    Raises:
        DataError: A cell is no date, or several formats fit and differ.
    """
    if reading.form is None and (iso := _fast_iso(text)) is not None:
        return Dates(iso, iso_style(_longest(text)))
    encoded = pc.utf8_trim_whitespace(text).combine_chunks().dictionary_encode()
    distinct = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
    cells = _Cells(table, column, distinct, encoded.indices.to_numpy())
    if reading.form is None:
        cells = _started(cells, on_event)
    if reading.form and is_fiscal(reading.form) and "@" not in reading.form:
        reading = Reading(_with_fiscal_start(cells, reading.form, reading.fiscal_start))
    form, times = _read(cells, reading)
    _note(cells, form, times, reading, on_event)
    if form == ISO:
        style = iso_style(max(cells.cells, key=len))
    else:
        style = _as_written(cells, form) if reading.form else form
    return Dates(pd.DatetimeIndex(times).take(cells.codes), style)


def invalid_format(form: str | None, error: Exception) -> UsageError:
    """Return the error for a format of dates that cannot be used."""
    return UsageError(f'Invalid `date_format` "{form}": {error}.')


def _read(cells: _Cells, reading: Reading) -> tuple[str, pd.Series]:
    """Return the format, and the times of the distinct cells."""
    ranks = {reading.form: FIRST} if reading.form else candidates(cells.cells[:SAMPLE].tolist())
    if reading.dayfirst is not None:
        either = (None, reading.dayfirst)
        ranks = {form: rank for form, rank in ranks.items() if day_first(form) in either}
    try:
        # Formats that do not fit cells here and there need not be tried on all of them.
        some = cells.cells[:: max(1, len(cells.cells) // SAMPLE)]
        fit = [form for form in ranks if attempt(some, form).notna().all()]
        parsed = {form: attempt(cells.cells, form) for form in fit}
        if not any(times.notna().all() for times in parsed.values()):
            parsed = {form: attempt(cells.cells, form) for form in ranks}
    except ValueError as error:
        raise invalid_format(reading.form, error) from None
    whole = {form: times for form, times in parsed.items() if times.notna().all()}
    best = min((ranks[form] for form in whole), default=GUESS)
    named = [form for form in whole if _is_named(form, cells.column)]
    if best == GUESS and not named:
        _complain(cells, parsed)
    rivals = EXCEL in whole or (best == FIRST and next(iter(whole)) in SHORT)
    form = named[0] if named else _choose(
        cells, {form: whole[form] for form in whole if rivals or ranks[form] <= best}
    )  # fmt: skip
    _check_years(cells, form)
    if is_fiscal(form) and "@" not in form:
        form = _with_fiscal_start(cells, form, reading.fiscal_start)
        return form, attempt(cells.cells, form)
    return form, parsed[form]


def _as_written(cells: _Cells, form: str) -> str:
    """Return a format with the marks of single digits that the cells show."""
    if not re.search("%[dmyVHI]", form):
        return form
    marked = candidates(cells.cells[:SAMPLE].tolist(), thorough=False)
    return next((each for each in marked if _plain(each) == form), form)


def _is_named(form: str, column: str) -> bool:
    """Whether a year and a number are what the name of their column says: quarters, weeks."""
    roles = roles_of(column)
    plain = _plain(form)
    pair = re.fullmatch(r"%[YG]\W*0?%([mQV])|0?%([mQV])\W*%[YG]", plain)
    return pair is not None and any(
        role in roles and letter in pair.groups() for role, letter in NUMBERS.items()
    )


def _check_years(cells: _Cells, form: str) -> None:
    """Refuse days of months, such as Jan-01, Jan-02, Jan-03, as years of two digits."""
    if not re.fullmatch(r"%[bB]\W*%-?y(@.*)?", form):
        return
    rows = cells.cells[cells.codes[:SAMPLE]].str.extract(r"^(?P<name>\D+)(?P<number>\d+)$")
    same = (rows["name"] == rows["name"].shift()).iloc[1:]
    steps = rows["number"].astype(float).diff().iloc[1:]
    if len(same) and (same & (steps.abs() == 1)).mean() > 0.5:
        cell = int(cells.codes[0])
        raise DataError(
            f'{cells.place(cell)}: column "{cells.column}" holds "{cells.cells[cell]}", which '
            "seems to be a day without a year.",
            f"Write the year in each date, or set {AS_STEPS}.",
        )


def _plain(form: str) -> str:
    """Return a format without the marks of single digits."""
    return re.sub(r"%-(\w)", r"%\1", form)


def day_first(style: str) -> bool | None:
    """Whether the day comes before the month in a format; None where it is unambiguous.

    >>> day_first("%d/%m/%Y"), day_first("%m/%d/%Y"), day_first("%Y-%m-%d")
    (True, False, None)
    """
    plain = re.sub("^%[aA],? *", "", _plain(style))
    if plain.startswith(DAY_FIRST):
        return True
    return False if plain.startswith(DAY_LAST) else None


def is_rival(form: str) -> bool:
    """Whether a few cells of a format have other formats too, e.g. months and weeks.

    >>> is_rival("%Y%m"), is_rival("%y-%m-%d"), is_rival("%Y-%m-%d"), is_rival("%b-%y")
    (True, True, False, False)
    """
    plain = _plain(form)
    numeric = not re.search(r"%[bBaA]", plain)
    return plain in (*SHORT, EXCEL) or (numeric and bool(re.search(r"%y|%Y\W*%Q", plain)))


def _choose(cells: _Cells, whole: Mapping[str, pd.Series]) -> str:
    """Return the format that all cells have.

    Raises:
        DataError: Several have different results.
    """
    forms = list(whole)
    first = whole[forms[0]]
    if re.fullmatch(r"%Y\W*%-m|%-m\W*%Y", forms[0]) and first.dt.month.max() < 5 and (
        first.dt.year.nunique() > 2
    ):  # fmt: skip
        # Numbers up to four over several years may be quarters.
        forms = [forms[0], re.sub("%-?m", "%Q", forms[0])]
        raise _ambiguous(cells, {form: attempt(cells.cells, form) for form in forms})
    if all(first.equals(times) for times in whole.values()):
        return forms[0]
    if len({day_first(form) for form in forms} - {None}) < 2:
        forms = _without_gaps(whole) or forms
        if len(forms) == 1:
            return forms[0]
    raise _ambiguous(cells, {form: whole[form] for form in forms})


def _without_gaps(whole: Mapping[str, pd.Series]) -> list[str]:
    """Return the formats by which the times are regular, or by which months go on over years."""
    regular = [
        form for form, times in whole.items()
        if infer_frequency(pd.DatetimeIndex(times).unique().sort_values()) is not None
    ]  # fmt: skip
    months = [form for form, times in whole.items() if form.replace("-", "").endswith("%m")
              and times.dt.year.nunique() > 2 and times.dt.month.max() > 4]  # fmt: skip
    return regular if len(regular) == 1 else months


def _ambiguous(cells: _Cells, whole: Mapping[str, pd.Series]) -> DataError:
    """Return the question which of several formats is meant."""
    forms = list(whole)
    times = whole[forms[0]]
    other = next(form for form in forms if not whole[form].equals(times))
    cell = cells.first(times != whole[other])
    by_day = {day_first(form) for form in (forms[0], other)} == {True, False}
    return DataError(
        f'{cells.place(cell)}: column "{cells.column}" holds "{cells.cells[cell]}", which could be '
        f"{when(times[cell])} or {when(whole[other][cell])}.",
        "Pass `dayfirst=true` or `dayfirst=false`." if by_day else
        f"Set {_proposed(whole)}.",
    )  # fmt: skip


def _proposed(whole: Mapping[str, pd.Series]) -> str:
    """Return formats with the times that they give, those in order of the rows first."""

    def in_order(times: pd.Series) -> bool:
        return bool(times.is_monotonic_increasing or times.is_monotonic_decreasing)

    ranked = sorted(whole.items(), key=lambda item: not in_order(item[1]))[:3]
    return " or ".join(
        f"`date_format={_plain(form)}` ({when(times.min())} to {when(times.max())})"
        for form, times in ranked
    )


def _guessed(cells: _Cells, guesses: Mapping[str, pd.Series]) -> DataError:
    """Return the question whether cells are dates: by the one format that leaves no gap, or any."""
    cell, steps = int(cells.codes[0]), AS_STEPS
    what = f'column "{cells.column}" holds "{cells.cells[cell]}", which may be a date.'
    if len(regular := _without_gaps(guesses)) == 1:
        guesses = {regular[0]: guesses[regular[0]]}
        times = pd.DatetimeIndex(guesses[regular[0]]).unique().sort_values()
        frequency = closest_frequency(times)
        what += f" By {_plain(regular[0])} the rows are {frequency.adjective}, without a gap"
        what += "; years of one digit are taken for 2000 and later." * ("%-y" in regular[0]) or "."
        if frequency.season_length > 1:
            season = f"`season_length={frequency.season_length}`"
            steps = steps.replace("`time=none`", f"`time=none` and {season}")
    return DataError(f"{cells.place(cell)}: {what}", f"Set {_proposed(guesses)}, or {steps}.")


def _complain(cells: _Cells, parsed: Mapping[str, pd.Series]) -> None:
    """Ask which format is meant, or name the first cell that does not match most others."""
    guesses = {form: times for form, times in parsed.items() if times.notna().all()}
    if guesses:
        raise _guessed(cells, guesses)
    form, times = max(parsed.items(), key=lambda item: item[1].notna().sum(), default=("", None))
    bad = [True] * len(cells.cells) if times is None else times.isna()
    cell, fits = cells.first(bad), None if times is None else times.first_valid_index()
    if TOTAL.search(str(cells.cells[cell])):
        raise DataError(
            f'{cells.place(cell)}: column "{cells.column}" holds "{cells.cells[cell]}": the total '
            "of other rows, not a row of its own.",
            "Remove the rows of totals.",
        )
    like = f' Other rows look like "{cells.cells[fits]}".' if fits is not None else ""
    shown = f" ({_plain(form)} was expected)" if form not in ("", ISO) else ""
    raise DataError(
        f'{cells.place(cell)}: column "{cells.column}" holds "{cells.cells[cell]}", which is not a '
        f"known date format{shown}.{like}",
        f"Fix the cell, or specify `date_format`, or {AS_STEPS}.",
    )


def _with_fiscal_start(cells: _Cells, form: str, fiscal_start: int | None) -> str:
    """Return the format of fiscal years with the month in which they begin."""
    if fiscal_start is None:
        cell = int(cells.codes[0])
        raise DataError(
            f'{cells.place(cell)}: column "{cells.column}" holds "{cells.cells[cell]}", and the '
            "first month of the fiscal year is not known.",
            "Set `fiscal_start=10` where fiscal years begin in October, and `fiscal_start=1` where "
            "they are calendar years.",
        )
    return f"{form}@{fiscal_start}"


def _started(cells: _Cells, on_event: Listener) -> _Cells:
    """Return the starts of periods such as "2020-01-06 - 2020-01-12"; other cells as they are."""
    starts = starts_of_periods(cells.cells)
    if starts is None:
        return cells
    text = f"{cells.cells[cells.codes[0]]}: the start of each is used"
    on_event(Note(f'"{cells.column}" holds periods, such as {text}'))
    distinct, codes = np.unique(starts.to_numpy(str), return_inverse=True)
    order = np.argsort(np.unique(codes, return_index=True)[1])
    rank = np.argsort(order)
    found = pd.Series(distinct[order].astype(object), dtype=object)
    return _Cells(cells.table, cells.column, found, rank[codes][cells.codes])


def _note(cells: _Cells, form: str, times: pd.Series, reading: Reading, on_event: Listener) -> None:
    """Say how the first cell was read, where that is more than copying its numbers."""
    clock = form == ISO or "%H:" in form
    ends = [clock and "24:00" in text and bool(MIDNIGHT.search(text)) for text in cells.cells]
    if any(ends):
        cell = ends.index(True)
        text = f"{cells.cells[cell]} is midnight of the next day, {when(times[cell])}"
        on_event(Note(f'"{cells.column}": {text}'))
    if reading.form is None and not _usual(form):
        cell = int(cells.codes[0])
        shown = f"{cells.cells[cell]} is read as {when(times[cell])}"
        on_event(Note(f'"{cells.column}": {shown} (`date_format={_plain(form)}`)'))


def _usual(form: str) -> bool:
    """Whether a format leaves little open: four digits for the year, and English names."""
    apart = re.search(r"%[YG][^@]*[^%\w@]|[^%\w]%-?[YG]|%Y\D+%Q", _plain(form))
    return form in (ISO, "%Y", "%Y%m%d") or (bool(apart) and "@" not in form)


def _longest(text: pa.ChunkedArray) -> str:
    """Return the cell that shows most of the format: midnight may be without its clock time."""
    lengths = pc.utf8_length(text)
    return str(text[pc.index(lengths, pc.max(lengths)).as_py()].as_py())


def _fast_iso(text: pa.ChunkedArray) -> pd.DatetimeIndex | None:
    """Parse ISO dates by Arrow, shape `(rows,)`; None where some are none, or have offsets."""
    try:
        times = pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return pd.DatetimeIndex(times.to_numpy())
