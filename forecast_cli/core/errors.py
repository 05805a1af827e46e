"""The exceptions of the package; the command line turns them into exit codes.

ForecastError
├── UsageError       an invalid option or argument                    exit code 2
├── DataError        a table that cannot be used                      exit code 3
├── ModelFileError   a file is no model, or not one for this version  exit code 4
├── TrainingError    a training that failed                           exit code 5
├── ConditionMet     scores meet a condition that was set             exit code 6
└── Interrupted      Ctrl-C                                           exit code 130
"""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

# A setting with a value in a hint, and several that belong together.
PROPOSAL = re.compile(r"\x60([a-z_]+)=([^\x60]+)\x60")
PROPOSED = re.compile(rf"{PROPOSAL.pattern}(?:,? and {PROPOSAL.pattern})*")

# One of what is counted by a word that ends with -s, where no word before makes the 1 a name.
ONE = re.compile(
    r"(?<![\w.,:/-])(?<!line )(?<!row )(?<!column )(?<!step )(?<!network )(1 (?:(?:more|missing) )?"
    r"(?:row|step|column|day|week|month|weekday|forecast|window|network|cell|file|gap|cutoff|trial"
    r"|fold|sequence))s( are| have| were)?\b"
)
ONE_SERIES = re.compile(r"(?<![\w.,:/-])(1 series)( are| have| were)\b")
VERBS = {" are": " is", " have": " has", " were": " was"}


class ForecastError(Exception):
    """An error that the user can fix.

    Args:
        message: What happened, with the values received, and what was expected.
        hint: How to fix it; may be empty.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = singular(message), singular(hint)
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def proposed(self) -> dict[str, str]:
        """The settings that the hint proposes first, with values; `a=1` and `b=2` go together.

        >>> DataError("Gaps.", "Pass `freq=D` and `missing=ffill`; or `time=none`.").proposed
        {'freq': 'D', 'missing': 'ffill'}
        """
        found = PROPOSED.search(self.hint)
        return dict(PROPOSAL.findall(found[0])) if found else {}


class UsageError(ForecastError):
    """An invalid option or argument."""

    code = "usage"
    exit_code = 2


class DataError(ForecastError):
    """A table that cannot be used."""

    code = "data"
    exit_code = 3


class ModelFileError(ForecastError):
    """A file that is not a model, or not one that this version reads."""

    code = "model"
    exit_code = 4


class TrainingError(ForecastError):
    """A training that failed."""

    code = "training"
    exit_code = 5


class ConditionMet(ForecastError):
    """Scores meet a condition that was set for them."""

    code = "condition"
    exit_code = 6


class Interrupted(ForecastError):
    """Ctrl-C was pressed."""

    code = "interrupted"
    exit_code = 130


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the hint for an unknown name: the nearest valid one, and all of them.

    >>> nearest("Clsoe", ["Date", "Close"])
    'Did you mean "Close"? There are: Date, Close.'
    """
    names = list(valid)
    folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), folded, n=1)
    guess = f'Did you mean "{folded[close[0]]}"? ' if close else ""
    return f"{guess}There are: {', '.join(names)}."


def counted(number: int, what: str) -> str:
    """Return a number with its noun, for a message.

    >>> counted(1, "forecast"), counted(2000, "forecast")
    ('1 forecast', '2,000 forecasts')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"


def singular(text: str) -> str:
    """Return a message without the plural of one.

    >>> singular("1 rows are left out; 21 rows, 1 series have gaps, line 1 columns")
    '1 row is left out; 21 rows, 1 series has gaps, line 1 columns'
    """
    if "1 " not in text:
        return text
    for form in (ONE, ONE_SERIES):
        text = form.sub(lambda found: found[1] + VERBS.get(found[2] or "", ""), text)
    return text


def listed(items: Sequence[object], *, most: int = 5, say: Callable[[Any], str] = str) -> str:
    """Return the first few of many items, for a message, each as `say` writes it.

    >>> listed(range(2, 10), most=3)
    '2, 3, 4 and 5 more'
    """
    rest = len(items) - most
    return ", ".join(map(say, items[:most])) + (f" and {rest} more" if rest > 0 else "")
