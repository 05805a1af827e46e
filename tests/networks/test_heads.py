"""Heads: the shapes they promise, what each of them may see, and what they compute."""

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Convolution, Dense, Gru, Lstm, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 8, 5
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(4, TIMESTEPS, 3)).astype(np.float32)
ACTUAL = RNG.normal(size=(4, HORIZON, 3)).astype(np.float32)
TEACHER = {"head": "encoder-decoder", "decoder": "teacher"}
HEADS = {
    "last": {"head": "last"},
    "recursive": {"head": "recursive"},
    "sequence": {"head": "sequence"},
    "repeat": {"head": "encoder-decoder"},
    "teacher": TEACHER,
    "segments": {"head": "segments", "segment": 2},
}


def built(layers, timesteps=TIMESTEPS, features=3, outputs=(HORIZON, 3), targets=None, **network):
    """A network and its learner; the linear skip, which begins at zero, says something too."""
    from forecast_cli.networks.build import assemble

    network = Network(layers=tuple(layers), **network)
    inputs = plain_inputs(features, outputs[1] if targets is None else targets)
    both = assemble(network, timesteps, inputs, outputs, seed=0)
    for layer in both.network.layers:
        if layer.name == "skip":
            draw = np.random.default_rng(1)
            layer.set_weights([draw.normal(size=each.shape) / 10 for each in layer.get_weights()])
    return both


def shapes(both, windows):
    """The shapes of all that the layers give, by the names of the layers."""
    import keras

    model = both.network
    outputs = {layer.name: layer.output for layer in model.layers}
    given = keras.Model(model.input, outputs)(windows)
    return {
        name: [each.shape for each in value] if isinstance(value, list | tuple) else value.shape
        for name, value in given.items()
    }


def zeros(*shape):
    return np.zeros(shape, np.float32)


def test_one_series_becomes_one_state_or_one_at_every_step():
    layers = [Lstm(units=20), Dense(units=10)]
    one = {"timesteps": 25, "features": 1, "outputs": (3, 1)}
    last = shapes(built(layers, **one), zeros(32, 25, 1))
    assert (last["lstm_1"], last["dense_2"]) == ((32, 20), (32, 10))
    every = shapes(built(layers, **one, head="sequence"), zeros(32, 25, 1))
    assert (every["lstm_1"], every["dense_2"]) == ((32, 25, 20), (32, 25, 10))


def test_layers_that_hand_over_give_outputs_and_states():
    both = built([Lstm(units=4), Lstm(units=6)], 10, 8, (7, 2), head="encoder-decoder")
    given = shapes(both, zeros(32, 10, 8))
    assert given["lstm_1"] == [(32, 10, 4), (32, 4), (32, 4)]
    assert given["lstm_2"] == [(32, 6), (32, 6), (32, 6)]
    assert given["repeat"] == (32, 7, 6)
    assert (given["decoder_lstm_1"], given["decoder_lstm_2"]) == ((32, 7, 4), (32, 7, 6))
    assert both.network(zeros(32, 10, 8)).shape == (32, 7, 2)


@pytest.mark.slow
@pytest.mark.parametrize("targets", [(1,), (2, 0, 1)], ids=["one target", "three targets"])
@pytest.mark.parametrize("cell", [Lstm, Gru, Rnn])
@pytest.mark.parametrize("head", HEADS)
def test_a_forecast_has_a_row_for_each_step_and_a_column_for_each_target(head, cell, targets):
    outputs = (HORIZON, len(targets))
    both = built([cell(units=4)], outputs=outputs, targets=targets, **HEADS[head])
    assert both.network(WINDOWS).shape == (4, *outputs)
    if head == "sequence":
        assert both.learner(WINDOWS).shape == (4, TIMESTEPS, *outputs)
    elif head == "teacher":
        assert both.learner([WINDOWS, ACTUAL[..., : len(targets)]]).shape == (4, *outputs)
    else:
        assert both.learner is both.network


