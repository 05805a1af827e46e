"""Losses against slow loops, and the moving average of the weights against one by hand."""

from functools import partial

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Gru
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training
from forecast_cli.core.scaling import Scaling, Units

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(0)
ACTUAL = RNG.normal(size=(3, 4, 2)).astype(np.float32)
FORECAST = RNG.normal(size=(3, 4, 2)).astype(np.float32)


def pinball(quantile):
    return lambda a, f: quantile * (a - f) if a > f else (1 - quantile) * (f - a)


# The loss of one value.
ORACLES = {
    "mse": lambda a, f: (a - f) ** 2,
    "mae": lambda a, f: abs(a - f),
    "huber": lambda a, f: (a - f) ** 2 / 2 if abs(a - f) < 1 else abs(a - f) - 0.5,
    "log-cosh": lambda a, f: np.log(np.cosh(a - f)),
    "pinball": pinball(0.5),
    "mape": lambda a, f: 100 * abs(a - f) / abs(a),
    "smape": lambda a, f: 200 * abs(a - f) / (abs(a) + abs(f)),
}


def by_hand(one, actual, forecast):
    """The mean loss of each sample over the values that are known, value by value; else 0."""
    losses = np.full(actual.shape, np.nan)
    for place in np.ndindex(actual.shape):
        known = np.isfinite(actual[place])
        losses[place] = one(float(actual[place]), float(forecast[place])) if known else np.nan
    flat = losses.reshape(len(losses), -1)
    return np.nansum(flat, axis=1) / np.maximum(np.isfinite(flat).sum(axis=1), 1)


def taken(actual, forecast, *, units=None, gaps=False, **training):
    """The losses of all samples, and the gradient of their sum by the forecast."""
    import tensorflow as tf

    from forecast_cli.networks.losses import make_loss

    loss = make_loss(Training(**training), units, gaps=gaps)
    variable = tf.Variable(forecast)
    with tf.GradientTape() as tape:
        losses = loss(tf.constant(actual), variable)
    return losses.numpy(), tape.gradient(losses, variable).numpy()


def slope(losses, forecast, step=1e-4):
    """The gradient of the sum of the losses, by small steps in each value of the forecast."""
    slopes = np.zeros(forecast.shape)
    for place in np.ndindex(forecast.shape):
        sides = []
        for way in (step, -step):
            moved = forecast.astype(np.float64)
            moved[place] += way
            sides.append(losses(moved).sum())
        slopes[place] = (sides[0] - sides[1]) / (2 * step)
    return slopes


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("name", ORACLES)
def test_a_loss_is_the_mean_over_steps_and_targets(name, gaps):
    expected = partial(by_hand, ORACLES[name], ACTUAL)
    losses, gradient = taken(ACTUAL, FORECAST, loss=name, gaps=gaps)
    assert losses.shape == (3,)
    np.testing.assert_allclose(losses, expected(FORECAST), rtol=1e-5)
    np.testing.assert_allclose(gradient, slope(expected, FORECAST), rtol=1e-3, atol=1e-4)


def test_the_loss_is_the_squared_error_where_none_is_named():
    losses, _ = taken(ACTUAL, FORECAST)
    np.testing.assert_allclose(losses, by_hand(ORACLES["mse"], ACTUAL, FORECAST), rtol=1e-5)


@pytest.mark.parametrize("name", ORACLES)
def test_the_loss_of_every_step_of_a_window_is_their_mean(name):
    actual, forecast = (each.reshape(1, 3, 4, 2) for each in (ACTUAL, FORECAST))
    losses, _ = taken(actual, forecast, loss=name)
    np.testing.assert_allclose(losses, by_hand(ORACLES[name], actual, forecast), rtol=1e-5)


@pytest.mark.parametrize("quantile", [0.05, 0.1, 0.5, 0.8, 0.99])
def test_the_pinball_loss_weighs_both_sides_by_the_quantile(quantile):
    losses, gradient = taken(ACTUAL, FORECAST, loss="pinball", quantile=quantile)
    np.testing.assert_allclose(losses, by_hand(pinball(quantile), ACTUAL, FORECAST), rtol=1e-5)
    expected = np.where(ACTUAL > FORECAST, -quantile, 1 - quantile) / 8
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_least_pinball_loss_is_at_the_quantile(quantile):
    actual = np.arange(101, dtype=np.float32)
    tries = np.arange(0, 101, 5, dtype=np.float32)
    pairs = np.meshgrid(actual, tries)
    losses, _ = taken(*(each[..., None] for each in pairs), loss="pinball", quantile=quantile)
    assert tries[np.argmin(losses)] == 100 * quantile


