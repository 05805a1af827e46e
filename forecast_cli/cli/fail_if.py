"""`--fail-if`: an exit code of its own where scores meet a condition."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from ..evaluation.conditions import Condition, find_met, parse_condition
from .console import Console, end_condition_met
from .options import option

# fmt: off
FailIf = Annotated[list[str] | None, option("--fail-if", metavar="CONDITION", env=False,
    common=False,
    help="Exit with code 6 if the scores meet this, e.g. 'mase > 1.2' or 'mae > seasonal-naive'; "
    "repeatable.")]
# fmt: on


class Conditions:
    """The conditions of a command.

    Args:
        texts: As typed.

    Raises:
        UsageError: One has another form.
    """

    def __init__(self, texts: Iterable[str] | None) -> None:
        self.all: Sequence[Condition] = [parse_condition(each) for each in texts or ()]
        self.met: list[str] = []

    def compare(self, rows: Iterable[dict[str, Any]], of: str, key: str) -> None:
        """Note which conditions a forecaster meets, of any target.

        Args:
            rows: Of each forecaster a row of measures, and where there are several, of each target.
            of: The forecaster.
            key: The column with the names of forecasters.

        Raises:
            UsageError: A measure or a forecaster does not exist.
            DataError: A measure is not defined for these rows.
        """
        rows = list(rows)
        for target in dict.fromkeys(row.get("column") for row in rows):
            scores = {row[key]: row for row in rows if row.get("column") == target}
            found = find_met(self.all, scores, of)
            self.met += [f"{target}: {each}" if target else each for each in found]

    def end_if_met(self, console: Console) -> None:
        """End the command with an error where a condition is met; the results were printed."""
        if self.met:
            end_condition_met(console, f"{'; '.join(self.met)} (--fail-if).")
