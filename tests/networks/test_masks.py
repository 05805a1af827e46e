"""Missing steps: a window with gaps is read as the window without those steps."""

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Dense, Gru, Lstm, Mask, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 6, 3
WINDOWS = np.random.default_rng(0).normal(size=(4, TIMESTEPS, 2)).astype(np.float32)
# Where the two missing steps stand in a window of eight.
GAPS = {"left": (0, 1), "right": (6, 7), "inside": (2, 5), "both ends": (0, 7)}
CELLS = {
    "lstm": [Lstm(units=4)],
    "gru": [Gru(units=4)],
    "gru of before": [Gru(units=4, reset_after=False)],
    "rnn": [Rnn(units=4)],
    "bidirectional lstm": [Lstm(units=4, bidirectional=True)],
    "bidirectional gru": [Gru(units=4, bidirectional=True, merge_mode="sum")],
    "bidirectional rnn": [Rnn(units=4, bidirectional=True, merge_mode="mul")],
    "backwards": [Gru(units=4, go_backwards=True)],
    "unrolled": [Lstm(units=4, unroll=True)],
    "stacked": [Lstm(units=4), Gru(units=3, bidirectional=True), Rnn(units=3)],
    "neighbours": [Dense(units=3), Normalization(), Gru(units=4), Dense(units=3)],
    "residual": [Gru(units=4), Rnn(units=4, residual=True)],
}
HEADS = {
    "last": {"head": "last"},
    "sequence": {"head": "sequence"},
    "repeat": {"head": "encoder-decoder"},
    "teacher": {"head": "encoder-decoder", "decoder": "teacher"},
    "segments": {"head": "segments", "segment": 2},
}

PAIRS = {}


def assembled(layers, timesteps=TIMESTEPS, outputs=(HORIZON, 2), **network):
    from forecast_cli.networks.build import assemble

    network = Network(layers=(Mask(), *layers), **network)
    return assemble(network, timesteps, plain_inputs(2, 2), outputs, seed=0)


def built(layers, timesteps=TIMESTEPS, **network):
    return assembled(layers, timesteps, **network).network


def same_with_gaps(layers, timesteps=TIMESTEPS, more=2, **network):
    """Two networks of the same weights, the second one for longer windows; built once."""
    key = repr((layers, timesteps, more, network))
    if key not in PAIRS:
        short = built(layers, timesteps, **network)
        long = built(layers, timesteps + more, **network)
        long.set_weights(short.get_weights())
        PAIRS[key] = short, long
    return PAIRS[key]


def with_gaps(missing, windows=WINDOWS):
    """The windows with more steps at those places, of which one value at least is missing."""
    steps = windows.shape[1] + len(missing)
    wide = np.full((len(windows), steps, windows.shape[2]), np.nan, np.float32)
    wide[:, [step for step in range(steps) if step not in missing]] = windows
    wide[1, missing[0], 0] = wide[2, missing[-1], 1] = 9.0
    return wide


@pytest.mark.slow
@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("name", CELLS)
def test_missing_steps_change_nothing(name, gap):
    short, long = same_with_gaps(CELLS[name])
    expected = np.asarray(short(WINDOWS))
    np.testing.assert_allclose(long(with_gaps(GAPS[gap])), expected, atol=1e-6)
    filled = np.nan_to_num(with_gaps(GAPS[gap]))
    assert np.abs(long(filled) - expected).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize(
    "how",
    [
        {"head": "encoder-decoder"},
        {"head": "segments", "segment": 1},
        {"anchor": "mean"},
        {"anchor": "mean", "window_scale": "std"},
        {"window_scale": "mad"},
    ],
    ids=["encoder-decoder", "segments", "mean", "std", "mad"],
)
def test_missing_steps_change_no_head_and_no_level(how, gap):
    short, long = same_with_gaps([Lstm(units=4), Gru(units=3)], **how)
    np.testing.assert_allclose(long(with_gaps(GAPS[gap])), short(WINDOWS), atol=1e-5)


@pytest.mark.parametrize("gap", GAPS)
def test_missing_steps_do_not_move_the_last_value_that_is_known(gap):
    short, long = same_with_gaps([Gru(units=4)], anchor="last", window_scale="std")
    moved = WINDOWS + 5
    expected = np.asarray(short(WINDOWS)) + 5
    np.testing.assert_allclose(short(moved), expected, atol=1e-4)
    np.testing.assert_allclose(long(with_gaps(GAPS[gap], moved)), expected, atol=1e-4)


