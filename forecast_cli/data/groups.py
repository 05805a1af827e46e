"""The series of the rows of a table."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..core.errors import DataError, listed
from ..core.events import Listener, Note
from ..core.windows import Ints
from .io.tables import Table, is_text

# Names that are compared at a time.
SLICE = 50_000
# The most columns that together identify a series.
MOST_KEYS = 4
# At most one row in so many may be a duplicate.
STRAY = 100
# Numbers name series only where the series have rows at this share of all times.
LEAST_FILLED = 0.5
# The names of columns that identify the rows, though they hold numbers.
NAME_WORDS = re.compile(
    r"(^|[^a-z])(id|name|key|code|sku|series|store|shop|item|product|customer|site|meter)($|[^a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Groups:
    """The series of each row.

    Args:
        ids: A row for each series, a column for each part of its name; without columns where
            there is one series without a name.
        codes: Shape `(rows,)`: the series of each row of the table, by its place in `ids`.
    """

    ids: pd.DataFrame
    codes: Ints

    def name(self, series: int) -> str:
        """Return the name of a series for messages; empty where it has none."""
        return name_series(self.ids, series)


def name_series(ids: pd.DataFrame, series: int) -> str:
    """Return the name of a series for messages; empty where it has none."""
    return " ".join(str(part) for part in ids.iloc[series]) if len(ids.columns) else ""


def one_series() -> pd.DataFrame:
    """Return the names of one series that has none."""
    return pd.DataFrame(index=pd.RangeIndex(1))


def group_rows(table: Table, series: Sequence[str]) -> Groups:
    """Return the series of the rows of a table, in the order in which they appear.

    Raises:
        DataError: A row has no name.
    """
    if not series:
        return Groups(one_series(), np.zeros(table.columns.num_rows, np.int64))
    names = pd.DataFrame({name: table.columns[name].to_pandas() for name in series})
    missing = np.argwhere(names.isna().to_numpy())
    if len(missing):
        row, part = missing[0]
        raise DataError(
            f'{table.place(int(row))}: column "{series[part]}" is empty, and it names the series.',
            "Fill the cell, or drop the row.",
        )
    for name in series:
        if not (is_text(table.columns[name].type) or pd.api.types.is_integer_dtype(names[name])):
            # A model file stores only integers and text as names.
            names[name] = names[name].map(str)
    if len(series) == 1:
        codes, first = pd.factorize(names[series[0]])
        return Groups(pd.DataFrame({series[0]: np.asarray(first)}), codes)
    several = names.groupby(list(series), sort=False).ngroup().to_numpy()
    rows = np.unique(several, return_index=True)[1]
    return Groups(names.iloc[rows].reset_index(drop=True), several)


def _merged(
    ids: pd.DataFrame, groups: Groups, nearest: Mapping[int, int], on_event: Listener
) -> Groups:
    """Return the series with the names of others; `nearest` are the places of both in `ids`."""

    def say(series: int) -> str:
        return f'"{name_series(ids, series)}" as "{name_series(ids, nearest[series])}"'

    on_event(Note(f"names of series: {listed(list(nearest), say=say)}"))
    merged = np.arange(len(ids))
    merged[list(nearest)] = list(nearest.values())
    codes, used = pd.factorize(merged[groups.codes])
    return Groups(ids.iloc[used].reset_index(drop=True), codes)


def settle_names(
    table: Table,
    groups: Groups,
    similar: str,
    on_event: Listener,
    *,
    known: pd.DataFrame | None = None,
) -> Groups:
    """Refuse or merge series whose names differ only in case or blanks.

    Args:
        table: What messages are about.
        groups: Its series.
        similar: The setting `similar_names`.
        on_event: Receives a note of what was merged.
        known: The names of the series that a model was trained on, or those of another table.

    Raises:
        DataError: There are some, and they are to be refused.
    """
    if similar == "keep" or not len(groups.ids.columns):
        return groups
    ids = groups.ids
    if known is not None:
        new = known[find_places(known, ids) < 0].set_axis(ids.columns, axis=1)
        ids = pd.concat([ids, new], ignore_index=True)
    nearest = _find_nearest(ids, groups, known)
    if not nearest:
        return groups
    if similar == "merge":
        return _merged(ids, groups, nearest, on_event)
    first = next(iter(nearest))
    own, other = name_series(ids, first), name_series(ids, nearest[first])
    more = f", and {len(nearest) - 1} more from others" if len(nearest) > 1 else ""
    raise DataError(
        f'{table.place(int(np.argmax(groups.codes == first)))}: the series "{own}" differs from '
        f'"{other}" only in case or blanks{more}.',
        f'Did you mean "{other}"? Correct the names, or pass `similar_names=merge` where they are '
        "one series, or `similar_names=keep` where they are not.",
    )


def has_alike(ids: pd.DataFrame, known: pd.DataFrame | None) -> bool:
    """Whether names of series, or of known ones, differ only in case or blanks."""
    frames = [ids] if known is None else [ids, known.set_axis(ids.columns, axis=1)]
    return count_names(*frames) > count_names(*frames, prepare=_folded)


def count_names(
    *frames: pd.DataFrame, prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None
) -> int:
    """Return how many different names there are, by 64 bits of each, a few of them at a time.

    Args:
        *frames: A row for each name, a column for each of its parts.
        prepare: Applied to names before they are counted.
    """
    hashes = []
    for frame in frames:
        for first in range(0, len(frame), SLICE):
            names = frame.iloc[first : first + SLICE]
            hashes.append(hash_names(prepare(names) if prepare else names))
    return 1 + int(np.count_nonzero(np.diff(np.sort(np.concatenate(hashes)))))


def hash_names(ids: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return 64 bits of each name as text, shape `(names,)`; `ids` has a column for each part."""
    hashed: pd.Series = pd.util.hash_pandas_object(ids.astype(str), index=False, categorize=False)
    return hashed.to_numpy()