def units(before):
    """Two targets of unlike sizes."""
    scaling = Scaling("minmax", np.array([1.5, 0.5]), np.array([0.75, 1.25]), before)
    return Units(scaling, np.array([[0.4, 2.5]]))


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("before", ["none", "log", "log1p"])
@pytest.mark.parametrize("name", ["mape", "smape", "mase"])
def test_percents_and_multiples_are_taken_in_original_units(name, before, gaps):
    held = units(before)
    one = ORACLES["mae" if name == "mase" else name]
    actual = ACTUAL.copy()
    if gaps:
        actual[0, 1], actual[2, 3, 1] = np.nan, np.nan

    def original(scaled):
        values = held.scaling.inverse(scaled.astype(np.float64))
        return values / held.naive_error if name == "mase" else values

    def expected(forecast):
        return by_hand(one, original(actual), original(forecast))

    losses, gradient = taken(actual, FORECAST, units=held, loss=name, gaps=gaps)
    np.testing.assert_allclose(losses, expected(FORECAST), rtol=1e-4)
    np.testing.assert_allclose(gradient, slope(expected, FORECAST), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("before", ["none", "log", "log1p"])
@pytest.mark.parametrize("name", ["mse", "mae", "huber", "log-cosh", "pinball"])
def test_other_losses_are_taken_in_scaled_units(name, before):
    losses, _ = taken(ACTUAL, FORECAST, units=units(before), loss=name)
    np.testing.assert_allclose(losses, by_hand(ORACLES[name], ACTUAL, FORECAST), rtol=1e-5)


def test_the_naive_error_of_each_target_is_its_unit_of_mase():
    both = units("none")
    actual = both.scaling.transform(np.zeros((1, 1, 2))).astype(np.float32)
    forecast = both.scaling.transform(both.naive_error[None, None]).astype(np.float32)
    losses, _ = taken(actual, forecast, units=both, loss="mase")
    assert losses == pytest.approx([1.0], rel=1e-5)


@pytest.mark.parametrize("name", ORACLES)
def test_missing_actual_values_do_not_count_and_teach_nothing(name):
    actual = ACTUAL.copy()
    actual[0, 1], actual[1], actual[2, 3, 0] = np.nan, np.nan, np.nan
    expected = partial(by_hand, ORACLES[name], actual)
    losses, gradient = taken(actual, FORECAST, loss=name, gaps=True)
    np.testing.assert_allclose(losses, expected(FORECAST), rtol=1e-5)
    assert losses[1] == 0.0
    np.testing.assert_allclose(gradient, slope(expected, FORECAST), rtol=1e-3, atol=1e-4)
    assert (gradient[np.isnan(actual)] == 0.0).all()


@pytest.mark.parametrize("name", [*ORACLES, "mase"])
def test_a_missing_value_is_no_error_for_a_forecast_of_zero_either(name):
    actual = np.array([[[np.nan], [3.0]]], np.float32)
    losses, gradient = taken(actual, np.zeros((1, 2, 1), np.float32), loss=name, gaps=True)
    expected = by_hand(ORACLES.get(name, ORACLES["mae"]), actual, np.zeros((1, 2, 1)))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert gradient[0, 0, 0] == 0.0
    assert gradient[0, 1, 0] < 0.0


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "log-cosh", "pinball", "smape", "mase"])
def test_a_perfect_forecast_has_no_loss_and_a_finite_gradient(name):
    zero = np.zeros((1, 2, 2), np.float32)
    for actual in (ACTUAL, zero):
        losses, gradient = taken(actual, actual.copy(), loss=name)
        assert (losses == 0.0).all()
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "log-cosh", "pinball", "smape"])
def test_a_forecast_far_off_has_a_finite_loss_and_gradient(name):
    far = np.full((1, 2, 2), 1e6, np.float32)
    for sign in (-1, 1):
        losses, gradient = taken(0 * far, sign * far, loss=name)
        assert np.isfinite(losses).all()
        assert np.isfinite(gradient).all()


def test_cross_entropy_is_the_surprise_at_the_true_class():
    forecast = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0]], np.float32)
    actual = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    losses, gradient = taken(actual, forecast, loss="cross-entropy")
    assert losses == pytest.approx([-np.log(0.7), -np.log(0.4), 0.0], abs=1e-5)
    assert np.isfinite(gradient).all()
    assert gradient[0, 0] < 0 < gradient[0, 1]


def feed():
    from forecast_cli.networks.batches import WindowFeed

    values = np.sin(np.arange(120) / 5).astype(np.float32)[:, None]
    starts = np.arange(100, dtype=np.int32)
    inputs = plain_inputs(values.shape[1], (0,))
    return WindowFeed(values, inputs, starts[:75], starts[85:], 6, 2)


def small():
    from forecast_cli.networks.build import build

    return build(Network(layers=(Gru(units=4),)), 6, 1, (2, 1), seed=1)


def windows(values, rows):
    from forecast_cli.core.windows import gather

    both = gather(values, rows, timesteps=8)
    return both[:, :6], both[:, 6:]


def averages_by_hand(samples, training):
    """The moving average after each epoch, from the weights after each of Keras's own steps."""
    from forecast_cli.networks.batch_order import shuffled
    from forecast_cli.networks.losses import FUNCTIONS, make_optimizer

    model = small()
    optimizer = make_optimizer(training.model_copy(update={"ema": None}))
    model.compile(optimizer, FUNCTIONS["mse"], run_eagerly=True)
    average, after = None, []
    for epoch in range(1, training.epochs + 1):
        order = shuffled(samples.train, seed=0, epoch=epoch)
        for first in range(0, len(order), 32):
            model.train_on_batch(*windows(samples.values, order[first : first + 32]))
            weights = model.get_weights()
            average = average or weights
            pairs = zip(average, weights, strict=True)
            average = [training.ema * old + (1 - training.ema) * new for old, new in pairs]
        after.append(average)
    return after, model


