"""Covariates in the network: what of them reaches which step, and how names become vectors."""

from dataclasses import replace

import numpy as np
import pytest

from forecast_cli.config.covariates import Inputs, plain_inputs
from forecast_cli.config.layers import Dense, Gru, Lstm, Mask, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 6, 4
# Two columns, both forecast, the second one first; then a covariate of the past, one of the future,
# a category of the future, and a category of the series.
INPUTS = Inputs(
    features=6,
    targets=(1, 0),
    columns=2,
    known=(3, 4, 5),
    ahead=(3, 4),
    categories={4: 3, 5: 2},
)
NAMES = ["first", "second", "past", "future", "category", "static"]
RNG = np.random.default_rng(0)


def rows(count, steps):
    values = RNG.normal(size=(count, steps, 6)).astype(np.float32)
    values[..., 4] = RNG.integers(0, 4, (count, steps))
    values[..., 5] = RNG.integers(0, 3, (count, 1))
    return values


WINDOWS, COMING = rows(7, TIMESTEPS), rows(7, HORIZON)
AHEAD = np.ascontiguousarray(COMING[..., [3, 4]])
ACTUAL = COMING[..., [1, 0]]
ONE_LAYER = (Gru(units=4),)
HEADS = {
    "last": {"head": "last"},
    "recursive": {"head": "recursive"},
    "repeat": {"head": "encoder-decoder"},
    "teacher": {"head": "encoder-decoder", "decoder": "teacher"},
    "segments": {"head": "segments", "segment": 3},
}
AROUND = {
    "as it is": {},
    "relative": {"anchor": "last", "window_scale": "std", "skip": "linear"},
    "season": {"anchor": "season", "season_length": 3, "embedding": 2},
    "mask": {"anchor": "mean", "skip": "linear"},
}


def built(head="last", around="as it is", layers=ONE_LAYER, inputs=INPUTS, **more):
    """A network and its learner; what begins at zero says something too."""
    from forecast_cli.networks.build import assemble

    layers = (Mask(),) * (around == "mask") + tuple(layers)
    network = Network(layers=layers, **HEADS[head], **(AROUND[around] | more))
    horizon = 1 if head == "recursive" else HORIZON
    outputs = (horizon, len(inputs.targets))
    both = assemble(network, TIMESTEPS, inputs, outputs, seed=0)
    draw = np.random.default_rng(1)
    for layer in both.network.layers:
        if layer.name in ("skip", "ahead_skip"):
            layer.set_weights([draw.normal(size=each.shape) / 10 for each in layer.get_weights()])
    return both


def forecast(network, windows=WINDOWS, ahead=AHEAD):
    steps = network.inputs[1].shape[1]
    return np.asarray(network([windows, ahead[:, :steps]], training=False))


def moved(values, place, by=1.0, step=slice(None)):
    """The values with one feature changed at some steps."""
    changed = values.copy()
    changed[:, step, place] += by
    return changed


def other_category(values, place, count, step=slice(None)):
    """The values with each category replaced by the next one."""
    changed = values.copy()
    changed[:, step, place] = (changed[:, step, place] + 1) % (count + 1)
    return changed