def test_every_window_of_a_batch_has_gaps_of_its_own():
    network = built([Lstm(units=4, bidirectional=True)])
    windows = WINDOWS.copy()
    windows[0, 0], windows[1, 5], windows[2, 2:4], windows[3] = (np.nan,) * 4
    together = np.asarray(network(windows))
    for at in range(4):
        alone = network(windows[at : at + 1])
        np.testing.assert_allclose(alone, together[at : at + 1], atol=1e-6)
    assert np.isfinite(together).all()


@pytest.mark.slow
def test_without_gaps_a_mask_does_nothing():
    from forecast_cli.networks.build import build

    for layers in CELLS.values():
        for how in ({}, {"window_scale": "std", "anchor": "mean"}):
            plain = Network(layers=tuple(layers), **how)
            network = build(plain, TIMESTEPS, 2, (HORIZON, 2), seed=0)
            masked = built(layers, **how)
            masked.set_weights(network.get_weights())
            np.testing.assert_allclose(masked(WINDOWS), network(WINDOWS), atol=1e-5)


@pytest.mark.parametrize("head", ["last", "repeat", "teacher", "segments"])
@pytest.mark.parametrize("how", [{}, {"anchor": "last", "window_scale": "mad"}])
def test_a_window_of_nothing_but_gaps_has_a_forecast(head, how):
    network = built([Gru(units=4)], **HEADS[head], **how)
    assert np.isfinite(network(np.full_like(WINDOWS, np.nan))).all()


@pytest.mark.parametrize("cell", [Lstm, Gru, Rnn])
def test_the_outputs_at_missing_steps_are_zero_if_asked_else_the_last_one(cell):
    import keras

    windows = with_gaps(GAPS["inside"])
    outputs = {}
    for zero in (False, True):
        network = built([cell(units=4, zero_output_for_mask=zero), cell(units=3)], 8)
        first = keras.Model(network.input, network.get_layer(f"{cell().type}_2").output)
        assert first.output.shape == (None, 8, 4)
        outputs[zero] = np.asarray(first(windows))
    missing = list(GAPS["inside"])
    known = [step for step in range(8) if step not in missing]
    assert (outputs[True][:, missing] == 0.0).all()
    for step in missing:
        np.testing.assert_allclose(outputs[False][:, step], outputs[False][:, step - 1])
    np.testing.assert_allclose(outputs[True][:, known], outputs[False][:, known], atol=1e-6)


def test_zero_output_reaches_the_forecast_where_the_last_step_is_missing():
    plain, zero = (built([Gru(units=4, zero_output_for_mask=zero)], 8) for zero in (False, True))
    inside, right = with_gaps(GAPS["inside"]), with_gaps(GAPS["right"])
    np.testing.assert_allclose(plain(inside), zero(inside), atol=1e-6)
    assert (np.asarray(zero(right)) == 0.0).all()
    assert np.abs(plain(right)).max() > 1e-3


def said(network, bias):
    """The network with an output layer that says the same of every window."""
    layer = network.get_layer("output")
    kernel, old = layer.get_weights()
    layer.set_weights([np.zeros_like(kernel), np.full_like(old, bias)])
    return network


KNOWN = {
    "last": lambda known: known[-1],
    "mean": lambda known: known.mean(axis=0),
    "std": lambda known: known.std(axis=0),
    "mad": lambda known: np.abs(known - known.mean(axis=0)).mean(axis=0),
}


@pytest.mark.parametrize("scale", ["none", "std", "mad"])
@pytest.mark.parametrize("anchor", ["none", "last", "mean"])
def test_level_and_spread_are_those_of_the_known_steps(anchor, scale):
    windows = WINDOWS + 3
    windows[0, 5], windows[1, :2, 0], windows[2, 4:, 1], windows[3, 1:] = (np.nan,) * 4
    network = said(built([Gru(units=4)], anchor=anchor, window_scale=scale), 2.0)
    for window, forecast in zip(windows, np.asarray(network(windows)), strict=True):
        known = window[np.isfinite(window).all(axis=1)]
        level = 0.0 if anchor == "none" else KNOWN[anchor](known)
        spread = 1.0 if scale == "none" else np.maximum(KNOWN[scale](known), 1e-6)
        expected = np.broadcast_to(level + 2.0 * spread, (HORIZON, 2))
        np.testing.assert_allclose(forecast, expected, atol=1e-5)


