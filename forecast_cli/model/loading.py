"""Read a model file: check every entry by its checksum, every array against the manifest."""

import hashlib
import io
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from pydantic import ValidationError

from ..core.error_scale import Recent
from ..core.errors import ForecastError, ModelFileError
from .archive import Archive
from .bundle import (
    AHEAD,
    DROPOUT,
    EFFECTS,
    ENTRIES,
    ERRORS,
    LEVELS,
    MANIFEST,
    NAIVE,
    NETWORKS,
    OPTIONAL,
    PRETRAINED,
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
from .content_check import check_contents
from .manifest import FORMAT, Manifest
from .series import SeriesRecord
from .upgrade import upgrade, upgrade_scores

if TYPE_CHECKING:
    from ..baselines.effects import Effects

# Values of a training log and of scores by series.
SCALARS = {bool, int, float, str, type(None)}
# What is read from a file may be anything: pydantic, pandas and NumPy raise these.
INVALID = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, MemoryError, RecursionError,
    OverflowError, ForecastError,
)  # fmt: skip


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a model file and check every entry by its checksum and against the manifest.

    Raises:
        ModelFileError: It is missing, truncated or changed, holds what no model holds, or was
            written by a newer version.
    """
    with Archive(path) as archive:
        manifest = _manifest(archive.read(MANIFEST), path)
        archive.require_only((MANIFEST, *ENTRIES, *OPTIONAL))
        more = [name for name in OPTIONAL if name in manifest.sha256]
        contents = {name: archive.read(name) for name in [*ENTRIES, *more]}
    _check_sums(manifest, contents, path)
    try:
        bundle = _unpacked(manifest, contents)
        check_contents(bundle)
    except INVALID as error:
        raise ModelFileError(
            f"{os.fspath(path)} is damaged: {_first_line(error)}.",
            "Copy the file again, or train again.",
        ) from None
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


def _unpacked(manifest: Manifest, contents: Mapping[str, bytes]) -> Bundle:
    """Return the model from the bytes of its entries."""

    def array(name: str) -> Any:
        return read_array(name, contents[name]) if name in contents else None

    def records(name: str) -> Any:
        return read_json(contents.get(name, b"[]"))

    units = array(UNITS)
    calibration = None
    if not {ERRORS, RECENT, UNITS} - contents.keys():
        if units.ndim != 3 or len(units) != 3:
            raise ValueError(f"{UNITS} has shape {units.shape}")
        calibration = Calibration(
            array(ERRORS), array(RECENT), units[0], Recent(units[1], units[2])
        )
    series = SeriesRecord.model_validate(records(SERIES)) if SERIES in contents else None
    return Bundle(
        manifest,
        contents["network.onnx"],
        contents["network.weights.h5"],
        array("history.npy"),
        _rows("epochs.json", records("epochs.json")),
        state=array(STATE),
        series=series,
        scales=array(SCALES),
        ahead=array(AHEAD),
        scores=upgrade_scores(_rows(SCORES, records(SCORES))),
        calibration=calibration,
        naive=array(NAIVE),
        dropout=contents.get(DROPOUT),
        levels=array(LEVELS),
        usual=array(USUAL),
        effects=_effects(records(EFFECTS)) if EFFECTS in contents else (),
        pretrained=contents.get(PRETRAINED),
        networks=array(NETWORKS),
    )


def _effects(plain: Any) -> "tuple[Effects, ...]":
    """Return the effects on the targets of the few models that have some."""
    from ..baselines.effects import EVERY

    return EVERY.validate_python(plain)


def read_array(name: str, data: bytes, kinds: str = "f") -> Any:
    """Return an array in the NumPy format, and nothing else.

    Args:
        name: For messages.
        data: Header and values.
        kinds: The kinds of NumPy types that it may have; floating-point numbers alone by default.

    Raises:
        ValueError: It is something else, or has another size than it states.
    """
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} has version {version}")
    shape, fortran, dtype = npy.read_array_header_1_0(stream)
    size = len(data) - stream.tell()
    if dtype.kind not in kinds or math.prod(shape) * dtype.itemsize != size or not shape:
        raise ValueError(f"{name} holds {dtype} of shape {shape} in {size:,} bytes")
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if fortran else "C").copy()


def read_json(data: bytes, *, strict: bool = False) -> Any:
    """Return a JSON document without numbers that are none, or that nothing counts up to.

    Args:
        data: The document.
        strict: Refuse NaN and infinity too, which a training that failed has as its losses.
    """
    return json.loads(
        data, parse_int=_integer, parse_float=_number, parse_constant=_constant if strict else None
    )


def _integer(text: str) -> int:
    if len(text) > 19:
        raise ValueError(f"{text[:9]}... has {len(text)} digits")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _rows(name: str, rows: Any) -> list[dict[str, Any]]:
    """Refuse what is not a list of objects of plain values."""
    plain = isinstance(rows, list) and all(
        isinstance(row, dict) and all(type(value) in SCALARS for value in row.values())
        for row in rows
    )
    if not plain:
        raise ValueError(f"{name} is not a list of records")
    found: list[dict[str, Any]] = rows
    return found


def _manifest(data: bytes, path: str | os.PathLike[str]) -> Manifest:
    try:
        document = read_json(data, strict=True)
        version = document["format"]
        if version > FORMAT:
            raise ModelFileError(
                f"{os.fspath(path)} has format {version}; this version reads up to {FORMAT}.",
                "Upgrade: pip install --upgrade forecast-cli.",
            )
        return Manifest.model_validate_json(json.dumps(upgrade(document)))
    except ModelFileError:
        raise
    except INVALID as error:
        raise ModelFileError(
            f"The manifest of {os.fspath(path)} is invalid: {_first_line(error)}.",
            "Copy the file again, or train again.",
        ) from None


def _first_line(error: BaseException) -> str:
    """Return what is wrong, with its place where pydantic says one."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        text = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    else:
        text = error.message if isinstance(error, ForecastError) else str(error)
    return (text.splitlines() or [type(error).__name__])[0][:300].removesuffix(".")
