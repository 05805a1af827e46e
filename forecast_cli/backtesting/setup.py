"""Candidates brought to one table, so that all forecast the same rows from the same cutoffs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from ..config.registries import BASELINES
from ..config.schema import Config
from ..config.sections import Data, Window
from ..core.errors import UsageError
from ..core.events import Listener, Note, ignore, once
from ..core.windows import Ints
from ..data.groups import find_places
from ..data.io.tables import Readable
from ..data.panel import Panel
from ..data.reading import read_panel
from ..data.splits import LEAST_KNOWN, all_training, rows_needed
from ..data.time.time_index import when
from ..forecasting.history import READ_AS_TRAINED, read_as_trained
from ..forecasting.prediction_request import steps_wanted
from ..model.bundle import Bundle
from ..training.presets.data_profile import choose_timesteps
from ..training.resolution import resolve_horizon
from .cutoffs import Cutoffs, find_cutoffs
from .folds import Fold, config_for, forecast_by_bundle, forecast_by_network, learning_dataset
from .models import DEFAULT_MODELS, LEAST, Candidate, Entry, baseline_candidate, make_entries
from .plan import Plan, Refit


@dataclass(frozen=True)
class Scope:
    """The table and the cutoffs of a backtest, the same for all candidates.

    Args:
        panel: The table as read by the settings of the backtest.
        config: Resolved as far as it is the same for all candidates, with the horizon.
        plan: The options of the backtest.
        cutoffs: Where forecasts begin.
        season_length: Steps in a season.
    """

    panel: Panel
    config: Config
    plan: Plan
    cutoffs: Cutoffs
    season_length: int

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return self.config.window.horizon or 1

    def rows_before(self, cutoff: int) -> tuple[Ints, Ints]:
        """Return the training rows of each series: the first, and the one after the last.

        Shape `(n_series,)` each; `cutoff` is its number.
        """
        panel, ends = self.panel, self.cutoffs.ends[cutoff]
        if self.plan.sliding is None:
            return panel.indptr[:-1], ends
        begins = np.maximum(panel.indptr[:-1], ends - self.plan.sliding)
        if panel.data.missing == "mask":
            return begins, ends
        # A stretch that began with a gap would have nothing before it to be filled with.
        rows = np.where(panel.missing_rows, len(panel.values), np.arange(len(panel.values)))
        following = np.minimum.accumulate(rows[::-1])[::-1]
        begins = np.where(ends > begins, following[np.minimum(begins, len(rows) - 1)], begins)
        return np.minimum(begins, ends), ends


@dataclass(frozen=True)
class Gate(Scope):
    """What candidates are aligned with.

    Args:
        source: Read again for candidates with data settings of their own.
        data: The data settings as given.
    """

    source: Readable
    data: Data

    def bring(self, entry: Entry, on_event: Listener) -> Candidate:
        """Return a candidate that reads this table.

        Raises:
            UsageError: It reads other rows or columns.
        """
        if entry.bundle is not None:
            return self._model(entry, entry.bundle, on_event)
        if entry.config is not None:
            return self._network(entry.name, entry.config, on_event)
        begins, ends = self.rows_before(0)
        rows, season = int(np.median(ends - begins)), self.season_length
        steps = self.config.window.timesteps or choose_timesteps(rows, season, self.horizon)
        window, level = season if season > 1 else steps, self.config.level
        return baseline_candidate(entry.name, self.panel, season=season, window=window, level=level)

    def _network(self, name: str, config: Config, on_event: Listener) -> Candidate:
        """Return a network with settings chosen from the rows before the first cutoff."""
        panel = self.panel
        if config.data not in (self.data, self.config.data, Config().data):
            panel = self._aligned(name, read_panel(self._again(name), config.data))
        mode = config.window.mode or self.config.window.mode
        given = {"timesteps": config.window.timesteps, "mode": mode}
        known = {name: value for name, value in given.items() if value is not None}
        window = Window(horizon=self.horizon, **known)
        self._say_overruled(name, config, on_event)
        config = config.changed(window=window, data=panel.data, level=self.config.level)
        begins, ends = self.rows_before(0)
        nothing = np.empty(0, np.int64)
        fold = Fold(panel, panel.values, begins, ends, nothing, nothing, self.horizon)
        dataset = learning_dataset(fold, config, on_event)
        config = config.changed(preset=dataset.config.preset)
        if not dataset.config.preset_chooses:
            # Any other preset chooses in each fold, as it would there.
            config = config.changed(window=dataset.config.window)
        least = LEAST_KNOWN if dataset.config.network.takes_short else dataset.timesteps
        forecast, refit = partial(forecast_by_network, config=config), self.plan.refit_every
        network, own = dataset.config.network, (max(least, LEAST), config.model_dump_json())
        trains = not network.pretrained or bool(network.finetuned)
        return Candidate(name, "network", forecast, panel, refit, *own, trains=trains)

    def _say_overruled(self, name: str, config: Config, on_event: Listener) -> None:
        """Warn where the configuration of a candidate differs from what all candidates do."""
        own = config.window.horizon
        if own is not None and own != self.horizon:
            note = f"{name} has a horizon of {own} steps; all candidates forecast"
            on_event(Note(f"{note} {self.horizon}", warning=True))
        if config.level != self.config.level:
            note = f"{name} has intervals of {percents(config.level)} %; all candidates make those"
            on_event(Note(f"{note} of {percents(self.config.level)} %", warning=True))

    def _model(self, entry: Entry, bundle: Bundle, on_event: Listener) -> Candidate:
        """Return a trained model, with the table read by its own settings."""
        manifest, text = bundle.manifest, entry.text
        steps_wanted(bundle, self.horizon, on_event)
        read = read_as_trained(bundle, self._again(text), READ_AS_TRAINED, ignore)
        panel = self._with_noise(self._aligned(text, read))
        self._warn_of_training(text, bundle, on_event)
        refit: Refit = "never"
        if bundle.series is not None and bundle.scaling.by_series:
            # Series that it does not know are scaled by what is known of them at each cutoff.
            new = (find_places(panel.ids, bundle.series.frame) < 0).any()
            refit = "always" if new else "never"
        skips = manifest.config.network.takes_short
        least = LEAST_KNOWN if skips else manifest.timesteps
        level, own = self.config.level, manifest.config
        if bundle.calibration is not None and config_for(bundle, level) != own:
            note = (
                f"{text} forecasts the quantiles of the levels {percents(own.level)} %, not all "
                f"of {percents(level)} %: its intervals here are conformal, from its own errors"
            )
            on_event(Note(note, warning=True))
        forecast = partial(forecast_by_bundle, bundle=bundle, level=level)
        return Candidate(entry.name, "model", forecast, panel, refit, max(least, LEAST))

    def _with_noise(self, panel: Panel) -> Panel:
        """Return the table of a trained model with the errors of this backtest, if it can be."""
        if not panel.columns.covariates.future:
            return panel
        changes = {"future_noise": self.config.data.future_noise}
        return replace(panel, data=panel.data.model_copy(update=changes))

    def _again(self, text: str) -> Readable:
        """Return the table, to be read by other settings; refuse standard input."""
        if isinstance(self.source, str) and self.source == "-":
            raise UsageError(
                f"{text} has its own data settings, and standard input can be read only once.",
                "Write the table to a file, and pass that file.",
            )
        return self.source

    def _aligned(self, text: str, panel: Panel) -> Panel:
        """Return the panel of a candidate; refuse one whose rows are not those of the backtest."""
        own = self.panel
        if panel.columns.targets != own.columns.targets:
            raise UsageError(
                f"{text} forecasts {', '.join(panel.columns.targets)}; the others "
                f"{', '.join(own.columns.targets)}.",
                "Candidates must forecast the same columns in the same order.",
            )
        rows = panel.indptr.tolist() == own.indptr.tolist()
        same = rows and panel.ids.astype(str).equals(own.ids.astype(str))
        if same and panel.timeline is not None and own.timeline is not None:
            same = bool((panel.timeline.times.asi8 == own.timeline.times.asi8).all())
        if not same or (panel.timeline is None) != (own.timeline is None):
            raise UsageError(
                f"{text} reads {panel.source} as {len(panel.values):,} rows of {panel.count:,} "
                f"series, the others as {len(own.values):,} rows of {own.count:,}, or at other "
                "times.",
                "Pass the data settings of that candidate: `series`, `time`, `freq`, `resample`, "
                "`missing`.",
            )
        return panel

    def _warn_of_training(self, text: str, bundle: Bundle, on_event: Listener) -> None:
        """Warn of cutoffs that lie before the end of the rows that a model was trained on."""
        if why := _why_unknown(bundle, self.panel):
            note = (
                f"{text}: unknown whether it was trained on rows after a cutoff, where its scores "
                f"would be optimistic: {why}"
            )
            on_event(Note(note, warning=True))
            return
        seen, until = _cutoffs_seen(bundle, self.panel, self.cutoffs)
        if seen:
            note = (
                f"{text} was trained on rows up to {until}: {seen} of {self.cutoffs.count} cutoffs "
                "lie before that, and its scores there are optimistic"
            )
            on_event(Note(note, warning=True))


def percents(level: tuple[float, ...]) -> str:
    """Return levels as text."""
    return ", ".join(f"{each:g}" for each in level)


def _why_unknown(bundle: Bundle, panel: Panel) -> str:
    """Return why it is unknown which rows a model was trained on; empty where it is known."""
    time = bundle.manifest.time
    if panel.timeline is None or time is None:
        return "several series have no times to compare" if panel.count > 1 else ""
    zones = panel.timeline.times.tz, pd.Timestamp(time.last).tzinfo
    if zones.count(None) != 1:
        return ""
    whose = "that it was trained on" if zones[0] is None else "of this table"
    return f"only the times {whose} have a zone"


def _cutoffs_seen(bundle: Bundle, panel: Panel, cutoffs: Cutoffs) -> tuple[int, str]:
    """Return how many cutoffs lie before the last row that a model was trained on, and that row."""
    manifest = bundle.manifest
    begins = None if manifest.run.refitted else manifest.splits.test_begins
    if cutoffs.times is None or panel.timeline is None or manifest.time is None:
        rows = manifest.rows - (0 if manifest.run.refitted else manifest.splits.test)
        known = cutoffs.ends[:, 0] - panel.indptr[0]
        return int((known < rows).sum()), f"row {rows:,}"
    last = pd.Timestamp(begins or manifest.time.last)
    times = panel.timeline.times
    if last.tzinfo is not None and times.tz is not None:
        last = last.tz_convert(times.tz)
    known = times[times < last] if begins else times[times <= last]
    if not len(known):
        return 0, ""
    return int((cutoffs.times < known.max()).sum()), when(known.max())


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
    """Resolve the settings that all share for a table, and align all candidates with it.

    The panel was read from `source`, which candidates with data settings of their own read again.
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
