"""What is saved equals what was trained."""

import numpy as np
import pytest

from forecast_cli.config.layers import Convolution, Dense, Gru, Lstm, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.core.errors import TrainingError

pytestmark = pytest.mark.tf

STACKS = {
    "lstm": (Lstm(units=5),),
    "gru": (Gru(units=5),),
    "rnn": (Rnn(units=5),),
    "relu": (Lstm(units=5, activation="relu"), Dense(units=3, activation="relu")),
    "stacked": (Lstm(units=5), Gru(units=4), Rnn(units=3), Dense(units=3)),
    "bidirectional": (Lstm(units=4, bidirectional=True), Gru(units=3, bidirectional=True)),
    "dropout": (Lstm(units=4, dropout=0.2, recurrent_dropout=0.2),),
    "no bias": (Lstm(units=4, use_bias=False),),
    "backwards": (Gru(units=4, go_backwards=True, reset_after=False),),
    "unrolled": (Lstm(units=4, unroll=True),),
    "merged": (Rnn(units=4, bidirectional=True, merge_mode="mul"), Gru(units=3)),
    "neighbours": (Convolution(filters=3), Dense(units=4), Lstm(units=4), Normalization()),
    "residual": (Gru(units=4), Lstm(units=4, residual=True), Rnn(units=3, residual=True)),
}
PROBES = np.random.default_rng(0).normal(size=(7, 6, 2)).astype(np.float32)


def built(layers, seed=0):
    from forecast_cli.networks.build import build

    return build(Network(layers=layers), timesteps=6, features=2, outputs=(3, 2), seed=seed)


@pytest.mark.parametrize("name", STACKS)
def test_onnx_equals_keras_for_any_number_of_windows(name):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    network = built(STACKS[name])
    runtime = Runtime(export_onnx(network, PROBES))
    for count in (1, 7):
        expected = np.asarray(network(PROBES[:count], training=False))
        np.testing.assert_allclose(runtime(PROBES[:count]), expected, atol=1e-5)


def test_a_difference_fails_loudly(monkeypatch):
    from forecast_cli.networks.onnx_export import export_onnx

    monkeypatch.setattr(
        "forecast_cli.networks.onnx_export.Runtime.carry", lambda *_: (np.zeros((7, 3, 2)), [])
    )
    with pytest.raises(TrainingError, match="differs from the trained one by"):
        export_onnx(built(STACKS["lstm"]), PROBES)


def test_the_weights_load_into_a_fresh_network(tmp_path):
    from forecast_cli.networks.onnx_export import weights_bytes

    network = built(STACKS["stacked"])
    path = tmp_path / "network.weights.h5"
    path.write_bytes(weights_bytes(network))
    fresh = built(STACKS["stacked"], seed=9)
    fresh.load_weights(path)
    for a, b in zip(network.get_weights(), fresh.get_weights(), strict=True):
        assert (a == b).all()
