"""Mixed precision: the loss of float32 within rounding, weights and files in float32."""

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Dense, Lstm
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Training
from forecast_cli.core.errors import TrainingError

pytestmark = pytest.mark.tf

VALUES = np.sin(np.arange(160) / 4).astype(np.float32)[:, None]
TIMESTEPS, HORIZON = 6, 2
MIXED = ["mixed_float16", "mixed_bfloat16"]


@pytest.fixture(scope="module")
def feed():
    from forecast_cli.networks.batches import WindowFeed

    starts = np.arange(150, dtype=np.int32)
    inputs = plain_inputs(1, (0,))
    return WindowFeed(VALUES, inputs, starts[:120], starts[128:], TIMESTEPS, HORIZON)


def make_runner(feed, training, network=None):
    from forecast_cli.networks.build import assemble
    from forecast_cli.networks.train_step import Runner

    network = network or Network(layers=(Lstm(units=6), Dense(units=4)))
    shape = (feed.inputs, (HORIZON, 1))
    built = assemble(network, TIMESTEPS, *shape, seed=1, precision=training.precision)
    return Runner(built.network, feed, training, built.learner)


def train(feed, network=None, **settings):
    from forecast_cli.networks.training_loop import fit

    settings = {"epochs": 30, "learning_rate": 0.01, "patience": 0} | settings
    used = make_runner(feed, Training(**settings), network)
    return used, list(fit(used))


@pytest.mark.slow
@pytest.mark.parametrize("xla_from", [0.0, float("inf")], ids=["XLA", "graph"])
@pytest.mark.parametrize("precision", MIXED)
def test_the_loss_is_near_that_of_float32(feed, precision, xla_from, monkeypatch):
    monkeypatch.setattr("forecast_cli.networks.loops.XLA_WORK", xla_from)
    monkeypatch.setattr("forecast_cli.networks.loops.XLA_STEPS", 0)
    plain, expected = train(feed)
    mixed, epochs = train(feed, precision=precision)
    assert plain.compiled == mixed.compiled == (xla_from == 0.0)
    assert expected[-1].validation_loss < 0.1 * expected[0].validation_loss
    assert epochs[-1].validation_loss == pytest.approx(expected[-1].validation_loss, rel=0.1)
    cells = {layer.compute_dtype for layer in mixed.network.layers if "lstm" in layer.name}
    assert cells == {precision.removeprefix("mixed_")}
    assert {each.dtype for each in mixed.network.trainable_variables} == {"float32"}
    assert mixed.network.output.dtype == "float32"


