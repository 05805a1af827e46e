"""The models of the server, each read again when its file is replaced."""

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...core.errors import DataError, ForecastError, UsageError
from ...forecasting.prediction import predict
from ...forecasting.regular_rows import RegularRows
from ...model.bundle import Bundle
from ...model.loading import load_bundle

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# What tells of an event of the server: its name and facts.
Tell = Callable[..., None]
# What a file was like when it was looked at: times, size and number.
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Loaded:
    """A model that was read and checked.

    Args:
        bundle: The model.
        sha256: Of its file.
        at: When it was read, ISO 8601.
        quick: What forecasts from regular rows at once; None where the model needs more.
    """

    bundle: Bundle
    sha256: str
    at: str
    quick: RegularRows | None


@dataclass
class Served:
    """A model by its name, as it is served now.

    Args:
        name: In addresses.
        path: Of its file.
        loaded: What is served.
        stamp: Of the file when it was last looked at.
        error: Why the file as it is now is not served; None where it is.
    """

    name: str
    path: Path
    loaded: Loaded
    stamp: Stamp = None
    error: ForecastError | None = None

    def describe(self) -> dict[str, Any]:
        """Return what a client has to know to ask for a forecast."""
        manifest, loaded = self.loaded.bundle.manifest, self.loaded
        labels, columns = manifest.labels, manifest.columns
        described = {
            "name": self.name,
            "model": manifest.name,
            "targets": list(labels.names if labels else manifest.targets),
            "columns": list(columns.columns),
            "past_covariates": list(columns.covariates.past),
            "future_covariates": list(columns.covariates.future),
            "static_covariates": list(columns.covariates.static),
            "series": list(columns.series),
            "time": manifest.time.column if manifest.time else None,
            "frequency": manifest.time.frequency.name if manifest.time else None,
            "horizon": manifest.horizon,
            "lookback": manifest.timesteps,
            "last": manifest.time.last if manifest.time else None,
            "level": list(manifest.config.level),
            "sha256": loaded.sha256,
            "loaded": loaded.at,
        }
        # Where the file stands is private.
        error = str(self.error).replace(str(self.path), self.path.name) if self.error else None
        return described | {"error": error}


@dataclass
class Models:
    """The models of the server by their names.

    Args:
        served: By name.
        tell: Receives what happens.
        count: Receives the name of a model whose file was replaced, and whether the new one is
            served.
    """

    served: Mapping[str, Served]
    tell: Tell = field(default=lambda *_, **__: None)
    count: Callable[[str, bool], None] = field(default=lambda *_: None)

    def refresh(self) -> None:
        """Read the files that were replaced; a model that is broken leaves the old one in place."""
        for each in self.served.values():
            stamp = look_at(each.path)
            if stamp == each.stamp:
                continue
            # What changes while it is read is read again.
            each.stamp = stamp
            try:
                found = load(each.path)
            except ForecastError as error:
                each.error = error
                self.tell("model not replaced", failed=True, model=each.name, error=str(error))
                self.count(each.name, False)
                continue
            replaced = found.sha256 != each.loaded.sha256
            each.error = None
            if replaced:
                each.loaded = found
                self.tell("model replaced", model=each.name, sha256=found.sha256)
                self.count(each.name, True)


def look_at(path: Path) -> Stamp:
    """Return what a file is like; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def load(path: Path) -> Loaded:
    """Read a model, and check that it forecasts.

    Raises:
        ModelFileError: It is none, or damaged, or its network cannot be run.
    """
    bundle = load_bundle(path)
    _ = bundle.network, bundle.member
    if bundle.manifest.labels is None:
        # What is known of the steps ahead is not in the file.
        with suppress(DataError, UsageError):
            predict(bundle)
    digest = hashlib.sha256()
    # The weights for training are of no use here.
    for part in (bundle.onnx, bundle.weights, bundle.manifest.model_dump_json().encode()):
        digest.update(part)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    quick = RegularRows(bundle) if RegularRows.takes(bundle) else None
    return Loaded(bundle, digest.hexdigest(), now, quick)


def open_models(given: Sequence[str], tell: Tell) -> Models:
    """Read the models of a server.

    Args:
        given: Their paths, each by itself or as `NAME=PATH`.
        tell: Receives what happens later on.

    Raises:
        UsageError: Two have one name, or a name cannot stand in an address.
        ModelFileError: One cannot be read.
    """
    served: dict[str, Served] = {}
    for text in given:
        name, path = split_name(text)
        if name in served:
            raise UsageError(
                f'Two models are called "{name}": {served[name].path} and {path}.',
                f"Give one of them another name: {name}-2={path}.",
            )
        stamp = look_at(path)
        served[name] = Served(name, path, load(path), stamp)
    return Models(served, tell)


def split_name(text: str) -> tuple[str, Path]:
    """Return the name of a model, by default that of its file, and its path.

    Raises:
        UsageError: The name cannot stand in an address.

    >>> split_name("models/sales.forecast"), split_name("shops=a.forecast")
    (('sales', PosixPath('models/sales.forecast')), ('shops', PosixPath('a.forecast')))
    """
    name, equals, path = text.partition("=")
    if not equals or "/" in name or Path(text).is_file():
        name, path = Path(text).stem, text
    if not NAME.fullmatch(name):
        raise UsageError(
            f'"{name}" cannot be the name of a model in an address.',
            f"Give it another name, of letters, digits, points and hyphens: NAME={path}.",
        )
    return name, Path(path)
