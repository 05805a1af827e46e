"""Which forecasts are requested, and where they begin."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, cast

import numpy as np

from ..config.registries import Intervals
from ..core.errors import UsageError, listed
from ..core.events import Listener, Note
from ..core.memory import require_memory
from ..core.windows import Ints
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.known_future import before, require_years
from ..data.last_values import note_ended, note_far_ends
from ..data.panel import Panel
from ..data.splits import parse_date
from ..model.bundle import Bundle
from .history import (
    data_as_trained,
    known_lasts,
    make_history,
    read_as_trained,
    require_rows,
    restore_history,
    stored_panel,
)
from .intervals.interval_methods import find_method
from .level_check import check_levels

# What follows where a series ended long before the others.
ENDED = "; forecasts of them are of times past, or from filled rows (choose others with `only`)"
# What a row of a forecast needs in memory, and each of its values, about.
ROW_BYTES, VALUE_BYTES = 100, 60


@dataclass(frozen=True)
class PredictionRequest:
    """Which forecasts are requested.

    Args:
        horizon: Steps ahead, any number; the model's own where None.
        only: Names of the series to forecast, of several parts with blanks between them; all
            where empty.
        begin: The time of the first forecast, ISO 8601: later rows of the table are not read, but
            for what is known ahead; None for the step after the last row.
        future: A table of future covariates; several in a list, or a mapping from names to
            tables, are scenarios.
        level: Of the intervals, in percent; empty for none.
        intervals: How they are made; as the model was trained where None.
        samples: How many sample paths, instead of one forecast; None for none.
        seed: What they are drawn from.
        what_if: Changes of future covariates, each a scenario beside `base`.
    """

    horizon: int | None = None
    only: tuple[str, ...] = ()
    begin: str | None = None
    future: Readable | Mapping[str, Readable] | None = None
    level: tuple[float, ...] = ()
    intervals: Intervals | None = None
    samples: int | None = None
    seed: int = 0
    what_if: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether anything was specified."""
        return self.horizon is not None or self.beside_horizon

    @property
    def beside_horizon(self) -> bool:
        """Whether anything but the horizon was specified."""
        # A future may be a frame, which is not compared as others are.
        return self.future is not None or replace(self, horizon=None, future=None) != ALL

    @property
    def uncertain(self) -> bool:
        """Whether intervals or sample paths are requested."""
        return bool(self.level or self.samples)

    @property
    def several_futures(self) -> bool:
        """Whether `future` holds the tables of several scenarios."""
        several = isinstance(self.future, list | tuple) and len(self.future) > 1
        return several or isinstance(self.future, Mapping)


ALL = PredictionRequest()


def check_request(wanted: PredictionRequest) -> None:
    """Refuse, by a UsageError, options of intervals and sample paths that would have no effect."""
    if wanted.samples is not None and wanted.samples < 1:
        raise UsageError(f"Invalid `samples` {wanted.samples}: must be at least 1.")
    if wanted.samples and wanted.intervals and find_method(wanted.intervals).needs_training:
        raise UsageError(
            f"Sample paths are drawn from validation errors: `intervals={wanted.intervals}` has no "
            "effect on them.",
            "Omit it, or pass `intervals=adaptive`.",
        )
    if wanted.samples and wanted.level:
        raise UsageError(
            "`samples` requests sample paths, from which any interval can be taken: `level` has no "
            "effect on them.",
            "Omit one of the two.",
        )
    if wanted.intervals and not wanted.uncertain:
        raise UsageError(
            "`intervals` specifies how the intervals of `level` are made.", "Pass `level=80,95`."
        )
    if wanted.seed and not wanted.samples:
        raise UsageError("`seed` is what `samples` are drawn from.", "Pass `samples=100`.")