def _find_nearest(ids: pd.DataFrame, groups: Groups, known: pd.DataFrame | None) -> dict[int, int]:
    """Return the series to ask about, by their places in `ids`, each with the one it is like.

    `ids` are the series of the table and the `known` ones, which are not asked about.
    """
    # Without case, and without surrounding or repeated blanks.
    folded = _folded(ids)
    alike = ids.index[folded.duplicated(keep=False)]
    if not len(alike):
        return {}
    rows = np.bincount(groups.codes, minlength=len(ids))
    sure = np.zeros(len(ids), bool)
    if known is not None:
        sure = find_places(ids, known) >= 0
    tidy = ids.apply(lambda column: column.astype(str).str.split().str.join(" ")) == ids.astype(str)
    tidy = tidy.all(axis=1).to_numpy()
    nearest: dict[int, int] = {}
    numbers = folded.loc[alike].groupby(list(folded), sort=False).ngroup()
    for _, places in pd.Series(alike).groupby(numbers.to_numpy()):
        best = max(places, key=lambda place: (sure[place], tidy[place], rows[place]))
        asked = [int(each) for each in places if each != best and not sure[each]]
        nearest |= dict.fromkeys(asked, int(best))
    return nearest


def _folded(ids: pd.DataFrame) -> pd.DataFrame:
    """Return names without case and surrounding or repeated blanks."""

    def fold(names: pd.Series) -> list[str | None]:
        single = pc.replace_substring_regex(pa.array(names.astype(str), pa.string()), r"\s+", " ")
        folded: list[str | None] = pc.utf8_lower(pc.utf8_trim_whitespace(single)).to_pylist()
        return folded

    return ids.apply(fold)


def find_places(ids: pd.DataFrame, known: pd.DataFrame) -> Ints:
    """Return the place of each series among the known ones, -1 for none, shape `(series,)`."""
    if not len(known.columns):
        return np.zeros(len(ids), np.int64)
    keys = [pd.MultiIndex.from_frame(each.astype(str)) for each in (known, ids)]
    return keys[0].get_indexer(keys[1])


def has_several_series(table: Table, time: Sequence[str]) -> bool:
    """Whether more times are repeated than by a few duplicate rows; `time` are its columns."""
    times = table.columns.select(list(time)).to_pandas()
    return bool(times.duplicated().sum() > len(times) // STRAY)


def likely_series(
    table: Table,
    time: Sequence[str],
    *,
    taken: Sequence[str] = (),
    whole: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Return the columns that seem to name the series: with the time they identify each row.

    Args:
        table: All of it.
        time: The time column, or its parts.
        taken: Columns that have another role, e.g. the target.
        whole: Columns of whole numbers, which may be read as text; None: by their type.

    Returns:
        Empty where none do, or none are needed.
    """
    from .dates.time_names import names_time, role_of

    # A few duplicate rows do not indicate series, and do not hide them.
    if not has_several_series(table, time):
        return ()
    kinds = {each.name: each.type for each in table.columns.schema}
    if whole is None:
        whole = [name for name, kind in kinds.items() if pa.types.is_integer(kind)]
    frame = table.columns.to_pandas()
    words = [
        name for name in table.names
        if name not in (*time, *taken) and not pa.types.is_floating(kinds[name])
        and not (name in whole and names_time(name)) and role_of(name) is None
        and 1 < frame[name].nunique() <= len(frame) // 2
    ]  # fmt: skip
    counts = {name for name in whole if not NAME_WORDS.search(name)}
    words.sort(key=lambda name: (name in counts, not is_text(kinds[name]) or name in whole))
    return _identifying(frame, time, words[:8], counts)


def _identifying(
    frame: pd.DataFrame, time: Sequence[str], words: Sequence[str], counts: Set[str]
) -> tuple[str, ...]:
    """Return the fewest columns that, with the time, identify each row; empty where none do.

    `words` may name series, the likeliest first; `counts` are those that may as well be counted.
    """
    distinct = len(frame.drop_duplicates(list(time)))
    for count in range(1, MOST_KEYS + 1):
        for names in combinations(words, count):
            if frame.duplicated([*time, *names]).sum() > len(frame) // STRAY:
                continue
            # What is counted differs from row to row at random; a name comes at most times.
            series = len(frame.drop_duplicates(list(names)))
            if not counts & {*names} or len(frame) >= LEAST_FILLED * distinct * series:
                return names
    return ()
