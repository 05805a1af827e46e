"""One graph for many networks: it forecasts as each network whose weights it is given."""

import keras
import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Gru, Lstm, Mask, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.core.errors import TrainingError
from forecast_cli.model.runtime import Runtime
from forecast_cli.networks.batches import alone
from forecast_cli.networks.build import assemble
from forecast_cli.networks.ensemble_graph import combined
from forecast_cli.networks.weight_inputs import (
    export_weight_inputs,
    flat_weights,
    with_flat_weights,
)

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 6, 4
INPUTS = plain_inputs(2, 2)
DRAW = np.random.default_rng(0)
PROBES = DRAW.normal(size=(5, TIMESTEPS, 2)).astype(np.float32)


def build(network):
    return assemble(network, TIMESTEPS, INPUTS, (HORIZON, 2), seed=1).network


def ensemble():
    networks = [build(Network(layers=(Gru(units=3),))), build(Network(layers=(Lstm(units=2),)))]
    maps = DRAW.normal(size=(2, 2, TIMESTEPS, HORIZON)).astype(np.float32)
    shares = np.full((4, 2), 0.25, np.float32)
    shape = (TIMESTEPS, INPUTS, (HORIZON, 2))
    return combined(networks, shape, maps=maps, combine="weights", weights=shares)


NETWORKS = {
    "lstm": lambda: build(Network(layers=(Lstm(units=4),))),
    "stacked": lambda: build(Network(layers=(Lstm(units=4), Normalization(), Lstm(units=3)))),
    "gru": lambda: build(Network(layers=(Gru(units=4, bidirectional=True),))),
    "rnn": lambda: build(Network(layers=(Mask(), Rnn(units=4)))),
    "relative": lambda: build(
        Network(layers=(Lstm(units=4),), anchor="last", window_scale="std", skip="linear")
    ),
    "decoder": lambda: build(Network(layers=(Gru(units=4),), head="encoder-decoder")),
    "recursive": lambda: build(Network(layers=(Lstm(units=4),), head="recursive")),
    "ensemble": ensemble,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_forecasts_as_each_network(name):
    network = NETWORKS[name]()
    graph = export_weight_inputs(network)
    runtime = Runtime(graph.onnx)
    for seed in range(3):
        draw = np.random.default_rng(seed)
        weights = draw.normal(scale=0.3, size=len(flat_weights(network))).astype(np.float32)
        expected = with_flat_weights(network, weights)(alone([PROBES]), training=False)
        made = runtime(PROBES, graph.row(weights)[None])
        assert np.abs(made - np.asarray(expected)).max() < 1e-5
        assert (flat_weights(network) == weights).all()


def test_the_weights_that_a_network_has_do_not_matter():
    first = build(Network(layers=(Lstm(units=4),)))
    before = export_weight_inputs(first)
    other = with_flat_weights(first, DRAW.normal(size=len(flat_weights(first))))
    assert export_weight_inputs(other).onnx == before.onnx


def test_a_graph_that_computes_with_its_weights_beforehand():
    window = keras.Input((TIMESTEPS, 2), name="window")
    made = keras.layers.Dense(3, kernel_constraint=None)(window)
    normal = keras.layers.BatchNormalization()(made)
    network = keras.Model(window, keras.layers.Reshape((TIMESTEPS, 3))(normal))
    with pytest.raises(TrainingError, match="computes with its weights"):
        export_weight_inputs(network)
