"""Formats of dates that the shape of one cell suggests, and the cells of a column together."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from .date_formats import DECIMAL, DECIMAL_CELL, EPOCHS, EXCEL, ISO, ISO_LIKE, attempt, plain_format
from .month_names import ENGLISH, find_language, number_of

# How well a format fits: those of the first rank are tried first; a guess is only proposed.
FIRST, SECOND, GUESS = 1, 2, 3
# Digits of the time since the year 1 in ten-millionths of a second, as .NET counts.
TICKS = 18
WORD = r"[^\W\d_]{3,}\.?"
APART = r"\s*[-/._: ]\s*"
# Letters and words before or after the number of a half-year, quarter, month or week.
HALVES = r"S|H|half|sem\.?|semester|semestre|halbjahr|hj\.?"
QUARTERS = r"Q|K|T|qtr\.?|quarter|quartal|trim\.?|trimestre|kvartal|kwartaal|kwartał"
WEEKS = r"W|KW|wk|week|sem\.?|semana|semaine|woche|uge|vecka"
CLOCK = re.compile(
    r"(?P<before>T|, ?|:| +|-|_)(?P<H>\d{1,2})"
    r"(?:(?P<colon>[:.h]|(?<=\D\d\d)(?=\d\d))(?P<M>\d{2})(?:(?P=colon)(?P<S>\d{2})(?:(?P<point>[.,])\d{1,9})?)?)?"
    r"(?:(?P<blank> ?|-)(?P<p>[ap]\.?m\.?))?(?P<apart> ?)(?P<z>Z|UTC|GMT|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
WEEKDAY = re.compile(rf"^({WORD}|[^\W\d_]{{2}}\.?)(,? +)(?=.*\d)")


@dataclass(frozen=True)
class Shape:
    """A format that a cell suggests.

    Args:
        form: The format; `%0d` is a number with a leading zero, `%-d` one of a single digit.
        rank: How well it fits.
    """

    form: str
    rank: int = FIRST


# Returns the formats of a cell that a pattern matches.
Forms = Callable[[re.Match[str]], Iterable[Shape]]


def suggest_shapes(cell: str) -> Iterator[Shape]:
    """Yield the formats that one cell suggests, dates alone before those with a clock time."""
    if re.fullmatch(ISO_LIKE, cell):
        yield Shape(ISO)
    if re.fullmatch(r"[-\d.,]+", cell):
        yield from _numbers(cell)
    found = list(_day(cell))
    if not found and (clock := CLOCK.search(cell)):
        after = _clock(clock)
        for shape in _day(cell[: clock.start()]):
            yield Shape(shape.form + after, shape.rank)
    yield from found


def _numbers(cell: str) -> Iterator[Shape]:
    """Yield the formats of digits alone, by how many they are."""
    digits = len(re.sub(r"[.,].*", "", cell.lstrip("-")))
    compact = {
        14: ["%Y%m%d%H%M%S"], 12: ["%Y%m%d%H%M"], 10: ["%Y%m%d%H"], 8: ["%Y%m%d"],
        17: ["%Y%m%d%H%M%S%f"],
    }  # fmt: skip
    if cell.isdigit():
        yield from (Shape(form) for form in compact.get(digits, ()))
        if digits == 8:
            yield from (Shape(form, SECOND) for form in ("%d%m%Y", "%m%d%Y"))
        if digits == 6 and cell[:2] in ("18", "19", "20"):
            yield from (Shape(each) for each in ("%Y%m", "%G%V"))
        if digits == 6:
            yield from (Shape(form, GUESS) for form in ("%y%m%d", "%d%m%y", "%m%d%y"))
        if digits == 5 and cell[:2] in ("18", "19", "20") and cell[4] != "0":
            yield Shape("%Y%Q", GUESS)
        if digits == 7 and cell[:2] in ("18", "19", "20"):
            yield Shape("%Y%j")
        if digits == 4:
            yield Shape("%Y")
    if re.fullmatch(DECIMAL_CELL, cell) and not cell.isdigit():
        yield Shape(DECIMAL)
    # So many nanoseconds are before 2001, and more likely ticks of a ten-millionth of a second.
    rank = GUESS if digits == TICKS else SECOND if digits in compact else FIRST
    for form, (pattern, _) in EPOCHS.items():
        if re.fullmatch(pattern, cell):
            yield Shape(form, rank)
    if re.fullmatch(r"[2-6]\d{4}([.,]\d+)?", cell):
        yield Shape(EXCEL, SECOND if cell.isdigit() else FIRST)


def _clock(found: re.Match[str]) -> str:
    """Return the format of a clock time."""
    colon, half = found["colon"] or "", found["p"]
    hour = "%" + _mark(found["H"]) + ("I" if half else "H")
    form = found["before"] + hour + (f"{colon}%M" if found["M"] else "")
    form += f"{colon}%S" if found["S"] else ""
    form += f"{found['point']}%f" if found["point"] else ""
    form += f"{found['blank']}%p" if half else ""
    zone = found["z"] or ""
    return form + found["apart"] + ("%z" if zone[:1] in ("+", "-") else zone)


def _mark(digits: str) -> str:
    """Return the mark of a number: a single digit, one with a leading zero, or neither."""
    return "-" if len(digits) == 1 else "0" if digits[0] == "0" else ""


def _day(cell: str) -> Iterator[Shape]:
    """Yield the formats of a date without a clock time."""
    if weekday := WEEKDAY.match(cell):
        name = "%A" if len(weekday[1].rstrip(".")) > 3 else "%a"
        for shape in _day(cell[weekday.end() :]):
            if re.search("%[-0]?d", shape.form) and "%a" not in shape.form.lower():
                yield Shape(name + weekday[2] + shape.form, shape.rank)
    for pattern, forms in _rules():
        if found := pattern.fullmatch(cell):
            yield from forms(found)
    if cell.isdigit() and len(cell) in (4, 6, 8):
        yield from _numbers(cell)


def _orders(found: re.Match[str]) -> Iterator[Shape]:
    """Yield the orders of day, month and year as numbers, maybe with a dot behind each."""
    first, one, two, last, end = (found[name] for name in ("x", "one", "two", "z", "end"))
    day, month = f"%{_mark(first)}d", f"%{_mark(first)}m"
    middle_day, middle_month = f"%{_mark(found['y'])}d", f"%{_mark(found['y'])}m"
    if len(first) == 4:
        yield Shape(f"%Y{one}{middle_month}{two}%{_mark(last)}d{end}")
        yield Shape(f"%Y{one}{middle_day}{two}%{_mark(last)}m{end}", SECOND)
        return
    if len(last) != 3 and len(last) != 1:
        year = "%Y" if len(last) == 4 else "%y"
        yield Shape(f"{day}{one}{middle_month}{two}{year}{end}")
        yield Shape(f"{month}{one}{middle_day}{two}{year}{end}", SECOND if "." in one else FIRST)
    if len(first) == 2 and len(last) <= 2:
        yield Shape(f"%y{one}{middle_month}{two}%{_mark(last)}d{end}")


def _pair(found: re.Match[str]) -> Iterator[Shape]:
    """Yield the formats of a year of four digits and a number: month, quarter or week."""
    year_first = len(found["x"]) == 4
    number = found["y"] if year_first else found["x"]
    for letter in "mQV":
        mark = "" if letter == "Q" else _mark(number)
        if letter == "Q" and number[0] == "0":
            letter = "0%Q"
        part = letter if "%" in letter else f"%{mark}{letter}"
        year = "%G" if letter == "V" else "%Y"
        form = f"{year}{found['one']}{part}" if year_first else f"{part}{found['one']}{year}"
        yield Shape(form, FIRST if letter == "m" else SECOND)


def _short_pair(found: re.Match[str]) -> Iterator[Shape]:
    """Yield guesses for two numbers of at most two digits: a month and a year."""
    first, apart, last = found["x"], found["one"], found["y"]
    yield Shape(f"%{_mark(first)}y{apart}%{_mark(last)}m", GUESS)
    yield Shape(f"%{_mark(first)}m{apart}%{_mark(last)}y", GUESS)


def _named(order: str) -> Forms:
    """Return the formats of a date with the name of its month, e.g. in the order "dby"."""

    def forms(found: re.Match[str]) -> Iterator[Shape]:
        letters = len(found["b"].rstrip("."))
        name = ("%B" if letters > 4 else "%b") + "." * found["b"].endswith(".")
        day = f"%{_mark(found['d'])}d" if "d" in order else ""
        year = "%Y" if len(found["Y"]) == 4 else "%y"
        parts = {"d": day, "b": name, "y": year}
        text = parts[order[0]] + found["one"] + parts[order[1]]
        text += found["two"] + parts[order[2]] if len(order) == 3 else ""
        yield Shape(text, GUESS if order == "yb" and year == "%y" else FIRST)

    return forms


def _east_asian(found: re.Match[str]) -> Iterator[Shape]:
    """Yield the format of a date with Chinese, Japanese or Korean units."""
    form = f"%Y{found['one']}%{_mark(found['m'])}m{found['two']}"
    blank = " " if found["d"] and " " in found["one"] else ""
    yield Shape(form + (f"{blank}%{_mark(found['d'])}d{found['three']}" if found["d"] else ""))


def _lettered(letter: str) -> Forms:
    """Return the formats of a year and a number with a letter: 2012M01, Q1 FY05, KW 7 2020."""

    def forms(found: re.Match[str]) -> Iterator[Shape]:
        number, year = found["n"], "%Y" if len(found["Y"]) == 4 else "%y"
        mark = f"{'0' * (number[0] == '0')}%{letter}"
        part = mark if letter in "Qh" else f"%{_mark(number)}{letter}"
        year = "%G" if letter == "V" and year == "%Y" else year
        cell, at, to = found.string, found.start("n"), found.end("n")
        text = cell[:at].replace("%", "%%") + "\0" + cell[to:].replace("%", "%%")
        shift = len(text) - len(cell) if found.start("Y") > at else 0
        begin, end = found.start("Y") + shift, found.end("Y") + shift
        # A letter and two small numbers may be the name of anything.
        rank = GUESS if letter == "h" and year == "%y" else FIRST
        yield Shape((text[:begin] + year + text[end:]).replace("\0", part), rank)

    return forms


@cache
def _rules() -> list[tuple[re.Pattern[str], Forms]]:
    """Return the patterns of dates, with the formats of each."""
    of = r"(?:\.?,?\s+de(?:l)?\s+|\.?\s+d')"
    sep, year = rf"(?:{of}|,\s*|{APART}|(?<=\d)(?=\D)|(?<=\D)(?=\d))", r"(?P<Y>\d{4}|\d{2})"
    name, day = rf"(?P<b>{WORD})", r"(?P<d>\d{1,2})"
    rules: list[tuple[str, Forms]] = [
        (rf"(?P<x>\d{{4}}|\d{{1,2}})(?P<one>{APART})(?P<y>\d{{1,2}})(?P<two>(?P=one))"
         r"(?P<z>\d{4}|\d{1,2})(?P<end>\.?)", _orders),
        (rf"(?P<x>\d{{4}})(?P<one>{APART})(?P<y>\d{{1,2}})", _pair),
        (rf"(?P<x>\d{{1,2}})(?P<one>{APART})(?P<y>\d{{4}})", _pair),
        (r"(?P<x>\d{1,2})(?P<one>[-/. ])(?P<y>\d{1,2})", _short_pair),
        # A day of a week by ISO 8601, 2022-W01-3, and of a year, 2022-031.
        (r"(?P<x>\d{4})(?P<one>-?)W(?P<y>\d{2})(?P=one)[1-7]",
         lambda found: [Shape(f"%G{found['one']}W%V{found['one']}%u")]),
        (r"(?P<x>(?:18|19|20)\d\d)(?P<one>[-/.])\d{3}",
         lambda found: [Shape(f"%Y{found['one']}%j")]),
        (rf"{day}(?P<one>\.?\s*{sep}){name}(?P<two>{sep}|'|\s+'){year}", _named("dby")),
        (rf"{name}(?P<one>{sep}){day}(?P<two>{sep}){year}", _named("bdy")),
        (rf"(?P<Y>\d{{4}})(?P<one>{sep}){name}(?P<two>{sep}){day}", _named("ybd")),
        (rf"{name}(?P<one>{sep}|'|\s+'){year}", _named("by")),
        (rf"{year}(?P<one>{sep}){name}", _named("yb")),
        (r"(?P<Y>\d{4})(?P<one>年|년 ?)(?P<m>\d{1,2})(?P<two>月|월)"
         r"(?: ?(?P<d>\d{1,2})(?P<three>日|일))?", _east_asian),
    ]  # fmt: skip
    for letter, words, number in (
        ("Q", QUARTERS, r"(?P<n>0?[1-4])"), ("h", HALVES, r"(?P<n>0?[12])"),
        ("m", r"M|P", r"(?P<n>\d{1,2})"),
        ("V", WEEKS, r"(?P<n>\d{1,2})"),
    ):  # fmt: skip
        after, old = r"[-/_.: ']*", r"(?:FY ?'?)?"
        word = rf"(?:{words})"
        years = r"(?P<Y>\d{4}|(?<=Y)\d{2}|(?<=Y )\d{2}|(?<=')\d{2})"
        ends = rf"{old}(?P<Y>\d{{4}}|\d{{2}})"
        rules += [
            (rf"{old}{years}{after}{word}{after}{number}", _lettered(letter)),
            (rf"{word}{after}{number}[-/_.: ',]*{ends}", _lettered(letter)),
            (rf"{number}\.?(?:st|nd|rd|th)?{after}{word}{after}{ends}", _lettered(letter)),
        ]
    return [(re.compile(pattern, re.IGNORECASE), forms) for pattern, forms in rules]


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
    words = {word for cell in cells for word in re.findall(WORD, cell)
             if word.casefold() not in ("utc", "gmt")}  # fmt: skip
    if not days:
        words = {word for word in words if number_of(word, ENGLISH, days=True) is None
                 or number_of(word, ENGLISH) is not None}  # fmt: skip
    if len(words) > 40:
        return None
    english = all(number_of(word, ENGLISH, days=days) is not None for word in words)
    language = ENGLISH if english else find_language(words, days=days) if thorough else None
    return None if language is None else form if language == ENGLISH else f"{form}@{language}"
