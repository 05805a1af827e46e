"""A model is one file: a zip of a manifest, the network twice, the last rows and the log.

Nothing in it is code: no pickle, no class name that is imported, no Keras configuration.
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ..core.scaling import Scaling
from ..core.windows import Floats
from ..errors import ModelFileError, UsageError
from .manifest import FORMAT, Manifest
from .runtime import Runtime
from .series import SeriesRecord
from .writing import write_whole

MANIFEST = "manifest.json"
# What a model unpacks to at the most, in bytes, and as a multiple of the file for large ones.
LARGEST = 2 * 1024**3
MOST_PACKED = 200
SMALL = 64 * 1024**2
ENTRIES = ("network.onnx", "network.weights.h5", "history.npy", "epochs.json")
# What only some models have.
STATE, SERIES, SCALES, AHEAD, SCORES = (
    "state.npy", "series.json", "scales.npy", "ahead.npy", "scores.json",
)  # fmt: skip
OPTIONAL = (STATE, SERIES, SCALES, AHEAD, SCORES)
# The time that is written beside every entry, so that equal models are equal files.
STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """A trained model.

    Args:
        manifest: What it is and how it was made.
        onnx: The network for prediction.
        weights: The network's weights for training on, in Keras's HDF5 form.
        history: Shape `(rows, features)`: the last rows of each series, at most `timesteps` of
            each, end to end, original units.
        epochs: The log of the training, an object for each epoch.
        state: Shape `(units,)`: the states of all layers of a stateful network, end to end, in
            front of the history; None for others.
        series: What names the series; None for one without a name.
        scales: Shape `(2, n_series, features)`: center and scale of each series; None where all
            have one scaler.
        ahead: Shape `(n_series, steps, features)`: what is known of the steps after the history,
            NaN where nothing is; None for nothing.
        scores: A row for each series that was scored, where there are several.
    """

    manifest: Manifest
    onnx: bytes
    weights: bytes
    history: Floats
    epochs: list[dict[str, Any]]
    state: Floats | None = None
    series: SeriesRecord | None = None
    scales: Floats | None = None
    ahead: Floats | None = None
    scores: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scaling(self) -> Scaling:
        """The scaling at work, of all series or of each."""
        if self.scales is None:
            return self.manifest.scaler
        return self.manifest.scaler_of(*self.scales)

    @cached_property
    def runtime(self) -> Runtime:
        """The network at work.

        Raises:
            ModelFileError: ONNX Runtime cannot read it.
        """
        return Runtime(self.onnx)


def save_bundle(bundle: Bundle, path: str | os.PathLike[str]) -> None:
    """Write the model file whole or not at all; a model at the path is replaced.

    Raises:
        UsageError: Something that is no model stands there, or the file cannot be written.
    """
    target = Path(path)
    require_writable(target)
    history, log = _packed(bundle.history), json.dumps(bundle.epochs).encode()
    contents = dict(zip(ENTRIES, (bundle.onnx, bundle.weights, history, log), strict=True))
    contents |= _optional(bundle)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = bundle.manifest.model_copy(update={"sha256": sums})
    text = manifest.model_dump_json(indent=1)
    Manifest.model_validate_json(text)
    contents = {MANIFEST: text.encode(), **contents}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)
    write_whole(target, buffer.getvalue())


def _optional(bundle: Bundle) -> dict[str, bytes]:
    """What only some models have."""
    arrays = {STATE: bundle.state, SCALES: bundle.scales, AHEAD: bundle.ahead}
    contents = {name: _packed(each) for name, each in arrays.items() if each is not None}
    if bundle.series is not None:
        contents[SERIES] = bundle.series.model_dump_json().encode()
    if bundle.scores:
        contents[SCORES] = json.dumps(bundle.scores).encode()
    return contents


def _packed(values: Floats) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def require_writable(path: Path) -> None:
    """Check, before any work is done, that a model may be written to the path.

    Raises:
        UsageError: It may not.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a directory.", "Name a file: -m model.forecast.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no directory {path.parent}.", "Make it first.")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent} may not be written to.", "Name another directory with -m.")
    if path.exists() and not is_model(path):
        raise UsageError(
            f"{path} exists and is not a model; it is left as it is.",
            "Name another file with -m, or remove that one first.",
        )


