"""The columns of a table of forecasts, and what each of them holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow.compute as pc

from ...config.sections import Data
from ...core.errors import DataError, UsageError, listed, nearest
from ...core.events import Listener, Note, ignore
from ...data.columns import JOINED, matching
from ...data.dates.time_column import find_time, time_columns
from ...data.groups import likely_series
from ...data.io.in_memory import from_frame
from ...data.io.opening import Opened, open_in_memory
from ...data.io.tables import Table, is_text, require_columns
from ...data.panel import SERIES, STEP, VALUE
from ...forecasting.frames import FORECAST_SUFFIX

BOUND = re.compile(r"(?P<name>.+)_(?P<side>lo|hi)(?P<level>\d+(?:\.\d+)?)")
CUTOFF, SAMPLE, ACTUAL, COLUMN = "cutoff", "sample", "actual", "column"
# The name of a single forecaster.
FORECAST = "forecast"
# Columns name the series where at most this share of the rows is repeated.
STRAY = 0.01


def bound_name(column: str, side: str, level: float) -> str:
    """Return the name of the column that holds an end of an interval.

    >>> bound_name("Close", "lo", 80.0)
    'Close_lo80'
    """
    return f"{column}_{side}{level:g}"


def bounded(names: Sequence[str]) -> set[str]:
    """Return the columns that have intervals."""
    return {found["name"] for name in names if (found := BOUND.fullmatch(name))}


def without_bounds(names: Sequence[str]) -> list[str]:
    """Return the columns that are not an end of an interval of another."""
    return [
        name for name in names
        if not ((found := BOUND.fullmatch(name)) and found["name"] in names)
    ]  # fmt: skip


def find_levels(
    given: Opened, forecasters: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[float, ...]]:
    """Return the levels of the intervals of each forecaster, in percent, ascending.

    Raises:
        DataError: An interval has one end, a level is invalid, or the columns of one forecaster
            have different levels.
    """
    columns = {each for own in forecasters.values() for each in own}
    found: dict[str, set[float]] = {}
    for name in given.names:
        bound = BOUND.fullmatch(name)
        if not bound or bound["name"] not in columns:
            continue
        column, side, level = bound["name"], bound["side"], float(bound["level"])
        if not 0 < level < 100 or bound_name(column, side, level) != name:
            raise DataError(
                f'{given.name}: column "{name}" has no valid level.',
                f"A level is a percentage between 0 and 100, as in {column}_lo80.",
            )
        other = bound_name(column, "hi" if side == "lo" else "lo", level)
        if other not in given.names:
            raise DataError(
                f"{given.name} has {name} and no {other}: an interval has two ends.",
                "Add that column, or remove both.",
            )
        found.setdefault(column, set()).add(level)
    levels = {
        name: [tuple(sorted(found.get(each, ()))) for each in own]
        for name, own in forecasters.items()
    }
    for name, sets in levels.items():
        if len(set(sets)) > 1:
            names = ", ".join(dict.fromkeys(forecasters[name]))
            raise DataError(
                f"{given.name} has intervals at different levels for {names}.",
                "Give each column the same levels, or score one of them: `column=NAME`.",
            )
    return {name: sets[0] for name, sets in levels.items()}


@dataclass(frozen=True)
class Roles:
    """What the columns of a table of forecasts hold.

    Args:
        time: The column of times; None: there is `step`.
        series: The columns that name the series.
        targets: The columns of actual values in the other table.
        forecasters: The columns of each forecaster, one for each target.
        levels: The levels of its intervals in percent, ascending.
        marks: Those of `cutoff`, `sample`, `step` and `column` that it has.
        in_sample: Whether each row is a forecast of one step, from the row before.
    """

    time: str | None
    series: tuple[str, ...]
    targets: tuple[str, ...]
    forecasters: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, tuple[float, ...]]
    marks: frozenset[str]
    in_sample: bool = False

    @property
    def needed(self) -> list[str]:
        """All columns that are read."""
        names = [*self.series, *([self.time] if self.time else []), *sorted(self.marks)]
        for name, columns in self.forecasters.items():
            names += columns
            ends = [(level, side) for level in self.levels[name] for side in ("lo", "hi")]
            names += [bound_name(each, side, level) for each in columns for level, side in ends]
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Tables:
    """The two tables, opened.

    Args:
        given: The forecasts.
        truth: The actual values.
        time: The time column of the actual values, or the parts of one; None: rows are steps.
    """

    given: Opened
    truth: Opened
    time: str | None


def find_roles(tables: Tables, data: Data, forecasts: Sequence[str], on_event: Listener) -> Roles:
    """Find out what the columns of a table of forecasts hold.

    The columns of forecasts, and in `data` those of the actual values and their series, are given
    as far as they are specified; the series that were found are noted.

    Raises:
        DataError: A column is missing.
    """
    given, truth = tables.given, tables.truth
    time = _time_of_forecasts(tables)
    series = _find_series(tables, time, data)
    if series and not data.series:
        on_event(Note(f"series by {', '.join(series)}"))
    marks = {name for name in (CUTOFF, SAMPLE, STEP) if name in given.names and name != time}
    other = [*series, *marks, *([time] if time else []), ACTUAL, COLUMN]
    values = without_bounds(_find_value_columns(given.head(), other))
    taken = [*series, *time_columns(tables.time, truth.names)]
    free = [name for name in truth.names if name not in taken]
    named = [
        each for name in data.targets for each in matching(name, truth.names, free, truth.name)
    ]
    require_columns(truth.name, truth.names, named)
    if COLUMN in given.names and COLUMN not in [*truth.names, *forecasts]:
        marks.add(COLUMN)
    own = _forecasters(tables, values, named, forecasts, free, long=COLUMN in marks)
    roles = Roles(time, series, *own, {}, frozenset(marks))
    in_sample = all(name.endswith(FORECAST_SUFFIX) for name in sum(own[1].values(), ()))
    in_sample = in_sample and not forecasts and CUTOFF not in marks
    return replace(roles, levels=find_levels(given, own[1]), in_sample=in_sample)


def _time_of_forecasts(tables: Tables) -> str | None:
    """Return the name of the column of times; None where steps are counted."""
    given, time = tables.given, tables.time
    if time is not None:
        usual = JOINED if "," in time and time not in given.names else time
        if usual in given.names:
            return usual
        others = [name for name in given.names if name != CUTOFF]
        if found := find_time(given.head().only(others), Data(), ignore):
            return found
    if STEP in given.names:
        return None
    if time is None:
        raise DataError(
            f'{given.name} has no column "{STEP}", and {tables.truth.name} has no column of dates.',
            "Name it: `time=NAME`.",
        )
    raise DataError(
        f'{given.name} has no column of times: none is called "{time}", none holds dates.',
        nearest(time, given.names),
    )


def _find_series(tables: Tables, time: str | None, data: Data) -> tuple[str, ...]:
    """Return the columns that name the series, as specified or as they look."""
    given, truth = tables.given, tables.truth
    if data.series:
        require_columns(given.name, given.names, data.series)
        require_columns(truth.name, truth.names, data.series)
        return data.series
    parts = time_columns(tables.time, truth.names)
    if not parts:
        return ()
    both = [
        name for name in given.names
        if name in truth.names and name not in (*parts, *data.targets, *bounded(given.names))
    ]  # fmt: skip
    frame = truth.read([*parts, *both], text=parts)
    ahead = given.names[: given.names.index(time)] if time else []
    before = [name for name in both if name in ahead]
    words = [name for name in before if is_text(frame.columns[name].type)]
    repeated = frame.columns.select(parts).to_pandas().duplicated().any()
    if not repeated or not both:
        # No time is repeated where one series begins after another ends.
        return tuple(words)
    whole = frame.columns.select([*parts, *before]).to_pandas()
    if before and whole.duplicated().mean() < STRAY:
        return tuple(before)
    return likely_series(frame, parts)


def _find_value_columns(table: Table, taken: Sequence[str]) -> list[str]:
    """Return the columns of numbers that hold nothing else."""
    return [name for name in table.names if name not in taken and table.is_all_numbers(name)]


def _forecasters(
    tables: Tables,
    values: Sequence[str],
    named: Sequence[str],
    forecasts: Sequence[str],
    free: Sequence[str],
    *,
    long: bool,
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return the targets, and the columns of each forecaster."""
    given, truth = tables.given, tables.truth
    if long:
        targets = tuple(named) or _named_in_rows(given, truth)
        return targets, {name: (name,) * len(targets) for name in forecasts or values}
    if forecasts or ACTUAL in given.names:
        require_columns(given.name, given.names, forecasts)
        targets = tuple(named) or (_only_target(truth, free),)
        return targets, _side_by_side(tuple(forecasts or values), targets)
    targets = tuple(named) or tuple(
        name for name in values if name in free and truth.head().is_all_numbers(name)
    )
    if not targets and len(values) == 1:
        target = _only_target(truth, free)
        return (target,), {FORECAST: (values[0],)}
    if not targets:
        raise DataError(
            f"{given.name} forecasts no column of {truth.name}: the one has "
            f"{', '.join(given.names)}, the other {', '.join(truth.names)}.",
            "Name the column of each: `column=NAME` and `forecast=NAME`.",
        )
    beside = tuple(f"{name}{FORECAST_SUFFIX}" for name in targets)
    if set(beside) <= set(given.names):
        return targets, {FORECAST: beside}
    for name in targets:
        if name not in given.names:
            raise DataError(
                f'{given.name} has no column "{name}". {nearest(name, given.names)}',
                "If the forecasts have another name, pass `forecast=NAME`.",
            )
    return targets, {FORECAST: targets}


