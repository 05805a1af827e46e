"""What a forecast is made of: level, trend, seasons, and the effect of each covariate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..core.errors import UsageError, counted
from ..core.events import Listener, Note, ignore
from ..core.scaling import decimals_of
from ..core.seasonality import decompose
from ..core.shapley import EXACT, shapley_values
from ..core.windows import Floats
from ..data.dataset import History
from ..data.io.tables import Readable
from ..data.known_future import steps_frame
from ..data.panel import Panel
from ..data.season import default_seasons
from ..model.bundle import Bundle
from .covariate_effects import (
    Importance,
    find_active,
    find_covariates,
    find_usual,
    last_rows,
    permutation_importance,
    value_of,
)
from .history import READ_AS_TRAINED
from .prediction import forecast_history
from .prediction_request import ALL, PredictionRequest, find_history, steps_wanted
from .saved_model_data import (
    forecaster_for,
    refuse_labels,
    rows_of_training,
    scoring_dataset,
)

FORECAST, LEVEL, TREND, SEASON = "forecast", "level", "trend", "season"
COLUMN, COVARIATE, MEMBER = "column", "covariate", "member"


@dataclass(frozen=True)
class Explanation:
    """What a forecast is made of.

    Args:
        effects: A row for each series, step, and target where there are several: the names of the
            series, the time, the `forecast`, and the parts whose sum it is, original units.
        members: A row for each member of an ensemble, with its weight in percent.
        importance: A row for each covariate: by how many percent the error rises without it.
        importance_of: The rows that it was measured on; empty where it was not.
        count: How many covariates `effects` has, its last columns.
    """

    effects: pd.DataFrame
    members: pd.DataFrame
    importance: pd.DataFrame
    importance_of: str = ""
    count: int = 0

    @property
    def parts(self) -> list[str]:
        """The columns of `effects` whose sum is the forecast."""
        names = [str(name) for name in self.effects]
        return names[names.index(FORECAST) + 1 :]

    @property
    def covariates(self) -> list[str]:
        """The columns of `effects` that are effects of covariates."""
        return self.parts[len(self.parts) - self.count :]


class _Parts(NamedTuple):
    """A forecast and its parts, shape `(steps,)` each, and the effects of covariates in order."""

    named: dict[str, Floats]
    effects: list[Floats]


def explain(
    bundle: Bundle,
    source: Readable | None = None,
    wanted: PredictionRequest = ALL,
    *,
    seed: int = 0,
    reading: Mapping[str, Any] = READ_AS_TRAINED,
    on_event: Listener = ignore,
) -> Explanation:
    """Return what a forecast is made of.

    The `seed` is that of sampled orders of many covariates, and of permutations; the other
    arguments are those of `predict`.

    Raises:
        DataError: The table does not hold what the model needs.
        UsageError: The model predicts labels, or cannot go that far.
    """
    refuse_labels(
        bundle, "A label has no level, trend and seasons.", "Explain a forecasting model."
    )
    steps = steps_wanted(bundle, wanted.horizon, on_event)
    history = find_history(bundle, source, wanted, reading, on_event)
    effects = _effects(bundle, history, steps, stored=source is None, seed=seed, on_event=on_event)
    found, of_rows = bundle.manifest.importance, "the validation split"
    if source is not None:
        found, of_rows = _measure_importance(bundle, history, seed, on_event) or (found, of_rows)
    targets = bundle.manifest.targets
    return Explanation(
        effects,
        _rows(MEMBER, "weight_percent", bundle.manifest.weights, targets, 100.0),
        _rows(COVARIATE, "error_rise_percent", found, targets),
        of_rows if found else "",
        len(find_covariates(bundle)),
    )


def _rows(
    key: str, value: str, found: Importance, targets: Sequence[str], unit: float = 1.0
) -> pd.DataFrame:
    """Return numbers by name and target as a frame, the largest first where they are errors."""
    rows = [
        {key: name}
        | ({COLUMN: target} if len(targets) > 1 else {})
        | {value: None if number is None else round(unit * number, 1)}
        for name, numbers in found.items()
        for target, number in numbers.items()
    ]
    frame = pd.DataFrame(rows, columns=None if rows else [key, value])
    return frame.sort_values(value, ascending=False, kind="stable", ignore_index=True)


def _measure_importance(
    bundle: Bundle, history: History, seed: int, on_event: Listener
) -> tuple[Importance, str] | None:
    """Return the importance of covariates on the rows of a table; None where they are too few.

    Rows that the model has learned from count only where the model file has nothing better.
    """
    panel, steps = history.panel, bundle.manifest.timesteps
    old = np.maximum(rows_of_training(bundle, panel), np.minimum(steps, panel.lengths - 1))
    for first, kind in ((old, "new rows"), (np.minimum(steps, panel.lengths - 1), "rows")):
        if kind == "rows" and bundle.manifest.importance:
            return None
        begins = panel.indptr[:-1] + np.minimum(first, panel.lengths - 1)
        network = forecaster_for(bundle, scoring_dataset(bundle, history, begins))
        found, count = permutation_importance(network, network.origins("test"), seed=seed)
        if found:
            if kind == "rows":
                text = "the importance of covariates is measured on rows that the model learned"
                on_event(Note(f"{text} from", warning=True))
            return found, f"{counted(count, 'forecast')} in {kind} of {panel.source}"
    return None


def _effects(
    bundle: Bundle, history: History, steps: int, *, stored: bool, seed: int, on_event: Listener
) -> pd.DataFrame:
    """Return forecasts and their parts, as in `Explanation`."""
    panel, targets = history.panel, bundle.manifest.targets
    usual, players = find_usual(bundle, history, on_event), find_covariates(bundle)
    whole = forecast_history(bundle, history, steps, ALL, stored=stored).point
    places, series = bundle.manifest.target_places, np.arange(panel.count)
    scaling = history.scaling.only(places).each(series, steps=True)
    forecasts = scaling.inverse(whole.astype(np.float64))
    seasons = default_seasons(panel, bundle.manifest.config, history.season_length)
    parts = []
    most = 0
    for each in series.tolist():
        one = last_rows(history, each, bundle.manifest.context)
        active = find_active(one, players, usual[each], steps)
        most = max(most, len(active))
        base, effects = forecasts[each], np.zeros((len(players), *forecasts.shape[1:]))
        if active:
            value = value_of(bundle, one, active, usual[each], steps)
            base, found = shapley_values(value, len(active), seed=seed)
            effects[[players.index(player) for player in active]] = found
        parts.append(_split(one.filled[:, places], forecasts[each], base, effects, seasons))
    if most > EXACT:
        text = f"the effects of {most} covariates are estimated from sampled orders of them"
        on_event(Note(f"{text}; their sum is exact"))
    return _frame(panel, targets, [player.name for player in players], parts)


def _split(
    before: Floats, forecast: Floats, base: Floats, effects: Floats, seasons: Sequence[int]
) -> list[_Parts]:
    """Return for each target its forecast and the parts, rounded so that they are exactly it.

    Shapes: the actual values `before` `(rows, targets)`; the forecast, and that with covariates at
    their usual values, `(steps, targets)`; effects `(players, steps, targets)`.
    """
    made = []
    for place in range(forecast.shape[1]):
        whole = decompose(before[:, place], base[:, place], seasons)
        named = {f"{SEASON}_{steps}": part for steps, part in whole.seasons.items()}
        if len(named) == 1:
            named = {SEASON: next(iter(named.values()))}
        level = np.full(len(forecast), whole.level)
        exact = [level, *named.values(), *effects[..., place]]
        places = decimals_of(forecast[:, place])
        total, *others = (_rounded(each, places) for each in (forecast[:, place], *exact))
        trend = _rounded(total - sum(others), places)
        level, *others = others
        own = dict(zip(named, others, strict=False))
        named = {FORECAST: total, LEVEL: level, TREND: trend, **own}
        made.append(_Parts(named, others[len(own) :]))
    return made


def _rounded(values: Floats, places: Any) -> Floats:
    """Round each value to its own number of decimals, shape `(steps,)` each."""
    return np.array(list(map(round, values.tolist(), places.tolist())))


def _frame(
    panel: Panel, targets: Sequence[str], names: Sequence[str], parts: list[list[_Parts]]
) -> pd.DataFrame:
    """Return the frame of all series: the targets of a step one below the other."""
    named = parts[0][0].named
    frame = steps_frame(panel, len(named[FORECAST]))
    frame = frame.loc[frame.index.repeat(len(targets))].reset_index(drop=True)
    if len(targets) > 1:
        frame[COLUMN] = np.resize(np.array(targets, object), len(frame))

    if taken := sorted({*named} & {*frame}):
        raise UsageError(
            f'A part of the forecast is called "{taken[0]}", and a column of the table too.',
            "Rename that column of the table, and train again.",
        )
    rows = [
        np.stack([[*part.named.values(), *part.effects] for part in each], axis=-1)
        for each in parts
    ]
    values = np.concatenate([each.reshape(len(each), -1) for each in rows], axis=1)
    keys, taken_by = [*named], {*frame, *named}
    for name in names:
        keys.append(f"{name} ({COVARIATE})" if name in taken_by else name)
        taken_by.add(keys[-1])
    return pd.concat([frame, pd.DataFrame(dict(zip(keys, values, strict=True)))], axis=1)
