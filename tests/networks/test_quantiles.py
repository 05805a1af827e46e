"""Networks that forecast quantiles: in order, about the median, learned, saved and repeated."""

from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from forecast_cli.config.covariates import Inputs, plain_inputs
from forecast_cli.config.layers import Dense, Gru, Lstm, Mask, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Training
from forecast_cli.core.errors import UsageError

tf = pytest.mark.tf
TIMESTEPS, HORIZON, TARGETS = 6, 5, 2
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(7, TIMESTEPS, TARGETS)).astype(np.float32)
HEADS = {
    "last": {},
    "segments": {"head": "segments", "segment": 3},
    "encoder-decoder": {"head": "encoder-decoder"},
}
AROUND = {
    "as it is": {},
    "last, std": {"anchor": "last", "window_scale": "std", "skip": "linear"},
    "mean, mad": {"anchor": "mean", "window_scale": "mad"},
    "season": {"anchor": "season", "season_length": 3},
    "channels": {"channels": "independent", "anchor": "last", "window_scale": "std"},
    "mask": {"anchor": "last", "window_scale": "std"},
}


def built(layers, *, quantiles=5, inputs=None, outputs=(HORIZON, TARGETS), **network):
    from forecast_cli.networks.build import assemble

    inputs = inputs or plain_inputs(TARGETS, outputs[1])
    shape = (*outputs, quantiles) if quantiles else outputs
    return assemble(
        Network(layers=tuple(layers), **network), TIMESTEPS, inputs, shape, seed=0
    ).network


def scramble(network, size=1.0):
    """Give a network weights far from those that it begins with."""
    draw = np.random.default_rng(1)
    network.set_weights([size * draw.normal(size=each.shape) for each in network.get_weights()])


def make_feed(values, *, horizon=1, held_out=0, inputs=None):
    from forecast_cli.networks.batches import WindowFeed

    inputs = inputs or plain_inputs(values.shape[1], values.shape[1])
    starts = np.arange(len(values) - TIMESTEPS - horizon + 1, dtype=np.int32)
    end = len(starts) - held_out
    return WindowFeed(values, inputs, starts[:end], starts[end:], TIMESTEPS, horizon)


@pytest.mark.slow
@tf
@pytest.mark.parametrize(
    ("head", "around"),
    [
        *zip([*HEADS, *HEADS], AROUND, strict=True),
        ("last", "mask"),
    ],
)
def test_quantiles_never_cross_and_are_saved_as_they_are(head, around):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    cell = {"last": Lstm, "segments": Gru, "encoder-decoder": Rnn}[head]
    layers = [Mask()] * (around == "mask") + [cell(units=4), Dense(units=3)]
    network = built(layers, **HEADS[head], **AROUND[around])
    scramble(network)
    windows = WINDOWS.copy()
    if around == "mask":
        windows[0, 0], windows[1, 4:], windows[2, 2:4, 1], windows[3] = (np.nan,) * 4
    runtime = Runtime(export_onnx(network, windows))
    assert (runtime.quantile_count, runtime.horizon) == (len(LEVELS), HORIZON)
    for count in (1, 7):
        expected = np.asarray(network(windows[:count], training=False))
        assert expected.shape == (count, HORIZON, TARGETS, len(LEVELS))
        given = runtime.quantiles(windows[:count])
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5)
        assert (np.diff(given, axis=-1) >= 0).all() and np.ptp(given) > 0
        assert (np.diff(expected, axis=-1) >= 0).all()
        np.testing.assert_array_equal(runtime(windows[:count]), given[..., 2])


@pytest.mark.slow
@tf
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("head", HEADS)
def test_the_median_is_the_forecast_of_the_network_without_quantiles(head, around):
    layers = [Mask()] * (around == "mask") + [Gru(units=4), Dense(units=3)]
    plain = built(layers, quantiles=0, **HEADS[head], **AROUND[around])
    network = built(layers, **HEADS[head], **AROUND[around])
    assert {layer.name for layer in plain.layers if layer.weights} == {
        layer.name
        for layer in network.layers
        if layer.weights and not layer.name.startswith("spread")
    }
    given = np.asarray(network(WINDOWS))
    np.testing.assert_allclose(given[..., 2], np.asarray(plain(WINDOWS)), rtol=1e-6, atol=1e-6)


@tf
def test_a_skip_moves_the_median_and_the_others_with_it():
    network = built([Lstm(units=3)], skip="linear")
    before = np.asarray(network(WINDOWS))
    (weight,) = network.get_layer("skip").get_weights()
    network.get_layer("skip").set_weights([RNG.normal(size=weight.shape)])
    after = np.asarray(network(WINDOWS))
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_allclose(after - after[..., 2:3], before - before[..., 2:3], atol=1e-5)


