"""Formats that the cells of a column suggest together."""

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from .cell_shapes import GUESS, WORD, suggest_shapes
from .date_formats import ISO, attempt, plain_format
from .month_names import ENGLISH, find_language, number_of

# A period, of which the start is read.
PERIOD = (
    r"^(?P<start>.*\d.*?)(?:\s+(?:-|to|bis|until|au|al|a|\u2014)\s+|\s*[\u2192\u2013]\s*"
    r"|(?<=[-:]\d\d)/(?=\d{4}-))(?P<end>.*\d.*?)(?:\s*\([A-Z/ ]+\))?$"
)


def candidates(sample: Sequence[str], *, thorough: bool = True) -> dict[str, int]:
    """Return the formats that the shapes of a sample suggest, with their ranks.

    Those that match less than half of the sample are left out.

    Args:
        sample: The first cells of a column.
        thorough: Whether names of months are looked for in all languages.
    """
    ranks: dict[str, int] = {}
    counts: Counter[str] = Counter()
    marks: dict[str, set[tuple[int, str]]] = {}
    for cell in sample:
        for shape in suggest_shapes(cell.strip()):
            plain = plain_format(shape.form)
            counts[plain] += 1
            ranks[plain] = min(shape.rank, ranks.get(plain, GUESS))
            found = enumerate(re.findall(r"%([-0]?)[A-Za-z]", shape.form))
            marks.setdefault(plain, set()).update((at, mark) for at, mark in found if mark)
    forms = {_marked(form, marks[form]): rank for form, rank in ranks.items()}
    cells = pd.Series([cell.strip() for cell in sample], dtype=object)
    kept: dict[str, int] = {}
    for form, rank in forms.items():
        if "%b" in form.lower() and 3 * counts[plain_format(form)] < len(sample):
            # Looking for names in other languages takes time.
            continue
        whole = _in_language(form, cells, thorough=thorough)
        if whole and _fits(cells, whole):
            kept[whole] = rank
    # The names of some months are their own abbreviations.
    twice = {form.replace("%B", "%b") for form in kept if "%B" in form}
    ranked = sorted(kept.items(), key=lambda item: (item[1], item[0] != ISO, -len(item[0])))
    return {form: rank for form, rank in ranked if form not in twice}


def _fits(cells: pd.Series, form: str) -> bool:
    """Whether most cells are read by a format, which may be of parts that make no date."""
    try:
        return bool(attempt(cells, form).notna().mean() > 0.5)
    except ValueError:
        return False


def starts_of_periods(cells: pd.Series) -> pd.Series | None:
    """Return the starts of periods such as "2020-01-06 - 2020-01-12"; None for other cells."""
    if not cells[:5].str.fullmatch(PERIOD).all() or not cells.str.fullmatch(PERIOD).all():
        return None
    parts = cells.str.extract(PERIOD)
    forms = [candidates(parts[name][:20].tolist()) for name in ("start", "end")]
    return parts["start"] if {*forms[0]} & {*forms[1]} else None


def best_share(sample: Sequence[str], forms: Sequence[str]) -> float:
    """Return the share of a sample that the best of some formats matches."""
    cells = pd.Series([cell.strip() for cell in sample], dtype=object)
    return max((float(attempt(cells, form).notna().mean()) for form in forms), default=0.0)


def _marked(form: str, marks: set[tuple[int, str]]) -> str:
    """Return a format with `%-d` where numbers have a single digit and no leading zero."""
    places = iter(range(form.count("%")))

    def mark(found: re.Match[str]) -> str:
        at = next(places)
        single = (at, "-") in marks and (at, "0") not in marks
        return f"%-{found[1]}" if single else found[0]

    return re.sub(r"%([A-Za-z])", mark, form)


def _in_language(form: str, cells: pd.Series, *, thorough: bool) -> str | None:
    """Return a format with the language of its names; None where there is none."""
    if not re.search("%[aAbB]", form):
        return form
    days = not re.search("%[bB]", form)
    words = {word for cell in cells for word in re.findall(WORD, cell) if not is_other(word)}
    if not days:
        words = {word for word in words if number_of(word, ENGLISH, days=True) is None
                 or number_of(word, ENGLISH) is not None}  # fmt: skip
    if len(words) > 40:
        return None
    english = all(number_of(word, ENGLISH, days=days) is not None for word in words)
    language = ENGLISH if english else find_language(words, days=days) if thorough else None
    return None if language is None else form if language == ENGLISH else f"{form}@{language}"


def is_other(word: str) -> bool:
    """Whether a word of a date is no name."""
    return word.casefold() in ("utc", "gmt")