@pytest.mark.parametrize("head", HEADS)
def test_layers_behind_the_last_recurrent_one_serve_every_head(head):
    layers = [Gru(units=4), Lstm(units=3), Normalization(), Dense(units=6)]
    both = built(layers, outputs=(HORIZON, 2), **HEADS[head])
    assert both.network(WINDOWS).shape == (4, HORIZON, 2)
    assert {id(each) for each in both.network.trainable_variables} == {
        id(each) for each in both.learner.trainable_variables
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        [Lstm(units=4)],
        [Gru(units=4), Normalization(), Gru(units=3, residual=True), Dense(units=3)],
        [Convolution(filters=3), Rnn(units=4), Convolution(filters=3, dilation_rate=2)],
    ],
    ids=["lstm", "stacked", "conv"],
)
@pytest.mark.parametrize("channels", ["joint", "independent"])
def test_the_forecast_at_a_step_does_not_see_later_steps(layers, channels):
    both = built(layers, head="sequence", channels=channels)
    changed = WINDOWS.copy()
    changed[:, 5:] += 1
    before, after = np.asarray(both.learner(WINDOWS)), np.asarray(both.learner(changed))
    assert before.shape == (4, TIMESTEPS, HORIZON, 3)
    np.testing.assert_allclose(before[:, :5], after[:, :5], atol=1e-6)
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(axis=(0, 2, 3)) > 1e-3).all()
    np.testing.assert_allclose(both.network(WINDOWS), before[:, -1], atol=1e-6)


def learned(layers, feed, training, **network):
    """Trained by `fit`, and a fresh one to train in another way."""
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    timesteps, inputs, outputs = feed.shape
    shape = (timesteps, inputs.features, outputs)
    ours, theirs = (built(layers, *shape, targets=inputs.targets, **network) for _ in range(2))
    return ours, list(fit(Runner(ours.network, feed, training, ours.learner))), theirs


def train_batch_by_batch(both, feed, training, samples):
    """Train as Keras does, on windows copied out beforehand."""
    from forecast_cli.networks.batch_order import shuffled
    from forecast_cli.networks.losses import FUNCTIONS, make_optimizer

    function = FUNCTIONS[training.loss or "mse"]
    both.learner.compile(make_optimizer(training), function, run_eagerly=True)
    for epoch in range(1, training.epochs + 1):
        order = shuffled(feed.train, seed=training.seed, epoch=epoch)
        for first in range(0, len(order), training.batch_size):
            rows = order[first : first + training.batch_size]
            both.learner.train_on_batch(*samples(rows))


def series(every_step=False):
    from forecast_cli.networks.batches import WindowFeed

    steps = np.arange(90)
    values = np.stack([np.sin(steps / 5), np.cos(steps / 3)], axis=1).astype(np.float32)
    starts = np.arange(70, dtype=np.int32)
    return WindowFeed(
        values,
        plain_inputs(values.shape[1], (1, 0)),
        starts[:50],
        starts[60:],
        6,
        2,
        every_step=every_step,
    )


def same_weights(ours, theirs):
    for a, b in zip(ours.network.get_weights(), theirs.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mse", "mae"])
def test_every_step_of_a_window_is_learned_from_as_keras_does(loss):
    feed, training = series(every_step=True), Training(epochs=2, patience=0, loss=loss)

    def samples(rows):
        window = np.stack([feed.values[row : row + 6] for row in rows])
        actual = [
            [feed.values[row + step : row + step + 2][:, [1, 0]] for step in range(1, 7)]
            for row in rows
        ]
        return window, np.array(actual)

    ours, epochs, theirs = learned([Gru(units=4)], feed, training, head="sequence")
    train_batch_by_batch(theirs, feed, training, samples)
    same_weights(ours, theirs)
    window, actual = samples(feed.validation)
    error = theirs.network(window) - actual[:, -1]
    expected = np.mean(np.square(error) if loss == "mse" else np.abs(error))
    assert epochs[-1].validation_loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"anchor": "last", "window_scale": "std", "skip": "linear"}])
def test_a_taught_decoder_learns_from_the_actual_values_and_is_validated_on_its_own(more):
    feed, training = series(), Training(epochs=2, patience=0)

    def samples(rows):
        window = np.stack([feed.values[row : row + 6] for row in rows])
        actual = np.stack([feed.values[row + 6 : row + 8][:, [1, 0]] for row in rows])
        return [window, actual], actual

    ours, epochs, theirs = learned([Lstm(units=4)], feed, training, **TEACHER, **more)
    train_batch_by_batch(theirs, feed, training, samples)
    same_weights(ours, theirs)
    (window, actual), _ = samples(feed.validation)
    expected = np.mean(np.square(theirs.network(window) - actual))
    assert epochs[-1].validation_loss == pytest.approx(expected, rel=1e-4)


