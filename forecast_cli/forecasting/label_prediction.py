"""Labels of sequences, from a saved model, without TensorFlow."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..config.sections import Data
from ..core.errors import DataError, UsageError
from ..core.events import Listener
from ..core.scaling import rounded
from ..core.windows import Floats, Ints
from ..data.checks import require_positive
from ..data.io.tables import Readable
from ..data.missing import filled_steps
from ..data.sequences import Sequences, read_sequences
from ..model.bundle import Bundle
from ..model.manifest import LabelAxis, Manifest
from ..model.runtime import Float32s, Runtime, chunks
from .history import require_mask
from .prediction_request import PredictionRequest

SHARE = "p_"


def predict_labels(
    bundle: Bundle,
    source: Readable | None,
    wanted: PredictionRequest,
    *,
    reading: Mapping[str, Any],
    on_event: Listener,
) -> pd.DataFrame:
    """Give each sequence of a table, which need not hold labels, its label; see `predict`.

    Returns:
        What names each sequence, then each label; of classes also `p_CLASS`, the share that the
        network gives each.

    Raises:
        DataError: The table does not hold what the model needs, or a sequence is too long.
        UsageError: There is no table, or something is wanted that only forecasts have.
    """
    data = _reading(bundle, wanted, reading)
    manifest, labels = bundle.manifest, bundle.manifest.labels
    if labels is None or source is None:
        raise UsageError(
            "The model labels sequences, and there is no table of sequences.",
            "Name the table that holds them.",
        )
    how: Any = {"labelled": False, "columns": labels.columns, "on_event": on_event}
    sequences = read_sequences(source, data, **how)
    scaled = _scaled(manifest, sequences, data)
    places = np.arange(len(sequences))
    outputs = predict_outputs(bundle.runtime, scaled, sequences.indptr, places, manifest.timesteps)
    ids = sequences.ids.drop(columns=list(labels.names), errors="ignore")
    return pd.concat([ids, _frame(bundle, labels, outputs.astype(np.float64))], axis=1)


def _reading(bundle: Bundle, wanted: PredictionRequest, reading: Mapping[str, Any]) -> Data:
    """Return how the sequences are read; refuse what they do not have, or would shorten them."""
    if wanted.anything:
        raise UsageError(
            "A label has no steps ahead, and no series of its own.",
            "Omit `horizon`, `only`, `start`, `future`, `what_if`, `level` and `samples`.",
        )
    data = bundle.manifest.config.data.changed(**reading)
    require_mask(bundle, data.missing)
    if data.missing == "drop":
        raise UsageError("`missing=drop` would shorten sequences.", "Pass `missing=interpolate`.")
    return data


def _scaled(manifest: Manifest, sequences: Sequences, data: Data) -> Float32s:
    """Return the steps of all sequences as the network takes them; refuse what it cannot."""
    _check_length(sequences, manifest.timesteps, masked=manifest.config.network.masked)
    filled = filled_steps(sequences, data.missing)
    require_positive(filled, manifest.features, manifest.config.transform, sequences.source)
    return manifest.scaler.transform(filled).astype(np.float32)


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
            f"{'Shorten' if lengths[place] > timesteps else 'Complete'} it, or train on sequences "
            "of such lengths.",
        )


def pad_sequences(scaled: Floats, indptr: Ints, places: Ints, timesteps: int) -> Floats:
    """Sequences side by side, padded with missing steps behind their end.

    Args:
        scaled: Shape `(n_rows, features)`, all sequences end to end.
        indptr: Shape `(n_sequences + 1,)`.
        places: Shape `(samples,)`: which of them.
        timesteps: Steps of each sequence, padding included.

    Returns:
        Shape `(samples, timesteps, features)`.
    """
    first, end = indptr[places], indptr[places + 1]
    rows = first[:, None] + np.arange(timesteps)
    windows: Floats = scaled[np.minimum(rows, len(scaled) - 1)]
    windows[rows >= end[:, None]] = np.nan
    return windows


def predict_outputs(
    runtime: Runtime, scaled: Floats, indptr: Ints, places: Ints, timesteps: int
) -> Float32s:
    """Run the network on sequences, a batch at a time.

    Returns:
        Shape `(samples, labels)`, scaled, or `(samples, classes)`, shares that add up to 1.
    """
    parts = chunks(places, timesteps=timesteps, features=scaled.shape[1])
    outputs = [runtime(pad_sequences(scaled, indptr, part, timesteps)) for part in parts]
    return np.concatenate(outputs)[:, 0]
