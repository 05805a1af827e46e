"""A network for each series: each window is forecast with the weights of its own."""

import io
import json

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from forecast_cli.core.errors import ModelFileError
from forecast_cli.model.loading import load_bundle
from forecast_cli.model.runtime import Runtime
from forecast_cli.model.series_networks import SeriesNetworks, network_of

from . import crafted
from .crafted import GOLDEN

TIMESTEPS, HORIZON = 4, 2
WEIGHTS = np.array([[1.0], [10.0], [100.0]], np.float32)
WINDOWS = np.arange(20, dtype=np.float32).reshape(5, TIMESTEPS, 1)


def last_values_times_a_weight() -> bytes:
    """A network that repeats the last value, times its only weight."""
    tensors = {
        "window": ["batch", TIMESTEPS, 1],
        "weights": [1, 1],
        "forecast": ["batch", HORIZON, 1],
    }
    made = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in tensors.items()
    }
    places = numpy_helper.from_array(np.full(HORIZON, TIMESTEPS - 1), "places")
    nodes = [
        helper.make_node("Gather", ["window", "places"], ["last"], axis=1),
        helper.make_node("Mul", ["last", "weights"], ["forecast"]),
    ]
    given = [made["window"], made["weights"]]
    graph = helper.make_graph(nodes, "g", given, [made["forecast"]], [places])
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    ).SerializeToString()


@pytest.fixture(scope="module")
def networks():
    return SeriesNetworks(Runtime(last_values_times_a_weight()), WEIGHTS)


def test_each_window_is_forecast_by_the_network_of_its_series(networks):
    series = np.array([2, 0, 1, 0, 2])
    made = networks.of(series)(WINDOWS)
    assert made.shape == (5, HORIZON, 1)
    assert (made == WINDOWS[:, -1:] * WEIGHTS[series][:, None]).all()


def test_series_in_another_order(networks):
    made = network_of(networks.ordered(np.array([1, 2])), np.array([0, 1, 1, 0, 0]))(WINDOWS)
    assert (made[:, 0, 0] == WINDOWS[:, -1, 0] * [10, 100, 100, 10, 10]).all()


def test_no_windows_are_forecast_as_none(networks):
    assert networks.of(np.zeros(0, np.int64))(WINDOWS[:0]).shape == (0, HORIZON, 1)


def test_one_network_of_all_series_is_taken_as_it_is(networks):
    assert network_of(networks.runtime, np.zeros(5, np.int64)) is networks.runtime


# What a file could hold in the place of the weights.
WRONG = {
    "those of fewer series": WEIGHTS[:2],
    "another number of weights": np.ones((3, 2), np.float32),
    "no rows": np.ones(3, np.float32),
    "64 bits": WEIGHTS.astype(np.float64),
    "not a number": np.array([[1.0], [np.nan], [1.0]], np.float32),
    "infinity": np.array([[1.0], [np.inf], [1.0]], np.float32),
}


@pytest.fixture(scope="module")
def entries():
    """A model of three series with a network for each."""
    found = crafted.read_entries(GOLDEN / "format-4.forecast")
    manifest = json.loads(found["manifest.json"])
    series = json.loads(found["series.json"])
    targets = len(manifest["targets"])
    assert (len(series["ids"]), targets, len(manifest["features"])) == (3, 1, 1)
    return found


def with_networks(entries, weights=WEIGHTS, *, configured=True):
    """The entries with a graph that takes weights, and these; without quantiles or errors."""
    manifest = json.loads(entries["manifest.json"])
    config = manifest["config"]
    config["training"]["per_series"] = configured
    config["intervals"] = "conformal"
    config["window"] |= {"timesteps": TIMESTEPS, "horizon": HORIZON}
    manifest["evaluation"] = None
    rows = json.loads(entries["series.json"])
    rows["rows"] = [TIMESTEPS] * 3
    history = np.arange(3.0 * TIMESTEPS).reshape(-1, 1)
    left = ("errors.npy", "recent.npy", "units.npy", "scores.json")
    made = {name: data for name, data in entries.items() if name not in left}
    made |= {
        "manifest.json": json.dumps(manifest).encode(),
        "series.json": json.dumps(rows).encode(),
        "history.npy": crafted.array_bytes(history),
        "network.onnx": last_values_times_a_weight(),
    }
    return made if weights is None else made | {"networks.npy": crafted.array_bytes(weights)}


def test_a_crafted_model_of_three_networks_forecasts_by_each(entries, tmp_path):
    path = crafted.write_model(tmp_path / "good.forecast", with_networks(entries))
    bundle = load_bundle(path)
    made = bundle.network.of(np.array([0, 1, 2]))(WINDOWS[:3])
    assert (made[:, 0, 0] == WINDOWS[:3, -1, 0] * [1, 10, 100]).all()


@pytest.mark.parametrize("kind", WRONG)
def test_weights_that_are_not_those_of_the_series(entries, tmp_path, kind):
    path = crafted.write_model(tmp_path / "odd.forecast", with_networks(entries, WRONG[kind]))
    with pytest.raises(ModelFileError, match=r"damaged|does not\s+describe"):
        _ = load_bundle(path).network


@pytest.mark.parametrize(("weights", "configured"), [(None, True), (WEIGHTS, False)])
def test_weights_that_are_not_configured_or_lacking(entries, tmp_path, weights, configured):
    made = with_networks(entries, weights, configured=configured)
    with pytest.raises(ModelFileError, match="no network for each series"):
        load_bundle(crafted.write_model(tmp_path / "odd.forecast", made))


def test_weights_that_unpack_to_more_than_any_model(entries, tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((3, 25_000_000), np.float32))
    made = with_networks(entries, None) | {"networks.npy": buffer.getvalue()}
    with pytest.raises(ModelFileError, match="would unpack to more"):
        load_bundle(crafted.write_model(tmp_path / "bomb.forecast", made))