def close(ours, theirs, atol=2e-6):
    return all(np.allclose(a, b, atol=atol) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("optimizer", "momentum"), [("adam", 0.9), ("sgd", 0.5)])
def test_a_network_forecasts_with_the_moving_average_of_its_weights(optimizer, momentum):
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    samples = feed()
    training = Training(epochs=3, patience=0, ema=momentum, optimizer=optimizer, learning_rate=0.01)
    averages, raw = averages_by_hand(samples, training)
    model, seen, losses = small(), [], []
    for epoch in fit(Runner(model, samples, training)):
        seen.append(model.get_weights())
        losses.append(epoch.validation_loss)
    for ours, theirs in zip(seen, averages, strict=True):
        assert close(ours, theirs)
    assert close(model.get_weights(), averages[-1])
    assert not close(model.get_weights(), raw.get_weights(), atol=1e-4)
    raw.set_weights(averages[-1])
    assert losses[-1] == pytest.approx(
        raw.evaluate(*windows(samples.values, samples.validation), verbose=0), rel=1e-4
    )


@pytest.mark.slow
def test_patience_keeps_the_average_of_the_best_epoch():
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    samples = feed()
    training = Training(epochs=60, patience=2, ema=0.9, learning_rate=0.05)
    model = small()
    runner = Runner(model, samples, training)
    epochs = list(fit(runner))
    kept = model.get_weights()
    best = int(np.argmin([epoch.validation_loss for epoch in epochs]))
    assert len(epochs) == best + 3 < 60
    shorter = training.model_copy(update={"epochs": best + 1, "patience": 0})
    runner.restart(small(), shorter, samples)
    list(fit(runner))
    assert close(model.get_weights(), kept, atol=0)


@pytest.mark.slow
def test_averaged_weights_keep_to_a_constraint():
    from forecast_cli.networks.build import build
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    network = Network(layers=(Gru(units=4, kernel_constraint="non_neg"),))
    model = build(network, 6, 1, (2, 1), seed=1)
    list(fit(Runner(model, feed(), Training(epochs=2, patience=0, ema=0.9, learning_rate=0.05))))
    assert model.get_layer("gru_1").get_weights()[0].min() >= 0.0


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("before", ["none", "log"])
def test_owa_is_half_the_mase_and_half_the_share_of_the_usual_smape(before, gaps):
    from dataclasses import replace

    usual = np.array([12.0, 0.5])
    held = replace(units(before), naive_smape=usual)
    actual = ACTUAL.copy()
    if gaps:
        actual[0, 1], actual[2, 3, 1] = np.nan, np.nan

    def expected(forecast):
        losses = np.full(actual.shape, np.nan)
        a, f = (held.scaling.inverse(each.astype(np.float64)) for each in (actual, forecast))
        for place in np.ndindex(actual.shape):
            if np.isfinite(a[place]):
                target, error = place[-1], abs(a[place] - f[place])
                percent = 200 * error / (abs(a[place]) + abs(f[place]))
                mase = error / held.naive_error[0, target]
                losses[place] = 0.5 * mase + 0.5 * percent / usual[target]
        return np.nanmean(losses.reshape(3, -1), axis=1)

    losses, gradient = taken(actual, FORECAST, units=held, loss="owa", gaps=gaps)
    np.testing.assert_allclose(losses, expected(FORECAST), rtol=1e-4)
    np.testing.assert_allclose(gradient, slope(expected, FORECAST), rtol=1e-2, atol=1e-3)


def test_the_owa_of_each_series_is_in_units_of_its_own_naive_error():
    import tensorflow as tf

    from forecast_cli.networks.losses import make_loss

    scaling = Scaling("minmax", np.array([[10.0], [100.0]]), np.array([[2.0], [20.0]]))
    held = Units(scaling, np.array([[1.0], [10.0]]), np.array([5.0]))
    loss = make_loss(Training(loss="owa"), held)
    actual, forecast = np.full((2, 3, 1), 0.5, np.float32), np.full((2, 3, 1), 0.75, np.float32)
    # The second series is ten times the first in everything.
    first, second = loss(actual, tf.constant(forecast), tf.constant([0, 1])).numpy()
    assert first == pytest.approx(second, rel=1e-5)
    assert first == pytest.approx(0.5 * 0.5 + 0.5 * (200 * 0.5 / 22.5) / 5, rel=1e-5)


def test_a_perfect_forecast_has_no_owa_and_a_finite_gradient():
    for actual in (ACTUAL, np.zeros((1, 2, 2), np.float32)):
        losses, gradient = taken(actual, actual.copy(), loss="owa")
        assert (losses == 0.0).all()
        assert np.isfinite(gradient).all()