TAUGHT = {
    "lstm": ([Lstm(units=4)], {}),
    "gru": ([Gru(units=4)], {"skip": "linear"}),
    "rnn": ([Rnn(units=4)], {"anchor": "last"}),
    "season": ([Gru(units=4, reset_after=False)], {"anchor": "season", "season_length": 3}),
    "scaled": (
        [Lstm(units=4)],
        {"anchor": "mean", "window_scale": "std", "skip": "linear"},
    ),
    "spread": ([Rnn(units=4)], {"window_scale": "mad"}),
    "stacked": (
        [Lstm(units=4), Gru(units=3), Normalization(), Dense(units=3, activation="tanh")],
        {"anchor": "last", "skip": "linear"},
    ),
    "bidirectional": ([Gru(units=4, bidirectional=True)], {"window_scale": "std"}),
    "channels": ([Lstm(units=4)], {"channels": "independent", "anchor": "last"}),
    "segmented": ([Gru(units=4)], {"segment": 4}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TAUGHT)
def test_a_decoder_taught_with_its_own_forecast_gives_it(name):
    layers, how = TAUGHT[name]
    targets = (0, 1, 2) if name == "channels" else (2, 0)
    both = built(layers, outputs=(HORIZON, len(targets)), targets=targets, **TEACHER, **how)
    own = np.asarray(both.network(WINDOWS))
    np.testing.assert_allclose(both.learner([WINDOWS, own]), own, atol=1e-5)
    other = both.learner([WINDOWS, own + 1])
    assert np.abs(other - own)[:, 1:].max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", TAUGHT)
def test_a_taught_step_sees_the_actual_values_before_it_alone(name):
    layers, how = TAUGHT[name]
    both = built(layers, **TEACHER, **how)
    changed = ACTUAL.copy()
    changed[:, 2] += 1
    before = np.asarray(both.learner([WINDOWS, ACTUAL]))
    after = np.asarray(both.learner([WINDOWS, changed]))
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert (np.abs(before - after)[:, 3:].max(axis=(0, 2)) > 1e-4).all()


@pytest.mark.parametrize("more", [{}, {"anchor": "last", "skip": "linear"}], ids=["plain", "both"])
@pytest.mark.parametrize("cell", ["LSTM", "GRU", "SimpleRNN"])
def test_a_taught_decoder_is_a_loop_over_single_steps(cell, more):
    import keras

    kind = {"LSTM": Lstm, "GRU": Gru, "SimpleRNN": Rnn}[cell]
    network = built(
        [kind(units=4)], outputs=(HORIZON, 2), targets=(2, 0), **TEACHER, **more
    ).network
    *weights, kernel, bias = network.get_layer("decoder").get_weights()
    first, second = (getattr(keras.layers, cell)(4, return_state=True) for _ in range(2))
    first.build((None, None, 3))
    second.build((None, None, 2))
    first.set_weights(network.get_layer(f"{kind().type}_1").get_weights())
    second.set_weights(weights)
    level = WINDOWS[:, -1:] if more else zeros(4, 1, 3)
    read, added = WINDOWS - level, zeros(4, HORIZON, 2)
    if more:
        (skip,) = network.get_layer("skip").get_weights()
        added = (read.reshape(4, -1) @ skip).reshape(4, HORIZON, 2)
    states, value, steps = first(read)[1:], read[:, -1, [2, 0]], []
    for step in range(HORIZON):
        output, *states = second(value[:, None], initial_state=list(states))
        value = np.asarray(output) @ kernel + bias + added[:, step]
        steps.append(value)
    expected = np.stack(steps, axis=1) + level[..., [2, 0]]
    np.testing.assert_allclose(network(WINDOWS), expected, atol=1e-5)


MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "merge"),
    [*((Lstm, merge) for merge in MERGES), (Gru, "sum"), (Gru, "concat"), (Rnn, "ave"),
     (Rnn, "mul")],
)  # fmt: skip
def test_a_decoder_begins_with_the_merged_states_of_both_directions(cell, merge):
    import keras

    layers = [cell(units=4, bidirectional=True, merge_mode=merge)]
    both = built(layers, outputs=(HORIZON, 2), head="encoder-decoder")
    _, encoder, *_ = both.network.layers
    decoder = next(each for each in both.network.layers if each.name.startswith("decoder_"))
    output, *states = map(np.asarray, encoder(WINDOWS))
    half = len(states) // 2
    merged = [MERGES[merge](*pair) for pair in zip(states[:half], states[half:], strict=True)]
    assert decoder.units == merged[0].shape[1] == (8 if merge == "concat" else 4)
    repeated = np.repeat(output[:, None], HORIZON, axis=1)
    alone = getattr(keras.layers, type(decoder).__name__)(decoder.units, return_sequences=True)
    alone.build(repeated.shape)
    alone.set_weights(decoder.get_weights())
    steps = alone(repeated, initial_state=merged)
    expected = both.network.get_layer("output")(steps)
    np.testing.assert_allclose(both.network(WINDOWS), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decoder", "merge"),
    [("repeat", "concat"), ("repeat", "sum"), ("teacher", "mul"), ("teacher", "ave")],
)
def test_both_directions_of_a_stack_are_handed_over(decoder, merge):
    layers = [
        Lstm(units=4, bidirectional=True, merge_mode=merge),
        Gru(units=3, bidirectional=True, merge_mode=merge),
    ]
    both = built(layers, head="encoder-decoder", decoder=decoder)
    forecast = np.asarray(both.network(WINDOWS))
    assert forecast.shape == (4, HORIZON, 3)
    changed = WINDOWS.copy()
    changed[:, :2] += 1
    assert np.abs(both.network(changed) - forecast).max() > 1e-5


