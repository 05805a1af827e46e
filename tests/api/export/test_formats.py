"""Exported to Keras and TensorFlow, a network makes what it makes in the model file."""

import numpy as np
import pytest

import forecast_cli as fc
from forecast_cli.model.runtime import Runtime

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module", params=["format-1", "format-8"])
def model(request, golden):
    return fc.load(golden.with_name(f"{request.param}.forecast"))


@pytest.fixture(scope="module")
def windows(model):
    shape = (3, *model.bundle.runtime.window_shape[1:])
    return np.random.default_rng(0).uniform(0.2, 0.8, shape).astype(np.float32)


@pytest.fixture(scope="module")
def expected(model, windows):
    return Runtime(model.bundle.onnx)(windows)


@pytest.mark.slow
def test_a_saved_model_needs_no_layer_of_the_package(model, windows, expected, tmp_path):
    import tensorflow as tf

    model.export(tmp_path / "out", format="saved-model")
    loaded = tf.saved_model.load(tmp_path / "out")
    assert loaded.serve(windows).numpy() == pytest.approx(expected, abs=1e-5)


def test_a_keras_file_is_loaded_as_any_other(model, windows, expected, tmp_path):
    import keras

    model.export(tmp_path / "out.keras", format="keras")
    network = keras.models.load_model(tmp_path / "out.keras")
    assert network(windows).numpy() == pytest.approx(expected, abs=1e-5)


def test_effects_of_covariates_are_kept_as_they_are():
    import keras

    from forecast_cli.baselines.effects import Cycle, Effects, Signal, Term
    from forecast_cli.networks.ensemble_graph import EffectsOf

    hours = Cycle(name="hour", cos=1, sin=2, harmonics=1)
    heat = Signal(name="heat", place=0, center=0.5, scale=0.2, low=-2, high=2, knots=(0.0,))
    weights = ((0.3, 0.1), (0.5, 0.4))
    terms = (
        Term(block=hours, weights=((0.2,), (0.1,))),
        Term(block=heat, by=hours, weights=weights),
    )
    given = [keras.Input((6, 4), name="window"), keras.Input((2, 3), name="ahead")]
    layer = EffectsOf((Effects(terms=terms),), (1, 2, 3), name="effects")
    network = keras.Model(given, layer(given))
    again = keras.Model.from_config(network.get_config())
    draw = np.random.default_rng(0)
    values = [draw.uniform(size=(5, *each.shape[1:])).astype(np.float32) for each in given]
    assert np.ptp(network(values).numpy()) > 0.1
    assert np.array_equal(network(values).numpy(), again(values).numpy())