def is_model(path: Path) -> bool:
    """Whether a file is a model, whatever its version."""
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {MANIFEST, *ENTRIES} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a model file and check every entry against its sum.

    Raises:
        ModelFileError: There is none, it is cut short or changed, or a newer version wrote it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, path)
            manifest = _manifest(archive.read(MANIFEST), path)
            more = [name for name in OPTIONAL if name in manifest.sha256]
            contents = {name: archive.read(name) for name in [*ENTRIES, *more]}
    except FileNotFoundError:
        raise ModelFileError(
            f"There is no model {os.fspath(path)}.",
            "Make one with forecast train DATA --column NAME, or name one with -m.",
        ) from None
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError):
        # RuntimeError: encrypted, or packed in a way that zipfile does not know.
        raise ModelFileError(
            f"{os.fspath(path)} is not a model, or is cut short.",
            "A file that forecast train wrote was expected; copy it again, or train again.",
        ) from None
    except OSError as error:
        raise ModelFileError(f"{os.fspath(path)} cannot be read: {error.strerror}.") from None
    _check_sums(manifest, contents, path)
    bundle = _unpacked(manifest, contents, path)
    _check_shapes(bundle, path)
    return bundle


def _check_sums(
    manifest: Manifest, contents: Mapping[str, bytes], path: str | os.PathLike[str]
) -> None:
    for name, data in contents.items():
        if manifest.sha256.get(name) != hashlib.sha256(data).hexdigest():
            raise ModelFileError(
                f"{os.fspath(path)} is damaged: {name} is not what was written.",
                "Copy the file again, or train again.",
            )


def _unpacked(
    manifest: Manifest, contents: Mapping[str, bytes], path: str | os.PathLike[str]
) -> Bundle:
    """The model out of the bytes of its entries."""

    def array(name: str) -> Any:
        held = contents.get(name)
        return None if held is None else np.load(io.BytesIO(held), allow_pickle=False)

    try:
        return Bundle(
            manifest,
            contents["network.onnx"],
            contents["network.weights.h5"],
            array("history.npy"),
            json.loads(contents["epochs.json"]),
            state=array(STATE),
            series=SeriesRecord.model_validate_json(contents[SERIES])
            if SERIES in contents
            else None,
            scales=array(SCALES),
            ahead=array(AHEAD),
            scores=json.loads(contents.get(SCORES, b"[]")),
        )
    except (ValueError, MemoryError, RecursionError) as error:
        raise ModelFileError(
            f"{os.fspath(path)} is damaged: {str(error).splitlines()[0]}.", "Train again."
        ) from None


def _check_shapes(bundle: Bundle, path: str | os.PathLike[str]) -> None:
    """Refuse arrays that do not fit the manifest."""
    manifest, series = bundle.manifest, bundle.series
    features = len(manifest.features)
    # Sequences with a label go on from nothing.
    rows = 0 if manifest.labels else manifest.timesteps
    rows = sum(series.rows) if series else rows
    count = len(series.ids) if series else 1
    steps = bundle.ahead.shape[1] if bundle.ahead is not None and bundle.ahead.ndim > 1 else 0
    shapes = {
        "its last rows are": (bundle.history, (rows, features)),
        "its scaler is": (bundle.scales, (2, count, features)),
        "what it knows ahead is": (bundle.ahead, (count, steps, features)),
    }
    for what, (array, expected) in shapes.items():
        wrong = array is not None and (
            array.shape != expected or not np.issubdtype(array.dtype, np.floating)
        )
        if array is not None and wrong:
            raise ModelFileError(
                f"{os.fspath(path)} is damaged: {what} {array.dtype} of shape {array.shape}; "
                f"{expected} was expected.",
                "Train again.",
            )
    scales = bundle.scales
    unusable = manifest.scaling is None if scales is None else _unusable(scales)
    if unusable:
        raise ModelFileError(f"{os.fspath(path)} is damaged: it has no scaler.", "Train again.")
    if series and manifest.time and not series.lasts:
        raise ModelFileError(
            f"{os.fspath(path)} is damaged: its series have no ends.", "Train again."
        )


def _unusable(scales: Floats) -> bool:
    """Whether numbers of scalers cannot be."""
    return not np.isfinite(scales).all() or bool((scales[1] == 0).any())


def _check_size(archive: zipfile.ZipFile, path: str | os.PathLike[str]) -> None:
    """Refuse what would unpack to more than any model, before a byte is unpacked."""
    size = sum(entry.file_size for entry in archive.infolist())
    packed = sum(entry.compress_size for entry in archive.infolist())
    if size > LARGEST or size > MOST_PACKED * packed + SMALL:
        raise ModelFileError(
            f"{os.fspath(path)} would unpack from {packed:,} to {size:,} bytes; no model does.",
            "A file that forecast train wrote was expected.",
        )


def _manifest(data: bytes, path: str | os.PathLike[str]) -> Manifest:
    try:
        version = json.loads(data)["format"]
        if version > FORMAT:
            raise ModelFileError(
                f"{os.fspath(path)} has format {version}; this version reads up to {FORMAT}.",
                "Upgrade: pip install --upgrade forecast-cli.",
            )
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ModelFileError(
            f"The manifest of {os.fspath(path)} is not one: {place}: {first['msg']}.",
            "Copy the file again, or train again.",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"The manifest of {os.fspath(path)} cannot be read: {str(error).splitlines()[0]}.",
            "Copy the file again, or train again.",
        ) from None
