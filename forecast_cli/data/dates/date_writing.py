"""Times written as text, in the formats in which they were read."""

import re

import pandas as pd

from .date_formats import DECIMAL, DIRECTIVE, EPOCHS, EXCEL, EXCEL_START, UTC, split_format
from .month_names import ENGLISH, month_abbreviations, month_names

ISO_PARTS = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)\d\d(?P<day>(?P=dash)\d\d)?"
    r"(?:(?P<join>[T ])\d\d(?P<minute>(?P<colon>:?)\d\d)?(?P<second>(?P=colon)\d\d)?"
    r"(?P<fraction>[.,]\d+)?)?(?P<blank> ?)(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)


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
    zone = parts["zone"] or ""
    if zone not in ("", "Z"):
        zone = "%:z" if ":" in zone else "%z" if len(zone) == 5 else "%2z"
    return style + parts["blank"] + zone


def zoned(style: str) -> str:
    """Return the format for times in a zone: with their offset, unless they are whole days.

    >>> zoned("%Y-%m-%d %H:%M"), zoned("%Y-%m-%d"), zoned("%Y-%m-%dT%H:%MZ")
    ('%Y-%m-%d %H:%M%:z', '%Y-%m-%d', '%Y-%m-%dT%H:%M%:z')
    """
    pattern, at, option = style.partition("@")
    if not re.search("%-?[HI]", pattern) or pattern.endswith("z"):
        return style
    return UTC.sub("", pattern) + "%:z" + at + option


def write_dates(times: pd.DatetimeIndex, style: str) -> list[str]:
    """Return the times, shape `(n,)`, as text in a format."""
    if style in EPOCHS:
        unit = pd.Timedelta(f"1{EPOCHS[style][1]}")
        return [str((time - pd.Timestamp(0, tz=times.tz)) // unit) for time in times]
    if style == EXCEL:
        days = ((times.tz_localize(None) - EXCEL_START) / pd.Timedelta(days=1)).to_numpy()
        return [f"{day:.10f}".rstrip("0").rstrip(".") for day in days]
    if style == DECIMAL:
        return [f"{time.year + (time.month - 1) / 12:.3f}" for time in times]
    if any(each in style for each in ("@", "%Q", "%h", "%-")):
        return [_write_one(time, *split_format(style)) for time in times]
    return _write_plain(times, style)


def _write_plain(times: pd.DatetimeIndex, style: str) -> list[str]:
    """Write times by a format of `strftime`, with `%:z`, `%2z` and `%3f`."""
    plain = re.sub(r"%\df", "%f", style).replace("%:z", "%z").replace("%2z", "%z")
    texts = list(times.strftime(plain))
    if digits := re.search(r"%(\d)f", style):
        surplus = 6 - int(digits[1])
        fraction = re.compile(r"([.,]\d{6})(?=\D|$)")
        texts = [fraction.sub(lambda m: m[1][: 7 - surplus], text) for text in texts]
    if style.endswith("%2z"):
        return [text.removesuffix("00") for text in texts]
    return [f"{text[:-2]}:{text[-2:]}" for text in texts] if style.endswith("%:z") else texts


def _write_one(time: pd.Timestamp, pattern: str, language: str, fiscal: int | None) -> str:
    """Write one time by a format with directives of our own."""
    # Year and month are those of the fiscal year, named by its last month.
    shown = time + pd.DateOffset(months=(13 - fiscal) % 12) if fiscal else time
    in_date = bool(re.search("%-?d", pattern))

    def text(found: re.Match[str]) -> str:
        letter = found[1]
        if letter == "Q":
            return str(shown.quarter)
        if letter == "h":
            return str((shown.month + 5) // 6)
        if letter == "B" and language != ENGLISH:
            return month_names(language, in_date=in_date)[shown.month - 1]
        if letter == "b" and language != ENGLISH:
            return month_abbreviations(language)[shown.month - 1]
        value = shown.strftime(f"%{letter}")
        return value.lstrip("0") or "0" if found[0][1] == "-" else value

    pattern, zone, _ = pattern.partition("%:z")
    written = DIRECTIVE.sub(text, re.sub(r"%\df", "%f", pattern))
    return written + (_write_plain(pd.DatetimeIndex([time]), "%:z")[0] if zone else "")