@pytest.mark.parametrize("cell", [Lstm, Gru, Rnn])
def test_a_decoder_that_reads_nothing_still_goes_on_from_the_states(cell):
    both = built([cell(units=4), cell(units=3)], head="encoder-decoder")
    for layer in both.network.layers:
        if layer.name == "decoder_" + cell().type + "_1":
            kernel, *others = layer.get_weights()
            layer.set_weights([np.zeros_like(kernel), *others])
    changed = WINDOWS.copy()
    changed[:, 0] += 1
    before, after = both.network(WINDOWS), both.network(changed)
    assert (np.abs(before - after).max(axis=(0, 2)) > 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize("cell", [Lstm, Gru, Rnn])
def test_a_taught_decoder_knows_of_the_window_by_its_states(cell):
    both = built([cell(units=4)], **TEACHER)
    changed = WINDOWS.copy()
    changed[:, 0] += 1
    before = np.asarray(both.learner([WINDOWS, ACTUAL]))
    after = np.asarray(both.learner([changed, ACTUAL]))
    assert (np.abs(before - after).max(axis=(0, 2)) > 1e-6).all()


@pytest.mark.slow
@pytest.mark.parametrize(("horizon", "segment"), [(7, 4), (8, 4), (3, 4), (5, 1), (1, 2), (9, 8)])
def test_the_horizon_need_be_no_multiple_of_a_segment(horizon, segment):
    for layers in ([Gru(units=4)], [Lstm(units=4, bidirectional=True), Rnn(units=3)]):
        both = built(layers, outputs=(horizon, 2), head="segments", segment=segment)
        assert both.network(WINDOWS).shape == (4, horizon, 2)


def segmented():
    """A network of segments, and what it should forecast by layers that stand alone."""
    import keras

    both = built([Gru(units=5)], outputs=(7, 2), targets=(2, 0), head="segments", segment=4)
    kernel, bias = both.network.get_layer("embedding").get_weights()
    embedded = np.maximum(WINDOWS.reshape(4, 2, 12) @ kernel + bias, 0.0)
    cell = keras.layers.GRU(5)
    cell.build((None, None, 5))
    cell.set_weights(both.network.get_layer("gru_1").get_weights())
    state = cell(embedded)
    (places,) = both.network.get_layer("places").get_weights()
    kernel, bias = both.network.get_layer("output").get_weights()
    steps = [
        cell(np.tile(place, (4, 1, 1)), initial_state=state) @ kernel + bias for place in places
    ]
    return both.network, np.stack(steps, axis=1).reshape(4, 8, 2)[:, :7]


def test_each_segment_is_one_step_of_the_cell_from_the_last_state():
    network, expected = segmented()
    np.testing.assert_allclose(network(WINDOWS), expected, atol=1e-5)


def test_segments_have_the_parameters_of_a_sum_by_hand():
    network, _ = segmented()
    embedding, cell, places, output = (4 * 3 + 1) * 5, 3 * (5 * 5 + 5 * 5 + 2 * 5), 2 * 5, 6 * 4 * 2
    assert network.count_params() == embedding + cell + places + output


def test_a_stack_over_segments_may_end_in_any_head():
    for head in ("last", "recursive", "repeat", "teacher"):
        both = built([Lstm(units=4), Gru(units=3)], segment=2, **HEADS[head])
        assert both.network.get_layer("embedding").output.shape == (None, TIMESTEPS // 2, 4)
        assert both.network(WINDOWS).shape == (4, HORIZON, 3)


CHANNELS = {
    **HEADS,
    "anchored": {"anchor": "last", "window_scale": "std", "skip": "linear"},
    "season": {"anchor": "season", "season_length": 3},
    "taught and anchored": {**TEACHER, "anchor": "mean", "skip": "linear"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANNELS)
def test_independent_channels_are_one_network_for_each_column_by_itself(name):
    layers, how = [Lstm(units=4), Dense(units=3)], CHANNELS[name]
    whole = built(layers, **how, channels="independent")
    single = built(layers, features=1, outputs=(HORIZON, 1), **how)
    single.network.set_weights(whole.network.get_weights())
    columns = [WINDOWS[..., at : at + 1] for at in range(3)]
    expected = np.concatenate([single.network(column) for column in columns], axis=-1)
    np.testing.assert_allclose(whole.network(WINDOWS), expected, atol=1e-5)
    inputs, alone = WINDOWS, columns
    if "decoder" in how:
        inputs = [WINDOWS, ACTUAL]
        alone = [[column, ACTUAL[..., at : at + 1]] for at, column in enumerate(columns)]
    expected = np.concatenate([single.learner(each) for each in alone], axis=-1)
    np.testing.assert_allclose(whole.learner(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("head", HEADS)
def test_independent_channels_in_another_order_are_forecast_in_that_order(head):
    network = built([Gru(units=4)], channels="independent", **HEADS[head]).network
    order = [2, 0, 1]
    np.testing.assert_allclose(
        network(WINDOWS[..., order]), np.asarray(network(WINDOWS))[..., order], atol=1e-6
    )


def test_independent_channels_cost_the_parameters_of_one():
    counts = {
        features: built([Gru(units=4)], features=features, outputs=(HORIZON, features),
                        channels="independent").network.count_params()
        for features in (1, 3)
    }  # fmt: skip
    assert counts[1] == counts[3]


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"anchor": "last"},
        {"anchor": "mean", "window_scale": "std"},
        {"anchor": "season", "season_length": 3},
    ],
    ids=["none", "last", "mean", "season"],
)
@pytest.mark.parametrize(("channels", "count"), [("joint", 3), ("independent", 5)])
def test_a_window_is_forecast_alone_as_in_any_company(channels, count, how):
    layers, windows = [Gru(units=4)], RNG.normal(size=(7, TIMESTEPS, 5)).astype(np.float32)
    both = built(layers, features=5, outputs=(HORIZON, count), channels=channels, **how)
    whole = np.asarray(both.network(windows))
    for size in range(1, 7):
        np.testing.assert_allclose(both.network(windows[:size]), whole[:size], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["last", "teacher"])
def test_a_batch_of_as_many_windows_as_steps_ahead_is_one_like_any_other(head):
    from dataclasses import replace

    feed = replace(series(), inputs=plain_inputs(2, (0,)))
    how, losses = HEADS[head] | {"anchor": "last"}, []
    for size in (2, 5):
        training = Training(epochs=1, patience=0, batch_size=size, learning_rate=1e-9)
        _, (epoch,), _ = learned([Gru(units=4)], feed, training, **how)
        losses.append(epoch.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
