"""Windows read relative to themselves: what that promises of any network."""

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Lstm
from forecast_cli.config.network import Network

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 8, 6
WINDOWS = np.random.default_rng(0).normal(size=(5, TIMESTEPS, 3)).astype(np.float32)


def built(**how):
    from forecast_cli.networks.build import build

    network = Network(layers=(Lstm(units=4),), **how)
    return build(network, TIMESTEPS, 3, (HORIZON, 2), seed=0, targets=(2, 0))


def quiet(model):
    """The network with an output layer that says nothing, so that only the anchor is left."""
    for layer in model.layers:
        if layer.name == "output":
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    return model


def test_a_quiet_network_repeats_its_anchor():
    targets = WINDOWS[:, :, [2, 0]]
    expected = {
        "none": np.zeros((5, HORIZON, 2)),
        "last": np.repeat(targets[:, -1:], HORIZON, axis=1),
        "mean": np.repeat(targets.mean(axis=1, keepdims=True), HORIZON, axis=1),
        "season": np.concatenate([targets[:, -4:], targets[:, -4:]], axis=1)[:, :HORIZON],
    }
    for anchor, forecast in expected.items():
        model = quiet(built(anchor=anchor, season_length=4))
        np.testing.assert_allclose(model(WINDOWS), forecast, atol=1e-6)


@pytest.mark.parametrize("anchor", ["last", "mean"])
@pytest.mark.parametrize("window_scale", ["std", "mad"])
@pytest.mark.parametrize("beside", ["none", "linear"])
def test_another_level_and_unit_give_the_same_forecast_in_them(anchor, window_scale, beside):
    model = built(anchor=anchor, window_scale=window_scale, **{"skip": beside})
    plain = np.asarray(model(WINDOWS))
    np.testing.assert_allclose(model(WINDOWS * 7 + 3), plain * 7 + 3, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("window_scale", ["std", "mad"])
def test_a_window_that_stands_still_is_forecast_to_stay(window_scale):
    model = built(anchor="last", window_scale=window_scale)
    still = np.full((1, TIMESTEPS, 3), 0.25, np.float32)
    np.testing.assert_allclose(model(still), np.full((1, HORIZON, 2), 0.25), atol=1e-5)


def test_a_linear_skip_begins_at_zero_and_is_learned():
    from forecast_cli.config.sections import Training
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    plain, skipped = built(), built(skip="linear")
    np.testing.assert_allclose(plain(WINDOWS), skipped(WINDOWS), atol=1e-6)
    assert skipped.count_params() - plain.count_params() == TIMESTEPS * 3 * HORIZON * 2
    values = np.random.default_rng(1).normal(size=(80, 3)).astype(np.float32)
    starts = np.arange(60, dtype=np.int32)
    feed = WindowFeed(
        values, plain_inputs(values.shape[1], (2, 0)), starts, starts[:0], TIMESTEPS, HORIZON
    )
    list(fit(Runner(skipped, feed, Training(epochs=2))))
    assert np.abs(skipped.get_layer("skip").get_weights()[0]).max() > 0


@pytest.mark.parametrize("anchor", ["last", "mean", "season"])
@pytest.mark.parametrize("window_scale", ["none", "std", "mad"])
def test_onnx_equals_keras(anchor, window_scale):
    from forecast_cli.networks.onnx_export import export_onnx

    model = built(anchor=anchor, window_scale=window_scale, skip="linear", season_length=4)
    assert len(export_onnx(model, WINDOWS)) > 0


@pytest.mark.parametrize("anchor", ["none", "last", "mean"])
@pytest.mark.parametrize("beside", ["none", "linear"])
def test_the_usual_spread_is_divided_by_and_multiplied_back(anchor, beside):
    plain = built(anchor=anchor, skip=beside)
    spread = built(anchor=anchor, skip=beside, window_scale="usual", usual_spread=0.25)
    assert spread.count_params() == plain.count_params()
    expected = 0.25 * np.asarray(plain(WINDOWS / 0.25))
    np.testing.assert_allclose(spread(WINDOWS), expected, atol=1e-5)


@pytest.mark.slow
def test_training_in_the_usual_spread_knows_no_unit_of_the_scaled_values():
    from forecast_cli.config.sections import Training
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    values = np.random.default_rng(1).normal(size=(80, 3)).astype(np.float32)
    starts = np.arange(60, dtype=np.int32)
    forecasts = []
    for unit in (1.0, 64.0):
        model = built(anchor="last", window_scale="usual", usual_spread=unit * 0.5)
        feed = WindowFeed(
            values * np.float32(unit), plain_inputs(3, (2, 0)), starts, starts[:0], TIMESTEPS,
            HORIZON,
        )  # fmt: skip
        # The steps of this optimizer do not depend on the size of the loss.
        list(fit(Runner(model, feed, Training(epochs=3, learning_rate=0.01, loss="mae"))))
        forecasts.append(np.asarray(model(WINDOWS * unit)) / unit)
    np.testing.assert_allclose(forecasts[0], forecasts[1], atol=1e-3)
    assert np.abs(forecasts[0] - built(anchor="last", window_scale="usual", usual_spread=0.5)(
        WINDOWS)).max() > 0.02  # fmt: skip
