"""The columns of a table that are read, their roles, and the usual values of covariates."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from ..config.covariates import NO_COVARIATES, Covariates, Inputs
from ..config.sections import Data
from ..core.errors import DataError, UsageError
from ..core.ragged import owners, take_medians
from ..core.windows import Floats, Ints
from .time.holidays import holiday_columns

ROLES = ("column", "target", "past_covariates", "future_covariates", "static_covariates")
HOLIDAY = "holiday:"
# The value of the setting `time` for a table whose rows are steps.
NO_TIME = "none"
# The name of a time whose parts are in several columns.
JOINED = "time"


@dataclass(frozen=True)
class Columns:
    """The names of the columns of the arrays.

    Args:
        time: The time column; None where rows are steps.
        columns: Those of the input window, forecast or not.
        targets: Those that are forecast, some or all of them.
        covariates: The covariates.
        series: The columns that identify a series; empty where there is one without a name.
    """

    time: str | None
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    covariates: Covariates = NO_COVARIATES
    series: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """All features, in the order of the arrays."""
        return (*self.columns, *self.covariates.names)

    @property
    def target_places(self) -> tuple[int, ...]:
        """The positions of the targets among the features."""
        return self.places(self.targets)

    @property
    def unknown_ahead(self) -> tuple[str, ...]:
        """The features of the window that are neither forecast nor known for future rows."""
        others = (name for name in self.columns if name not in self.targets)
        return (*others, *self.covariates.past)

    @property
    def future_numbers(self) -> tuple[str, ...]:
        """The future covariates that are not categories."""
        known = self.covariates
        return tuple(name for name in known.future if name not in known.categories)

    def places(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the positions of features."""
        return tuple(self.features.index(name) for name in names)

    @property
    def inputs(self) -> Inputs:
        """The same as positions, for the network."""
        known = self.covariates
        categories = {
            self.features.index(name): len(values) for name, values in known.categories.items()
        }
        return Inputs(
            features=len(self.features),
            targets=self.target_places,
            columns=len(self.columns),
            known=self.places((*known.future, *known.static, *known.calendar)),
            ahead=self.places((*known.future, *known.calendar)),
            categories=categories,
        )


def with_columns(data: Data, names: Sequence[str], where: str, time: Sequence[str] = ()) -> Data:
    """Return the settings with every pattern replaced by the columns that it matches.

    Args:
        data: The settings.
        names: Of the columns of the table.
        where: What messages call it.
        time: The time column, or its parts.

    Raises:
        DataError: A pattern matches nothing.
        UsageError: No column was given, or one for two roles.
    """
    # A pattern matches no column that is named elsewhere.
    plain = {*data.series, *time}
    plain |= {each for role in ROLES for each in getattr(data, role) if each in names}
    free = [name for name in names if name not in plain]
    found = {
        role: tuple(
            each for name in getattr(data, role) for each in matching(name, names, free, where)
        )
        for role in ROLES
    }
    data = data.changed(**found)
    if not data.column:
        raise UsageError(
            f"No column was specified; {where} has {', '.join(names[:20])}.",
            "Name the one to forecast with `column`.",
        )
    _check_once(data, time)
    for name in data.targets:
        if name not in data.column:
            raise UsageError(
                f'`target` "{name}" is not among the columns.', f"Add `column={name}`."
            )
    return data


def matching(name: str, names: Sequence[str], free: Sequence[str], where: str) -> list[str]:
    """Return a column by its name, or those that a pattern matches.

    Args:
        name: A name or a pattern.
        names: Of all columns.
        free: Of those that a pattern may match.
        where: What messages call the table.

    Raises:
        DataError: A pattern matches none.
    """
    if name in names or not glob.has_magic(name):
        return [name]
    found = [each for each in free if fnmatchcase(each, name)]
    if not found:
        raise DataError(f"{where} has no column like {name}.", f"There are: {', '.join(names)}.")
    return found


def _check_once(data: Data, time: Sequence[str]) -> None:
    """Refuse a column with two roles; a name of series may be a static covariate too."""
    used = [*time, *data.column, *data.covariates]
    used += [name for name in data.series if name not in data.static_covariates]
    for name in used:
        if used.count(name) > 1:
            raise UsageError(f'Column "{name}" is named twice.', "Name each column once.")
    for name in data.categorical:
        if name not in data.covariates:
            raise UsageError(
                f'`categorical` "{name}" is not among the covariates.',
                "Add it to `past_covariates`, `future_covariates` or `static_covariates`.",
            )


def split_features(features: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split calendar features into cycles and the codes of holidays.

    >>> split_features(["hour", "holiday:KR"])
    (['hour'], ['KR'])
    """
    holidays = [each.removeprefix(HOLIDAY) for each in features if each.startswith(HOLIDAY)]
    return [each for each in features if not each.startswith(HOLIDAY)], holidays


def calendar_columns(features: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns of calendar features."""
    from .time.cyclic_features import cycle_columns

    cycles, holidays = split_features(features)
    return (*cycle_columns(cycles), *holiday_columns(holidays))


def usual_values(values: Floats, indptr: Ints, columns: Columns) -> Floats:
    """Return the median of each past and future covariate in each series, of categories the mode.

    Args:
        values: Shape `(n_rows, features)`, original units, NaN where missing.
        indptr: Shape `(n_series + 1,)`.
        columns: Those of the rows.

    Returns:
        Shape `(n_series, features)`, NaN for other columns and where nothing is known.
    """
    known = columns.covariates
    usual = np.full((len(indptr) - 1, values.shape[1]), np.nan)
    for name in (*known.past, *known.future):
        place = columns.features.index(name)
        find = _modes if name in known.categories else take_medians
        usual[:, place] = find(values[:, place], indptr)
    return usual


def _modes(column: Floats, indptr: Ints) -> Floats:
    """Return the most frequent known value of each series, shape `(n_series,)`; NaN for none."""
    held = np.isfinite(column)
    pairs, counts = np.unique(
        np.stack([owners(indptr)[held], column[held]], axis=1), axis=0, return_counts=True
    )
    order = np.argsort(counts, kind="stable")
    modes = np.full(len(indptr) - 1, np.nan)
    # Of equal places the last one stays, which is the most frequent.
    modes[pairs[order, 0].astype(np.int64)] = pairs[order, 1]
    return modes
