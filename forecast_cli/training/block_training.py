"""Training on tables that are larger than memory: prepared and learned from some series at a time.

The settings are resolved, the network is scored and intervals are made on a sample of the series;
the network learns from all of them, whose rows are arrays on disk.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..config.covariates import Covariates
from ..config.schema import Config
from ..core.brief import describe_seconds
from ..core.errors import UsageError
from ..core.events import Done, Listener, Note, Stage, once
from ..core.memory import Limits, spare_memory
from ..core.scaling import Scaling, fit_piecewise, fit_scaling
from ..core.windows import Ints
from ..data.columns import NO_TIME, Columns, with_columns
from ..data.dataset import Dataset, choose_scopes
from ..data.dates.date_formats import read_like
from ..data.dates.time_column import find_time, time_columns
from ..data.groups import name_series
from ..data.io.opening import Opened
from ..data.io.row_batches import RowBatches
from ..data.io.tables import Readable
from ..data.io.writer import is_parquet_table
from ..data.panel import Panel
from ..data.reading import read_panel
from ..data.series_table import SeriesTable, divide, is_divisible, open_head
from ..forecasting.part_prediction import PartNotes
from ..model.bundle import Bundle
from ..model.checkpoints import Checkpoints
from .array_cache import ArrayCache, open_cache
from .checkpointing import begin_checkpoints, describe_dataset
from .data_summary import describe
from .effort import require_room, with_time
from .network_training import train_network
from .pipeline import Learned, as_scored, finish, learn
from .preparation import fit_scaler, make_dataset
from .series_arrays import Preparation, SeriesArrays, extend

# Rows of a block, at most, unless one series has more.
BLOCK_ROWS = 200_000
# Rows of the sample of series that settings, scores and intervals go by, about; and from how many
# places of the table they are.
SAMPLE_ROWS, PLACES = 500_000, 20
# What each row of a table needs that is trained on in memory, and each of its values: bytes, about.
ROW_BYTES, VALUE_BYTES = 300, 60
DIVISIBLE = (
    "Columns and covariates must be numbers, the names of series (`series`) text or whole numbers; "
    "`missing=drop`, `resample`, `duplicates`, `na` and `layout` need the whole table."
)
SORTED = (
    "Sort the rows by series and time, in pandas by frame.sort_values([series, time]), and write "
    "them to Parquet again."
)


def train_in_blocks(
    source: Readable,
    config: Config,
    limits: Limits,
    *,
    on_event: Listener,
    should_stop: Callable[[], bool],
    checkpoints: Checkpoints | None = None,
    on_scored: Callable[[Bundle], None] | None = None,
) -> Bundle | None:
    """Train on a table that does not fit into memory.

    Args:
        source: The table.
        config: As in `train`.
        limits: What may be used.
        on_event: As in `train`.
        should_stop: As in `train`.
        checkpoints: As in `train`.
        on_scored: As in `train`.

    Returns:
        None where it fits, or cannot be read in blocks and no limit asks for that.

    Raises:
        DataError: The table lacks what is needed; or its series are not one after the other.
        UsageError: A setting needs the whole table; or the memory is too little.
    """
    began, on_event = time.perf_counter(), once(on_event)
    batches = _open(source, limits)
    if batches is None or (limits.cache is None and _fits(batches, config, limits.memory)):
        return None
    how: Any = {"should_stop": should_stop, "checkpoints": checkpoints, "on_scored": on_scored}
    with open_cache(limits.cache, limits.beside) as cache:
        table = _find_series(batches, config, cache, limits, on_event)
        if table is None:
            return None
        work = BlockTraining(table, config, cache, limits.memory, on_event)
        return work.train(began, **how)


def _open(source: Readable, limits: Limits) -> RowBatches | None:
    """Open a Parquet file or a folder of some; None for any other table."""
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    if path and is_parquet_table(path):
        return RowBatches(path)
    if limits.given:
        raise UsageError(
            f"{path or 'The table'} is no Parquet file, nor a folder of some: it is read as a "
            "whole.",
            f"Write it to a Parquet file, or leave `{limits.given}` out.",
        )
    return None


def _fits(batches: RowBatches, config: Config, memory: float | None) -> bool:
    """Whether a table can be trained on in memory."""
    values = max(1, len(config.data.column) + len(config.data.covariates))
    return batches.count * (ROW_BYTES + VALUE_BYTES * values) <= spare_memory(memory)


def _find_series(
    batches: RowBatches, config: Config, cache: ArrayCache, limits: Limits, on_event: Listener
) -> SeriesTable | None:
    """Find the series of a table; None where it has to be read as a whole, and may be."""
    head = open_head(batches, config.data)
    time_name = find_time(head.head(), config.data, on_event)
    data = with_columns(
        config.data, head.names, head.name, time_columns(time_name, head.names)
    ).model_copy(update={"time": time_name or NO_TIME})
    known = Covariates(
        past=data.past_covariates, future=data.future_covariates, static=data.static_covariates
    )
    columns = Columns(time_name, data.column, data.targets, known, data.series)
    if not is_divisible(batches, data, columns):
        _refuse(limits, f"{batches.name} cannot be read some series at a time.", DIVISIBLE)
        return None
    on_event(Stage("reading"))
    cache.begin(batches.paths, data.series, on_event)
    found = cache.find_series(batches, data.series)
    table = divide(batches, data, columns, None, found)
    if table is None:
        text = f"{batches.name}: the rows of each series do not follow each other"
        _refuse(limits, f"{text}, or names differ only in case or blanks.", SORTED)
        return None
    if found is None:
        cache.keep_series(table.ids, table.indptr)
    return table


def _refuse(limits: Limits, text: str, hint: str) -> None:
    """Refuse a table that is to be trained on in blocks; without a request it is read whole."""
    if limits.given:
        raise UsageError(text, f"{hint} Or leave `{limits.given}` out.")


class BlockTraining:
    """Trains on a table some series at a time.

    Args:
        table: The series.
        config: As given.
        cache: Where the rows are kept as arrays.
        memory: Gigabytes that the process may hold in all; None: half of what is free.
        on_event: Notified of the progress.
    """

    def __init__(
        self,
        table: SeriesTable,
        config: Config,
        cache: ArrayCache,
        memory: float | None,
        on_event: Listener,
    ) -> None:
        self.table = table
        self.cache = cache
        self.memory = memory
        self.on_event = on_event
        self.sample = choose_sample(table)
        panel = read_panel(table.read_some(self.sample), config.data, on_event=on_event)
        if len(self.sample) < table.count:
            which = f"a sample of {len(self.sample):,} of {table.count:,} series"
            panel = replace(panel, source=f"{panel.source} ({which})")
            rows = f"{table.batches.count:,} rows of {table.count:,} series"
            text = f"{table.batches.name}: {rows}; scores, intervals and choices are of {which}"
            on_event(Note(text))
        dataset = make_dataset(panel, config, on_event=on_event)
        if not config.ensemble.has_pretrained:
            # A preset that chose it for the sample would not have for all series.
            maps = {"baselines": dataset.config.ensemble.maps}
            dataset = replace(dataset, config=dataset.config.changed(ensemble=maps))
        check_settings(dataset.config, dataset.panel)
        describe(dataset, on_event)
        self.resolved = dataset

    def train(
        self,
        began: float,
        *,
        should_stop: Callable[[], bool],
        checkpoints: Checkpoints | None,
        on_scored: Callable[[Bundle], None] | None,
    ) -> Bundle:
        """Train; arguments and errors as in `train_in_blocks`."""
        scored = self._arrays(refit=False)
        kept = [scored]

        def whole(dataset: Dataset) -> Dataset:
            kept.append(self._arrays(refit=True))
            return self._dataset(kept[-1])

        dataset = self._dataset(scored)
        if checkpoints is not None:
            job = partial(describe_dataset, dataset, start=scored.folder.folder.name.encode())
            began -= begin_checkpoints(checkpoints, job, self.on_event)
        require_room(dataset.config)
        on_event, budget = with_time(self.on_event, dataset.config), None
        if dataset.config.training.time_budget is not None:
            budget = began + dataset.config.training.time_budget
        by = partial(train_network, deadline=budget, checkpoints=checkpoints)
        how: Any = {"on_event": on_event, "should_stop": should_stop}
        learned = learn(dataset, by=by, **how)
        bundle = finish(learned, began, by=by, whole=whole, **how)
        if on_scored is not None and bundle.manifest.run.refitted:
            on_scored(self._extend(as_scored(learned, bundle), learned, scored, scored))
        last = kept[-1] if bundle.manifest.run.refitted else scored
        return self._extend(bundle, learned, scored, last)

    def _extend(
        self, bundle: Bundle, learned: Learned, scored: SeriesArrays, kept: SeriesArrays
    ) -> Bundle:
        """Return a model of the sample as that of all series."""
        arrays = scored, kept
        return extend(bundle, self.table.ids, self.sample, arrays, learned.calibration)

    def _dataset(self, arrays: SeriesArrays) -> Dataset:
        """Return the sample, prepared as all series are, to learn from all of them."""
        dataset = arrays.preparation.prepare(self.resolved.panel)
        return replace(dataset, stored=arrays.stored(self.memory))

    def _prepare(self, *, refit: bool) -> Preparation:
        """Return how series are prepared, with the scaler of all of them together."""
        resolved = self.resolved
        config, season = resolved.config, resolved.season_length
        nothing = Scaling(config.scaler, np.empty(0), np.empty(0))
        how = Preparation(config, season, nothing, resolved.intermittent, refit)
        sample = how.training_rows(resolved.panel)
        columns = resolved.panel.columns
        own = config.scaler, config.transform, len(columns.columns)
        whole = fit_scaling(sample, *own, fit=fit_scaler)
        shared = "all" in choose_scopes(columns, config.scale_by or "all")
        if shared and len(self.sample) < self.table.count and config.scaler != "robust":
            panels = self._read(self._edges, range(len(self._edges) - 1))
            whole = fit_piecewise((how.training_rows(each) for _, each in panels), *own)
        return replace(how, whole=whole)

    @property
    def _edges(self) -> Ints:
        """The first series of each block, and the end of the last, shape `(blocks + 1,)`."""
        return self.table.parts(BLOCK_ROWS, 1)

    def _arrays(self, *, refit: bool) -> SeriesArrays:
        """Return the numbers of all series, whose rows are then on disk."""
        how, edges, timeline = self._prepare(refit=refit), self._edges, self.resolved.panel.timeline
        like = (timeline.frequency, timeline.style) if timeline else ()
        folder = self.cache.prepared(f"{how.describe()}\n{like}\n{edges.tolist()}")
        fits = partial(how.fits, like=self.resolved)
        found = [
            folder.find(number, partial(fits, count=int(count)))
            for number, count in enumerate(np.diff(edges))
        ]
        missing = [number for number, each in enumerate(found) if each is None]
        if damaged := sum(folder.holds(number) for number in missing):
            text = f"{damaged} of {len(found)} blocks of arrays in {folder.folder} are damaged"
            self.on_event(Note(f"{text}: they are made again", warning=True))
        counts, began = np.diff(self.table.indptr[edges]), time.perf_counter()
        if missing:
            self.on_event(Stage("reading"))
        for number, panel in self._read(edges, missing):
            rows, numbers = how.take(panel)
            folder.keep(number, rows, numbers)
            found[number] = numbers
            self.on_event(Done("series", int(edges[number + 1]), self.table.count))
        if missing:
            self._note_speed(int(sum(counts[missing])), time.perf_counter() - began)
        return SeriesArrays(how, folder, [each for each in found if each is not None])

    def _note_speed(self, rows: int, seconds: float) -> None:
        """Note how fast rows of the table were turned into arrays."""
        share = rows / self.table.batches.count
        speed = share * self.table.batches.size / seconds / 1e6
        text = f"{rows:,} rows turned into arrays in {describe_seconds(seconds)}"
        self.on_event(Note(f"{text}: {rows / seconds:,.0f} rows and {speed:,.1f} MB a second"))

    def _read(self, edges: Ints, numbers: Sequence[int]) -> Iterator[tuple[int, Panel]]:
        """Yield some blocks of series, by their numbers in ascending order."""
        like, notes = self.resolved.panel, PartNotes(self.on_event)
        data = like.data.model_copy(
            update={"similar_names": "keep", "time": like.columns.time or NO_TIME}
        )
        if like.timeline is not None:
            data = read_like(data, like.timeline.style)
        frequency = like.timeline.frequency if like.timeline else None
        opened, before = iter(list[Opened]()), -2
        for number in numbers:
            if number != before + 1:
                opened = self.table.read(edges[number:])
            names = (
                name_series(self.table.ids, each) for each in edges[number : number + 2] - [0, 1]
            )
            listener = notes.of_part(f"the series {' to '.join(names)}")
            known = like.ids
            how: Any = {"frequency": frequency, "categories": {}, "known": known}
            yield number, read_panel(next(opened), data, on_event=listener, **how)
            before = number
        notes.end()


def choose_sample(table: SeriesTable) -> Ints:
    """Return the series that scores, intervals and choices go by, shape `(chosen,)`, ascending.

    All series, or neighbours from places evenly over the table, and the shortest one.
    """
    rows = int(table.indptr[-1])
    if rows <= SAMPLE_ROWS:
        return np.arange(table.count)
    places = max(1, min(PLACES, SAMPLE_ROWS * table.count // rows))
    begins = np.searchsorted(table.indptr, np.arange(places) * rows // places, "left")
    ends = np.searchsorted(table.indptr, table.indptr[begins] + SAMPLE_ROWS // places, "left")
    chosen = [np.arange(a, max(a + 1, b)) for a, b in zip(begins, ends, strict=True)]
    chosen.append(np.argmin(np.diff(table.indptr), keepdims=True))
    series: Ints = np.unique(np.concatenate(chosen))
    return series[series < table.count]


def check_settings(config: Config, panel: Panel) -> None:
    """Refuse settings that need all rows of a table at once.

    Raises:
        UsageError: One does.
    """
    frequency = panel.timeline.frequency if panel.timeline else None
    obstacles = {
        "a stateful network": (config.network.stateful, "leave `stateful` out"),
        "the pretrained network": (config.network.pretrained, "pass `preset=trained`"),
        "the pretrained network as a member": (
            config.ensemble.has_pretrained, "leave it out of `baselines`",
        ),
        "the effects of covariates": (
            config.ensemble.covariate_effects, "pass `covariate_effects=false`",
        ),
        "errors of future covariates": (config.data.future_noise, "leave `future_noise` out"),
        "covariates that are categories": (
            panel.columns.covariates.categories, "write them as numbers",
        ),
        "learned opening hours": (
            frequency is not None and frequency.open_days and frequency.hours,
            "leave `calendar` out",
        ),
    }  # fmt: skip
    for what, (there, way) in obstacles.items():
        if there:
            raise UsageError(
                f"A training on some series at a time has no place for {what}.",
                f"To train on a table that does not fit into memory, {way}.",
            )