@tf
@pytest.mark.parametrize("anchor", ["last", "mean"])
def test_a_window_that_is_moved_and_stretched_takes_its_quantiles_along(anchor):
    network = built([Lstm(units=3)], anchor=anchor, window_scale="std")
    scramble(network)
    moved = np.asarray(network(WINDOWS * 3 + 5))
    np.testing.assert_allclose(moved, np.asarray(network(WINDOWS)) * 3 + 5, rtol=1e-4, atol=1e-4)


AHEAD = Inputs(features=3, targets=(0, 1), columns=2, known=(2,), ahead=(2,))


@pytest.mark.slow
@tf
@pytest.mark.parametrize(
    ("head", "skip"), [("last", "linear"), ("segments", "none"), ("encoder-decoder", "none")]
)
def test_what_is_known_ahead_reaches_every_quantile(head, skip):
    from forecast_cli.model.runtime import Runtime, forecast_origins
    from forecast_cli.networks.onnx_export import export_onnx

    network = built([Gru(units=4)], inputs=AHEAD, skip=skip, anchor="last", **HEADS[head])
    scramble(network, 0.5)
    scaled = RNG.normal(size=(40, 3)).astype(np.float32)
    origins = np.arange(10, 20)
    windows = scaled[origins[:, None] + np.arange(-TIMESTEPS, 0)]
    ahead = scaled[origins[:, None] + np.arange(HORIZON)][..., 2:]
    runtime = Runtime(export_onnx(network, windows, [ahead]))
    given = forecast_origins(
        runtime, scaled, origins, inputs=AHEAD, timesteps=TIMESTEPS, horizon=HORIZON
    ).quantiles
    np.testing.assert_array_equal(given, runtime.quantiles(windows, ahead))
    assert (np.diff(given, axis=-1) >= 0).all()
    changed = np.diff(runtime.quantiles(windows, ahead + 1), axis=-1) - np.diff(given, axis=-1)
    assert (np.abs(changed).max(axis=(0, 1, 2)) > 1e-4).all()
    medians = forecast_origins(
        runtime, scaled, origins, inputs=AHEAD, timesteps=TIMESTEPS, horizon=HORIZON + 3
    ).point
    np.testing.assert_array_equal(medians[:, :HORIZON], given[..., 2])


@tf
def test_beyond_its_horizon_the_network_goes_on_from_its_medians():
    from forecast_cli.model.runtime import Runtime, roll_out
    from forecast_cli.networks.onnx_export import export_onnx

    runtime = Runtime(export_onnx(built([Lstm(units=3)]), WINDOWS))
    first = runtime(WINDOWS)
    second = runtime(np.concatenate([WINDOWS, first], axis=1)[:, -TIMESTEPS:])
    given = roll_out(runtime, WINDOWS, None, inputs=plain_inputs(2, 2), horizon=2 * HORIZON).point
    np.testing.assert_array_equal(given, np.concatenate([first, second], axis=1))


@tf
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
def test_the_loss_is_the_mean_of_the_losses_of_all_quantiles(gaps):
    import tensorflow

    from forecast_cli.networks.losses import make_loss

    actual = RNG.normal(size=(3, 4, 2)).astype(np.float32)
    forecast = np.sort(RNG.normal(size=(3, 4, 2, len(LEVELS))), axis=-1).astype(np.float32)
    if gaps:
        actual[0, 1], actual[1], actual[2, 3, 1] = np.nan, np.nan, np.nan
    expected = []
    for values, quantiles in zip(actual, forecast, strict=True):
        known = [place for place in np.ndindex(values.shape) if np.isfinite(values[place])]
        losses = [
            max(level * (values[place] - guess), (level - 1) * (values[place] - guess))
            for place in known
            for level, guess in zip(LEVELS, quantiles[place], strict=True)
        ]
        expected.append(np.mean(losses) if losses else 0.0)
    loss = make_loss(Training(loss="pinball"), None, gaps=gaps, quantiles=LEVELS)
    variable = tensorflow.Variable(forecast)
    with tensorflow.GradientTape() as tape:
        given = loss(tensorflow.constant(actual), variable)
    np.testing.assert_allclose(given.numpy(), expected, rtol=1e-5)
    assert np.isfinite(tape.gradient(given, variable).numpy()).all()


def noisy(rows, seed=0):
    """Noise about 0 whose spread is told by the value one step before: small, large, small ..."""
    draw = np.random.default_rng(seed)
    spread = np.where(np.arange(rows) % 2, 0.2, 0.05)
    return np.stack([draw.normal(size=rows) * spread, spread], axis=1).astype(np.float32), spread


