"""A model as one file: a zip of a manifest, network and weights, last rows and training log.

The file holds no code: no pickle, no class name to import, no Keras configuration.
"""

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import ModelFileError, UsageError
from ..core.scaling import Scaling
from ..core.windows import Floats
from .file_writing import write_whole
from .manifest import Manifest
from .pretrained import PretrainedMember, open_member, open_pretrained
from .records import Calibration, SeriesRecord
from .runtime import Forecasting, Runtime
from .series_networks import SeriesNetworks

if TYPE_CHECKING:
    from ..baselines.effects import Effects

MANIFEST = "manifest.json"
ENTRIES = ("network.onnx", "network.weights.h5", "history.npy", "epochs.json")
# Entries that only some models have: arrays and graphs by the fields of `Bundle`, and others.
ARRAYS = {
    name: f"{name}.npy" for name in ("state", "scales", "ahead", "levels", "usual", "networks")
}
GRAPHS = {name: f"{name}.onnx" for name in ("pretrained", "dropout")}
SERIES, SCORES, EFFECTS = "series.json", "scores.json", "effects.json"
ERRORS, RECENT, UNITS, NAIVE = "errors.npy", "recent.npy", "units.npy", "naive.npy"
OPTIONAL = (
    *ARRAYS.values(), *GRAPHS.values(), SERIES, SCORES, EFFECTS, ERRORS, RECENT, UNITS, NAIVE,
)  # fmt: skip
# The time stamp of every entry, so that equal models are equal files.
STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, repr=False)
class Bundle:
    """A trained model.

    Args:
        manifest: Its configuration and how it was trained.
        onnx: The network for prediction.
        weights: The network's weights for fine-tuning, in Keras's HDF5 form.
        history: Shape `(rows, features)`: the last rows of each series, at most `timesteps` of
            each, end to end, original units.
        epochs: The training log, an object per epoch.
        state: Shape `(units,)`: the states of all layers of a stateful network, end to end, before
            the history; None for others.
        series: The names of the series; None for one without a name.
        scales: Shape `(2, n_series, features)`: center and scale of each series; None where all
            have one scaler.
        ahead: Shape `(n_series, steps, features)`: what is known of the steps after the history,
            NaN where unknown; None without future covariates.
        scores: A row per scored series, where there are several.
        calibration: The validation errors for intervals; None without a validation split.
        naive: Shape `(2, n_series, targets)`: the mean absolute and the mean squared error of the
            seasonal naive forecast in the training rows, original units.
        dropout: The network with dropout masks as inputs, for intervals by Monte Carlo dropout.
        levels: Shape `(5, n_series, features)`: what the rows of the training table were like, as
            in `Levels`, original units; None in older files.
        usual: Shape `(n_series, features)`: the usual values of past and future covariates in the
            training rows, original units, NaN for other columns; None without covariates.
        effects: Of what is known ahead, on each target, scaled units; empty where they are not
            estimated.
        pretrained: The pretrained network, where it is a member of the ensemble.
        networks: Shape `(n_series, numbers)`: the weights of each series, which are an input of
            `onnx` then; None where all series have one network.
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
    calibration: Calibration | None = None
    naive: Floats | None = None
    dropout: bytes | None = None
    levels: Floats | None = None
    usual: Floats | None = None
    effects: "tuple[Effects, ...]" = ()
    pretrained: bytes | None = None
    networks: Floats | None = None

    @property
    def scaling(self) -> Scaling:
        """The scaling of all series, or of each."""
        if self.scales is None:
            return self.manifest.scaler
        return self.manifest.make_scaler(*self.scales)

    @cached_property
    def network(self) -> Forecasting | SeriesNetworks:
        """What forecasts: the trained network, or one for each series, or the pretrained one.

        Raises:
            ModelFileError: It is not a network that the manifest describes.
        """
        config = self.manifest.config
        if self.networks is not None:
            return SeriesNetworks(self.runtime, self.networks)
        if not config.network.pretrained:
            return self.runtime
        network = open_pretrained(self.onnx, config)
        network.require_same(self.manifest.probe)
        return network

    @cached_property
    def member(self) -> PretrainedMember | None:
        """The pretrained network among the members of an ensemble; None where it is none.

        Raises:
            ModelFileError: It reads series otherwise than when the model was made.
        """
        record = self.manifest.member
        if self.pretrained is None or record is None:
            return None
        member = open_member(self.pretrained, record, self.manifest.horizon)
        member.runtime.require_same(record.probe)
        return member

    @cached_property
    def runtime(self) -> Runtime:
        """The trained network, ready to predict.

        Raises:
            ModelFileError: It is not a network that the manifest describes.
        """
        runtime = Runtime(self.onnx)
        if not self._describes(runtime):
            raise ModelFileError(
                f"The network of the model reads windows of shape {tuple(runtime.window_shape)} "
                f"and makes forecasts of shape {runtime.shape}, which its manifest does not "
                "describe.",
                "Copy the file again, or train again.",
            )
        return runtime

    def _describes(self, runtime: Runtime) -> bool:
        """Whether the network reads and makes what the manifest describes."""
        manifest, labels = self.manifest, self.manifest.labels
        values = [len(labels.classes or labels.names) if labels else len(manifest.targets)]
        if manifest.config.outputs_per_value > 1 and not labels:
            values.append(manifest.config.outputs_per_value)
        if manifest.config.network.stateful and not labels:
            fits = self.state is not None and sum(runtime.widths) == len(self.state)
            timesteps = runtime.window_shape[1]
        else:
            ahead = len(manifest.columns.inputs.ahead)
            own = [] if self.networks is None else [self.networks.shape[1]]
            fits = runtime.widths == [*([ahead] if ahead else []), *own]
            timesteps = manifest.timesteps
        return (
            fits
            and runtime.window_shape[1:] == [timesteps, len(manifest.features)]
            and not isinstance(runtime.window_shape[0], int)
            and runtime.horizon in ({1} if labels else {1, manifest.horizon})
            and runtime.makes((runtime.horizon, *values))
        )


def save_bundle(bundle: Bundle, path: str | os.PathLike[str]) -> None:
    """Write the model file whole or not at all; an existing model is replaced.

    Raises:
        UsageError: The path is a file that is no model, or cannot be written.
    """
    target = Path(path)
    require_writable(target)
    history, log = _packed(bundle.history), json.dumps(bundle.epochs).encode()
    contents = dict(zip(ENTRIES, (bundle.onnx, bundle.weights, history, log), strict=True))
    contents |= _optional(bundle)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = bundle.manifest.changed(sha256=sums)
    text = manifest.model_dump_json(indent=1)
    Manifest.model_validate_json(text)
    contents = {MANIFEST: text.encode(), **contents}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)
    write_whole(target, buffer.getvalue())


def _optional(bundle: Bundle) -> dict[str, bytes]:
    """Return the entries that only some models have."""
    arrays = {entry: getattr(bundle, name) for name, entry in ARRAYS.items()}
    contents = {entry: _packed(each) for entry, each in arrays.items() if each is not None}
    if bundle.series is not None:
        contents[SERIES] = bundle.series.model_dump_json().encode()
    if bundle.scores:
        contents[SCORES] = json.dumps(bundle.scores).encode()
    if bundle.effects:
        from ..baselines.effects import EVERY

        contents[EFFECTS] = EVERY.dump_json(bundle.effects)
    graphs = {entry: getattr(bundle, name) for name, entry in GRAPHS.items()}
    contents |= {entry: each for entry, each in graphs.items() if each is not None}
    if (calibration := bundle.calibration) is not None:
        contents[ERRORS] = _packed(calibration.errors)
        contents[RECENT] = _packed(calibration.recent)
        ended = calibration.ended
        contents[UNITS] = _packed(np.stack([calibration.units, ended.total, ended.weight]))
    if bundle.naive is not None:
        contents[NAIVE] = _packed(bundle.naive)
    return contents


def _packed(values: Floats) -> bytes:
    """Return an array of any shape in the NumPy format."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def require_writable(path: Path) -> None:
    """Check, before any training, that a model can be written to the path.

    Raises:
        UsageError: It cannot.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a directory.", "Give the path of a file, e.g. model.forecast.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no directory {path.parent}.", "Create it first.")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent} is not writable.", "Give a path in another directory.")
    if path.is_file() and not path.stat().st_mode & 0o222:
        raise UsageError(
            f"{path} is read-only.", "Give another path, or make it writable (chmod u+w)."
        )
    if path.exists() and not is_model(path):
        raise UsageError(
            f"{path} exists and is not a model; it is not overwritten.",
            "Give another path, or remove that file first.",
        )


def is_model(path: Path) -> bool:
    """Whether a file is a model, of any version."""
    if not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {MANIFEST, *ENTRIES} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
