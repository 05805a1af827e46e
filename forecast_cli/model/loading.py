"""Read a model file: check every entry by its checksum, every array against the manifest."""

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..baselines.effects import Effects
from ..core.error_scale import Recent
from ..core.errors import ModelFileError
from ..core.windows import Floats
from .bundle import (
    AHEAD,
    DROPOUT,
    EFFECTS,
    ENTRIES,
    ERRORS,
    LEVELS,
    MANIFEST,
    NAIVE,
    OPTIONAL,
    RECENT,
    SCALES,
    SCORES,
    SERIES,
    STATE,
    UNITS,
    USUAL,
    Bundle,
)
from .calibration import Calibration
from .manifest import FORMAT, Manifest
from .series import SeriesRecord
from .upgrade import upgrade, upgrade_scores

# The largest unpacked size of a model in bytes, and as a multiple of the file for large ones.
LARGEST = 2 * 1024**3
MOST_PACKED = 200
SMALL = 64 * 1024**2


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a model file and check every entry by its checksum.

    Raises:
        ModelFileError: It is missing, truncated or changed, or was written by a newer version.
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
            "Train a model first, or give the path of another one.",
        ) from None
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError):
        # RuntimeError: encrypted, or compressed by a method that zipfile does not support.
        raise ModelFileError(
            f"{os.fspath(path)} is not a model, or is truncated.",
            "Expected a saved model: copy the file again, or train again.",
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
                f"{os.fspath(path)} is damaged: {name} does not match its checksum.",
                "Copy the file again, or train again.",
            )


def _unpacked(
    manifest: Manifest, contents: Mapping[str, bytes], path: str | os.PathLike[str]
) -> Bundle:
    """Return the model from the bytes of its entries."""

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
            scores=upgrade_scores(json.loads(contents.get(SCORES, b"[]"))),
            calibration=_calibration(array(ERRORS), array(RECENT), array(UNITS)),
            naive=array(NAIVE),
            dropout=contents.get(DROPOUT),
            levels=array(LEVELS),
            usual=array(USUAL),
            effects=TypeAdapter(tuple[Effects, ...]).validate_json(contents.get(EFFECTS, b"[]")),
        )
    except (ValueError, MemoryError, RecursionError) as error:
        raise ModelFileError(
            f"{os.fspath(path)} is damaged: {str(error).splitlines()[0]}.", "Train again."
        ) from None


def _calibration(errors: Any, recent: Any, units: Any) -> Calibration | None:
    """Return the errors for intervals, where the file has them all."""
    if errors is None or recent is None or units is None:
        return None
    own, total, weight = units
    return Calibration(errors, recent, own, Recent(total, weight))


def _check_shapes(bundle: Bundle, path: str | os.PathLike[str]) -> None:
    """Refuse arrays that do not fit the manifest."""
    manifest, series = bundle.manifest, bundle.series
    features = len(manifest.features)
    # Models of labels store no rows.
    rows = 0 if manifest.labels else manifest.timesteps
    rows = sum(series.rows) if series else rows
    count = len(series.ids) if series else 1
    steps = bundle.ahead.shape[1] if bundle.ahead is not None and bundle.ahead.ndim > 1 else 0
    shapes = {
        "its last rows are": (bundle.history, (rows, features)),
        "its scaler is": (bundle.scales, (2, count, features)),
        "its future covariates are": (bundle.ahead, (count, steps, features)),
        "its in-sample error of the naive forecast is": (
            bundle.naive,
            (2, count, len(manifest.targets)),
        ),
    }
    shapes["its record of levels is"] = (bundle.levels, (5, count, features))
    shapes["its usual values of covariates are"] = (bundle.usual, (count, features))
    if bundle.calibration is not None:
        shapes |= _shapes_of_errors(bundle.calibration, manifest, count)
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


def _shapes_of_errors(
    calibration: Calibration, manifest: Manifest, count: int
) -> dict[str, tuple[Floats, tuple[int, ...]]]:
    """Return the arrays of the calibration with their required shapes, by message.

    Args:
        calibration: Arrays of shape `(samples, ...)` and `(n_series, targets)`.
        manifest: Of the same file.
        count: Number of series.
    """
    targets, samples = len(manifest.targets), len(calibration.errors)
    quantiles = manifest.config.outputs_per_value
    each = (samples, manifest.horizon, targets, *([quantiles] if quantiles > 1 else []))
    return {
        "the errors for its intervals are": (calibration.errors, each),
        "its recent errors are": (calibration.recent, (samples, targets)),
        "the units of its errors are": (calibration.units, (count, targets)),
        "its last errors are": (calibration.ended.total, (count, targets)),
    }


def _unusable(scales: Floats) -> bool:
    """Whether centers and scales, shape `(2, n_series, features)`, are invalid."""
    return not np.isfinite(scales).all() or bool((scales[1] == 0).any())


def _check_size(archive: zipfile.ZipFile, path: str | os.PathLike[str]) -> None:
    """Refuse files that would unpack to more than any model, before unpacking."""
    size = sum(entry.file_size for entry in archive.infolist())
    packed = sum(entry.compress_size for entry in archive.infolist())
    if size > LARGEST or size > MOST_PACKED * packed + SMALL:
        raise ModelFileError(
            f"{os.fspath(path)} would unpack from {packed:,} to {size:,} bytes: too much.",
            "Expected a saved model.",
        )


def _manifest(data: bytes, path: str | os.PathLike[str]) -> Manifest:
    try:
        document = json.loads(data)
        version = document["format"]
        if version > FORMAT:
            raise ModelFileError(
                f"{os.fspath(path)} has format {version}; this version reads up to {FORMAT}.",
                "Upgrade: pip install --upgrade forecast-cli.",
            )
        return Manifest.model_validate_json(json.dumps(upgrade(document)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ModelFileError(
            f"The manifest of {os.fspath(path)} is invalid: {place}: {first['msg']}.",
            "Copy the file again, or train again.",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"The manifest of {os.fspath(path)} cannot be read: {str(error).splitlines()[0]}.",
            "Copy the file again, or train again.",
        ) from None
