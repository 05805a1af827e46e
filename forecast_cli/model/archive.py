"""A model file, a zip: nothing that its directory and its manifest state is believed unchecked."""

import math
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd

from ..core.errors import ModelFileError
from ..core.windows import Floats
from ..data.columns import calendar_columns
from ..data.dates.date_formats import DECIMAL, EPOCHS, EXCEL
from ..data.dates.date_writing import write_dates
from .bundle import Bundle
from .manifest import Manifest, TimeAxis

# The largest unpacked size of a model in bytes, and as a multiple of the file for large ones; that
# of text, which takes more memory when it is understood.
LARGEST = 2 * 1024**3
MOST_PACKED, SMALL = 200, 64 * 1024**2
MOST_PACKED_TEXT, SMALL_TEXT = 30, 4 * 1024**2
# The record at the end of a zip without comment: its mark, and where its directory's size is.
END, END_SIZE = b"PK\x05\x06", 22
# The mark of what stands before it in an archive of more than 4 GB.
LARGE = b"PK\x06\x07"
MOST_ENTRIES, LARGEST_DIRECTORY = 64, 64 * 1024
PIECE = 256 * 1024
ENCRYPTED = 1


class Archive:
    """A model file that is open; use it as a context.

    Args:
        path: The file.

    Raises:
        ModelFileError: It is no zip, is truncated, or holds other than plain files, each once.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.left = 0
        try:
            self.file = open(path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            raise ModelFileError(
                f"There is no model {self.path}.",
                "Train a model first, or give the path of another one.",
            ) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ModelFileError(f"{self.path} cannot be read: {why}.") from None
        try:
            self.archive = zipfile.ZipFile(self._checked(self.file))
            self.entries = self._plain(self.archive.infolist())
        except BaseException as error:
            self.file.close()
            raise self._no_model(error) from None
        self.left = min(LARGEST, MOST_PACKED * os.fstat(self.file.fileno()).st_size + SMALL)

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def _checked(self, file: BinaryIO) -> BinaryIO:
        """Check the record at the end before a library makes an object of each entry."""
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - END_SIZE - 20))
        tail = file.read()
        end = tail[-END_SIZE:]
        if not end.startswith(END) or len(end) != END_SIZE:
            raise zipfile.BadZipFile
        count, directory = struct.unpack("<HI", end[10:16])
        if tail.startswith(LARGE) or count > MOST_ENTRIES or directory > LARGEST_DIRECTORY:
            raise ModelFileError(
                f"{self.path} has {count:,} entries: too many.", "Expected a saved model."
            )
        return file

    def _plain(self, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """Return the entries by name; refuse folders, links, encryption and repeated names."""
        found: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            kind = stat.S_IFMT(entry.external_attr >> 16)
            # A name may be empty, or end where a byte is 0.
            plain = kind in (0, stat.S_IFREG) and not entry.filename.endswith(("/", "\\"))
            plain &= bool(entry.filename)
            # The other methods of compression unpack to any size at once.
            plain &= entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if entry.filename in found or not plain or entry.flag_bits & ENCRYPTED:
                raise ModelFileError(
                    f"{self.path} is refused: its entry {entry.filename[:100]!r} is not a file of "
                    "its own.",
                    "Expected a saved model.",
                )
            found[entry.filename] = entry
        return found

    def require_only(self, names: Iterable[str]) -> None:
        """Refuse entries with other names.

        Raises:
            ModelFileError: There is one.
        """
        if more := self.entries.keys() - set(names):
            raise ModelFileError(
                f"{self.path} is refused: a model has no entry {min(more)[:100]!r}.",
                "Expected a saved model.",
            )

    def read(self, name: str) -> bytes:
        """Return what an entry holds; it is counted as it is unpacked.

        Raises:
            ModelFileError: It is missing, damaged, or unpacks to more than any model.
        """
        try:
            entry = self.entries[name]
            left = self.left
            if name.endswith(".json"):
                left = min(left, MOST_PACKED_TEXT * entry.compress_size + SMALL_TEXT)
            parts, size = [], 0
            with self.archive.open(entry) as file:
                while piece := file.read(PIECE):
                    size += len(piece)
                    if size > left:
                        raise ModelFileError(
                            f"{self.path} would unpack to more than {left:,} bytes in {name}: too "
                            "much.",
                            "Expected a saved model.",
                        )
                    parts.append(piece)
        except Exception as error:
            raise self._no_model(error) from None
        self.left -= size
        return b"".join(parts)

    def _no_model(self, error: BaseException) -> BaseException:
        """Return the error to raise for one of reading a zip."""
        known = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, ValueError)
        if isinstance(error, OSError):
            return ModelFileError(f"{self.path} cannot be read: {error.strerror or error}.")
        # RuntimeError: compressed by a method that zipfile does not support.
        if isinstance(error, (*known, NotImplementedError, struct.error, MemoryError)):
            return ModelFileError(
                f"{self.path} is not a model, or is truncated.",
                "Expected a saved model: copy the file again, or train again.",
            )
        return error


Shape = tuple[int, ...]


def check_contents(bundle: Bundle) -> None:
    """Refuse a model whose arrays, times, scores or effects do not fit its manifest.

    Raises:
        ValueError: They do not; other exceptions too, of times that are none.
    """
    manifest, series, scales = bundle.manifest, bundle.series, bundle.scales
    _check_covariates(manifest)
    if manifest.config.network.pretrained and manifest.features != manifest.targets:
        raise ValueError("its pretrained network would read columns that it does not forecast")
    _check_member(bundle)
    _check_networks(bundle)
    for what, array, expected in _shapes(bundle):
        if array.shape != expected:
            raise ValueError(
                f"{what} {array.dtype} of shape {array.shape}; {expected} was expected"
            )
    if manifest.scaling is None if scales is None else _unusable(scales):
        raise ValueError("it has no scaler")
    if series and manifest.time and not series.lasts:
        raise ValueError("its series have no ends")
    if manifest.time:
        try:
            _check_times(bundle, manifest.time)
        except Exception as error:
            # Of time zones, languages and dates that are none, each library has its own.
            raise ValueError(f"its times cannot be read: {error}") from None
    if bundle.effects:
        from ..baselines.effects import row_effects

        ahead = np.zeros((2, len(manifest.columns.inputs.ahead)))
        made = row_effects(bundle.effects, ahead, np.array([0, 2]))
        if made.shape != (2, len(manifest.targets)) or not np.isfinite(made).all():
            raise ValueError("its effects are not those of its targets")


def _check_member(bundle: Bundle) -> None:
    """Refuse weights of a pretrained network that is not there, and one without weights."""
    record = bundle.manifest.member
    if (bundle.pretrained is None) != (record is None):
        raise ValueError("its pretrained network has no weights, or the weights no network")
    if record is None:
        return
    if len(record.shares) != len(bundle.manifest.targets):
        raise ValueError("its pretrained network has no weight for each target")
    if not all(0.0 <= each <= 1.0 for each in record.shares):
        raise ValueError("a weight of its pretrained network is not from 0 to 1")


def _check_networks(bundle: Bundle) -> None:
    """Refuse weights of series where the model has none, and those that are no numbers."""
    weights, config = bundle.networks, bundle.manifest.config
    if (weights is not None) != config.training.per_series:
        raise ValueError("it has no network for each series, or is not configured to")
    if weights is None:
        return
    if bundle.series is None or weights.ndim != 2 or len(weights) != len(bundle.series.ids):
        raise ValueError(f"its networks have weights of shape {weights.shape}")
    if weights.dtype != np.float32 or not np.isfinite(weights).all():
        raise ValueError("the weights of its networks are not finite numbers of 32 bits")


def _check_covariates(manifest: Manifest) -> None:
    """Refuse calendar covariates that are not configured, and errors of what has none."""
    calendar, configured = manifest.covariates.calendar, manifest.config.data.calendar_features
    if (calendar or configured) and calendar != calendar_columns(configured):
        raise ValueError("its calendar covariates are not those of its configuration")
    errors = manifest.future_errors
    if not errors:
        return
    if len(errors) != len(manifest.features):
        raise ValueError("it has no error for each feature")
    erring = {name for name, each in zip(manifest.features, errors, strict=True) if each}
    if not erring <= set(manifest.covariates.future):
        raise ValueError("features that are no future covariates have errors in tests")
    if not all(math.isfinite(each) and each >= 0 for each in errors):
        raise ValueError("an error of a feature is not finite, or below 0")


def _shapes(bundle: Bundle) -> Iterator[tuple[str, Floats, Shape]]:
    """Yield the arrays that there are, each with what messages call it and its required shape."""
    manifest, series = bundle.manifest, bundle.series
    features, targets = len(manifest.features), len(manifest.targets)
    # Models of labels store no rows.
    rows = 0 if manifest.labels else manifest.timesteps
    if manifest.config.network.pretrained:
        # All rows of a series that is shorter.
        rows = min(max(1, len(bundle.history)), manifest.timesteps)
    if manifest.member:
        # It reads more rows than the others, where there are more.
        rows = min(max(rows, len(bundle.history)), manifest.context)
    rows = sum(series.rows) if series else rows
    count = len(series.ids) if series else 1
    steps = bundle.ahead.shape[1] if bundle.ahead is not None and bundle.ahead.ndim > 1 else 0
    units = bundle.state.size if bundle.state is not None else 0
    every: list[tuple[str, Floats | None, Shape]] = [
        ("its last rows are", bundle.history, (rows, features)),
        ("its state is", bundle.state, (units,)),
        ("its scaler is", bundle.scales, (2, count, features)),
        ("its future covariates are", bundle.ahead, (count, steps, features)),
        ("its in-sample error of the naive forecast is", bundle.naive, (2, count, targets)),
        ("its record of levels is", bundle.levels, (5, count, features)),
        ("its usual values of covariates are", bundle.usual, (count, features)),
    ]
    yield from ((what, array, shape) for what, array, shape in every if array is not None)
    if (calibration := bundle.calibration) is not None:
        samples, quantiles = len(calibration.errors), manifest.config.outputs_per_value
        each = (samples, manifest.horizon, targets, *([quantiles] if quantiles > 1 else []))
        yield "the errors for its intervals are", calibration.errors, each
        yield "its recent errors are", calibration.recent, (samples, targets)
        yield "the units of its errors are", calibration.units, (count, targets)
        yield "its last errors are", calibration.ended.total, (count, targets)


def _unusable(scales: Floats) -> bool:
    """Whether centers and scales, shape `(2, n_series, features)`, are invalid."""
    return not np.isfinite(scales).all() or bool((scales[1] == 0).any())


def _check_times(bundle: Bundle, time: TimeAxis) -> None:
    """Refuse times, a time zone, a frequency or a style that are none."""
    manifest, series = bundle.manifest, bundle.series
    splits = manifest.splits
    lasts = _read_times(series.lasts if series else [time.last], time)
    begins = (splits.validation_begins, splits.test_begins, time.last)
    _read_times([each for each in begins if each is not None], time)
    if series:
        _read_times([*series.fresh, *series.known], time)
    if "%" not in time.style and time.style not in (*EPOCHS, EXCEL, DECIMAL):
        raise ValueError(f"{time.style[:50]!r} is no way to write times")
    ends = pd.DatetimeIndex([lasts.min(), lasts.max()])
    rows = max(series.rows) if series else len(bundle.history)
    first = time.frequency.moved(ends, np.array([-rows, -rows]))
    following = time.frequency.moved(ends, np.array([1, 1]))
    write_dates(pd.DatetimeIndex([*first, *following]), time.style)


def _read_times(texts: Sequence[str], time: TimeAxis) -> pd.DatetimeIndex:
    """Return times, ISO 8601; with offsets where there is a time zone, and without where not."""
    zoned = time.timezone is not None
    dates = pd.to_datetime(list(texts), format="ISO8601", utc=zoned)
    if dates.hasnans or (dates.tz is None) == zoned:
        raise ValueError(f"{str(texts[0])[:50]} is no time of zone {time.timezone}")
    return dates.tz_convert(time.timezone) if zoned else dates
