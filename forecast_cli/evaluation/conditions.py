"""Conditions on scores, by which a script learns that forecasts have become worse."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from ..core.errors import DataError, UsageError, nearest

SIGNS = {">": gt, ">=": ge, "<": lt, "<=": le}
FORM = re.compile(r"\s*([\w-]+)\s*(>=|<=|>|<)\s*(\S.*?)\s*")
# By forecaster, its measures by name; None where a measure is not defined.
Scores = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Condition:
    """A measure of a forecaster, and what it is compared with.

    Args:
        measure: As tables of scores name it.
        sign: A key of `SIGNS`.
        limit: A number, or the forecaster whose measure it is compared with.
    """

    measure: str
    sign: str
    limit: float | str

    def __str__(self) -> str:
        return f"{self.measure} {self.sign} {_shown(self.limit)}"


def parse_condition(text: str) -> Condition:
    """Return a condition as typed.

    >>> parse_condition("mase > 1.2"), parse_condition("mae>=seasonal-naive").limit
    (Condition(measure='mase', sign='>', limit=1.2), 'seasonal-naive')

    Raises:
        UsageError: It has another form.
    """
    found = FORM.fullmatch(text)
    if not found:
        raise UsageError(
            f'Invalid condition "{text}".',
            'Give a measure, <, <=, > or >=, and a number or a baseline: "mase > 1.2" or "mae > '
            'seasonal-naive".',
        )
    measure, sign, limit = found.groups()
    try:
        return Condition(measure, sign, float(limit))
    except ValueError:
        return Condition(measure, sign, limit)


def find_met(conditions: Sequence[Condition], scores: Scores, of: str) -> list[str]:
    """Return the conditions that the scores of a forecaster meet, each as a sentence.

    Args:
        conditions: What is looked for.
        scores: Of all forecasters.
        of: The forecaster in question.

    Raises:
        UsageError: A measure or a forecaster does not exist.
        DataError: A measure is not defined for these rows.
    """
    met = []
    for each in conditions:
        value = _score(scores, of, each.measure)
        limit, whose = each.limit, ""
        if isinstance(limit, str):
            limit, whose = _score(scores, limit, each.measure), f" of {limit}"
        if SIGNS[each.sign](value, limit):
            side = "above" if value > limit else "below" if value < limit else "equal to"
            met.append(f"{each.measure} of {of} is {value:.6g}, {side} {_shown(limit)}{whose}")
    return met


def _score(scores: Scores, name: str, measure: str) -> float:
    """Return a measure of a forecaster."""
    if name not in scores:
        raise UsageError(f'Nothing scored is called "{name}".', nearest(name, scores))
    own = {each: value for each, value in scores[name].items() if not isinstance(value, str)}
    if measure not in own:
        raise UsageError(f'{name} has no measure "{measure}".', nearest(measure, own))
    value = own[measure]
    if value is None:
        raise DataError(
            f"{measure} of {name} is not defined for these rows.",
            "Set a condition on another measure, such as mae.",
        )
    return float(value)


def _shown(limit: float | str) -> str:
    return limit if isinstance(limit, str) else f"{limit:.6g}"
