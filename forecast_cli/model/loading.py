"""Read a model file: check every entry by its checksum, every array against the manifest."""

import hashlib
import io
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy
from pydantic import ValidationError

from ..core.error_scale import Recent
from ..core.errors import ForecastError, ModelFileError
from .archive import Archive, check_contents
from .bundle import (
    ARRAYS,
    EFFECTS,
    ENTRIES,
    ERRORS,
    GRAPHS,
    MANIFEST,
    NAIVE,
    OPTIONAL,
    RECENT,
    SCORES,
    SERIES,
    UNITS,
    Bundle,
)
from .manifest import FORMAT, Manifest
from .records import Calibration, SeriesRecord
from .upgrade import upgrade, upgrade_scores

AGAIN = "Copy the file again, or train again."
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
    path = os.fspath(path)
    with Archive(path) as archive:
        manifest = _manifest(archive.read(MANIFEST), path)
        archive.require_only((MANIFEST, *ENTRIES, *OPTIONAL))
        more = [name for name in OPTIONAL if name in manifest.sha256]
        contents = {name: archive.read(name) for name in [*ENTRIES, *more]}
    try:
        for name, data in contents.items():
            if manifest.sha256.get(name) != hashlib.sha256(data).hexdigest():
                raise ValueError(f"{name} does not match its checksum")
        bundle = _unpacked(manifest, contents)
        check_contents(bundle)
    except INVALID as error:
        raise ModelFileError(f"{path} is damaged: {_first_line(error)}.", AGAIN) from None
    return bundle


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
    effects: Any = ()
    if EFFECTS in contents:
        # Few models have some.
        from ..baselines.effects import EVERY

        effects = EVERY.validate_python(records(EFFECTS))
    own: dict[str, Any] = {name: array(entry) for name, entry in ARRAYS.items()}
    own |= {name: contents.get(entry) for name, entry in GRAPHS.items()}
    return Bundle(
        manifest,
        contents["network.onnx"],
        contents["network.weights.h5"],
        array("history.npy"),
        _rows("epochs.json", records("epochs.json")),
        series=series,
        scores=upgrade_scores(_rows(SCORES, records(SCORES))),
        calibration=calibration,
        naive=array(NAIVE),
        effects=effects,
        **own,
    )


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


def _manifest(data: bytes, path: str) -> Manifest:
    try:
        document = read_json(data, strict=True)
        version = document["format"]
        if version > FORMAT:
            raise ModelFileError(
                f"{path} has format {version}; this version reads up to {FORMAT}.",
                "Upgrade: pip install --upgrade forecast-cli.",
            )
        return Manifest.model_validate_json(json.dumps(upgrade(document)))
    except ModelFileError:
        raise
    except INVALID as error:
        raise ModelFileError(
            f"The manifest of {path} is invalid: {_first_line(error)}.", AGAIN
        ) from None


def _first_line(error: BaseException) -> str:
    """Return what is wrong, with its place where pydantic says one."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        text = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    else:
        text = error.message if isinstance(error, ForecastError) else str(error)
    return (text.splitlines() or [type(error).__name__])[0][:300].removesuffix(".")
