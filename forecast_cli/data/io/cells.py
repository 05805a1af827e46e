"""What a cell of a text table seems to be: a number, a date, a unit or a word."""

import re

from .decorations import affix, is_number

PLAIN_DATA = re.compile(r"[-+]?\d[\d.,:/ TZ+-]*")
# Without those of the CLDR, whose library takes longer to load than a forecast.
DATE_WORDS = (
    "january jan february feb march mar april apr may june jun july jul august aug september sept "
    "sep october oct november nov december dec januar februar märz mrz mai juni juli oktober okt "
    "dezember dez janvier janv février févr fév mars avril avr juin juillet juil août septembre "
    "octobre novembre décembre déc enero ene febrero marzo abril abr mayo junio julio agosto ago "
    "septiembre octubre noviembre diciembre dic gennaio gen febbraio maggio mag giugno giu luglio "
    "lug settembre set ottobre ott dicembre januari februari maart mrt mei augustus monday mon "
    "tuesday tue wednesday wed thursday thu friday fri saturday sat sunday sun am pm utc gmt z fy"
)
WORDS = re.compile(rf"(?<![^\W\d])({'|'.join(DATE_WORDS.split())})(?![^\W\d])\.?", re.IGNORECASE)
# Letters beside the digits of a date: the T of ISO 8601, quarters, months and weeks.
LETTERS = re.compile(r"(?<=\d)T(?=\d)|(?<![^\W\d])[QMWH](?=\d)", re.IGNORECASE)
DATE = re.compile(
    r"\d{1,4}[-/:]\d{1,2}\b.*|\d{1,4}\.\d{1,2}\.(\d{1,4}.*)?|[12]\d{3}|\d{6}|\d{8}|\d{10,19}"
)
UNIT = (
    r"[\[(].*[\])]|[^\W\d_]{1,5}/[^\W\d_]{1,5}[23²³]?|-|[-=+:]{3,}|units?|einheit|utc|gmt|cet|cest|"
    r"(?=.*[yjhd])[yjmdths]{1,4}([-/.: ]+[yjmdths]{1,4})+|\d+[snd]"
)


def is_date(cell: str) -> bool:
    """Whether a cell seems to be a date or time.

    >>> [is_date(cell) for cell in ("Feb 04, 2020", "2012M01", "1-01", "12.5", "Total 2020")]
    [True, True, True, False, False]
    """
    bare, words = WORDS.subn(" ", cell.strip())
    bare, letters = LETTERS.subn("", bare)
    bare = bare.strip(" ,")
    if re.search(r"[^\d\s.,:/+-]", bare) or not re.search(r"\d", bare):
        return False
    return bool(words or letters or DATE.fullmatch(bare))


def is_data(cell: str) -> bool:
    """Whether a cell seems to be a number or a date, which are no names."""
    cell = cell.strip()
    if not re.search(r"\d", cell):
        return False
    return bool(PLAIN_DATA.fullmatch(cell)) or is_number(cell) or is_date(cell)


def is_unit(cell: str) -> bool:
    """Whether a cell seems to be a unit, as in a second line of a header."""
    return bool(re.fullmatch(UNIT, cell.strip(), re.IGNORECASE)) or affix(cell.strip()) is not None


def is_wordy(cell: str) -> bool:
    """Whether a cell holds a word."""
    return bool(re.search(r"[^\W\d_]{2,}", cell))


def shape(cell: str) -> str:
    """Return a cell with its digits as 9 and its words as A.

    >>> shape("Jan 2014"), shape("2020-01-05")
    ('A 9', '9-9-9')
    """
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", cell.strip()))
