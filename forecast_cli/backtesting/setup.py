"""Candidates brought to one table, so that all forecast the same rows from the same cutoffs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.registries import BASELINES
from ..config.schema import Config
from ..core.errors import UsageError
from ..core.events import Listener, Note, once
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..data.splits import all_training, rows_needed
from ..training.resolution import resolve_horizon
from .alignment import Gate, Scope
from .cutoffs import Cutoffs, find_cutoffs
from .models import DEFAULT_MODELS, LEAST, Candidate, Entry, make_entries
from .plan import Plan


@dataclass(frozen=True)
class Setup(Scope):
    """The table, the cutoffs and the candidates of a backtest, in the given order."""

    candidates: tuple[Candidate, ...]


def set_up(source: Readable, config: Config, plan: Plan, on_event: Listener) -> Setup:
    """Read the table, resolve the settings, and align all candidates with it.

    Raises:
        UsageError: A candidate is unknown, or reads another table.
        DataError: The table lacks what is needed.
    """
    on_event = once(on_event)
    if config.data.label:
        raise UsageError("A backtest compares forecasts; `label` is a setting of another task.")
    entries = make_entries(plan.models or DEFAULT_MODELS, config, on_event)
    config = _with_model(config, entries)
    panel = read_panel(source, config.data, on_event=on_event)
    return align(panel, entries, config, plan, source=source, on_event=on_event)


def align(
    panel: Panel,
    entries: Sequence[Entry],
    config: Config,
    plan: Plan,
    *,
    source: Readable,
    on_event: Listener,
) -> Setup:
    """Resolve the settings for a table, and align all candidates with it.

    Args:
        panel: The table.
        entries: The candidates.
        config: The settings that all share.
        plan: The options of the backtest.
        source: What the panel was read from.
        on_event: Notified of what was chosen.
    """
    given = config.data
    config, season = resolve_horizon(panel, config, on_event=on_event)
    if not plan.models and season == 1:
        names = {each.name for each in entries}
        unsuited = {each for each in names & {*BASELINES} if not BASELINES[each].suits(season)}
        entries = [entry for entry in entries if entry.name not in unsuited]
    taken = names_taken(panel)
    if second := next((entry for entry in entries if entry.name in taken), None):
        raise UsageError(
            f"{second.text} would be a second column {second.name} in the table of forecasts.",
            "Rename the file.",
        )
    horizon = config.window.horizon or 1
    least = max(_least_before(entry, config, panel, plan) for entry in entries)
    cutoffs = find_cutoffs(panel, plan, horizon=horizon, least=least, on_event=on_event)
    gate = Gate(panel, config, plan, cutoffs, season, source, given)
    candidates = tuple(gate.bring(entry, on_event) for entry in entries)
    _say_shortened(candidates, cutoffs, plan, on_event)
    return Setup(panel, config, plan, cutoffs, season, candidates)


def _say_shortened(
    candidates: Sequence[Candidate], cutoffs: Cutoffs, plan: Plan, on_event: Listener
) -> None:
    """Note which candidates read the last rows before a cutoff alone, and what they leave out."""
    shortened = [each for each in candidates if each.most is not None]
    if plan.sliding is not None or not shortened:
        return
    rows = int((cutoffs.ends - shortened[0].panel.indptr[:-1]).max())
    # All have the same number of rows, that of classical methods.
    most = shortened[0].most or rows
    if rows > most:
        names = ", ".join(each.name for each in shortened)
        left = f"up to {rows - most:,} earlier ones are left out (`sliding={rows}` for all)"
        on_event(Note(f"{names}: fitted to the last {most:,} rows before each cutoff; {left}"))


def _with_model(config: Config, entries: Sequence[Entry]) -> Config:
    """Return the configuration; without columns, with the data settings of the first model."""
    bundles = [entry.bundle for entry in entries if entry.bundle is not None]
    if config.data.column or config.data.layout not in (None, "long") or not bundles:
        return config
    own = bundles[0].manifest
    time = own.time.column if own.time else "none"
    data = own.config.data.changed(query=config.data.query, time=time)
    return config.changed(data=data, window={"horizon": config.window.horizon or own.horizon})


def names_taken(panel: Panel) -> set[str]:
    """Return the names of the columns of a table of forecasts that are no candidates."""
    return {*panel.ids.columns, panel.step_name, "cutoff", "column", "actual"}


def _least_before(entry: Entry, config: Config, panel: Panel, plan: Plan) -> int:
    """Return how many rows a candidate needs before the first cutoff; refuse fewer by `sliding`."""
    if entry.bundle is not None:
        manifest = entry.bundle.manifest
        return LEAST if manifest.config.network.pretrained else manifest.timesteps
    if entry.config is None:
        return LEAST
    timesteps = entry.config.window.timesteps or entry.config.network.segment or 1
    split = entry.config.split.changed(test=0)
    horizon = config.window.horizon or 1
    steps = 1 if config.window.mode == "many-to-one" else horizon
    least = rows_needed(split, all_training(panel), window=timesteps + steps, horizon=horizon)
    if plan.sliding is not None and plan.sliding < least:
        raise UsageError(
            f"`sliding={plan.sliding}` leaves {entry.name} too few training rows; {least} are "
            f"needed: a lookback of {timesteps}, {steps} ahead, and {least - timesteps - steps} "
            "for validation.",
            "Raise `sliding`, or lower `timesteps`, `horizon` or `validation`.",
        )
    return least
