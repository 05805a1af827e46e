"""Contenders brought to one table, so that all forecast the same rows from the same cutoffs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.registries import BASELINES
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Event, Listener, Note
from ..core.windows import Ints
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..data.splits import all_training, rows_needed
from ..training.resolution import resolve_horizon
from .alignment import Gate
from .cutoffs import Cutoffs, find_cutoffs, rows_before
from .models import LEAST, USUAL, Contender, Entry, make_entries
from .plan import Plan


@dataclass(frozen=True)
class Contest:
    """Who forecasts what, from where.

    Args:
        panel: The table.
        config: With all_training filled in that was chosen.
        cutoffs: Where forecasts begin.
        horizon: Steps ahead.
        season_length: Steps in a season.
        contenders: In the order in which they were named.
        sliding: How many rows before a cutoff may be learned from; None: all.
    """

    panel: Panel
    config: Config
    cutoffs: Cutoffs
    horizon: int
    season_length: int
    contenders: tuple[Contender, ...]
    sliding: int | None

    def rows_before(self, cutoff: int) -> tuple[Ints, Ints]:
        """The rows of each series that may be learned from: the first, and that after the last."""
        return rows_before(self.panel, self.cutoffs, cutoff, self.sliding)


def enter(source: Readable, config: Config, plan: Plan, on_event: Listener) -> Contest:
    """Read the table, choose what is left open, and bring all contenders to it.

    Raises:
        UsageError: A contender is unknown, or reads another table.
        DataError: The table does not hold what is needed.
    """
    on_event = _once(on_event)
    if config.data.label:
        raise UsageError("A backtest is of forecasts, and --label asks for another task.")
    entries = make_entries(plan.models or USUAL, config)
    config = _with_model(config, entries)
    panel = read_panel(source, config.data, on_event=on_event)
    config, season = resolve_horizon(panel, config, on_event=on_event)
    if not plan.models and season == 1:
        entries = [entry for entry in entries if _suits(entry, season)]
    _check_names(panel, entries)
    horizon = config.window.horizon or 1
    least = max(_least_before(entry, config, panel, plan) for entry in entries)
    cutoffs = find_cutoffs(panel, plan, horizon=horizon, least=least, on_event=on_event)
    gate = Gate(source, panel, config, plan, cutoffs, season)
    contenders = tuple(gate.bring(entry, on_event) for entry in entries)
    return Contest(panel, config, cutoffs, horizon, season, contenders, plan.sliding)


def _suits(entry: Entry, season: int) -> bool:
    """Whether an entry can forecast series with such a season."""
    return entry.name not in BASELINES or BASELINES[entry.name].suits(season)


def _once(on_event: Listener) -> Listener:
    """A listener that is told each note once, however many networks are made."""
    said: set[str] = set()

    def hear(event: Event) -> None:
        if not isinstance(event, Note):
            on_event(event)
        elif event.text not in said:
            said.add(event.text)
            on_event(event)

    return hear


def _with_model(config: Config, entries: Sequence[Entry]) -> Config:
    """The configuration; where no column is named, how the first model reads its table."""
    bundles = [entry.bundle for entry in entries if entry.bundle is not None]
    if config.data.column or config.data.layout in ("columns", "rows") or not bundles:
        return config
    own = bundles[0].manifest
    time = own.time.column if own.time else "none"
    data = own.config.data.model_copy(update={"query": config.data.query, "time": time})
    horizon = config.window.horizon or own.horizon
    window = config.window.model_copy(update={"horizon": horizon})
    return config.model_copy(update={"data": data, "window": window})


def _check_names(panel: Panel, entries: Sequence[Entry]) -> None:
    """Refuse contenders that are called like another column of the table to come."""
    taken = {*panel.ids.columns, panel.step_name, "cutoff", "column", "actual"}
    for entry in entries:
        if entry.name in taken:
            raise UsageError(
                f"{entry.text} would be a second column {entry.name} in the table of forecasts.",
                "Give the file another name.",
            )


def _least_before(entry: Entry, config: Config, panel: Panel, plan: Plan) -> int:
    """How many rows a contender needs before the first cutoff.

    Raises:
        UsageError: It may not learn from so many.
    """
    if entry.bundle is not None:
        return entry.bundle.manifest.timesteps
    if entry.config is None:
        return LEAST
    timesteps = entry.config.window.timesteps or entry.config.network.segment or 1
    split = entry.config.split.model_copy(update={"test": 0})
    horizon = config.window.horizon or 1
    steps = 1 if config.window.mode == "many-to-one" else horizon
    least = rows_needed(split, all_training(panel), window=timesteps + steps, horizon=horizon)
    if plan.sliding is not None and plan.sliding < least:
        raise UsageError(
            f"--sliding {plan.sliding} leaves {entry.name} too few rows to learn from; {least} are "
            f"needed: {timesteps} steps back, {steps} ahead, and {least - timesteps - steps} for "
            "validation.",
            "Raise it, or lower --timesteps, --horizon or --validation.",
        )
    return least