def find_history(
    bundle: Bundle,
    source: Readable | None,
    wanted: PredictionRequest,
    reading: Mapping[str, Any],
    on_event: Listener,
) -> History:
    """The rows from which the requested forecasts go on.

    Raises:
        UsageError: A series is not there, or there is no row to begin from.
        DataError: The table does not hold what the model needs.
    """
    stored = stored_panel(bundle) if source is None else None
    panel = stored or read_as_trained(bundle, cast(Readable, source), reading, on_event)
    ends = known_lasts(bundle) if stored is not None else None
    if wanted.only:
        chosen = find_series(panel, wanted.only)
        panel, ends = panel.only(chosen), ends if ends is None else ends[chosen]
    if wanted.begin is not None:
        panel = _before(panel, wanted.begin, source)
    steps = wanted.horizon or bundle.manifest.horizon
    _require_room(bundle, panel.count, steps, wanted)
    require_years(panel, steps)
    note_ended(panel, steps, on_event, lasts=ends, then=ENDED)
    if wanted.future is not None and not wanted.several_futures:
        if not panel.columns.covariates.future:
            raise UsageError("The model reads no future covariates.", "Omit `future`.")
        # A prediction without a table need not load what reads one.
        from ..data.future_table import with_future

        data = data_as_trained(bundle, reading)
        panel = with_future(panel, cast(Readable, wanted.future), data, on_event=on_event)
    if panel is not stored:
        check_levels(bundle, panel, on_event)
        note_far_ends(panel, on_event)
    # Filled and scaled by nothing that was left out; the stored rows are filled already.
    history = restore_history(bundle) if panel is stored else make_history(bundle, panel, on_event)
    require_rows(bundle, panel)
    return history


def find_series(panel: Panel, only: tuple[str, ...]) -> Ints:
    """Return the places of series by their names, shape `(names,)`."""
    if not len(panel.ids.columns):
        raise UsageError("There is one series, without a name.", "Omit `only`.")
    names: dict[str, int] = {}
    for series in range(panel.count):
        # Of two that read alike neither is meant.
        names[panel.name(series)] = -1 if panel.name(series) in names else series
    asked = [each for text in only for each in parted(text, names)]
    for name in asked:
        if names.get(name) == -1:
            raise UsageError(f'Two series are named "{name}".', "Omit `only`.")
        if name not in names:
            raise UsageError(f'There is no series "{name}".', _nearest(name, names))
    return np.array([names[name] for name in dict.fromkeys(asked)])


def _nearest(name: str, names: Collection[str]) -> str:
    """The nearest names, and some of all."""
    folded = {each.strip().casefold(): each for each in names}
    close = [folded[each] for each in get_close_matches(name.strip().casefold(), folded, n=3)]
    guess = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}There are {len(names):,}: {listed(list(names))}."


def parted(text: str, names: Collection[str]) -> list[str]:
    """Return a name, or several with commas between them."""
    return [text] if text in names else [part.strip() for part in text.split(",")]


def _before(panel: Panel, begin: str, source: Readable | None) -> Panel:
    """The panel up to the first forecast."""
    if panel.timeline is None:
        raise UsageError(
            f"`start={begin}` is a date, and there is no time column.", "Omit `start`."
        )
    date = parse_date("start", begin, panel.timeline.times)
    if source is None:
        raise UsageError(
            "`start` needs the rows before that date, and the model keeps only the last ones.",
            "Name the table that holds them.",
        )
    return before(panel, date)


def steps_wanted(bundle: Bundle, horizon: int | None, on_event: Listener) -> int:
    """The requested horizon, or the model's own.

    Raises:
        UsageError: The model cannot go that far.
    """
    steps = bundle.manifest.horizon if horizon is None else horizon
    if steps < 1:
        raise UsageError(f"Invalid `horizon` {steps}: must be at least 1.")
    manifest = bundle.manifest
    unknown = manifest.columns.unknown_ahead
    if steps > manifest.horizon and unknown:
        raise UsageError(
            f"The model forecasts {manifest.horizon} steps of {', '.join(manifest.targets)}; for "
            f"{steps} steps it would need the future values of {', '.join(unknown)}.",
            f"Pass at most `horizon={manifest.horizon}`, or train with `horizon={steps}`.",
        )
    # The pretrained network forecasts any horizon from the same rows.
    if steps > manifest.horizon and not manifest.config.network.pretrained:
        text = f"the model was trained for {manifest.horizon} steps: beyond them its own forecasts"
        on_event(Note(f"{text} are fed back", warning=True))
    return steps


def _require_room(bundle: Bundle, count: int, steps: int, wanted: PredictionRequest) -> None:
    """Refuse, by a UsageError, forecasts of `count` series that will not fit in memory."""
    columns = len(bundle.manifest.targets) * (1 + 2 * len(wanted.level))
    rows = count * steps * (wanted.samples or 1)
    changes = [f"fewer than `samples={wanted.samples}`"] if wanted.samples else []
    changes += [f"a horizon below {steps:,} steps"]
    changes += ["some of the series with `only`"] if count > 1 else []
    require_memory(
        rows * (ROW_BYTES + VALUE_BYTES * columns),
        f"A forecast of {rows:,} rows",
        f"Choose {' or '.join(changes)}.",
    )
