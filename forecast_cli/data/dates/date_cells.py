"""Text read as times: what is around dates is left out, and all cells have one format."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...core.errors import UsageError
from ...core.events import Listener, Note
from ..io.tables import Table
from ..time.time_index import Dates, when
from .cell_shapes import FIRST, GUESS, candidates, starts_of_periods
from .date_formats import (
    EXCEL,
    ISO,
    SHORT,
    attempt,
    day_first,
    is_fiscal,
    plain_format,
)
from .date_questions import (
    SAMPLE,
    Cells,
    ambiguous,
    check_years,
    complain,
    unknown_start,
    with_fiscal_start,
    without_gaps,
)
from .date_writing import iso_style
from .month_names import find_language, number_of
from .time_names import roles_of

MIDNIGHT = re.compile(r"(?<!\d)24:00")
# The directive of the number beside a year, by what a name says that it is.
NUMBERS = {"month": "m", "quarter": "Q", "week": "V"}


@dataclass(frozen=True)
class Reading:
    """How text is read as times, as in `parse_dates`."""

    form: str | None = None
    dayfirst: bool | None = None
    fiscal_start: int | None = None


def read_text(
    table: Table, column: str, text: pa.ChunkedArray, reading: Reading, on_event: Listener
) -> Dates:
    """Read a column of text as times.

    Raises:
        DataError: A cell is no date, or several formats fit and differ.
    """
    if reading.form is None and (iso := _fast_iso(text)) is not None:
        # The longest cell shows most of the format: midnight may be without its clock time.
        lengths = pc.utf8_length(text)
        return Dates(iso, iso_style(str(text[pc.index(lengths, pc.max(lengths)).as_py()])))
    encoded = pc.utf8_trim_whitespace(text).combine_chunks().dictionary_encode()
    distinct = pd.Series(encoded.dictionary.to_pylist(), dtype=object)
    cells = Cells(table, column, distinct, encoded.indices.to_numpy())
    if reading.form is None:
        if (ends := season_ends(distinct, fewest=1 if reading.fiscal_start else 3)) is not None:
            return _read_seasons(cells, ends, reading.fiscal_start, on_event)
        cells = _started(cells, on_event)
        if bare := _without_weekdays(cells, reading.dayfirst):
            cell = cells.cells[cells.codes[0]]
            on_event(Note(f'"{column}": the weekday of {cell} and of all others is left out'))
            cells, reading = replace(cells, cells=bare[0]), replace(reading, dayfirst=bare[1])
    if reading.form and is_fiscal(reading.form) and "@" not in reading.form:
        reading = Reading(with_fiscal_start(cells, reading.form, reading.fiscal_start))
    form, times = _read(cells, reading)
    _note(cells, form, times, reading, on_event)
    if form == ISO:
        style = iso_style(max(cells.cells, key=len))
    else:
        style = _as_written(cells, form) if reading.form else form
    return Dates(pd.DatetimeIndex(times).take(cells.codes), style)


def _without_weekdays(cells: Cells, dayfirst: bool | None) -> tuple[pd.Series, bool | None] | None:
    """Return cells without weekdays that no format reads; None where there are none."""
    first = cells.cells.iloc[0]
    if not (re.fullmatch(BEFORE, first) or re.fullmatch(AFTER, first)):
        return None
    forms = candidates(cells.cells[:SAMPLE].tolist())
    if any(attempt(cells.cells[:SAMPLE], form).notna().all() for form in forms):
        return None
    return without_weekdays(cells.cells, dayfirst)


def _read_seasons(
    cells: Cells, ends: pd.Series, fiscal_start: int | None, on_event: Listener
) -> Dates:
    """Return the first months of seasons such as 1980/81, whose second years are given."""
    if fiscal_start in (None, 1):
        raise unknown_start(cells)
    begins = pd.to_datetime((ends - 1).astype(str) + f"-{fiscal_start:02d}-01")
    first = int(cells.codes[0])
    text = f"{cells.cells[first]} is read as the year from {when(begins[first])} on"
    on_event(Note(f'"{cells.column}": {text}'))
    return Dates(pd.DatetimeIndex(begins).take(cells.codes), "%Y-%m-%d")


def invalid_format(form: str | None, error: Exception) -> UsageError:
    """Return the error for a format of dates that cannot be used."""
    return UsageError(f'Invalid `date_format` "{form}": {error}.')


def _read(cells: Cells, reading: Reading) -> tuple[str, pd.Series]:
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
        complain(cells, parsed)
    rivals = EXCEL in whole or (best == FIRST and next(iter(whole)) in SHORT)
    form = named[0] if named else _choose(
        cells, {form: whole[form] for form in whole if rivals or ranks[form] <= best}
    )  # fmt: skip
    check_years(cells, form)
    if is_fiscal(form) and "@" not in form:
        form = with_fiscal_start(cells, form, reading.fiscal_start)
        return form, attempt(cells.cells, form)
    return form, parsed[form]


def _as_written(cells: Cells, form: str) -> str:
    """Return a format with the marks of single digits that the cells show."""
    if not re.search("%[dmyVHI]", form):
        return form
    marked = candidates(cells.cells[:SAMPLE].tolist(), thorough=False)
    return next((each for each in marked if plain_format(each) == form), form)


def _is_named(form: str, column: str) -> bool:
    """Whether a year and a number are what the name of their column says: quarters, weeks."""
    roles = roles_of(column)
    plain = plain_format(form)
    pair = re.fullmatch(r"%[YG]\W*0?%([mQV])|0?%([mQV])\W*%[YG]", plain)
    return pair is not None and any(
        role in roles and letter in pair.groups() for role, letter in NUMBERS.items()
    )


def _choose(cells: Cells, whole: Mapping[str, pd.Series]) -> str:
    """Return the format that all cells have; raise the question where several differ."""
    forms = list(whole)
    first = whole[forms[0]]
    if re.fullmatch(r"%Y\W*%-m|%-m\W*%Y", forms[0]) and first.dt.month.max() < 5 and (
        first.dt.year.nunique() > 2
    ):  # fmt: skip
        # Numbers up to four over several years may be quarters.
        forms = [forms[0], re.sub("%-?m", "%Q", forms[0])]
        raise ambiguous(cells, {form: attempt(cells.cells, form) for form in forms})
    if all(first.equals(times) for times in whole.values()):
        return forms[0]
    if len({day_first(form) for form in forms} - {None}) < 2:
        forms = without_gaps(whole) or forms
        if len(forms) == 1:
            return forms[0]
    raise ambiguous(cells, {form: whole[form] for form in forms})


def _started(cells: Cells, on_event: Listener) -> Cells:
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
    return Cells(cells.table, cells.column, found, rank[codes][cells.codes])


def _note(cells: Cells, form: str, times: pd.Series, reading: Reading, on_event: Listener) -> None:
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
        on_event(Note(f'"{cells.column}": {shown} (`date_format={plain_format(form)}`)'))


def _usual(form: str) -> bool:
    """Whether a format leaves little open: four digits for the year, and English names."""
    apart = re.search(r"%[YG][^@]*[^%\w@]|[^%\w]%-?[YG]|%Y\D+%Q", plain_format(form))
    return form in (ISO, "%Y", "%Y%m%d") or (bool(apart) and "@" not in form)


def _fast_iso(text: pa.ChunkedArray) -> pd.DatetimeIndex | None:
    """Parse ISO dates by Arrow, shape `(rows,)`; None where some are none, or have offsets."""
    try:
        times = pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    return pd.DatetimeIndex(times.to_numpy())


# A date of three numbers, or with the name of a month, and a weekday before or after it.
DATED = (
    r"(?:\d{1,4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,4}"
    r"|\d{1,2}\.?\s+[^\W\d_]{3,}\.?,?\s+\d{2,4})(?:日|\D.*\d)?"
)
NAME = r"(?P<day>[^\W\d_]{1,12}(?:-feira)?\.?)"
BEFORE = rf"^{NAME}\s*,?\s+(?P<date>{DATED})$"
AFTER = rf"^(?P<date>{DATED})\s*(?:[,(\uff08]\s*|\s){NAME}\s*[)\uff09]?$"
WEEK = 7
# A year and the next one, e.g. of a harvest or of a school year.
SEASON = re.compile(r"(?P<first>(?:1[5-9]|20|21)\d\d)\s*[-/\u2013]\s*(?P<last>\d{4}|\d{2})")
FEWEST_SEASONS = 3


def without_weekdays(
    cells: pd.Series, dayfirst: bool | None = None
) -> tuple[pd.Series, bool | None] | None:
    """Return dates without their weekdays; None where there are none, or not those of the dates.

    The names may be in any language: those of the CLDR must be right, others must go with one day
    of the week each.

    Args:
        cells: Shape `(distinct,)`.
        dayfirst: Whether the day comes before the month; None to infer it from the weekdays.

    Returns:
        The dates, and whether the day comes before the month, as far as that is known.
    """
    parts = next((cells.str.extract(each) for each in (BEFORE, AFTER)
                  if re.fullmatch(each, cells.iloc[0])), pd.DataFrame({"day": [None]}))  # fmt: skip
    words = parts["day"].dropna().unique().tolist()
    if parts["day"].isna().any() or len(words) > WEEK:
        return None
    read = _by_format(parts["date"], dayfirst)
    language = find_language(words, days=True)
    fits: list[str] = []
    if language is not None:
        days = parts["day"].map({word: number_of(word, language, days=True) for word in words})
        fits = [form for form, times in read.items() if (times.dt.day_of_week == days).all()]
    if not fits and len(cells) > WEEK:
        fits = [form for form, times in read.items() if _go_together(parts["day"], times)]
    if not fits:
        return None
    # The weekdays show which number is the day.
    orders = {day_first(form) for form in fits}
    return parts["date"], orders.pop() if len(orders) == 1 else dayfirst


def _by_format(dates: pd.Series, dayfirst: bool | None) -> dict[str, pd.Series]:
    """Return the times of all dates by each format that they have."""
    forms = [form for form, rank in candidates(dates[:60].tolist()).items() if rank < GUESS]
    forms = [form for form in forms if dayfirst is None or day_first(form) in (None, dayfirst)]
    every = {form: attempt(dates, form) for form in forms}
    return {form: times for form, times in every.items() if times.notna().all()}


def _go_together(words: pd.Series, times: pd.Series) -> bool:
    """Whether each word stands with one day of the week, and each day with one word."""
    pairs = pd.DataFrame({"word": words, "day": times.dt.day_of_week}).drop_duplicates()
    return len(pairs) > 1 and pairs["word"].is_unique and pairs["day"].is_unique


def season_ends(cells: pd.Series, *, fewest: int = FEWEST_SEASONS) -> pd.Series | None:
    """Return the second years of seasons such as 1980/81; None for other cells.

    Args:
        cells: Shape `(distinct,)`; 2001/02 may be a month where there are few.
        fewest: So many are needed.

    >>> season_ends(pd.Series(["1998/99", "1999/00", "2000/2001"])).tolist()
    [1999, 2000, 2001]
    """
    if SEASON.fullmatch(cells.iloc[0]) is None or len(cells) < fewest:
        return None
    years = cells.str.extract(f"^{SEASON.pattern}$")
    if years.isna().any(axis=None):
        return None
    last = years["first"].astype(int) + 1
    written = years["last"].astype(int)
    short = years["last"].str.len() == 2
    return last if (written == last.where(~short, last % 100)).all() else None
