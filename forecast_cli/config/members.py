"""The networks of an ensemble, each with its own settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .ensemble import TURNS, Ensemble
from .network import Network
from .registries import DEFAULT_INTERVALS, PRETRAINED_PRESET
from .schema import Config
from .sections import Training

# What the networks of which a median is taken are called where weights are shown.
MEDIAN = "median of the networks"


@dataclass(frozen=True)
class Member:
    """One network of an ensemble, and how it is trained.

    Args:
        network: Its layers.
        timesteps: The lookback.
        training: Its training, with its own seed.
    """

    network: Network
    timesteps: int
    training: Training

    def without_patience(self) -> "Member":
        """Return the same member without early stopping, so that it ends with its last weights."""
        return replace(self, training=self.training.changed(patience=0))


def of_first(config: Config, size: int) -> Config:
    """Return the configuration of the first networks alone, where the others were not trained.

    Of a single network the settings of its member become those of the configuration.

    Args:
        config: With everything filled in.
        size: How many networks there are.
    """
    turns = {name: getattr(config.ensemble, name)[:size] for name in TURNS}
    ensemble = config.ensemble.changed(size=size, **turns)
    if not ensemble.alone:
        return config.changed(ensemble=ensemble)
    only = list_members(config)[0]
    return config.changed(
        ensemble=Ensemble(),
        window={"timesteps": only.timesteps},
        network=only.network,
        training=only.training,
        # A single network has no spread of members.
        intervals=DEFAULT_INTERVALS if config.interval_method.by_members else config.intervals,
    )


def member_names(config: Config, count: int | None = None) -> list[str]:
    """Return the names of the members in one graph, as in messages: networks, then baselines.

    Args:
        config: With everything filled in.
        count: How many members there are; where there are effects of covariates and weights, the
            baselines come again without them.
    """
    ensemble = config.ensemble
    networks = [f"network {number}" for number in range(1, ensemble.size + 1)]
    names = [*(networks if ensemble.size > 1 else ["network"]), *ensemble.maps]
    again = [f"{name} without covariates" for name in ensemble.maps]
    return names if count in (None, len(names)) else [*names, *again]


def member_weights(
    config: Config, targets: Sequence[str], shares: Any, own: Sequence[float] = ()
) -> dict[str, dict[str, float | None]]:
    """Return the weights of the members by target; empty for a median, which has none.

    Args:
        config: With everything filled in.
        targets: Their names.
        shares: Shape `(members, targets)`: learned weights of the others than the pretrained
            network; None where there are none.
        own: Shape `(targets,)`: the weights of the pretrained network; empty where it is no member.
    """
    names = member_names(config, None if shares is None else len(shares))
    if shares is None:
        if config.ensemble.combine == "median" and len(names) > 1:
            if not own:
                return {}
            names = [MEDIAN]
        shares = [[1.0 / len(names)] * len(targets)] * len(names)
    rest = [1.0 - each for each in own] or [1.0] * len(targets)
    found: dict[str, dict[str, float | None]] = {
        name: {
            target: float(share) * left
            for target, share, left in zip(targets, each, rest, strict=True)
        }
        for name, each in zip(names, shares, strict=True)
    }
    if own:
        found[PRETRAINED_PRESET] = dict(zip(targets, map(float, own), strict=True))
    return found


def list_members(config: Config) -> list[Member]:
    """Return the networks of an ensemble, in order; settings given in turn repeat from the first.

    Args:
        config: With everything filled in.
    """
    ensemble, training, steps = config.ensemble, config.training, config.window.timesteps or 1
    members = []
    for number in range(ensemble.size):
        turn = {
            name: values[number % len(values)]
            for name in TURNS
            if (values := getattr(ensemble, name))
        }
        network = config.network.changed(
            anchor=turn.get("anchors", config.network.anchor),
            segment=turn.get("segments", config.network.segment),
        )
        own = training.changed(seed=training.seed + number, loss=turn.get("losses", training.loss))
        members.append(Member(network, turn.get("timesteps", steps), own))
    return members
