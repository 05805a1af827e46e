"""Formats of dates, as those of `strptime`, for reading and writing.

Additional directives: `%Q` is the quarter, 1 to 4; `%s` and `%ms` are seconds and milliseconds
since 1970. For writing alone: `%:z` is an offset with a colon, `%2z` one of whole hours, and `%3f`
a fraction of a second with as many digits.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

ISO = "ISO"
# The formats that are tried where the dates are not ISO 8601; a clock time may follow each.
DAYS = (
    "%Y-%m", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%Y/%m", "%m/%Y", "%b %Y", "%Y",
)  # fmt: skip
# Formats without a clock time: quarters, ISO weeks (their Mondays), and epochs.
WHOLE = ("%Y Q%Q", "%YQ%Q", "%Y-Q%Q", "Q%Q %Y", "%G-W%V", "%GW%V", "%s", "%ms")
EPOCHS = {"%s": (r"-?\d{9,10}", "s"), "%ms": (r"-?\d{12,13}", "ms")}
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
ISO_PARTS = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)\d\d(?P<day>(?P=dash)\d\d)?"
    r"(?:(?P<join>[T ])\d\d(?P<minute>(?P<colon>:?)\d\d)?(?P<second>(?P=colon)\d\d)?"
    r"(?P<fraction>[.,]\d+)?)?(?P<blank> ?)(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)
# Unambiguous ISO 8601; bare digits are left to %Y%m%d.
ISO_LIKE = r"\d{4}-\d\d.*|\d{8}T.*"


def iso_style(example: str) -> str:
    """Return the format of an ISO 8601 time.

    >>> iso_style("2024-03-01T10:30:00.500+01:00")
    '%Y-%m-%dT%H:%M:%S.%3f%:z'
    """
    parts = ISO_PARTS.fullmatch(example)
    if parts is None:
        return "%Y-%m-%d %H:%M:%S"
    dash, colon = parts["dash"], parts["colon"] or ""
    style = f"%Y{dash}%m" + (f"{dash}%d" if parts["day"] else "")
    if parts["join"]:
        style += f"{parts['join']}%H" + (f"{colon}%M" if parts["minute"] else "")
        style += f"{colon}%S" if parts["second"] else ""
        fraction = parts["fraction"]
        style += f"{fraction[0]}%{min(len(fraction) - 1, 6)}f" if fraction else ""
    return style + parts["blank"] + _zone_style(parts["zone"] or "")


def _zone_style(zone: str) -> str:
    if zone in ("", "Z"):
        return zone
    return "%:z" if ":" in zone else "%z" if len(zone) == 5 else "%2z"


def zoned(style: str) -> str:
    """Return the format for times in a zone: with their offset, unless they are whole days.

    >>> zoned("%Y-%m-%d %H:%M"), zoned("%Y-%m-%d"), zoned("%Y-%m-%dT%H:%MZ")
    ('%Y-%m-%d %H:%M%:z', '%Y-%m-%d', '%Y-%m-%dT%H:%M%:z')
    """
    if "%H" not in style and "%I" not in style:
        return style
    return style if style.endswith("z") else style.removesuffix("Z") + "%:z"


def write_dates(times: pd.DatetimeIndex, style: str) -> list[str]:
    """Return the times, shape `(n,)`, as text in a format."""
    if style in EPOCHS:
        unit = pd.Timedelta(f"1{EPOCHS[style][1]}")
        return [str((time - pd.Timestamp(0, tz=times.tz)) // unit) for time in times]
    if "%Q" in style:
        return [time.strftime(style.replace("%Q", str(time.quarter))) for time in times]
    plain = re.sub(r"%\df", "%f", style).replace("%:z", "%z").replace("%2z", "%z")
    texts = list(times.strftime(plain))
    if digits := re.search(r"%(\d)f", style):
        surplus = 6 - int(digits[1])
        fraction = re.compile(r"([.,]\d{6})(?=\D|$)")
        texts = [fraction.sub(lambda m: m[1][: 7 - surplus], text) for text in texts]
    if style.endswith("%2z"):
        return [text.removesuffix("00") for text in texts]
    return [f"{text[:-2]}:{text[-2:]}" for text in texts] if style.endswith("%:z") else texts


def attempt(series: pd.Series, form: str) -> pd.Series:
    """Parse text by one format, NaT where it does not match."""
    if form == ISO:
        return _attempt_iso(series)
    if form in EPOCHS:
        pattern, unit = EPOCHS[form]
        numbers: Any = pd.to_numeric(series.where(series.str.fullmatch(pattern)))
        convert: Any = partial(pd.to_datetime, unit=unit)
        times: pd.Series = convert(numbers)
        return times
    if "%Q" in form:
        return _attempt_quarters(series, form)
    if "%V" in form:
        mondays = pd.Series([f"{cell}-1" for cell in series], dtype=object)
        return pd.to_datetime(mondays, format=f"{form}-%u", errors="coerce")
    if form in ("%Y%m%d", "%Y"):
        # pandas would take six digits as a month.
        series = series.where(series.str.fullmatch(r"\d{8}" if "m" in form else r"[12]\d{3}"))
    return pd.to_datetime(series, format=form, errors="coerce")


def _attempt_quarters(series: pd.Series, form: str) -> pd.Series:
    """Parse quarters as their first days."""
    if "%Y" not in form:
        raise ValueError("a quarter needs its year, %Y")
    pattern = form.replace("%Y", r"(?P<year>\d{4})").replace("%Q", "(?P<quarter>[1-4])")
    found = [re.fullmatch(pattern, str(cell)) for cell in series]
    months = [f"{each['year']}-{3 * int(each['quarter']) - 2}" if each else None for each in found]
    return pd.to_datetime(pd.Series(months, dtype=object), format="%Y-%m", errors="coerce")


def _attempt_iso(series: pd.Series) -> pd.Series:
    series = series.where(series.str.fullmatch(ISO_LIKE))
    try:
        return pd.to_datetime(series, format="ISO8601", errors="coerce")
    except ValueError:
        # Offsets differ between rows, as where the clocks change, or are in some rows only; a time
        # without one among others that have it is ambiguous.
        known = series.where(series.str.fullmatch(r".*(Z|[+-]\d\d(:?\d\d)?)", na=False))
        return pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True)


def fitting_forms(sample: Sequence[str]) -> list[str]:
    """Return the formats, other than ISO 8601, that match more than half of a sample."""
    series = pd.Series(sample, dtype=object)
    forms = [*[day + clock for day in DAYS for clock in CLOCKS], *WHOLE]
    return [form for form in forms if attempt(series, form).notna().mean() > 0.5]
