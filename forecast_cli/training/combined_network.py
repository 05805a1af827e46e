"""The Keras model of a configuration: one network, or the networks and baselines of an ensemble."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..baselines.effects import Effects
from ..config.members import list_members
from ..config.schema import Config
from .ensemble_fitting import Combination

if TYPE_CHECKING:
    from ..networks.batches import WindowFeed


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

    trainer = EnsembleTrainer(config, feeds)
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