def test_a_linear_skip_reads_a_missing_step_as_one_at_the_level():
    network = built([Gru(units=4)], anchor="mean", skip="linear")
    skip = network.get_layer("skip")
    draw = np.random.default_rng(1)
    skip.set_weights([draw.normal(size=weight.shape) for weight in skip.get_weights()])
    said(network, 0.0)
    windows = WINDOWS.copy()
    windows[:, 2] = np.nan
    level = np.nanmean(windows, axis=1, keepdims=True)
    flat = np.nan_to_num(windows - level).reshape(4, -1)
    expected = (flat @ skip.get_weights()[0]).reshape(4, HORIZON, 2) + level
    np.testing.assert_allclose(network(windows), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "place"),
    [
        (head, place)
        for head in ("last", "repeat", "teacher", "segments")
        for place in (0, 1, 3)
        # A taught decoder reads the last value too.
        if (head, place) != ("teacher", 3)
    ],
)
def test_segments_without_any_value_are_skipped(head, place):
    short, long = same_with_gaps([Lstm(units=4), Gru(units=3)], **HEADS[head] | {"segment": 2})
    gaps = [2 * place, 2 * place + 1]
    wide = with_gaps(gaps)
    wide[:, gaps] = np.nan
    np.testing.assert_allclose(long(wide), short(WINDOWS), atol=1e-6)


def test_segments_with_some_value_are_read():
    network = built([Gru(units=4)], segment=3)
    windows = WINDOWS.copy()
    windows[:, 1] = np.nan
    before = np.asarray(network(windows))
    filled = np.nan_to_num(windows)
    np.testing.assert_allclose(before, network(filled), atol=1e-6)
    filled[:, 0] += 1
    assert np.abs(network(filled) - before).max() > 1e-4


def test_independent_channels_skip_the_missing_steps_of_their_own():
    network = built([Lstm(units=4)], channels="independent", anchor="mean")
    windows = WINDOWS.copy()
    windows[:, 2:4, 1] = np.nan
    whole, holed = np.asarray(network(WINDOWS)), np.asarray(network(windows))
    np.testing.assert_allclose(holed[..., 0], whole[..., 0], atol=1e-6)
    assert np.abs(holed[..., 1] - whole[..., 1]).max() > 1e-4


def values_with_gaps():
    steps = np.arange(80)
    values = np.stack([np.sin(steps / 4), np.cos(steps / 3)], axis=1).astype(np.float32)
    values[11, 0], values[25:28], values[40:60:4, 1] = np.nan, np.nan, np.nan
    return values


@pytest.mark.slow
@pytest.mark.parametrize("channels", ["joint", "independent"])
@pytest.mark.parametrize("head", HEADS)
def test_every_head_learns_from_a_series_with_gaps(head, channels):
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    starts = np.arange(70, dtype=np.int32)
    feed = WindowFeed(
        values_with_gaps(),
        plain_inputs(2, 2),
        starts,
        starts[:0],
        TIMESTEPS,
        HORIZON,
        head == "sequence",
    )
    both = assembled([Gru(units=8)], **HEADS[head], channels=channels)
    training = Training(epochs=4, patience=0, learning_rate=0.01)
    losses = [each.loss for each in fit(Runner(both.network, feed, training, both.learner))]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_the_forecast_at_a_missing_step_is_that_of_the_step_before():
    both = assembled([Lstm(units=4), Gru(units=3)], 8, head="sequence")
    every = np.asarray(both.learner(with_gaps(GAPS["inside"])))
    np.testing.assert_allclose(every[:, 2], every[:, 1], atol=1e-6)
    np.testing.assert_allclose(every[:, 5], every[:, 4], atol=1e-6)
    short = assembled([Lstm(units=4), Gru(units=3)], head="sequence")
    short.network.set_weights(both.network.get_weights())
    known = [step for step in range(8) if step not in GAPS["inside"]]
    np.testing.assert_allclose(every[:, known], short.learner(WINDOWS), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "how"),
    [
        ([Lstm(units=4)], {}),
        ([Rnn(units=4, zero_output_for_mask=True), Gru(units=4)], {"anchor": "last"}),
        (
            [Gru(units=4, bidirectional=True)],
            {"anchor": "mean", "window_scale": "mad", "skip": "linear"},
        ),
        ([Lstm(units=4)], {"head": "encoder-decoder", "decoder": "teacher"}),
        ([Gru(units=4)], {"head": "segments", "segment": 2, "channels": "independent"}),
    ],
    ids=["lstm", "zero output", "bidirectional", "teacher", "segments"],
)
def test_onnx_equals_keras_on_windows_with_gaps(layers, how):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    network = built(layers, **how)
    windows = np.concatenate([WINDOWS, WINDOWS + 1])[:7]
    windows[0, 0], windows[1, 4:], windows[2, 2:4, 1], windows[3] = (np.nan,) * 4
    runtime = Runtime(export_onnx(network, windows))
    for count in (1, 7):
        expected = np.asarray(network(windows[:count], training=False))
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(runtime(windows[:count]), expected, atol=1e-5)
