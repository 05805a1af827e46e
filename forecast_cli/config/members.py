"""Which networks an ensemble consists of."""

from dataclasses import dataclass
from typing import Any

from .ensemble import TURNS, Ensemble
from .network import Network
from .registries import DEFAULT_INTERVALS
from .schema import Config
from .sections import Training


@dataclass(frozen=True)
class Member:
    """One network of an ensemble, and how it is trained.

    Args:
        network: The layers.
        timesteps: Steps back.
        training: With a seed of its own.
    """

    network: Network
    timesteps: int
    training: Training

    @property
    def kind(self) -> Any:
        """The same for two that differ in nothing but the seed, so that compiled code fits both."""
        return self.network, self.timesteps, self.training.model_copy(update={"seed": 0})

    def without_patience(self) -> "Member":
        """The same, whose last weights are kept whatever its losses."""
        training = self.training.model_copy(update={"patience": 0})
        return Member(self.network, self.timesteps, training)


def of_first(config: Config, size: int) -> Config:
    """The configuration of the first networks alone, where the others were not trained.

    That of a single one says itself what an ensemble says of its members.

    Args:
        config: With everything filled in.
        size: How many networks there are.
    """
    ensemble = config.ensemble.of_size(size)
    if not ensemble.alone:
        return config.model_copy(update={"ensemble": ensemble})
    only = list_members(config)[0]
    window = config.window.model_copy(update={"timesteps": only.timesteps})
    changes = {
        "ensemble": Ensemble(),
        "window": window,
        "network": only.network,
        "training": only.training,
        # The members of one have no spread.
        "intervals": DEFAULT_INTERVALS if config.interval_method.by_members else config.intervals,
    }
    return config.model_copy(update=changes)


def member_names(config: Config) -> list[str]:
    """What messages call the members of an ensemble: networks, then baselines."""
    ensemble = config.ensemble
    networks = [f"network {number}" for number in range(1, ensemble.size + 1)]
    return [*(networks if ensemble.size > 1 else ["network"]), *ensemble.baselines]


def list_members(config: Config) -> list[Member]:
    """The networks of an ensemble, in order; what they take in turn begins anew where it ends.

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
        own = {"seed": training.seed + number, "loss": turn.get("losses", training.loss)}
        built = {
            "anchor": turn.get("anchors", config.network.anchor),
            "segment": turn.get("segments", config.network.segment),
        }
        members.append(
            Member(
                config.network.model_copy(update=built),
                turn.get("timesteps", steps),
                training.model_copy(update=own),
            )
        )
    return members
