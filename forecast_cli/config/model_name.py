"""The name of a model: what it is, by its resolved configuration and the weights of its members.

`docs/models.md` lists all names.
"""

from collections.abc import Container, Sequence
from typing import NamedTuple

from .members import list_members
from .network import Network
from .registries import CELLS, PRETRAINED_PRESET
from .schema import Config

# A single network without recurrent layers has no cell to be named by.
ENSEMBLE, NETWORK = "ensemble", "network"
# By this name commands are asked for what a training with the given settings makes.
MODEL = "model"
# A member with at least this share of the weight is (nearly) the whole model.
NEARLY_ALL = 0.99


class ModelName(NamedTuple):
    """The name of a model, and what it consists of.

    Args:
        name: `ensemble`, the cell of a single network, or the member that has nearly all weight.
        description: Its networks and baselines, with their weights in percent where learned.
    """

    name: str
    description: str


def name_model(
    config: Config, weights: Sequence[float] | None = None, own: float | None = None
) -> ModelName:
    """Return the name of a model and what it consists of.

    Args:
        config: With everything filled in.
        weights: The weights of networks, then baselines, and these once more where they forecast
            without covariates too, all without the pretrained network; mean over targets, of sum 1;
            None where all are equal.
        own: The weight of the pretrained network, mean over targets; None where it is no member.

    >>> name_model(Config()).name
    'lstm'
    >>> config = Config().changed(ensemble={"size": 2, "baselines": ("naive", "ridge")})
    >>> name_model(config, [0.1, 0.2, 0.0, 0.7])
    ModelName(name='ensemble', description='2 LSTM networks 30 %, naive 0 %, ridge 70 %')
    >>> name_model(config, [0.0, 0.0, 1.0, 0.0]).name
    'naive'
    >>> name_model(config, [0.1, 0.2, 0.0, 0.7], own=0.5).description
    '2 LSTM networks 15 %, naive 0 %, ridge 35 %, pretrained 50 %'
    >>> name_model(config, own=0.5).description
    '2 LSTM networks, naive, ridge; mean of all 50 %, pretrained 50 %'
    """
    if config.training.per_series:
        all_in_one = config.changed(training={"per_series": False})
        name, description = name_model(all_in_one, weights, own)
        return ModelName(name, f"for each series: {description}")
    ensemble = config.ensemble
    if config.network.pretrained:
        steps = f"context of up to {config.window.timesteps} rows"
        how = "fine-tuned" if config.network.finetuned else "nothing trained"
        return ModelName(PRETRAINED_PRESET, f"pretrained network, {how}, {steps}")
    if ensemble.alone:
        member = list_members(config)[0]
        units = ", ".join(str(layer.units) for layer in member.network.recurrent)
        kind = _network_kind(member.network) + (f"({units})" if units else "")
        text = f"{kind}, lookback {member.timesteps}"
        return ModelName(_network_name(config.network), text)
    return _name_ensemble(config, weights, own)


def name_row(name: str, others: Container[str]) -> str:
    """Return the name of a model in a table that others are in too, some maybe of the same name.

    >>> name_row("ensemble", ["naive"]), name_row("naive", ["naive", "drift"])
    ('ensemble', 'naive (model)')
    """
    return f"{name} (model)" if name in others else name


def _name_ensemble(config: Config, weights: Sequence[float] | None, own: float | None) -> ModelName:
    """Return the name of several members, and what they are; arguments as in `name_model`."""
    ensemble = config.ensemble
    kind, plural = _network_kind(config.network), "s" * (ensemble.size > 1)
    parts = [f"{ensemble.size} {kind} network{plural}", *ensemble.maps]
    rest = 1.0 - (own or 0.0)
    pretrained = [] if own is None else [f"{PRETRAINED_PRESET} {_percent(own)}"]
    if weights is None:
        text = f"{', '.join(parts)}; {ensemble.combine} of all"
        text += f" {_percent(rest)}, {pretrained[0]}" if pretrained else ""
        return ModelName(ENSEMBLE, text)
    size, count = ensemble.size, len(ensemble.maps)
    sums = [sum(weights[:size]), *(sum(weights[at::count]) for at in range(size, size + count))]
    shares = [rest * each for each in sums]
    texts = [f"{part} {_percent(share)}" for part, share in zip(parts, shares, strict=True)]
    texts += pretrained
    names = [_network_name(config.network) if size == 1 else ENSEMBLE, *ensemble.maps]
    if pretrained:
        names, shares = [*names, PRETRAINED_PRESET], [*shares, own or 0.0]
    whole = [name for name, share in zip(names, shares, strict=True) if share >= NEARLY_ALL]
    return ModelName(whole[0] if whole else ENSEMBLE, ", ".join(texts))


def _cells(network: Network) -> list[str]:
    return list(dict.fromkeys(layer.type for layer in network.recurrent))


def _network_name(network: Network) -> str:
    """Return the cell of a network; of several the names in order, joined."""
    return "-".join(_cells(network)) or NETWORK


def _network_kind(network: Network) -> str:
    return "-".join(CELLS[cell].keras for cell in _cells(network)) or "feed-forward"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"
