"""Which forecasts are wanted, and where they begin."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..config.registries import Intervals
from ..core.errors import UsageError, listed
from ..core.events import Listener, Note, ignore
from ..core.windows import Ints
from ..data.io.tables import Readable
from ..data.known_future import before
from ..data.panel import Panel
from ..data.splits import parse_date
from ..model.bundle import Bundle
from .history import (
    Start,
    begin_forecasts,
    data_as_trained,
    read_as_trained,
    require_rows,
    restore_history,
)
from .intervals.interval_methods import find_method


@dataclass(frozen=True)
class PredictionRequest:
    """Which forecasts are wanted.

    Args:
        horizon: Steps ahead, any number; the model's own where None.
        only: Names of the series to forecast, of several parts with blanks between them; all
            where empty.
        begin: The time of the first forecast, ISO 8601: later rows of the table are not read, but
            for what is known ahead; None for the step after the last row.
        future: A table of future covariates.
        level: Of the intervals, in percent; empty for none.
        intervals: How they are made; as the model was trained where None.
        samples: How many sample paths, instead of one forecast; None for none.
        seed: What they are drawn from.
    """

    horizon: int | None = None
    only: tuple[str, ...] = ()
    begin: str | None = None
    future: Readable | None = None
    level: tuple[float, ...] = ()
    intervals: Intervals | None = None
    samples: int | None = None
    seed: int = 0

    @property
    def anything(self) -> bool:
        """Whether anything was said."""
        return self.horizon is not None or self.beside_horizon

    @property
    def beside_horizon(self) -> bool:
        """Whether anything but the horizon was said."""
        # A future may be a frame, which is not compared as others are.
        return self.future is not None or replace(self, horizon=None, future=None) != ALL

    @property
    def doubtful(self) -> bool:
        """Whether intervals or sample paths are wanted."""
        return bool(self.level or self.samples)


ALL = PredictionRequest()


def require_sense(wanted: PredictionRequest) -> None:
    """Refuse options of intervals and of paths that would do nothing.

    Raises:
        UsageError: One would.
    """
    if wanted.samples is not None and wanted.samples < 1:
        raise UsageError(f"{wanted.samples} sample paths cannot be.", "Give at least 1.")
    if wanted.samples and wanted.intervals and find_method(wanted.intervals).needs_training:
        raise UsageError(
            f"Sample paths are made of errors that were seen; --intervals {wanted.intervals} does "
            "nothing there.",
            "Leave it out, or pass adaptive.",
        )
    if wanted.samples and wanted.level:
        raise UsageError(
            "--samples are paths, of which any interval can be taken; --level does nothing there.",
            "Leave one of them out.",
        )
    if wanted.intervals and not wanted.doubtful:
        raise UsageError("--intervals says how those of --level are made.", "Pass --level 80,95.")
    if wanted.seed and not wanted.samples:
        raise UsageError("--seed is what --samples are drawn from.", "Pass --samples N.")


def start_wanted(
    bundle: Bundle,
    source: Readable | None,
    wanted: PredictionRequest,
    reading: Mapping[str, Any],
    on_event: Listener,
) -> Start:
    """Where the forecasts begin that are wanted.

    Raises:
        UsageError: A series is not there, or there is no row to begin from.
        DataError: The table does not hold what the model needs.
    """
    if source is None:
        start = restore_history(bundle)
    else:
        start = read_as_trained(bundle, source, reading, on_event)
    panel = start.panel
    if wanted.only:
        panel = panel.only(_named(panel, wanted.only))
    if wanted.begin is not None:
        panel = _from(panel, wanted.begin, source)
    if wanted.future is not None:
        if not panel.columns.covariates.future:
            raise UsageError("The model reads no future covariates.", "Leave --future out.")
        # A prediction without a table need not load what reads one.
        from ..data.future_table import with_future

        data = data_as_trained(bundle, reading)
        panel = with_future(panel, wanted.future, data, on_event=on_event)
    if panel is not start.panel:
        # Cut or chosen anew, so filled and scaled anew, by nothing that was left out.
        start = begin_forecasts(bundle, panel, ignore)
    require_rows(bundle, start.panel)
    return start


def _named(panel: Panel, only: tuple[str, ...]) -> Ints:
    """The places of series by their names."""
    if not len(panel.ids.columns):
        raise UsageError("There is one series, without a name.", "Leave --only out.")
    names: dict[str, int] = {}
    for series in range(panel.count):
        # Of two that read alike neither is meant.
        names[panel.name(series)] = -1 if panel.name(series) in names else series
    asked = [each for text in only for each in _parted(text, names)]
    for name in asked:
        if names.get(name) == -1:
            raise UsageError(f'Two series read "{name}".', "Leave --only out.")
        if name not in names:
            raise UsageError(f'There is no series "{name}".', _nearest(name, names))
    return np.array([names[name] for name in dict.fromkeys(asked)])


def _nearest(name: str, names: Collection[str]) -> str:
    """The nearest names, and some of all."""
    close = get_close_matches(name, names, n=3)
    guess = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}There are {len(names):,}: {listed(list(names))}."


def _parted(text: str, names: Collection[str]) -> list[str]:
    """A name, or several with commas between them."""
    return [text] if text in names else [part.strip() for part in text.split(",")]


def _from(panel: Panel, begin: str, source: Readable | None) -> Panel:
    """The panel up to the first forecast."""
    if panel.timeline is None:
        raise UsageError(
            f"--start {begin} is a date, and there is no time column.", "Leave it out."
        )
    date = parse_date("begin", begin, panel.timeline.times)
    if source is None:
        raise UsageError(
            "--start needs the rows before that date, and the model keeps the last ones alone.",
            "Name DATA, which holds them.",
        )
    return before(panel, date)


def steps_wanted(bundle: Bundle, horizon: int | None, on_event: Listener) -> int:
    """The steps ahead that are asked for, or the model's own.

    Raises:
        UsageError: The model cannot go that far.
    """
    steps = bundle.manifest.horizon if horizon is None else horizon
    if steps < 1:
        raise UsageError(f"A horizon of {steps} cannot be.", "Give at least 1.")
    _check_horizon(bundle, steps, on_event)
    return steps


def _check_horizon(bundle: Bundle, steps: int, on_event: Listener) -> None:
    manifest = bundle.manifest
    if steps <= manifest.horizon:
        return
    if unknown := manifest.columns.unknown_ahead:
        raise UsageError(
            f"The model forecasts {manifest.horizon} steps of {', '.join(manifest.targets)}; to go "
            f"on to {steps} it would need the coming {', '.join(unknown)}.",
            f"Ask for at most {manifest.horizon} steps, or train with --horizon {steps}.",
        )
    on_event(
        Note(
            f"the model was trained for {manifest.horizon} steps: beyond them it goes on from its "
            "own forecasts",
            warning=True,
        )
    )
