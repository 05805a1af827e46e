"""What a training would do with a table: every setting, and where its value comes from."""

from collections.abc import Mapping
from typing import Any, Literal

from ..config.layers import LAYERS
from ..config.registries import PRESETS
from ..config.resolution import leaves
from ..config.schema import Config
from ..core.events import Listener, Stage
from ..data.io.tables import Readable
from ..data.reading import read_panel
from ..data.sequences import read_sequences
from .labels.datasets import make_labelled
from .preparation import make_resolved

Source = Literal["given", "preset", "data", "default"]
LAYER = "network.layers."
# Filled in from other settings, not from the data.
DERIVED = ("training.loss", "training.patience")


def resolve_settings(
    source: Readable, config: Config, *, on_event: Listener
) -> tuple[Config, dict[str, Source]]:
    """Resolve a configuration for a table as a training does, without training.

    Args:
        source: The table.
        config: As given.
        on_event: Notified of how the table is read, and of each choice.

    Returns:
        The configuration that leaves nothing open, and where each of its values comes from, by
        dotted path. Given layers are counted from the end, since a mask may be put before them.

    Raises:
        DataError: The table lacks what is needed.
        UsageError: A setting does not go with the table.
    """
    on_event(Stage("reading"))
    chosen: frozenset[str] = frozenset()
    if config.data.label:
        sequences = read_sequences(source, config.data, on_event=on_event)
        resolved = make_labelled(sequences, config, on_event=on_event).config
    else:
        panel = read_panel(source, config.data, on_event=on_event)
        found, dataset = make_resolved(panel, config, on_event=on_event)
        resolved, chosen = dataset.config, found.chosen
    return resolved, find_sources(config, resolved, chosen)


def find_sources(given: Config, resolved: Config, chosen: frozenset[str]) -> dict[str, Source]:
    """Return where each value of a resolved configuration comes from, by dotted path.

    Args:
        given: As given.
        resolved: With everything filled in.
        chosen: The dotted paths of what a preset chose.
    """
    added = len(resolved.network.layers) - len(given.network.layers)
    own = {_moved(path, added) for path in leaves(given.model_dump(exclude_unset=True))}
    by_preset = {_moved(path, added) for path in chosen}
    values = leaves(resolved.model_dump(mode="json"))
    defaults = _defaults(resolved)
    sources: dict[str, Source] = {}
    for path, value in values.items():
        if path in own:
            sources[path] = "given"
        elif path in by_preset:
            sources[path] = "preset"
        elif value == defaults.get(path) or path in DERIVED or path == "preset":
            sources[path] = "default"
        else:
            sources[path] = "data"
    return sources


def name_source(source: Source, resolved: Config) -> str:
    """Return a source as a comment behind a value.

    >>> name_source("data", Config())
    'data'
    """
    known = resolved.preset in PRESETS
    return f"preset {resolved.preset}" if source == "preset" and known else source


def _moved(path: str, added: int) -> str:
    """Return the path of a layer behind so many that were put before it.

    >>> _moved("network.layers.0.units", 1), _moved("training.epochs", 1)
    ('network.layers.1.units', 'training.epochs')
    """
    if not path.startswith(LAYER):
        return path
    number, _, field = path.removeprefix(LAYER).partition(".")
    return f"{LAYER}{int(number) + added}.{field}"


def _defaults(resolved: Config) -> Mapping[str, Any]:
    """Return the default of every value, those of layers by their type."""
    plain = leaves(Config().model_dump(mode="json"))
    for number, layer in enumerate(resolved.network.layers):
        fields = LAYERS[layer.type](type=layer.type).model_dump(mode="json")
        plain |= {f"{LAYER}{number}.{name}": value for name, value in fields.items()}
    return plain
