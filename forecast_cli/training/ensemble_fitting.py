"""Fit the baselines of an ensemble and the weights of its members, and put all into one model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines.effects import Effects
from ..baselines.ensemble_weights import beats, fit_weights, make_prior
from ..baselines.linear_map import widened
from ..baselines.member_maps import fit_maps
from ..config.members import list_members
from ..config.registries import NAIVE
from ..config.schema import Config
from ..core.errors import DataError
from ..core.padding import owner_series
from ..core.parallel import one_thread
from ..core.ragged import cumulate
from ..core.series_features import SeriesFeatures, extract_features
from ..core.windows import Floats, Ints, gather
from ..data.dataset import Dataset
from ..data.season import default_seasons
from ..forecasting.intervals.calibration import (
    estimate_units,
    evenly,
    measure_units,
    scaled_targets,
)
from .effect_removal import Adjusted

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed

# Values of windows and forecasts that weights are fitted to at most: 160 MB.
MOST_VALUES = 40_000_000
NETWORK = "network"
# The prior weight of a baseline without the effects of covariates, as a share of that with them.
WITHOUT = 0.25


@dataclass(frozen=True)
class Combination:
    """The numbers by which forecasts are combined.

    Args:
        maps: Shape `(maps, targets, timesteps, horizon)`: the baselines; None for none.
        direct: The same without the effects of covariates; None where there are none.
        shares: Shape `(members, targets)`: the weights of networks, `maps` and `direct`; None
            where all are equal.
    """

    maps: Floats | None = None
    direct: Floats | None = None
    shares: Floats | None = None


def fit_combination(
    adjusted: Adjusted, networks: Sequence[Any], *, shares: Floats | None = None
) -> Combination:
    """Fit the baselines of an ensemble, and the weights of its members.

    Where effects are estimated, weights can be learned, and then baselines are fitted both with
    the effects and without them: covariates may matter in some series alone, or only for a time.

    Args:
        adjusted: Baselines are fitted on its training split, weights on its validation split.
        networks: The Keras models.
        shares: Shape `(members, targets)`: weights of an earlier training; None to fit them.
    """
    dataset = adjusted.rest
    ensemble = dataset.config.ensemble
    learns = ensemble.combine == "weights" and shares is None
    features = target_features(dataset) if learns or ensemble.maps else ()
    maps = direct = None
    if ensemble.maps:
        maps = fit_baseline_maps(dataset, features)
        if ensemble.combine == "weights" and adjusted.found:
            direct = fit_baseline_maps(adjusted.dataset, features)
    if learns:
        shares = _fit_shares(adjusted, networks, (maps, direct), features)
    elif shares is not None and direct is None:
        shares = _without_repeats(shares, len(ensemble.maps), len(networks))
    return Combination(maps, direct, shares)


def _without_repeats(shares: Floats, baselines: int, networks: int) -> Floats:
    """Return weights where a refit has found no effects: a baseline has one, `(members, targets)`.

    Shape `(networks + 2 * baselines, targets)`, or without what is to be added up.
    """
    own, again = np.split(shares.copy(), [networks + baselines])
    own[networks:] += again if len(again) else 0.0
    return own


def target_features(dataset: Dataset) -> tuple[SeriesFeatures, ...]:
    """Return the features of the training rows of each target."""
    begin, end = dataset.splits.bounds("train")
    rows, indptr = dataset.panel.values[dataset.panel.between(begin, end)], cumulate(end - begin)
    usual = default_seasons(dataset.panel, dataset.config, dataset.season_length)
    return tuple(extract_features(rows[:, each], indptr, usual=usual) for each in dataset.targets)


def fit_baseline_maps(dataset: Dataset, features: Sequence[SeriesFeatures] = ()) -> Floats:
    """Return the baselines as maps of a window, shape `(maps, targets, timesteps, horizon)`.

    Args:
        dataset: They are fitted on its training split.
        features: Of the training rows of each target, where they are known.

    Raises:
        DataError: The training rows are too few for one.
    """
    places, columns = dataset.targets, dataset.panel.columns
    pooled = dataset.config.network.channels == "independent"
    groups = [places] if pooled else [[place] for place in places]
    with one_thread():
        found = [
            _fit_column_maps(dataset, group, each.seasons)
            for group, each in zip(groups, features or target_features(dataset), strict=False)
        ]
    names = dataset.config.ensemble.maps
    if missing := [name for name in names if any(name not in each for each in found)]:
        raise DataError(
            f"{dataset.panel.source} has too few training rows, or no season, for the "
            f"baseline {missing[0]} of {columns.targets[0]}.",
            "Leave it out of `baselines`, or give more rows.",
        )
    each = [np.stack([group[name] for name in names]) for group in found]
    return np.stack(each * len(places) if pooled else each, axis=1).astype(np.float32)


def _fit_column_maps(
    dataset: Dataset, places: list[int], seasons: Sequence[int]
) -> dict[str, Floats]:
    """Return maps, shape `(timesteps, horizon)`, by name; columns are fitted as if series."""
    panel, config = dataset.panel, dataset.config
    rows, count = len(dataset.filled), len(places)
    # The padding in front of short series is left out.
    known = dataset.scaled[dataset.padding.moved(np.arange(rows))]
    values = known[:, places].T.ravel().astype(np.float64)
    first = (rows * np.arange(count))[:, None]
    indptr = np.append((first + panel.indptr[:-1]).ravel(), rows * count)
    end = (first + dataset.splits.bounds("train")[1]).ravel()
    found = fit_maps(
        values,
        indptr,
        end,
        horizon=dataset.steps_at_once,
        season=dataset.season_length,
        seasons=seasons,
        names=config.ensemble.maps,
        timesteps=dataset.timesteps,
    )
    return {name: widened(each, dataset.timesteps) for name, each in found.items()}


def _fit_shares(
    adjusted: Adjusted,
    networks: Sequence[Any],
    maps: tuple[Floats | None, Floats | None],
    features: Sequence[SeriesFeatures],
) -> Floats:
    """Return the weight of each forecast, by target, shape `(members, targets)`.

    `maps` are those of the rest, and those without the effects.
    """
    dataset = adjusted.rest
    steps, baselines = dataset.steps_at_once, dataset.config.ensemble.maps
    again = () if maps[1] is None else baselines
    names = (*[NETWORK] * len(networks), *baselines, *again)
    columns = len(dataset.panel.columns.features)
    size = columns * dataset.timesteps + 2 * steps * len(names) * len(dataset.targets)
    starts = evenly(dataset.starts("validation", horizon=steps), size, MOST_VALUES)
    priors = [_prior(names, len(again), seasonal=bool(each.seasons)) for each in features]
    if not len(starts):
        return np.stack(priors, axis=1).astype(np.float32)
    forecasts, actual = _validation_forecasts(adjusted, networks, maps, starts)
    rows = dataset.padding.original(starts + dataset.timesteps)
    units = usual_errors_of(dataset)[owner_series(dataset.panel.indptr, rows)][:, None]
    distinct = count_distinct(dataset, rows, steps)
    shares = []
    for place, (each, prior) in enumerate(zip(features, priors, strict=True)):
        made, truth = (part[..., place] / units[..., place] for part in (forecasts, actual))
        if each.random_walk and NAIVE in names:
            last = len(names) - 1 - names[::-1].index(NAIVE)
            if not beats(made, truth, last, origins=rows):
                shares.append(np.eye(len(names))[last])
                continue
        shares.append(
            fit_weights(made, truth, prior, distinct=distinct, squared=dataset.intermittent)
        )
    return np.stack(shares, axis=1).astype(np.float32)


def _prior(names: Sequence[str], again: int, *, seasonal: bool) -> Floats:
    """Return the prior weights, `(members,)`, the last so many without covariates."""
    prior = make_prior(names, seasonal=seasonal)
    prior[len(names) - again :] *= WITHOUT
    total: Floats = prior / prior.sum()
    return total


def _validation_forecasts(
    adjusted: Adjusted,
    networks: Sequence[Any],
    maps: tuple[Floats | None, Floats | None],
    starts: Ints,
) -> tuple[Floats, Floats]:
    """Return forecasts, `(members, samples, horizon, targets)`, and actual values.

    Both are scaled, and less the effects, as those of `adjusted.rest` are.
    """
    dataset, steps = adjusted.rest, adjusted.rest.steps_at_once
    forecasts, origins = _forecasts(dataset, networks, maps[0], starts), starts + dataset.timesteps
    rows = dataset.padding.original(origins)
    actual = scaled_targets(dataset, rows[:, None] + np.arange(steps))
    if adjusted.removed is None:
        return forecasts, actual
    later = adjusted.removed_from(rows)
    if maps[1] is not None:
        plain = _forecasts(adjusted.dataset, (), maps[1], starts) - later
        forecasts = np.concatenate([forecasts, plain])
    return forecasts, actual - later


def network_inputs(dataset: Dataset, starts: Ints) -> list[Floats]:
    """Return the inputs of a network: windows, and what is known ahead where it reads that.

    Args:
        dataset: The rows.
        starts: Shape `(samples,)`: the first rows of the windows in `scaled`.
    """
    given = [gather(dataset.scaled, starts, timesteps=dataset.timesteps)]
    if known := list(dataset.panel.columns.inputs.ahead):
        origins = dataset.padding.original(starts + dataset.timesteps)
        ahead = dataset.rows_from(origins, dataset.steps_at_once)
        given.append(np.ascontiguousarray(ahead[..., known]))
    return given


def _forecasts(
    dataset: Dataset, networks: Sequence[Any], maps: Floats | None, starts: Ints
) -> Floats:
    """Return all forecasts of windows, scaled, shape `(members, samples, horizon, targets)`."""
    from ..networks.ensemble_graph import forecast_windows

    given = network_inputs(dataset, starts)
    every = [forecast_windows(network, given) for network in networks]
    if levels := dataset.config.quantile_levels:
        # Weights are fitted to the medians, and used for the other quantiles too.
        every = [each[..., len(levels) // 2] for each in every]
    if maps is not None:
        columns = given[0][:, :, dataset.targets]
        every += [np.einsum("stk,kth->shk", columns, each, optimize=True) for each in maps]
    return np.stack(every).astype(np.float64)


def usual_errors_of(dataset: Dataset) -> Floats:
    """Return what errors of each series are measured by, scaled, shape `(n_series, targets)`."""
    end = dataset.splits.bounds("train")[1]
    return estimate_units(measure_units(dataset, end, intermittent=dataset.intermittent))


def count_distinct(dataset: Dataset, rows: Ints, steps: int) -> float:
    """Return how many forecasts do not overlap; `rows` has shape `(samples,)`."""
    series = owner_series(dataset.panel.indptr, rows)
    first, last = (
        np.full(dataset.panel.count, each, np.int64) for each in (len(dataset.filled), -1)
    )
    np.minimum.at(first, series, rows)
    np.maximum.at(last, series, rows)
    seen = last >= 0
    return float(np.sum((last[seen] - first[seen] + steps) / steps))


def restore(
    config: Config,
    feeds: Callable[[int], "WindowFeed"],
    weights: bytes,
    effects: Sequence[Effects],
) -> tuple[list[Any], Any]:
    """Return the Keras models of a saved model, and the one that combines them, with its weights.

    Args:
        config: As it was resolved for the training.
        feeds: Windows for each lookback; their shapes count, not what they hold.
        weights: In Keras's HDF5 form.
        effects: Of covariates on each target, as they are in the model.
    """
    from ..networks.onnx_export import with_weights

    networks, whole = build_combined(config, feeds, effects)
    return networks, with_weights(whole, weights)


def build_combined(
    config: Config, feeds: Callable[[int], "WindowFeed"], effects: Sequence[Effects] = ()
) -> tuple[list[Any], Any]:
    """Return new Keras models of a configuration, and the one that combines them.

    Arguments as in `restore`.
    """
    from ..networks.ensemble_training import EnsembleTrainer

    trainer = EnsembleTrainer(config, feeds, one_device=True)
    networks = [trainer.build(member).network for member in list_members(config)]
    if config.ensemble.alone:
        return networks, networks[0]
    feed = feeds(config.window.timesteps or 1)
    timesteps, _, (horizon, targets) = feed.shape
    shape = (len(config.ensemble.maps), targets, timesteps, horizon)
    maps = np.zeros(shape, np.float32) if config.ensemble.maps else None
    again = config.ensemble.combine == "weights" and any(each.terms for each in effects)
    made = Combination(maps, maps if again else None)
    return networks, combine_networks(config, feed, networks, made, effects)


def combine_networks(
    config: Config,
    feed: "WindowFeed",
    networks: Sequence[Any],
    made: Combination,
    effects: Sequence[Effects],
) -> Any:
    """Return the Keras model of an ensemble."""
    from ..networks.ensemble_graph import combined

    timesteps, inputs, outputs = feed.shape
    return combined(
        networks,
        (timesteps, inputs, config.shape_of_outputs(outputs)),
        maps=made.maps,
        direct=made.direct,
        combine=config.ensemble.combine,
        weights=made.shares,
        spread=config.interval_method.by_members,
        effects=effects,
    )
