"""Names of months and weekdays: English ones, and those of other languages by the CLDR (Babel)."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from ...core.errors import UsageError
from ..time.business_days import MONTHS, WEEKDAYS

ENGLISH = "en"
# The languages that are tried first, most frequent ones first; then all others of the CLDR.
LANGUAGES = (
    "de", "es", "fr", "it", "pt", "nl", "pl", "sv", "da", "nb", "fi", "cs", "tr", "ru", "uk", "hu",
    "ro", "el", "sk", "hr", "sl", "bg", "ca", "et", "lv", "lt", "id", "eu", "gl",
)  # fmt: skip
# Languages in which some names of months mean different months.
SIMILAR = ("pl", "cs", "hr", "uk", "be", "sl")
# Abbreviations in use that are neither in the CLDR nor beginnings of names.
OTHERS = {"en": {"sept": 9}, "de": {"mrz": 3, "maerz": 3}, "es": {"set": 9}}
MIN_LETTERS = 3


def plain_word(word: str) -> str:
    """Return a word in lower case, without accents and the dot of an abbreviation.

    >>> plain_word("Févr.")
    'fevr'
    """
    apart = unicodedata.normalize("NFKD", word.casefold().rstrip("."))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@cache
def month_names(language: str, *, in_date: bool = False) -> tuple[str, ...]:
    """Return the twelve names, as they stand alone, or beside a day of the month."""
    if language == ENGLISH:
        return MONTHS
    names = _locale(language).months["format" if in_date else "stand-alone"]["wide"]
    return tuple(str(names[number]) for number in range(1, 13))


@cache
def month_abbreviations(language: str) -> tuple[str, ...]:
    """Return the names of three letters, or those of the CLDR where these are ambiguous."""
    names = tuple(name[:MIN_LETTERS] for name in month_names(language))
    if language == ENGLISH or len(set(names)) == 12:
        return names
    short = _locale(language).months["stand-alone"]["abbreviated"]
    return tuple(str(short[number]) for number in range(1, 13))


def _locale(language: str) -> Any:
    """Return what Babel knows of a language; a UsageError where Babel is not installed."""
    try:
        from babel import Locale
    except ImportError:
        raise UsageError(
            f"Names of months in the language {language} need Babel, which is not installed.",
            "pip install babel",
        ) from None
    return Locale.parse(language)


@cache
def _known(language: str, *, days: bool) -> dict[str, int]:
    """Return the number of each name and each usual abbreviation."""
    if language == ENGLISH:
        names = {
            plain_word(name): at for at, name in enumerate(WEEKDAYS if days else MONTHS, days ^ 1)
        }
        return names | ({} if days else OTHERS[ENGLISH])
    locale = _locale(language)
    known: dict[str, int] = {} if days else dict(OTHERS.get(language, {}))
    for use in ("format", "stand-alone"):
        names_of: Any = (locale.days if days else locale.months)[use]
        for width in ("wide", "abbreviated", "short"):
            # Of months there are no short names.
            for number, name in names_of.get(width, {}).items():
                known.setdefault(plain_word(str(name)), int(number))
    return known


def number_of(word: str, language: str, *, days: bool = False) -> int | None:
    """Return the number of a month, 1 to 12, or of a weekday, Monday is 0; None for other words.

    The beginning of a name counts where only one name begins so.

    >>> number_of("Sept.", "en"), number_of("AUG", "en"), number_of("Tues", "en", days=True)
    (9, 8, 1)
    >>> number_of("Ju", "en") is None
    True
    """
    known, plain = _known(language, days=days), plain_word(word)
    if plain in known:
        return known[plain]
    if len(plain) < MIN_LETTERS:
        return None
    found = {number for name, number in known.items() if name.startswith(plain)}
    return found.pop() if len(found) == 1 else None


def find_language(words: Iterable[str], *, days: bool = False) -> str | None:
    """Return the language in which all words are months, or weekdays; None if there is none.

    None too where the words mean different months in similar languages.
    """
    distinct = tuple(sorted({plain_word(word) for word in words}))
    return _find_language(distinct, days) if 0 < len(distinct) <= 40 else None


@cache
def _find_language(words: tuple[str, ...], days: bool) -> str | None:
    if _numbers(words, ENGLISH, days):
        return ENGLISH
    if any(re.search(r"[\W\d_]", word) for word in words) or find_spec("babel") is None:
        return None
    for language in LANGUAGES:
        if numbers := _numbers(words, language, days):
            others = SIMILAR if language in SIMILAR else ()
            read = [_numbers(words, other, days) for other in others]
            return language if all(each in (None, numbers) for each in read) else None
    from babel import localedata

    rest = sorted({*localedata.locale_identifiers()} - {*LANGUAGES, ENGLISH})
    return next((name for name in rest if "_" not in name and _numbers(words, name, days)), None)


def _numbers(words: Sequence[str], language: str, days: bool) -> list[int] | None:
    """Return the number of each word; None where one has none."""
    numbers = []
    for word in words:
        number = number_of(word, language, days=days)
        if number is None:
            return None
        numbers.append(number)
    return numbers