def _side_by_side(
    forecasts: tuple[str, ...], targets: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Return several forecasters of one target, or one forecaster of several."""
    if len(targets) == 1:
        names = [FORECAST] if len(forecasts) == 1 else forecasts
        return {name: (each,) for name, each in zip(names, forecasts, strict=True)}
    if len(forecasts) == len(targets):
        return {FORECAST: forecasts}
    raise UsageError(
        f"{len(forecasts)} columns of forecasts for {len(targets)} columns.",
        "Name as many in `forecast` as in `column`, or only one in `column`.",
    )


def _only_target(truth: Opened, free: Sequence[str]) -> str:
    """Return the one column of numbers among the actual values; refuse none and several."""
    taken = [name for name in truth.names if name not in free]
    found = _find_value_columns(truth.head(), taken)
    if len(found) != 1:
        what = f"{len(found)} columns of numbers: {listed(found)}" if found else "no numbers"
        raise DataError(f"{truth.name} has {what}.", "Name the one to score: `column=NAME`.")
    return found[0]


def _named_in_rows(given: Opened, truth: Opened) -> tuple[str, ...]:
    """Return the targets that the rows of a long table name."""
    cells = pc.unique(given.read([COLUMN], text=[COLUMN]).columns[COLUMN]).to_pylist()
    names = tuple(str(each) for each in cells)
    require_columns(truth.name, truth.names, names)
    return names


def forecasts_as_long(given: Opened, data: Data) -> Opened:
    """Return forecasts whose columns are series with a row for each series and step.

    Args:
        given: The forecasts: a column of times, then one for each series and end of an interval.
        data: How the actual values are read: their time column.
    """
    # What `predict` and `backtest` write of such a table is long already.
    if SERIES in given.names and {VALUE, ACTUAL} & set(given.names):
        return given
    keys = [name for name in given.names if name in (CUTOFF, SAMPLE, data.time)]
    if data.time not in given.names:
        keys += [given.names[0]] * (given.names[0] not in keys)
    table = given.read(text=[name for name in keys if name != SAMPLE])
    others = [name for name in table.names if name not in keys]
    parts = []
    bounds = {each: BOUND.fullmatch(each) for each in others}
    for name in without_bounds(others):
        # The column of that name, and the ends of its intervals.
        own = [n for n, bound in bounds.items() if n == name or (bound and bound["name"] == name)]
        values = {VALUE + each.removeprefix(name): table.numbers(each) for each in own}
        plain = {key: table.columns[key].to_pandas() for key in keys}
        parts.append(pd.DataFrame({SERIES: name, **plain, **values}))
    return open_in_memory(from_frame(pd.concat(parts, ignore_index=True), table.name))
