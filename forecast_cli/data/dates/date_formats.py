"""Formats of dates, as those of `strptime`, for reading and writing.

Additional directives: `%Q` is the quarter, 1 to 4; `%h` the half-year, 1 or 2; `%s`, `%ms`,
`%us` and `%ns` are seconds, milliseconds, microseconds and nanoseconds since 1970; `excel` is a
day number of Excel; `decimal-year` is a year with a fraction; `%-d` and the like are numbers
without a leading zero.
After the format, `@` and a language is that of its names (`%d %B %Y@de`), and `@` and a month is
the first one of the fiscal year (`Q%Q FY%y@10`).
For writing alone: `%:z` is an offset with a colon, `%2z` one of whole hours, and `%3f` a fraction
of a second with as many digits.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from ...config.sections import Data
from .month_names import ENGLISH, number_of

ISO = "ISO"
EXCEL = "excel"
# Years with fractions, as R writes months and quarters: 1949.083 is February.
DECIMAL = "decimal-year"
DECIMAL_CELL = r"(1[7-9]|20)\d\d(\.\d{2,})?"
# The day 0 of Excel, as of 1 March 1900: it takes 1900 for a leap year.
EXCEL_START = pd.Timestamp("1899-12-30")
EPOCHS = {
    "%s": (r"-?\d{9,10}(\.\d+)?", "s"), "%ms": (r"-?\d{12,13}(\.0*)?", "ms"),
    "%us": (r"-?\d{15,16}(\.0*)?", "us"), "%ns": (r"-?(\d{18}|[1-8]\d{18})(\.0*)?", "ns"),
}  # fmt: skip
# Unambiguous ISO 8601; bare digits are left to %Y%m%d.
ISO_LIKE = r"\d{4}-\d\d.*|\d{8}T.*"
MIDNIGHT = r"(?<=[T ])24(?=:00|$)"
UTC = re.compile(r"(Z| ?UTC| ?GMT)$")
# Two-digit years above are those of the century before.
LAST_YEAR = 49
WORD = r"[^\W\d_]+\.?"
# Directives that pandas does not have, or does not verify.
OWN = "QhVGuaAj"
# So many cells that pandas cannot read show whether they can be read otherwise.
FEW = 20
# Directives that are no numbers of a known width.
WORDS = "fpaAbB"
DIRECTIVE = re.compile(r"%-?([A-Za-z%])")
# The beginnings of formats with the day before the month, or after it.
DAY_FIRST, DAY_LAST = ("%d/%m", "%d-%m"), ("%m/%d", "%m-%d")
# A month or a week.
SHORT = ("%Y%m", "%G%V")
PATTERNS = {
    "Y": r"(?P<Y>\d{4})", "G": r"(?P<G>\d{4})", "y": r"(?P<y>\d{1,2})", "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})", "j": r"(?P<j>\d{1,3})", "V": r"(?P<V>\d{1,2})", "Q": r"(?P<Q>[1-4])",
    "h": r"(?P<h>[12])", "u": r"(?P<u>[1-7])",
    "H": r"(?P<H>\d{1,2})", "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{1,2})", "S": r"(?P<S>\d{1,2})",
    "f": r"(?P<f>\d{1,9})", "p": r"(?P<p>[aApP]\.?[mM]\.?)", "b": rf"(?P<b>{WORD})",
    "B": rf"(?P<b>{WORD})", "a": rf"(?P<a>{WORD})", "A": rf"(?P<a>{WORD})", "%": "%",
}  # fmt: skip


def plain_format(form: str) -> str:
    """Return a format without marks of numbers.

    >>> plain_format("%-d/%0m/%Y")
    '%d/%m/%Y'
    """
    return re.sub("%[-0]", "%", form)


def day_first(style: str) -> bool | None:
    """Whether the day comes before the month in a format; None where it is unambiguous.

    >>> day_first("%d/%m/%Y"), day_first("%m/%d/%Y"), day_first("%Y-%m-%d")
    (True, False, None)
    """
    plain = re.sub("^%[aA],? *", "", plain_format(style))
    if plain.startswith(DAY_FIRST):
        return True
    return False if plain.startswith(DAY_LAST) else None


def is_rival(form: str) -> bool:
    """Whether a few cells of a format have other formats too, e.g. months and weeks.

    >>> is_rival("%Y%m"), is_rival("%y-%m-%d"), is_rival("%Y-%m-%d"), is_rival("%b-%y")
    (True, True, False, False)
    """
    plain = plain_format(form)
    numeric = not re.search(r"%[bBaA]", plain)
    return plain in (*SHORT, EXCEL) or (numeric and bool(re.search(r"%y|%Y\W*%Q", plain)))


def read_like(data: Data, style: str) -> Data:
    """Return the settings for a table that may be too short to infer the format of another."""
    if data.dayfirst is not None or data.date_format:
        return data
    if day_first(style) is None and is_rival(style):
        return data.changed(date_format=style)
    return data.changed(dayfirst=day_first(style))


def split_format(form: str) -> tuple[str, str, int | None]:
    """Return the format alone, the language of its names, and where its fiscal year begins.

    >>> split_format("%B %Y@de"), split_format("Q%Q FY%y@10"), split_format("%Y-%m")
    (('%B %Y', 'de', None), ('Q%Q FY%y', 'en', 10), ('%Y-%m', 'en', None))
    """
    pattern, _, option = form.partition("@")
    if option.isdigit():
        return pattern, ENGLISH, int(option)
    return pattern, option or ENGLISH, None


def is_fiscal(form: str) -> bool:
    """Whether the years of a format are fiscal years."""
    return "FY" in form


def attempt(series: pd.Series, form: str) -> pd.Series:
    """Parse text by one format, NaT where it does not match."""
    if form == ISO:
        return _attempt_iso(series)
    if form in EPOCHS:
        pattern, unit = EPOCHS[form]
        cells = series.where(series.str.fullmatch(pattern)).str.replace(r"\.0*$", "", regex=True)
        whole = not cells.str.contains(".", regex=False, na=False).any()
        numbers: Any = cells.astype("Int64") if whole else pd.to_numeric(cells)
        convert: Any = partial(pd.to_datetime, unit=unit)
        times: pd.Series = convert(numbers)
        return times
    if form == EXCEL:
        days = pd.to_numeric(series.where(series.str.fullmatch(r"[1-6]\d{4}([.,]\d+)?"))
                             .str.replace(",", "."))  # fmt: skip
        return (EXCEL_START + pd.to_timedelta(days, unit="D")).dt.round("s")
    if form == DECIMAL:
        return _read_decimal(series)
    pattern, language, _ = split_format(form)
    letters = set(DIRECTIVE.findall(pattern))
    own = letters <= {*PATTERNS} and bool(letters & {*"YyG"})
    if letters & {"Q", "h"} and not own:
        raise ValueError("a quarter or half-year needs its year, %Y")
    beside = re.search("%-?[A-Za-z]%", pattern)
    if own and (language != ENGLISH or letters & {*OWN} or beside or pattern == "%Y"):
        times = _read_each(series, form)
    else:
        times = _read_plain(series, pattern.replace("%-", "%"))
        left = series[times.isna()]
        # Midnight as 24:00, or without a clock time, "Sept." and the like.
        if own and len(left) and _read_each(left[:FEW], form).notna().any():
            times[left.index] = _read_each(left, form).astype(times.dtype)
    return times.dt.tz_localize("UTC") if UTC.search(pattern) and times.dt.tz is None else times


def _read_decimal(series: pd.Series) -> pd.Series:
    """Parse years with fractions that are whole months."""
    years = pd.to_numeric(series.where(series.str.fullmatch(DECIMAL_CELL)))
    months = (years * 12).round()
    months = months.where((years * 12 - months).abs() < 0.13)
    named = [None if np.isnan(n) else f"{n // 12:.0f}-{n % 12 + 1:.0f}" for n in months]
    found = pd.Series(named, dtype=object, index=series.index)
    return pd.to_datetime(found, format="%Y-%m", errors="coerce")


def _read_plain(series: pd.Series, form: str) -> pd.Series:
    """Parse text by a format of `strptime`; offsets that differ give times in UTC."""
    try:
        times = pd.to_datetime(series, format=form, errors="coerce")
    except ValueError:
        if "%z" not in form:
            raise
        times = pd.to_datetime(series, format=form, errors="coerce", utc=True)
    if "%y" not in form:
        return times
    # pandas takes 50 to 68 for years to come.
    late = times.dt.year > 2000 + LAST_YEAR
    return times.mask(late, times - pd.DateOffset(years=100)) if late.any() else times


def _attempt_iso(series: pd.Series) -> pd.Series:
    series = series.where(series.str.fullmatch(ISO_LIKE))
    ends = series.str.contains(MIDNIGHT, na=False)
    if ends.any():
        times = _attempt_iso(series.str.replace(MIDNIGHT, "00", regex=True))
        return times + pd.to_timedelta(ends.astype(int), unit="D")
    try:
        return pd.to_datetime(series, format="ISO8601", errors="coerce")
    except ValueError:
        # Offsets differ between rows, as where the clocks change, or are in some rows only; a time
        # without one among others that have it is ambiguous.
        known = series.where(series.str.fullmatch(r".*(Z|[+-]\d\d(:?\d\d)?)", na=False))
        return pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True)


def _read_each(series: pd.Series, form: str) -> pd.Series:
    read = _reader(form)
    times: Any = [read(cell) if isinstance(cell, str) else None for cell in series]
    return pd.Series(np.array(times, "datetime64[us]"), index=series.index)


@cache
def _reader(form: str) -> Callable[[str], datetime | None]:
    """Return a function that reads a cell by a format; None where it does not match."""
    pattern, language, fiscal = split_format(form)
    try:
        matcher = re.compile(_pattern(pattern), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"a part of the date occurs twice ({error})") from None

    def read(cell: str) -> datetime | None:
        found = matcher.fullmatch(cell)
        if found is None:
            return None
        parts = {name: text for name, text in found.groupdict().items() if text is not None}
        try:
            return _date(parts, language, fiscal) + clock_time(parts)
        except (ValueError, KeyError, OverflowError):
            return None

    return read


def _pattern(form: str) -> str:
    r"""Return the regular expression of a format; where there is a clock time, it is optional.

    >>> _pattern("%Y%m")
    '(?P<Y>\\d{4})(?P<m>\\d{2})'
    """
    # Literal text and directives take turns.
    pieces = re.split(r"(%-?[A-Za-z%])", form)
    last, apart = len(pieces) - 1, []
    for at, piece in enumerate(pieces):
        each = PATTERNS[piece[-1]] if at % 2 else re.escape(piece)
        if at > 1 and at % 2 == 0 and pieces[at - 1] in ("%b", "%B") and piece[:1] == ".":
            # The name of May has no dot.
            each = each[:2] + "?" + each[2:]
        around = [pieces[at + way] for way, gap in ((-2, at - 1), (2, at + 1))
                  if 0 < at + way <= last and not pieces[gap]]  # fmt: skip
        if at % 2 and piece[-1] not in WORDS and any(each[-1] not in WORDS for each in around):
            # Without anything in between, numbers have their full width.
            each = re.sub(r"\{1,(\d)\}", r"{\1}", each)
        apart.append(each)
    clock = next((at for at in range(1, last, 2) if pieces[at][-1] in "HI"), 0)
    if clock > 1 and pieces[clock - 1]:
        return "".join(apart[: clock - 1]) + f"(?:{''.join(apart[clock - 1 :])})?"
    return "".join(apart)


def _date(parts: dict[str, str], language: str, fiscal: int | None) -> datetime:
    """Return the day of the parts of a cell."""
    year = int(parts.get("G") or parts.get("Y") or parts["y"])
    if not {"G", "Y"} & parts.keys():
        year += 1900 if year > LAST_YEAR else 2000
    if "V" in parts:
        return datetime.fromisocalendar(year, int(parts["V"]), int(parts.get("u", 1)))
    if "j" in parts:
        found = datetime(year, 1, 1) + timedelta(days=int(parts["j"]) - 1)
        if found.year != year:
            raise ValueError
        return found
    month = 3 * int(parts["Q"]) - 2 if "Q" in parts else int(parts.get("m", 1))
    if "h" in parts:
        month = 6 * int(parts["h"]) - 5
    if "b" in parts:
        named = number_of(parts["b"], language)
        if named is None:
            raise ValueError
        month = named
    if fiscal and fiscal > 1:
        months = year * 12 + month - 1 - (13 - fiscal)
        year, month = months // 12, months % 12 + 1
    day = datetime(year, month, int(parts.get("d", 1)))
    if "a" in parts and number_of(parts["a"], language, days=True) != day.weekday():
        raise ValueError
    return day


def clock_time(parts: Mapping[str, str]) -> timedelta:
    """Return the time since midnight of the parts of a clock time; 24:00 is that of the next day.

    Args:
        parts: The digits of `H`, or `I` with `p`, and of `M`, `S` and `f` where there are such.

    Raises:
        ValueError: There is no such time.
    """
    hour = int(parts.get("H", 0))
    if "I" in parts:
        hour, half = int(parts["I"]), parts.get("p", "a")[0]
        if hour > (23 if half in "pP" else 12):
            raise ValueError
        hour = hour % 12 + (12 if half in "pP" else 0)
    minute, second = int(parts.get("M", 0)), int(parts.get("S", 0))
    fraction = int(parts.get("f", "0").ljust(6, "0")[:6])
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute, second) != (0, 0)):
        raise ValueError
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=fraction)
