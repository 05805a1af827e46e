"""Dropout whose masks come from outside: the trained network with masks of ones, and its draws."""

import subprocess
import sys

import numpy as np
import pytest

from forecast_cli.config.covariates import Inputs, plain_inputs
from forecast_cli.config.layers import Convolution, Dense, Gru, Lstm, Mask, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Training
from forecast_cli.core.errors import ModelFileError, UsageError

tf = pytest.mark.tf
TIMESTEPS, HORIZON = 6, 4
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(7, TIMESTEPS, 2)).astype(np.float32)
PLAIN = plain_inputs(2, 2)
AHEAD = Inputs(features=3, targets=(0, 1), columns=2, known=(2,), ahead=(2,))
FREE = {"dropout": 0.2}


def parts(layers, inputs=PLAIN, horizon=HORIZON, **network):
    """A configured network, the trained one (its weights are drawn), and a feed of its shape."""
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.build import assemble

    values = RNG.normal(size=(40, inputs.features)).astype(np.float32)
    starts = np.arange(20, dtype=np.int32)
    feed = WindowFeed(values, inputs, starts, starts[:0], TIMESTEPS, horizon)
    network = Network(layers=tuple(layers), **network)
    trained = assemble(network, *feed.shape, seed=0).network
    draw = np.random.default_rng(1)
    trained.set_weights([draw.normal(size=each.shape) / 2 for each in trained.get_weights()])
    return network, trained, feed


def monte_carlo(network, trained, feed, probes, **more):
    from forecast_cli.model.mc_dropout import MonteCarlo
    from forecast_cli.networks.extra_inputs import export_thinned

    onnx = export_thinned(network, trained, feed, probes)
    return MonteCarlo(onnx, [layer.dropout for layer in network.recurrent], **more)


NETWORKS = {
    "last": ([Lstm(units=4, **FREE), Gru(units=3, dropout=0.4), Dense(units=3)], {}, [2, 4]),
    "one of them": ([Rnn(units=4), Rnn(units=3, **FREE)], {}, [4]),
    "around": (
        [Convolution(filters=5), Gru(units=4, recurrent_dropout=0.2, **FREE), Normalization()],
        {"anchor": "last", "window_scale": "std", "skip": "linear"},
        [5],
    ),
    "mask": ([Mask(), Lstm(units=4, **FREE)], {}, [2]),
    "bidirectional": ([Lstm(units=4, bidirectional=True, **FREE)], {}, [2]),
    "by gates": ([Lstm(units=4, implementation=1, **FREE)], {}, [2]),
    "channels": ([Gru(units=4, **FREE)], {"channels": "independent"}, [1]),
    "sequence": ([Gru(units=4, **FREE)], {"head": "sequence"}, [2]),
    "teacher": ([Gru(units=4, **FREE)], {"head": "encoder-decoder", "decoder": "teacher"}, [2]),
    "segments": ([Rnn(units=4, **FREE)], {"head": "segments", "segment": 2}, [4]),
}


@pytest.mark.slow
@tf
@pytest.mark.parametrize("name", NETWORKS)
def test_masks_of_ones_are_the_trained_network_and_others_are_not(name):
    layers, settings, widths = NETWORKS[name]
    network, trained, feed = parts(layers, **settings)
    windows = WINDOWS.copy()
    if name == "mask":
        windows[0, 0], windows[1, 4:] = np.nan, np.nan
    drawn = monte_carlo(network, trained, feed, [windows])
    assert [width for _, width in drawn.masks] == widths
    ones = [np.ones((1, width)) for width in widths]
    expected = np.asarray(trained(windows[:3], training=False))
    np.testing.assert_allclose(drawn.runtime(windows[:3], *ones), expected, atol=1e-5)
    for at in range(len(ones)):
        others = [each * (1 + (place == at)) for place, each in enumerate(ones)]
        assert np.abs(drawn.runtime(windows[:3], *others) - expected).max() > 1e-4
    spread = drawn.spread(windows, draws=30)
    assert spread.shape == (7, HORIZON, 2)
    assert np.isfinite(spread).all() and spread.max() > 0


@tf
def test_rates_are_those_of_the_layers_and_masks_keep_the_mean():
    network, trained, feed = parts([Lstm(units=200, dropout=0.5), Gru(units=3, dropout=0.1)])
    drawn = monte_carlo(network, trained, feed, [WINDOWS])
    assert drawn.masks == [(0.5, 2), (0.1, 200)]
    masks = np.concatenate([draw.masks[1] for draw in drawn.networks(50)])
    assert masks.dtype == np.float32
    assert set(np.unique(masks)) == {np.float32(0), np.float32(1) / np.float32(0.9)}
    assert (masks == 0).mean() == pytest.approx(0.1, abs=0.01)


@pytest.mark.slow
@tf
def test_draws_are_those_of_the_seed_whatever_the_batch():
    network, trained, feed = parts([Gru(units=4, dropout=0.3)])
    first, again, other = (
        monte_carlo(network, trained, feed, [WINDOWS], seed=seed) for seed in (1, 1, 2)
    )
    spread = first.spread(WINDOWS, draws=20)
    np.testing.assert_array_equal(spread, again.spread(WINDOWS, draws=20))
    np.testing.assert_array_equal(spread, first.spread(WINDOWS, draws=20))
    halves = [first.spread(each, draws=20) for each in (WINDOWS[:3], WINDOWS[3:])]
    np.testing.assert_allclose(np.concatenate(halves), spread, rtol=1e-4)
    assert np.abs(spread - other.spread(WINDOWS, draws=20)).max() > 1e-3


