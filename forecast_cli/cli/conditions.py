"""`--fail-if` and `--keep-better`: an exit code of its own where results meet a condition."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.errors import DataError, UsageError, nearest
from .console import Console, end_condition_met
from .inputs import one_or_all
from .options import option

if TYPE_CHECKING:
    from ..config.schema import Config
    from ..evaluation.replacement import Replacement
    from ..model.bundle import Bundle

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
    """Return the conditions that the scores of one of the forecasters meet, each as a sentence.

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


class Incumbent:
    """The model that a training may replace.

    Args:
        path: Of the model; where there is none, the new one is saved without comparison.
        tables: What is trained on.
        config: The settings of the training.

    Raises:
        DataError: No row of the tables is new to the old model.
        ModelFileError: The file is no model.
        UsageError: The tables cannot be read twice, or the models would not be comparable.
    """

    def __init__(self, path: Path, tables: list[str], config: "Config") -> None:
        from ..evaluation.replacement import check_comparable
        from ..model.loading import load_bundle

        self.path = path
        self.table = one_or_all(tables)
        self.bundle = load_bundle(path) if path.exists() else None
        self.found: Replacement | None = None
        if self.bundle is None:
            return
        if "-" in tables:
            raise UsageError(
                "--keep-better reads the table twice, and standard input can be read once.",
                "Name a file.",
            )
        window = config.window
        given = window.horizon if "horizon" in window.model_fields_set else None
        check_comparable(self.bundle, self.table, given)

    @property
    def stays(self) -> bool:
        """Whether the old model is kept."""
        return self.found is not None and not self.found.replaces

    @property
    def document(self) -> dict[str, Any]:
        """The comparison, for a JSON document; empty without one."""
        if (found := self.found) is None:
            return {}
        own = {name: getattr(found, name) for name in ("ratio", "forecasts", "start")}
        return {"keep_better": {"replaced": found.replaces, **own}}

    def challenge(self, new: "Bundle", scored: "Sequence[Bundle]") -> None:
        """Compare the old model with a new one.

        Args:
            new: The new model, as it is to be saved.
            scored: The same before it was refitted, where it was.

        Raises:
            DataError: They cannot be compared; the new model is saved under another name.
        """
        from ..evaluation.replacement import compare_models
        from ..model.bundle import save_bundle

        if self.bundle is None:
            return
        try:
            self.found = compare_models(self.bundle, [*scored, new][0], self.table)
        except DataError as error:
            beside = self.path.with_stem(f"{self.path.stem}-new")
            save_bundle(new, beside)
            raise DataError(
                f"{error.message} {self.path} is unchanged; the new model is {beside}.", error.hint
            ) from None

    def end_if_kept(self, console: Console) -> None:
        """End the command with an exit code of its own where the old model is kept."""
        if self.found is not None and self.stays:
            text = f"The new model is worse: {self.found.describe()}. {self.path} is unchanged"
            end_condition_met(console, f"{text} (--keep-better).")
