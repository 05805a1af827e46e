"""What the reports of all models have: layers, how to repeat the training, versions and hashes."""

import shlex
from collections.abc import Iterable, Sequence

import tomlkit

from ...model.bundle import Bundle
from ..charts.source import Source
from ..summaries import layer_rows
from .content import Figures, Section
from .file_names import file_names

# Facts about a model that a report has in other places, or that its readers do not need.
ELSEWHERE = ("scores", "created", "cuDNN")


def names_of_files(source: Source) -> dict[str, str]:
    """Return the names of the files of the table, or of those that the model was trained on."""
    origin = source.bundle.manifest.run.origin if source.bundle else None
    return file_names(source.table) or file_names([e.path for e in origin.files] if origin else [])


def describe_network(bundle: Bundle) -> Section:
    """Return the layers, and the members of an ensemble."""
    manifest = bundle.manifest
    tables = [Figures("Layers", layer_rows(manifest))]
    if len(manifest.weights) > 1:
        rows = [
            {"member": name}
            | {
                f"{target}, percent" if len(manifest.targets) > 1 else "percent": _percent(share)
                for target, share in own.items()
            }
            for name, own in manifest.weights.items()
        ]
        tables.insert(0, Figures("Weights of the members", rows))
    return Section("network", "The model", tables=tuple(tables))


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def command(names: Iterable[str]) -> str:
    """Return the command that trains the model again from its configuration."""
    tables = " ".join(map(shlex.quote, names)) or "DATA"
    return f"forecast train {tables} --config report.toml"


def configuration(bundle: Bundle) -> str:
    """Return the whole configuration, as TOML."""
    return tomlkit.dumps(bundle.manifest.config.model_dump(mode="json", exclude_none=True))


def hashes(bundle: Bundle) -> Sequence[tuple[str, str]]:
    """Return the hashes of what is in the model file."""
    return [(f"SHA-256 of {name}", text) for name, text in bundle.manifest.sha256.items()]
