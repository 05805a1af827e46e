"""Dates without what is written around them: names of weekdays; and seasons of two years."""

import re

import pandas as pd

from .cell_shapes import GUESS, candidates
from .date_formats import attempt, day_first
from .month_names import find_language, number_of

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
    read = _read(parts["date"], dayfirst)
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


def _read(dates: pd.Series, dayfirst: bool | None) -> dict[str, pd.Series]:
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