@pytest.mark.slow
@tf
def test_training_finds_the_quantiles_of_noise_that_is_not_always_the_same():
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    values, spread = noisy(1500)
    feed = make_feed(values, held_out=300, inputs=Inputs(2, (0,), 2))
    network = built([Rnn(units=6)], inputs=feed.inputs, outputs=(1, 1))
    training = Training(epochs=12, batch_size=32, learning_rate=0.01, schedule="cosine", patience=0)
    training = training.model_copy(update={"loss": "pinball"})
    with closing(fit(Runner(network, feed, training, quantiles=LEVELS))) as running:
        epochs = list(running)
    windows = values[feed.validation[:, None] + np.arange(TIMESTEPS)]
    actual, own = (each[feed.validation + TIMESTEPS] for each in (values[:, 0], spread))
    quantiles = np.asarray(network(windows))[:, 0, 0]
    scores = np.array([-1.2816, -0.6745, 0, 0.6745, 1.2816])
    for size in (0.05, 0.2):
        found = np.median(quantiles[own == size], axis=0) / size
        np.testing.assert_allclose(found, scores, atol=0.25)
    below = (actual[:, None] <= quantiles).mean(axis=0)
    np.testing.assert_allclose(below, LEVELS, atol=0.07)
    # The losses that are told are those of the network, over all quantiles.
    error = actual[:, None] - quantiles
    expected = np.maximum(np.array(LEVELS) * error, (np.array(LEVELS) - 1) * error).mean()
    assert epochs[-1].validation_loss == pytest.approx(expected, rel=1e-4)
    assert epochs[-1].loss == pytest.approx(expected, rel=0.3)


def series(frame=None, **more):
    """A small training by quantiles."""
    from forecast_cli.core.events import ignore
    from forecast_cli.data.reading import read_panel
    from forecast_cli.training.network_training import train_network
    from forecast_cli.training.preparation import make_dataset

    settings = {
        "preset": "classic", "column": "value", "horizon": 3, "timesteps": 6, "units": 4,
        "epochs": 2, "intervals": "quantile", "level": (50.0, 90.0),
    }  # fmt: skip
    config = configure(settings | more)
    panel = read_panel(FRAME if frame is None else frame, config.data, on_event=ignore)
    return train_network(make_dataset(panel, config, on_event=ignore))


DAYS = pd.date_range("2024-01-01", periods=120)
FRAME = pd.DataFrame(
    {"date": DAYS, "value": 10 + np.sin(np.arange(120) / 2) + RNG.normal(size=120)}
)


@pytest.fixture(scope="module")
def trained():
    return series()


@pytest.mark.slow
@tf
def test_training_again_gives_the_same_weights_and_quantiles_of_the_levels(trained):
    from forecast_cli.model.runtime import Runtime

    first, again = trained, series()
    assert first.fitted.weights == again.fitted.weights
    assert first.dataset.config.training.loss == "pinball"
    assert Runtime(first.fitted.onnx).quantile_count == 5
    assert first.fitted.dropout is None


@pytest.mark.slow
@tf
def test_missing_values_and_several_columns_are_learned_from():
    frame = FRAME.assign(other=FRAME["value"].shift(1, fill_value=10.0))
    frame.loc[[20, 21, 50], "value"] = np.nan
    trained = series(frame=frame, column=("value", "other"), missing="mask", intervals="cqr")
    assert all(np.isfinite(epoch.loss) for epoch in trained.fitted.epochs)


@tf
def test_quantiles_are_forecast_without_tensorflow(trained, tmp_path):
    import subprocess
    import sys

    path = tmp_path / "network.onnx"
    path.write_bytes(trained.fitted.onnx)
    code = (
        "import sys, numpy as np\n"
        "from forecast_cli.model.runtime import Runtime\n"
        "runtime = Runtime(open(sys.argv[1], 'rb').read())\n"
        "print(runtime.quantiles(np.zeros((2, 6, 1))).shape, 'tensorflow' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert said.stdout.decode().strip() == "(2, 3, 1, 5) False"


@pytest.mark.parametrize("intervals", ["quantile", "cqr"])
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"head": "sequence"}, "give `head=last`"),
        ({"head": "recursive"}, "give `head=last`"),
        ({"head": "encoder-decoder", "decoder": "teacher"}, "`decoder=repeat`"),
        ({"stateful": True}, "a stateful network forecasts no quantiles"),
        ({"mode": "many-to-one"}, "`mode=many-to-many`"),
        ({"mode": "many-to-one", "horizon": 3}, "`mode=many-to-many`"),
        ({"loss": "mse"}, "pinball"),
    ],
)
def test_what_cannot_forecast_quantiles_is_refused_with_the_reason(intervals, more, why):
    with pytest.raises(UsageError, match=why):
        configure({"intervals": intervals} | more)


def test_one_step_may_have_quantiles():
    config = configure({"intervals": "quantile", "mode": "many-to-one", "horizon": 1})
    assert config.quantile_levels == pytest.approx((0.025, 0.1, 0.5, 0.9, 0.975))