def difference(a, b):
    """The largest difference at each step ahead."""
    return np.abs(a - b).max(axis=(0, 2))


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("head", HEADS)
def test_what_is_known_ahead_reaches_its_own_step_and_none_before_it(head, around):
    network = built(head, around).network
    before = forecast(network)
    assert before.shape == (7, 1 if head == "recursive" else HORIZON, 2)
    for changed in (moved(AHEAD, 0, step=2), other_category(AHEAD, 1, 3, step=2)):
        after = difference(forecast(network, ahead=changed), before)
        assert (after[:2] == 0).all()
        assert (after[2:3] > 1e-4).all()
        if head in ("last", "segments"):
            assert (after[3:] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_every_covariate_of_the_window_reaches_the_forecast(head):
    network = built(head, "relative").network
    before = forecast(network)
    for name, changed in {
        "past": moved(WINDOWS, 2),
        "future": moved(WINDOWS, 3),
        "category": other_category(WINDOWS, 4, 3),
        "static": other_category(WINDOWS, 5, 2),
    }.items():
        assert (difference(forecast(network, changed), before) > 1e-5).all(), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "cell", "around"),
    [
        ("last", Rnn, "mask"),
        ("recursive", Lstm, "relative"),
        ("repeat", Lstm, "relative"),
        ("teacher", Rnn, "mask"),
        ("segments", Lstm, "relative"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_onnx_with_two_inputs_equals_keras(head, cell, around):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    network = built(head, around, [cell(units=4)], embedding=2 if head == "last" else None).network
    windows, ahead = WINDOWS.copy(), AHEAD[:, : network.inputs[1].shape[1]].copy()
    windows[0, :, 4:], ahead[0, :, 1] = 0.0, 0.0
    if around == "mask":
        windows[1, :4], windows[2, 5, 2], ahead[3, 0] = (np.nan,) * 3
    runtime = Runtime(export_onnx(network, windows, [ahead]))
    assert len(runtime.inputs) == 2
    assert runtime.horizon == network.output.shape[1]
    for count in (1, 7):
        expected = forecast(network, windows[:count], ahead[:count])
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(runtime(windows[:count], ahead[:count]), expected, atol=1e-5)


def test_a_step_ahead_is_a_sum_by_hand_of_the_state_and_its_covariates():
    network = built("last", "relative", [Gru(units=4)]).network
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    columns = WINDOWS[..., :2] - WINDOWS[:, -1:, :2]
    spread = WINDOWS[..., :2].std(axis=1, keepdims=True)
    hot = [np.eye(count + 1)[WINDOWS[..., place].astype(int)][..., 1:]
           for place, count in INPUTS.categories.items()]  # fmt: skip
    read = np.concatenate([columns / spread, WINDOWS[..., 2:4], *hot], axis=-1)
    state = np.asarray(network.get_layer("gru_1")(read.astype(np.float32)))
    known = np.concatenate([AHEAD[..., :1], np.eye(4)[AHEAD[..., 1].astype(int)][..., 1:]], axis=-1)
    (kernel, bias), (own,) = weights["ahead_state"], weights["ahead_hidden"]
    hidden = np.maximum((state @ kernel + bias)[:, None] + known @ own, 0.0)
    (out, offset), (skip,) = weights["ahead_output"], weights["ahead_skip"]
    ahead = hidden @ out + offset + known @ skip
    (dense, start), (line,) = weights["output"], weights["skip"]
    plain = state @ dense + start + read.reshape(7, -1) @ line
    expected = (plain.reshape(7, HORIZON, 2) + ahead) * spread[..., [1, 0]]
    expected += WINDOWS[:, -1:, [1, 0]]
    np.testing.assert_allclose(forecast(network), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("head", HEADS)
def test_covariates_are_not_read_relative_to_the_window(head):
    network = built(head, "relative").network
    before, shifted = forecast(network), WINDOWS.copy()
    shifted[..., :2] = 3.0 * shifted[..., :2] + 10.0
    np.testing.assert_allclose(forecast(network, shifted), 3.0 * before + 10.0, atol=1e-4)
    shifted[..., 2] += 10.0
    assert np.abs(forecast(network, shifted) - (3.0 * before + 10.0)).max() > 1e-3


def test_a_decoder_that_repeats_reads_the_covariates_of_each_step():
    network = built("repeat").network
    decoder = next(each for each in network.layers if each.name.startswith("decoder_"))
    # The state, a number, and a column for each of three categories.
    assert decoder.input[0].shape[-1] == 4 + 1 + 3
    late = difference(forecast(network, ahead=moved(AHEAD, 0, step=0)), forecast(network))
    assert (late > 1e-5).all()


@pytest.mark.parametrize("around", ["as it is", "relative"])
def test_a_decoder_taught_with_its_own_forecast_gives_it(around):
    both = built("teacher", around)
    own = forecast(both.network)
    np.testing.assert_allclose(both.learner([WINDOWS, AHEAD, own]), own, atol=1e-5)
    changed = both.learner([WINDOWS, moved(AHEAD, 0, step=2), own])
    after = difference(np.asarray(changed), own)
    assert (after[:2] < 1e-5).all()
    assert after[2] > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("place", range(6), ids=NAMES)
def test_a_step_in_which_any_value_is_missing_is_skipped(place):
    network = built("last", "mask", skip="none").network
    windows = WINDOWS.copy()
    windows[:, 2, place] = np.nan
    before, changed = forecast(network, windows), windows.copy()
    changed[:, 2] = np.where(np.isnan(changed[:, 2]), np.nan, 1.0)
    np.testing.assert_array_equal(forecast(network, changed), before)
    assert np.isfinite(before).all()
    assert np.abs(before - forecast(network)).max() > 1e-4


@pytest.mark.slow
def test_what_is_missing_ahead_is_read_as_nothing():
    network, gap, zero = built().network, AHEAD.copy(), AHEAD.copy()
    gap[:, 1], zero[:, 1] = np.nan, 0.0
    np.testing.assert_array_equal(forecast(network, ahead=gap), forecast(network, ahead=zero))


@pytest.mark.parametrize("head", ["last", "sequence"])
def test_covariates_of_the_window_alone_need_no_second_input(head):
    from forecast_cli.networks.build import assemble

    inputs = replace(INPUTS, known=(5,), ahead=())
    network = Network(layers=(Gru(units=4),), head=head)
    both = assemble(network, TIMESTEPS, inputs, (HORIZON, 2), seed=0)
    assert len(both.network.inputs) == 1
    assert both.network(WINDOWS).shape == (7, HORIZON, 2)
    changed = other_category(WINDOWS, 5, 2)
    assert np.abs(both.network(changed) - both.network(WINDOWS)).max() > 1e-4


def test_the_forecast_at_a_step_does_not_see_covariates_of_later_steps():
    from forecast_cli.networks.build import assemble

    inputs = replace(INPUTS, known=(5,), ahead=())
    both = assemble(
        Network(layers=(Gru(units=4),), head="sequence"), TIMESTEPS, inputs, (2, 2), seed=0
    )
    changed = moved(WINDOWS, 2, step=slice(4, None))
    before, after = np.asarray(both.learner(WINDOWS)), np.asarray(both.learner(changed))
    np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-4


def categories(count, width):
    from forecast_cli.networks.covariate_inputs import Categories

    layer = Categories(count, width)
    layer(np.zeros((1, 1), np.float32))
    return layer


def test_few_categories_have_a_column_each_and_an_unknown_one_has_none():
    numbers = np.array([[1, 2, 3, 0]], np.float32)
    expected = [[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]]
    layer = categories(3, None)
    assert np.asarray(layer(numbers)).tolist() == expected
    assert layer.get_weights() == []


def test_a_learned_vector_stands_for_each_category_and_their_mean_for_an_unknown_one():
    layer = categories(3, 2)
    vectors = np.array([[1.0, 10.0], [2.0, 20.0], [6.0, 0.0]], np.float32)
    layer.set_weights([vectors])
    given = np.asarray(layer(np.array([[3, 1], [0, 2]], np.float32)))
    np.testing.assert_allclose(given, [[[6, 0], [1, 10]], [[3, 10], [2, 20]]])


def test_an_unknown_category_teaches_all_vectors_alike():
    import tensorflow as tf

    layer = categories(4, 2)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.zeros((1, 1))))
    gradient = tape.gradient(total, layer.vectors.value)
    np.testing.assert_allclose(tf.convert_to_tensor(gradient), np.full((4, 2), 0.25))


@pytest.mark.parametrize(
    ("count", "asked", "width"),
    [(1, None, None), (8, None, None), (9, None, 3), (10, None, 4), (100, None, 10), (2, 5, 5)],
)
def test_many_categories_are_learned_in_about_the_root_of_their_number(count, asked, width):
    from forecast_cli.networks.covariate_inputs import choose_embedding_width

    assert choose_embedding_width(count, asked) == width


def test_a_category_has_the_same_vector_in_the_window_and_ahead():
    network = built(embedding=2).network
    shapes = [each.shape for each in network.get_weights()]
    assert shapes.count((3, 2)) == shapes.count((2, 2)) == 1
    (vectors,) = network.get_layer("category_4").get_weights()
    network.get_layer("category_4").set_weights([vectors * 0.0])
    same = forecast(network)
    for windows, ahead in (
        (other_category(WINDOWS, 4, 3), AHEAD),
        (WINDOWS, other_category(AHEAD, 1, 3)),
    ):
        np.testing.assert_array_equal(forecast(network, windows, ahead), same)


@pytest.mark.parametrize("embedding", [None, 2])
def test_a_covariate_of_which_no_category_is_known_says_nothing(embedding):
    inputs = replace(INPUTS, categories={4: 0, 5: 2})
    network = built(inputs=inputs, embedding=embedding).network
    before = forecast(network)
    np.testing.assert_array_equal(forecast(network, moved(WINDOWS, 4)), before)
    np.testing.assert_array_equal(forecast(network, ahead=moved(AHEAD, 1)), before)
    assert np.abs(forecast(network, ahead=moved(AHEAD, 0)) - before).max() > 1e-4


STEPS = 400


def planted(known):
    """`y[t]` follows `x[t]`, of which nothing can be told from the rows before it."""
    from forecast_cli.networks.batches import WindowFeed

    x = np.random.default_rng(5).uniform(-1, 1, STEPS)
    values = np.stack([np.abs(x) + 0.5 * x, x], axis=1).astype(np.float32)
    starts = np.arange(STEPS - TIMESTEPS - 2, dtype=np.int32)
    inputs = Inputs(2, (0,), 1, known=(1,), ahead=(1,)) if known else plain_inputs(1, 1)
    values = values if known else values[:, :1].copy()
    return WindowFeed(values, inputs, starts[:300], starts[310:], TIMESTEPS, 2)


def validation_error(head, feed, **more):
    """The mean squared error on the last rows after a short training."""
    from forecast_cli.networks.build import assemble
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    layers = ((Mask(),) if more.pop("masked", False) else ()) + (Gru(units=12),)
    network = Network(layers=layers, **HEADS[head], **more)
    feed = replace(feed, horizon=1) if head == "recursive" else feed
    timesteps, inputs, outputs = feed.shape
    both = assemble(network, timesteps, inputs, outputs, seed=1)
    training = Training(epochs=30, patience=0, learning_rate=0.02, batch_size=50)
    *_, epoch = fit(Runner(both.network, feed, training, both.learner))
    return epoch.validation_loss


PLANTED = {
    "last": {},
    "recursive": {"skip": "linear"},
    "repeat": {},
    "teacher": {},
    "segments": {"anchor": "mean"},
}


@pytest.mark.slow
@pytest.mark.parametrize("head", PLANTED)
def test_what_follows_a_future_covariate_is_learned(head):
    feed = planted(known=True)
    # Without the covariate nothing is better than the mean.
    without = float(feed.values[310:, 0].var())
    assert validation_error(head, feed, **PLANTED[head]) < without / 10


@pytest.mark.slow
def test_the_same_network_without_the_covariate_learns_nothing():
    feed = planted(known=False)
    assert validation_error("last", feed) > 0.8 * float(feed.values[310:, 0].var())


@pytest.mark.slow
def test_what_follows_a_category_is_learned_and_it_is_not_read_as_a_number():
    from forecast_cli.networks.batches import WindowFeed

    draw = np.random.default_rng(2)
    names, sizes = draw.integers(1, 11, STEPS), draw.permutation(10) - 4.5
    values = np.stack([sizes[names - 1], names], axis=1).astype(np.float32)
    starts = np.arange(STEPS - TIMESTEPS - 2, dtype=np.int32)
    inputs = Inputs(2, (0,), 1, known=(1,), ahead=(1,), categories={1: 10})
    feed = WindowFeed(values, inputs, starts[:300], starts[310:], TIMESTEPS, 2)
    assert validation_error("last", feed) < float(values[310:, 0].var()) / 10


def test_layers_behind_the_last_recurrent_one_serve_covariates_too():
    for head in HEADS:
        network = built(head, layers=[Gru(units=4), Dense(units=3)]).network
        assert np.isfinite(forecast(network)).all()
