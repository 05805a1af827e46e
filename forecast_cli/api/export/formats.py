"""The forms in which a model is exported, those of Keras among them, and how they are written."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ...config.registries import EXPORTS, ExportEntry
from ...core.errors import UsageError, nearest
from ...data.io.tables import Readable
from ...forecasting.saved_model_data import refuse_labels
from ...model.bundle import Bundle
from ...model.file_writing import unwritable, write_whole
from .keras_script import export_keras_script
from .onnx_folder import export_onnx_folder


def export_keras(bundle: Bundle) -> bytes:
    """Return a model as a `.keras` file.

    It reads and makes scaled values; layers of this package come with it where it is installed.
    """
    network = _network(bundle)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.keras")
        network.save(path)
        return path.read_bytes()


def export_saved_model(bundle: Bundle) -> dict[str, bytes]:
    """Return the files of a SavedModel of TensorFlow, which needs nothing of this package."""
    network = _network(bundle)
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        files = [each for each in Path(folder).rglob("*") if each.is_file()]
        return {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the libraries warn of each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _network(bundle: Bundle) -> Any:
    """Return the Keras model of a model, with its weights."""
    from ...networks.batches import WindowFeed
    from ...training.ensemble_fitting import restore

    manifest, horizon = bundle.manifest, bundle.runtime.horizon
    inputs, none = manifest.columns.inputs, np.empty(0, np.int64)
    values = np.empty((0, inputs.features), np.float32)

    def feed(timesteps: int) -> WindowFeed:
        return WindowFeed(values, inputs, none, none, timesteps, horizon)

    return restore(manifest.config, feed, bundle.weights, bundle.effects)[1]


# By the names of `forecast_cli.config.registries`: the contents of a file, or of the files of a
# folder by their names.
FUNCTIONS: dict[str, Callable[[Bundle, Readable | None], bytes | dict[str, bytes]]] = {
    "onnx": export_onnx_folder,
    "keras": lambda bundle, _: export_keras(bundle),
    "saved-model": lambda bundle, _: export_saved_model(bundle),
    "python": lambda bundle, _: export_keras_script(bundle),
}


def export(
    bundle: Bundle, path: Path, format: str = "onnx", future: Readable | None = None
) -> None:
    """Write a model in another form; a folder that an earlier export made is replaced.

    Args:
        bundle: A model that forecasts numbers, without states from window to window.
        path: Where to.
        format: A name of `EXPORTS`.
        future: A table of future covariates, for the example beside an ONNX network.

    Raises:
        UsageError: There is no such form, or not of such a model; or the path is taken.
        DataError: The model needs future covariates, and there are none.
    """
    if format not in EXPORTS:
        raise UsageError(f'Invalid `format` "{format}".', nearest(format, EXPORTS))
    _refuse_pretrained(bundle)
    refuse_labels(
        bundle,
        "Models that forecast are exported; this one maps sequences to labels.",
        "The command predict needs no TensorFlow either.",
    )
    if bundle.networks is not None:
        raise UsageError(
            "A model with a network for each series cannot be exported: no other form holds the "
            "weights of all.",
            "The commands predict and serve need no TensorFlow; or train one network for all.",
        )
    if bundle.manifest.config.network.stateful:
        raise UsageError(
            "A stateful network cannot be exported: its forecasts depend on all rows before.",
            "Train with `stateful=no`; or use the command predict with `state`.",
        )
    _require_free(path, EXPORTS[format])
    made = FUNCTIONS[format](bundle, future)
    if isinstance(made, bytes):
        write_whole(path, made)
    else:
        _write_folder(path, made)


def _refuse_pretrained(bundle: Bundle) -> None:
    """Refuse the pretrained network, alone or as a member: what it reads is computed by NumPy."""
    what = ""
    if bundle.manifest.config.network.pretrained:
        what = "it reads what is computed of a series by this program"
    elif bundle.manifest.member is not None:
        what = "the model combines its forecasts with those of the others"
    if what:
        raise UsageError(
            f"The pretrained network cannot be exported: {what}.",
            "The commands predict and serve need no TensorFlow; or train with `preset=trained`.",
        )


def _require_free(path: Path, entry: ExportEntry) -> None:
    """Refuse to replace what is no such export."""
    own = path.is_dir() and entry.mark and Path(path, entry.mark).is_file()
    taken = path.is_dir() and any(path.iterdir()) if entry.mark else path.is_dir()
    if (taken and not own) or (entry.mark and path.exists() and not path.is_dir()):
        raise UsageError(f"{path} exists and is no earlier export.", "Name another with -o.")


def _write_folder(path: Path, files: dict[str, bytes]) -> None:
    """Write a folder under a temporary name beside it, and put it in the place of an older one."""
    path = Path(os.path.realpath(path))
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as beside:
            new, old = Path(beside, "new"), Path(beside, "old")
            for name, contents in files.items():
                target = new / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents)
            if path.is_dir():
                path.rename(old)
            new.rename(path)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise UsageError(*unwritable(path, error, "folder")) from None
