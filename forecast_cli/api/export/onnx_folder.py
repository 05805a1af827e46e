"""A model as ONNX, with what a program needs to know of it, and an example that runs as it is."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.events import ignore
from ...core.libraries import PACKAGE, version_of
from ...core.scaling import ABOVE, BACKWARD, LOW, Scaling, Transform
from ...core.windows import Floats
from ...data.dataset import History
from ...data.io.tables import Readable
from ...forecasting.history import READ_AS_TRAINED
from ...forecasting.prediction_request import ALL, find_history
from ...model.bundle import Bundle

NETWORK, DESCRIPTION, ROWS, AHEAD, EXAMPLE = (
    "network.onnx", "description.json", "rows.csv", "ahead.csv", "example.py",
)  # fmt: skip
# Digits by which a number is read as it was written.
EXACT = ".17g"
# The parts of the example.
FORWARD = {"log": "np.log", "log1p": "np.log1p"}
INVERSE = {"log": "np.exp", "log1p": "np.expm1"}
HEAD = '''"""Forecast from rows.csv with onnxruntime and NumPy alone: a line for each step ahead."""

import json
import sys

import numpy as np
import onnxruntime

about = json.load(open("description.json"))
center, scale = np.array(about["center"]), np.array(about["scale"])
rows = np.genfromtxt("rows.csv", delimiter=",", skip_header=1).reshape(-1, len(center))'''
TAIL = """window = ((rows - center) / scale)[None, -about["timesteps"] :].astype("float32")
network = onnxruntime.InferenceSession("network.onnx")"""
KNOWN = """known = about["known"]
ahead = np.genfromtxt("ahead.csv", delimiter=",", skip_header=1).reshape(-1, len(known))
ahead = ((ahead - center[known]) / scale[known]).astype("float32")"""
# A network that forecasts one step is fed its own forecasts.
ONE_BY_ONE = """forecast = np.empty((about["horizon"], len(about["targets"])))
for step in range(about["horizon"]):
    forecast[step] = {call}[0]
    row = np.full((1, 1, len(center)), np.nan, "float32"){known}
    row[..., about["targets"]] = forecast[step]
    window = np.concatenate([window[:, 1:], row], axis=1)"""
AS_KNOWN = "\n    row[..., known] = ahead[step]"


def export_onnx_folder(bundle: Bundle, future: Readable | None = None) -> dict[str, bytes]:
    """Return the files of a folder with the network and an example in Python.

    The example needs onnxruntime and NumPy alone, and prints the forecast of the first series of
    the model from the last rows of its table.

    Args:
        bundle: A model that forecasts numbers, without states.
        future: A table of the future covariates for the example.

    Raises:
        DataError: The model needs future covariates, and there are none.
    """
    history = find_history(bundle, None, replace(ALL, future=future), READ_AS_TRAINED, ignore)
    rows, ahead, scaling = _first_window(bundle, history)
    about = describe(bundle, scaling, history.panel.name(0))
    features = about["features"]
    files = {
        NETWORK: _with_description(bundle.onnx, about),
        DESCRIPTION: json.dumps(about, indent=2, ensure_ascii=False).encode(),
        ROWS: _csv(features, rows),
        EXAMPLE: _example(about).encode(),
    }
    if about["known"]:
        files[AHEAD] = _csv([features[place] for place in about["known"]], ahead)
    return files


def describe(bundle: Bundle, scaling: Scaling, series: str) -> dict[str, Any]:
    """Return what a program needs to know of a model, as data of a JSON document.

    The scaling is that of one series; its name is empty where the only one has none.
    """
    manifest, runtime = bundle.manifest, bundle.runtime
    inputs, session = manifest.columns.inputs, runtime.session
    shapes = {
        kind: {each.name: list(each.shape) for each in found}
        for kind, found in (("inputs", session.get_inputs()), ("outputs", session.get_outputs()))
    }
    return {
        "forecast_cli": version_of(PACKAGE),
        "model": manifest.name,
        "features": list(manifest.features),
        "targets": list(inputs.targets),
        "known": list(inputs.known),
        "ahead": list(inputs.ahead),
        "categories": {
            name: ["unknown", *known] for name, known in manifest.covariates.categories.items()
        },
        "timesteps": manifest.timesteps,
        "horizon": manifest.horizon,
        "steps_at_once": runtime.horizon,
        "quantiles": list(manifest.config.quantile_levels or ()),
        "units": "rows and forecasts are in the units of the columns; the network reads and makes "
        "(value - center) / scale, the transform before it",
        **shapes,
        "transform": scaling.before,
        "transformed": scaling.columns or 0,
        "low": _low(scaling),
        "series": series,
        "scaler": scaling.kind,
        "center": scaling.center.tolist(),
        "scale": scaling.scale.tolist(),
        "lower": _lower(scaling.only(inputs.targets)),
    }  # fmt: skip


def _lower(scaling: Scaling) -> list[float | None]:
    """Return what no forecast of each target is below, None for no bound; empty without any."""
    if scaling.lower is None or not np.isfinite(scaling.lower).any():
        return []
    return [each if np.isfinite(each) else None for each in scaling.lower.tolist()]


def _low(scaling: Scaling) -> list[float]:
    """Return for each transformed column what stands for values without a logarithm."""
    if scaling.before == "none":
        return []
    ends = LOW[scaling.kind] * scaling.scale + scaling.center
    return list(BACKWARD[scaling.before](ends[: scaling.columns]).tolist())


def _first_window(bundle: Bundle, history: History) -> tuple[Floats, Floats, Scaling]:
    """Return what the example forecasts from, in the units of the table, and the scaling.

    Of the first series the last rows, shape `(timesteps, features)`, NaN where missing; and what is
    known of the steps ahead, shape `(horizon, known)`, without columns for nothing.
    """
    manifest = bundle.manifest
    inputs, first = manifest.columns.inputs, manifest.config.network.padding == "first"
    scaling = history.scaling.each(np.zeros(1, np.int64))
    scaling = replace(
        scaling,
        center=scaling.center.reshape(-1)[-len(manifest.features) :],
        scale=scaling.scale.reshape(-1)[-len(manifest.features) :],
    )
    rows = history.windows(manifest.timesteps, first=first)[0].astype(np.float64)
    rows = rows * scaling.scale + scaling.center
    if scaling.before != "none":
        rows[:, : scaling.columns] = BACKWARD[scaling.before](rows[:, : scaling.columns])
    known = list(inputs.known)
    ahead = np.zeros((manifest.horizon, 0))
    if known:
        scaled = history.ahead(manifest.horizon)[0][:, known].astype(np.float64)
        ahead = scaled * scaling.scale[known] + scaling.center[known]
    return rows, ahead, scaling


def _csv(names: list[str], rows: Floats) -> bytes:
    """Return numbers as CSV, a missing one as an empty cell."""
    plain = (" ".join(name.replace('"', '""').split()) for name in names)
    quoted = ",".join(f'"{name}"' for name in plain)
    lines = [
        ",".join("" if np.isnan(each) else format(each, EXACT) for each in row)
        for row in rows.tolist()
    ]
    return "\n".join([quoted, *lines, ""]).encode()


def _with_description(network: bytes, about: dict[str, Any]) -> bytes:
    """Return an ONNX file that holds its description."""
    import onnx

    model = onnx.load_from_string(network)
    model.doc_string = f"{about['model']}, made by forecast {about['forecast_cli']}"
    onnx.helper.set_model_props(model, {"forecast": json.dumps(about)})
    return bytes(model.SerializeToString())


def _example(about: dict[str, Any]) -> str:
    """Return the example for a model, of the lines that this one needs."""
    log: Transform = about["transform"]
    window, *more = map(str, about["inputs"])
    logs = f"rows[:, :{about['transformed']}]"
    alone = about["steps_at_once"] < about["horizon"]
    steps = "step : step + 1" if alone else ":"
    takes = [f'"{window}": window', *(f'"{name}": ahead[None, {steps}, places]' for name in more)]
    call = f"network.run(None, {{{', '.join(takes)}}})[0][0]"
    if len(next(iter(about["outputs"].values()))) > 3:
        call += f"[..., {len(about['quantiles']) // 2 or 1}]"
    lines = [
        HEAD,
        f'{logs} = {FORWARD[log]}(np.where({logs} <= {ABOVE[log]:g}, about["low"], {logs}))'
        if log in FORWARD
        else "",
        TAIL,
        KNOWN if about["known"] else "",
        'places = [about["known"].index(each) for each in about["ahead"]]' if more else "",
        ONE_BY_ONE.format(call=call, known=AS_KNOWN if about["known"] else "")
        if alone
        else f"forecast = {call}",
        'forecast = forecast * scale[about["targets"]] + center[about["targets"]]',
        f"forecast = {INVERSE[log]}(forecast)" if log in INVERSE else "",
        'forecast = np.maximum(forecast, np.array(about["lower"], float))'
        if about["lower"]
        else "",
        'np.savetxt(sys.stdout, forecast, fmt="%.9g", delimiter=",")',
    ]
    return "\n".join([each for each in lines if each] + [""])