@pytest.mark.parametrize("precision", MIXED)
def test_the_same_seed_gives_the_same_weights_to_the_bit(feed, precision):
    layers = Network(layers=(Lstm(units=5, dropout=0.3), Dense(units=3)))
    settings = {"precision": precision, "epochs": 2, "clip": 1.0, "seed": 3}
    one, other = (train(feed, layers, **settings)[0].network.get_weights() for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("precision", MIXED)
@pytest.mark.parametrize(
    "network",
    [
        Network(layers=(Lstm(units=4, bidirectional=True, recurrent_dropout=0.2),)),
        Network(
            layers=(Lstm(units=4, kernel_regularizer="l2:0.01", activity_regularizer="l1:0.01"),)
        ),
        Network(layers=(Lstm(units=4, residual=True), Lstm(units=4)), anchor="last", skip="linear"),
        Network(layers=(Lstm(units=4),), head="encoder-decoder", decoder="teacher"),
        Network(layers=(Lstm(units=4),), head="sequence", anchor="none"),
    ],
    ids=["bidirectional", "penalties", "residual", "teacher", "sequence"],
)
def test_networks_of_every_kind_train(feed, precision, network):
    from dataclasses import replace

    feed = replace(feed, every_step=network.head == "sequence")
    _, epochs = train(feed, network, precision=precision, epochs=4)
    assert epochs[-1].loss < epochs[0].loss


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", *MIXED])
def test_what_is_trained_is_exported_in_float32(feed, precision):
    import onnx

    from forecast_cli.core.events import ignore
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.ensemble_training import EnsembleTrainer
    from forecast_cli.networks.onnx_export import export_onnx

    config = configure({"preset": "classic", "column": "value", "horizon": HORIZON,
                        "timesteps": TIMESTEPS, "units": 4, "epochs": 2,
                        "precision": precision})  # fmt: skip
    trainer = EnsembleTrainer(config, lambda _: feed)
    more = {"seconds": None, "on_event": ignore, "should_stop": bool}
    network, course = trainer.train(0, **more)
    assert course.training.precision == precision
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    probes = np.stack([VALUES[at : at + TIMESTEPS] for at in range(20)])
    data = export_onnx(network, probes)
    graph = onnx.load_from_string(data).graph
    small = {onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
    assert not small & {each.data_type for each in graph.initializer}
    casts = [each.attribute[0].i for each in graph.node if each.op_type == "Cast"]
    assert not small & set(casts)
    expected = network(probes, training=False).numpy()
    np.testing.assert_allclose(Runtime(data).carry(probes, [])[0], expected, atol=1e-5)


def test_a_checkpoint_holds_the_scale_of_the_loss(feed):
    from forecast_cli.networks.training_state import State, pack, unpack

    training = Training(epochs=2, precision="mixed_float16", patience=0)
    used = make_runner(feed, training)
    used.optimizer.dynamic_scale.assign(8.0)
    used.optimizer.step_counter.assign(5)
    state = State.new(training)
    state.add(used.run([]), used.network)
    resumed = make_runner(feed, training)
    unpack(pack(state, used), resumed)
    assert float(resumed.optimizer.dynamic_scale) == 8.0
    assert int(resumed.optimizer.step_counter) == int(used.optimizer.step_counter) > 5


def test_overflowing_gradients_lower_the_scale_and_change_no_weight(feed):
    used = make_runner(feed, Training(epochs=1, precision="mixed_float16", batch_size=120))
    before = used.network.get_weights()
    used.optimizer.dynamic_scale.assign(3e38)
    used.run([])
    assert all((a == b).all() for a, b in zip(before, used.network.get_weights(), strict=True))
    assert float(used.optimizer.dynamic_scale) == pytest.approx(1.5e38)


def test_values_beyond_float16_are_named_with_what_holds_them(feed):
    from dataclasses import replace

    from forecast_cli.networks.training_loop import fit

    large = replace(feed, values=VALUES * 1e30)
    training = Training(epochs=1, precision="mixed_float16")
    network = Network(layers=(Lstm(units=4),), skip="linear")
    with pytest.raises(TrainingError) as refused:
        list(fit(make_runner(large, training, network)))
    assert "precision=mixed_bfloat16" in refused.value.hint


def test_a_model_file_records_the_precision(tmp_path):
    import pandas as pd

    import forecast_cli as fc

    frame = pd.DataFrame({"value": VALUES[:, 0]})
    settings = {"preset": "classic", "horizon": 2, "timesteps": 4, "units": 2, "epochs": 1}
    path = tmp_path / "model.forecast"
    fc.train(frame, column="value", precision="mixed_bfloat16", **settings).save(path)
    assert fc.load(path).config.training.precision == "mixed_bfloat16"
    with pytest.raises(fc.UsageError, match="precision"):
        fc.train(frame, column="value", preset="pretrained", precision="mixed_float16")


@pytest.mark.slow
@pytest.mark.parametrize("precision", MIXED)
def test_classes_are_learned_in_mixed_precision(precision):
    import pandas as pd

    import forecast_cli as fc

    draw = np.random.default_rng(0)
    frame = pd.concat(
        pd.DataFrame({"who": f"p{number:02d}", "label": "ab"[number % 2],
                      "x": np.sin(np.arange(9) * (0.4 + 0.5 * (number % 2)))
                      + draw.normal(scale=0.1, size=9)})
        for number in range(60)
    )  # fmt: skip
    settings = {"series": "who", "label": "label", "column": "x", "units": 8, "epochs": 30,
                "learning_rate": 0.02}  # fmt: skip
    plain, mixed = (fc.train(frame, **settings, precision=each) for each in ("float32", precision))
    losses = [each.bundle.epochs[-1]["loss"] for each in (plain, mixed)]
    assert losses[0] < 0.1
    assert losses[1] == pytest.approx(losses[0], rel=0.2, abs=0.01)
