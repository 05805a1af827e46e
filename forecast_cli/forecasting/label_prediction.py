"""Labels of sequences, from a saved model, without TensorFlow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import DataError, UsageError
from ..core.events import Listener
from ..core.scaling import rounded
from ..core.windows import Floats
from ..data.checks import require_positive
from ..data.io.tables import Readable
from ..data.missing import filled_steps
from ..data.sequences import Sequences, read_sequences
from ..model.bundle import Bundle
from ..model.manifest import LabelAxis
from .history import require_mask
from .label_outputs import guess

SHARE = "p_"


def predict_labels(
    bundle: Bundle,
    source: Readable | None,
    *,
    reading: Mapping[str, Any],
    on_event: Listener,
) -> pd.DataFrame:
    """Give each sequence of a table its label.

    Args:
        bundle: The model.
        source: The table; it need not hold labels.
        reading: How this table differs from the one that was trained on.
        on_event: Told what is worth knowing.

    Returns:
        What names each sequence, then each label; of classes also `p_CLASS`, the share that the
        network gives each.

    Raises:
        DataError: The table does not hold what the model needs, or a sequence is too long.
        UsageError: There is no table.
    """
    manifest, labels = bundle.manifest, bundle.manifest.labels
    if labels is None or source is None:
        raise UsageError(
            "The model gives sequences their labels, and there is no table of sequences.",
            "Name one: forecast predict DATA.",
        )
    data = manifest.config.data.model_copy(update=dict(reading))
    require_mask(bundle, data.missing)
    if data.missing == "drop":
        raise UsageError(
            "missing drop would make sequences shorter.", "Pass --missing interpolate."
        )
    sequences = read_sequences(
        source, data, labelled=False, columns=labels.columns, on_event=on_event
    )
    _check_length(sequences, manifest.timesteps, masked=manifest.config.network.masked)
    filled = filled_steps(sequences, data.missing)
    require_positive(filled, manifest.features, manifest.config.transform, sequences.source)
    scaled = manifest.scaler.transform(filled).astype(np.float32)
    places = np.arange(len(sequences))
    outputs = guess(bundle.runtime, scaled, sequences.indptr, places, manifest.timesteps)
    ids = sequences.ids.drop(columns=list(labels.names), errors="ignore")
    return pd.concat([ids, _frame(bundle, labels, outputs.astype(np.float64))], axis=1)


def _frame(bundle: Bundle, labels: LabelAxis, outputs: Floats) -> pd.DataFrame:
    if not labels.classes:
        numbers = labels.scaler(bundle.manifest.config.scaler).inverse(outputs)
        return pd.DataFrame(dict(zip(labels.names, rounded(numbers).T, strict=True)))
    (name,) = labels.names
    given = [labels.classes[place] for place in np.argmax(outputs, axis=1)]
    shares = {
        f"{SHARE}{each}": column
        for each, column in zip(labels.classes, rounded(outputs).T, strict=True)
    }
    return pd.DataFrame({name: given} | shares)


def _check_length(sequences: Sequences, timesteps: int, *, masked: bool) -> None:
    """Refuse sequences that do not fit into the network."""
    lengths = sequences.lengths
    wrong = lengths > timesteps if masked else lengths != timesteps
    if wrong.any():
        place = int(np.argmax(wrong))
        expected = f"at most {timesteps}" if masked else f"{timesteps}, as all were in training,"
        raise DataError(
            f"{sequences.source}: sequence {sequences.name(place)} has {lengths[place]} steps; "
            f"{expected} were expected.",
            "Cut it, or train on sequences of such lengths.",
        )