@pytest.mark.slow
@tf
def test_the_spread_is_the_standard_deviation_and_grows_with_the_rate():
    from forecast_cli.model.mc_dropout import MonteCarlo
    from forecast_cli.networks.extra_inputs import export_thinned

    network, trained, feed = parts([Lstm(units=4, dropout=0.1), Gru(units=4, dropout=0.1)])
    onnx = export_thinned(network, trained, feed, [WINDOWS])
    spreads = [MonteCarlo(onnx, [rate] * 2).spread(WINDOWS).mean() for rate in (0, 0.05, 0.2, 0.5)]
    assert spreads[0] == 0
    assert (np.diff(spreads) > 0).all()
    drawn = MonteCarlo(onnx, [0.3, 0.3])
    values = np.stack([draw(WINDOWS) for draw in drawn.networks(25)]).astype(np.float64)
    np.testing.assert_allclose(drawn.spread(WINDOWS, draws=25), values.std(axis=0, ddof=1))


@pytest.mark.slow
@tf
@pytest.mark.parametrize("cell", [Lstm, Gru, Rnn])
def test_draws_are_spread_as_those_of_keras(cell):
    import keras

    network, trained, feed = parts([cell(units=4, dropout=0.3, seed=3), cell(units=3)])
    drawn = monte_carlo(network, trained, feed, [WINDOWS])
    count = 4000
    ours = np.concatenate([draw(WINDOWS[:1]) for draw in drawn.networks(count)])
    keras.utils.set_random_seed(0)
    theirs = np.asarray(trained(np.repeat(WINDOWS[:1], count, axis=0), training=True))
    assert len(np.unique(theirs[:, 0, 0].round(5))) == len(np.unique(ours[:, 0, 0].round(5))) == 4
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / count)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 5 * error).all()
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.08)


@pytest.mark.slow
@tf
@pytest.mark.parametrize("horizon", [3, HORIZON, 9])
def test_forecasts_beyond_the_horizon_go_on_with_the_same_masks(horizon):
    from forecast_cli.model.runtime import forecast_origins, roll_out

    network, trained, feed = parts([Gru(units=4, dropout=0.3)], inputs=AHEAD)
    scaled = RNG.normal(size=(40, 3)).astype(np.float32)
    origins = np.arange(10, 14)
    windows = scaled[origins[:, None] + np.arange(-TIMESTEPS, 0)]
    ahead = scaled[origins[:, None] + np.arange(horizon)]
    known = scaled[origins[:, None] + np.arange(HORIZON)][..., 2:]
    drawn = monte_carlo(network, trained, feed, [windows, known])

    def forecast(draw):
        reading = {"inputs": AHEAD, "timesteps": TIMESTEPS, "horizon": horizon}
        return forecast_origins(draw, scaled, origins, **reading).point

    given = drawn.deviation(forecast, 10)
    values = [
        roll_out(draw, windows, ahead, inputs=AHEAD, horizon=horizon).point
        for draw in drawn.networks(10)
    ]  # fmt: skip
    np.testing.assert_allclose(given, np.std(np.float64(values), axis=0, ddof=1), rtol=1e-6)
    if horizon == HORIZON:
        np.testing.assert_allclose(given, drawn.spread(windows, known, draws=10), rtol=1e-6)


@pytest.mark.slow
@tf
def test_training_exports_the_second_network_for_intervals_by_dropout_alone(tmp_path):
    from forecast_cli.core.events import ignore
    from forecast_cli.training.fitting import fit_network

    settings = {"units": (4, 3), "dropout": 0.2, "epochs": 1}
    _, _, feed = parts([Gru(units=4)])
    fitted = {
        intervals: fit_network(
            configure(settings | {"intervals": intervals}),
            feed, [WINDOWS], on_event=ignore, should_stop=lambda: False,
        )
        for intervals in ("conformal", "dropout")
    }  # fmt: skip
    assert fitted["conformal"].dropout is None
    assert fitted["conformal"].weights == fitted["dropout"].weights
    path = tmp_path / "dropout.onnx"
    path.write_bytes(fitted["dropout"].dropout)
    code = (
        "import sys, numpy as np\n"
        "from forecast_cli.model.mc_dropout import MonteCarlo\n"
        "drawn = MonteCarlo(open(sys.argv[1], 'rb').read(), [0.2, 0.2])\n"
        "print(drawn.spread(np.ones((2, 6, 2))).min() > 0, 'tensorflow' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert said.stdout.decode().strip() == "True False"


@tf
def test_a_network_without_masks_is_not_taken_for_one():
    from forecast_cli.model.mc_dropout import MonteCarlo
    from forecast_cli.networks.onnx_export import export_onnx

    _, trained, _ = parts([Gru(units=4)])
    with pytest.raises(ModelFileError, match="does not take the masks"):
        MonteCarlo(export_onnx(trained, WINDOWS), [0.0])


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "needs `dropout` above 0"),
        ({"recurrent_dropout": 0.2}, "needs `dropout` above 0"),
        ({"dropout": 0.2, "stateful": True}, "stateful networks do not support"),
    ],
)
def test_what_has_no_dropout_to_draw_is_refused(more, why):
    with pytest.raises(UsageError, match=why):
        configure({"intervals": "dropout"} | more)


def test_the_training_of_a_network_is_not_changed_by_its_intervals():
    assert configure({"intervals": "dropout", "dropout": 0.2}).training == Training()
