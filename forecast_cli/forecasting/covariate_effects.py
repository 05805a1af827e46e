"""Forecasts of one series with some covariates at their usual values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.events import Listener, Note
from ..core.ragged import Flags
from ..core.windows import Floats
from ..data.columns import usual_values
from ..data.dataset import History
from ..data.known_future import rows_ahead
from ..model.bundle import Bundle
from .history import match_series
from .prediction import forecast_history
from .prediction_request import ALL


@dataclass(frozen=True)
class Covariate:
    """A covariate that differs from its usual value: `ahead` or in the window."""

    name: str
    place: int
    ahead: bool


def find_covariates(bundle: Bundle) -> list[Covariate]:
    """Return the covariates whose effects are of interest; not the calendar, which makes seasons.

    A stateful network has read all rows before: what it would be without them is not known.
    """
    if bundle.manifest.config.network.stateful:
        return []
    columns = bundle.manifest.columns
    known = columns.covariates
    return [
        Covariate(name, columns.features.index(name), name in known.future)
        for name in (*known.future, *known.past)
    ]


def find_usual(bundle: Bundle, history: History, on_event: Listener) -> Floats:
    """Return the usual values of covariates in each series, shape `(n_series, features)`."""
    panel, places = history.panel, match_series(bundle, history.panel)
    own = usual_values(panel.values, panel.indptr, panel.columns)
    if bundle.usual is None:
        if np.isfinite(own).any():
            text = "the model file has no usual values of covariates: those of the rows are taken"
            on_event(Note(f"{text} (train again for those of the training rows)", warning=True))
        return own
    return np.where((places >= 0)[:, None], bundle.usual[np.maximum(places, 0)], own)


def last_rows(history: History, series: int, timesteps: int) -> History:
    """Return the last rows of one series, as a history of their own."""
    panel = history.panel.only(np.array([series]))
    first = max(len(panel.values) - timesteps, 0)
    end = int(history.panel.indptr[series + 1])
    return replace(
        history,
        panel=panel.since(np.array([first])),
        filled=history.filled[end - len(panel.values) + first : end],
        scaling=history.scaling.each(np.array([series])),
    )


def find_active(
    one: History, players: Sequence[Covariate], usual: Floats, steps: int
) -> list[Covariate]:
    """Return the covariates that differ from their usual values, which alone have an effect."""
    ahead = rows_ahead(one.panel, steps)[0]
    return [
        player
        for player in players
        if np.isfinite(usual[player.place])
        and ((ahead if player.ahead else one.filled)[:, player.place] != usual[player.place]).any()
    ]


def value_of(
    bundle: Bundle, one: History, players: Sequence[Covariate], usual: Floats, steps: int
) -> Callable[[Flags], Floats]:
    """Return what forecasts one series where some covariates only are not at their usual values.

    It takes coalitions, shape `(coalitions, players)`, and returns shape
    `(coalitions, steps, targets)`, original units.
    """
    scaling = one.scaling.only(bundle.manifest.target_places).each(np.array([0]), steps=True)

    def value(masks: Flags) -> Floats:
        count, rows = len(masks), len(one.filled)
        panel = one.panel.only(np.zeros(count, np.int64))
        filled = np.tile(one.filled, (count, 1, 1))
        ahead = panel.ahead.copy()
        for mask, player in zip(masks.T, players, strict=True):
            changed = ahead[:, :steps] if player.ahead else filled
            changed[~mask, :, player.place] = usual[player.place]
        history = replace(
            one,
            panel=replace(panel, ahead=ahead),
            filled=filled.reshape(count * rows, -1),
            scaling=one.scaling.each(np.zeros(count, np.int64)),
        )
        point = forecast_history(bundle, history, steps, ALL, stored=False).point
        return scaling.inverse(point.astype(np.float64))

    return value
