"""Forecasts of one series with some covariates at their usual values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.events import Listener, Note
from ..core.forecast import Forecast
from ..core.padding import owner_series
from ..core.ragged import Flags
from ..core.windows import Floats, Ints, gather
from ..data.columns import usual_values
from ..data.dataset import Dataset, History
from ..data.known_future import rows_ahead
from ..model.bundle import Bundle
from ..model.runtime import chunks, forecast_origins
from .history import match_series
from .intervals.calibration import evenly
from .network_forecaster import NetworkForecaster, with_member
from .prediction import forecast_history
from .prediction_request import ALL

# At most so many origins, and so many windows in all; fewer than so many origins say nothing.
ORIGINS, WINDOWS, FEWEST = 200, 1500, 10
# With fewer origins a series on average, covariates are exchanged between series.
FEWEST_OF_SERIES = 5
# By covariate and target, percent; None where the error is 0.
Importance = dict[str, dict[str, float | None]]


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


def permutation_importance(
    network: NetworkForecaster, origins: Ints, *, seed: int = 0
) -> tuple[Importance, int]:
    """Return by how many percent the error rises where a covariate is that of another origin.

    The error is the mean absolute error, of each series relative to that of the seasonal naive.

    Args:
        network: Its dataset has the rows.
        origins: Shape `(samples,)`: rows with actual values in their horizon.
        seed: Of the permutation.

    Returns:
        Empty for a network without covariates or with too few origins; and how many origins.

    Source: Breiman (2001), Random Forests; on rows that were not learned from.
    """
    dataset = network.dataset
    columns = dataset.panel.columns
    names = (*columns.covariates.future, *columns.covariates.past)
    if not names or dataset.config.network.stateful or len(origins) < FEWEST:
        return {}, 0
    origins = evenly(origins, len(names) + 1, max(WINDOWS, FEWEST * (len(names) + 1)))
    origins = evenly(origins, 1, ORIGINS)
    rows = gather(
        dataset.scaled,
        dataset.padding.moved(origins) - dataset.timesteps,
        timesteps=dataset.timesteps + dataset.horizon,
    )
    other = _permuted(dataset, origins, seed)
    before = _errors(network, origins, rows)
    found: Importance = {}
    for name, place in zip(names, columns.places(names), strict=True):
        changed = rows.copy()
        changed[..., place] = rows[other][..., place]
        pairs = zip(_errors(network, origins, changed), before, strict=True)
        rises = [float(100.0 * (now / error - 1.0)) if error > 0 else None for now, error in pairs]
        found[name] = dict(zip(columns.targets, rises, strict=True))
    return found, len(origins)


def _permuted(dataset: Dataset, origins: Ints, seed: int) -> Ints:
    """Return for each origin the place of another one, of the same series where it has several."""
    draw, series = np.random.default_rng(seed), owner_series(dataset.panel.indptr, origins)
    if len(origins) < FEWEST_OF_SERIES * len(np.unique(series)):
        series = np.zeros_like(series)
    order = np.lexsort((draw.random(len(series)), series))
    other = np.empty_like(order)
    for each in np.unique(series):
        members = order[series[order] == each]
        # A cycle: none keeps its own.
        other[members] = np.roll(members, 1)
    return other


def _errors(network: NetworkForecaster, origins: Ints, rows: Floats) -> Floats:
    """Return the error of each target, shape `(targets,)`, from origins of shape `(samples,)`.

    The rows around each are scaled, shape `(samples, timesteps + horizon, features)`.
    """
    dataset, length = network.dataset, rows.shape[1]
    flat = rows.reshape(-1, rows.shape[2])
    parts = [
        forecast_origins(
            network.network_from(origins[part]),
            flat,
            part * length + dataset.timesteps,
            inputs=dataset.panel.columns.inputs,
            timesteps=dataset.timesteps,
            horizon=dataset.horizon,
        ).point
        for part in chunks(np.arange(len(rows)), timesteps=length, features=rows.shape[2])
    ]
    joined = with_member(network.member, dataset, Forecast(np.concatenate(parts)), origins)
    made = network.in_units(joined.point, origins)
    steps = origins[:, None] + np.arange(dataset.horizon)
    actual = dataset.panel.values[steps][..., dataset.targets]
    series = owner_series(dataset.panel.indptr, origins)
    naive = np.where(dataset.naive_error > 0, dataset.naive_error, 1.0)[series][:, None]
    errors: Floats = np.nanmean(np.abs(actual - made) / naive, axis=(0, 1))
    return errors
