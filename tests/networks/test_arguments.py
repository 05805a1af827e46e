"""What each argument of the recurrent layers does to what a network gives.

That the built layer holds the value is shown for all of them in `test_build.py`.
"""

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Gru, Lstm, Mask, Rnn
from forecast_cli.config.network import Network

pytestmark = pytest.mark.tf

KINDS = (Lstm, Gru, Rnn)
# Arguments that change the output, and how each is changed.
CHANGES_THE_OUTPUT = {
    "units": 7,
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": "zeros",
    "unit_forget_bias": False,
    "reset_after": False,
    "go_backwards": True,
    "bidirectional": True,
    "residual": True,
}
CHANGES_TRAINING = {"dropout": 0.5, "recurrent_dropout": 0.5}
CHANGES_NOTHING = {"unroll": True, "implementation": 1, "use_cudnn": False}
WINDOWS = np.random.default_rng(0).normal(size=(6, 5, 2)).astype(np.float32)


def cases(arguments):
    return [
        pytest.param(kind, name, id=f"{kind.__name__}-{name}")
        for kind in KINDS
        for name in arguments
        if name in kind.model_fields
    ]


def built(layers, seed=3, batch_size=None, **network):
    from forecast_cli.networks.build import build

    settings = Network(layers=tuple(layers), **network)
    return build(settings, 5, 2, (3, 1), seed=seed, batch_size=batch_size)


def given(model, training=False, windows=WINDOWS):
    return np.asarray(model(windows, training=training))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), cases(CHANGES_THE_OUTPUT))
def test_arguments_of_the_maths_change_the_forecast(kind, name):
    # With biases of zero there would be nothing to leave out, to draw anew or to reset.
    bias = "zeros" if name == "unit_forget_bias" else "ones"
    usual = kind(units=4, bias_initializer=bias)
    changed = usual.model_copy(update={name: CHANGES_THE_OUTPUT[name]})
    assert np.abs(given(built([usual])) - given(built([changed]))).max() > 1e-4


@pytest.mark.parametrize(("kind", "name"), cases(CHANGES_NOTHING))
def test_arguments_of_how_it_is_computed_change_nothing(kind, name):
    usual = kind(units=4)
    changed = usual.model_copy(update={name: CHANGES_NOTHING[name]})
    np.testing.assert_allclose(given(built([usual])), given(built([changed])), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), cases(CHANGES_TRAINING))
def test_dropout_is_for_training_alone_and_its_seed_decides_it(kind, name):
    layer = kind(units=4, seed=5, **{name: CHANGES_TRAINING[name]})
    first, again = built([layer]), built([layer])
    other, plain = built([layer.model_copy(update={"seed": 6})]), built([kind(units=4)])
    for model in (other, plain):
        model.set_weights(first.get_weights())
    dropped = given(first, training=True)
    np.testing.assert_array_equal(dropped, given(again, training=True))
    np.testing.assert_allclose(given(first), given(plain), atol=1e-6)
    assert np.abs(dropped - given(first)).max() > 1e-4
    assert np.abs(dropped - given(other, training=True)).max() > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["kernel_constraint", "recurrent_constraint", "bias_constraint"])
def test_constraints_hold_the_weights_after_each_step(kind, name):
    from forecast_cli.config.sections import Training
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    starts = np.arange(40, dtype=np.int32)
    values = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
    inputs = plain_inputs(values.shape[1], (0,))
    feed = WindowFeed(values, inputs, starts, starts[:0], 5, 3)
    model = built([kind(units=4, bias_initializer="ones", **{name: "max_norm:0.1"})])
    list(fit(Runner(model, feed, Training(epochs=1, patience=0))))
    place = ["kernel_constraint", "recurrent_constraint", "bias_constraint"].index(name)
    weight = model.layers[1].get_weights()[place]
    assert np.linalg.norm(weight, axis=0).max() <= 0.1 + 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_a_stateful_layer_goes_on_where_it_ended(kind):
    model = built([kind(units=4, stateful=True)], batch_size=6)
    loose = built([kind(units=4)])
    first, second = given(model), given(model)
    np.testing.assert_allclose(first, given(loose), atol=1e-6)
    assert np.abs(first - second).max() > 1e-4
    model.layers[1].reset_state()
    np.testing.assert_array_equal(first, given(model))


@pytest.mark.parametrize("kind", KINDS)
def test_merge_modes_are_different_maths(kind):
    modes = ("sum", "mul", "ave")
    layers = [kind(units=4, bidirectional=True, merge_mode=mode) for mode in modes]
    total, product, mean = (given(built([layer])) for layer in layers)
    np.testing.assert_allclose(total - mean, mean - built_at_zero(layers[2]), atol=1e-5)
    assert np.abs(product - mean).max() > 1e-4


def built_at_zero(layer):
    """What the network gives for a state of zeros: the output layer's bias."""
    model = built([layer])
    return np.broadcast_to(model.get_layer("output").get_weights()[1][:, None], (6, 3, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_zero_output_for_mask_changes_what_comes_after_a_missing_step(kind):
    windows = WINDOWS.copy()
    windows[:, 2] = np.nan
    stacks = [
        [Mask(), kind(units=4, zero_output_for_mask=zero), kind(units=3, go_backwards=True)]
        for zero in (False, True)
    ]
    held, zeroed = (built(stack) for stack in stacks)
    outputs = [steps_of(model, windows) for model in (held, zeroed)]
    np.testing.assert_array_equal(outputs[0][:, 2], outputs[0][:, 1])
    assert (outputs[1][:, 2] == 0).all()


def steps_of(model, windows):
    """What the first recurrent layer gives at each step."""
    import keras

    layer = next(each for each in model.layers if isinstance(each, keras.layers.RNN))
    return np.asarray(keras.Model(model.inputs[0], layer.output)(windows))
