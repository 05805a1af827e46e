"""Training against Keras's own steps, and what it promises of repeats, stops and blow-ups."""

from contextlib import closing
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Dense, Gru, Lstm, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training
from forecast_cli.core.errors import TrainingError

pytestmark = pytest.mark.tf

VALUES = np.sin(np.arange(120) / 5).astype(np.float32)[:, None]
TIMESTEPS, HORIZON = 3, 2


@pytest.fixture
def feed():
    from forecast_cli.networks.batches import WindowFeed

    starts = np.arange(100, dtype=np.int32)
    return WindowFeed(
        VALUES, plain_inputs(VALUES.shape[1], (0,)), starts[:75], starts[85:], TIMESTEPS, HORIZON
    )


def network(dropout=0.0):
    from forecast_cli.networks.build import build

    layers = Network(layers=(Lstm(units=5, dropout=dropout), Dense(units=3)))
    return build(layers, timesteps=TIMESTEPS, features=1, outputs=(HORIZON, 1), seed=1)


RUNNERS = {}


def runner(feed, training, dropout=0.0):
    """What trains a new network: with the code compiled before for one alike, as in ensembles."""
    from forecast_cli.networks.train_step import Runner

    model = network(dropout)
    new = Runner(model, feed, training)
    kind = repr((dropout, *new.kind))
    if kind in RUNNERS:
        RUNNERS[kind].restart(model, training, feed)
    return RUNNERS.setdefault(kind, new)


def run(feed, training, dropout=0.0, **more):
    """The network after a training, and the epochs of it."""
    from forecast_cli.networks.training_loop import fit

    used = runner(feed, training, dropout)
    epochs = list(fit(used, **more))
    model = network(dropout)
    model.set_weights(used.network.get_weights())
    return model, epochs


def windows(starts):
    from forecast_cli.core.windows import gather

    both = gather(VALUES, starts, timesteps=TIMESTEPS + HORIZON)
    return both[:, :TIMESTEPS], both[:, TIMESTEPS:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [("sgd", "mse"), ("adam", "mse"), ("adam", "mae"), ("sgd", "huber"), ("adam", "log-cosh")],
)
def test_an_epoch_is_what_keras_does_batch_by_batch(feed, optimizer, loss):
    from forecast_cli.networks.batch_order import shuffled
    from forecast_cli.networks.losses import FUNCTIONS, make_optimizer

    training = Training(epochs=2, batch_size=32, patience=0, optimizer=optimizer, loss=loss)
    ours, epochs = run(feed, training)
    theirs = network()
    theirs.compile(make_optimizer(training), FUNCTIONS[loss], run_eagerly=True)
    for epoch in (1, 2):
        order = shuffled(feed.train, seed=0, epoch=epoch)
        for first in range(0, len(order), 32):
            theirs.train_on_batch(*windows(order[first : first + 32]))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    expected = theirs.evaluate(*windows(feed.validation), verbose=0)
    assert epochs[-1].validation_loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "penalty", [{"kernel_regularizer": "l2:0.1"}, {"activity_regularizer": "l1:0.1"}]
)
def test_penalties_are_learned_from_as_keras_does(feed, penalty):
    from forecast_cli.networks.batch_order import shuffled
    from forecast_cli.networks.build import build
    from forecast_cli.networks.losses import FUNCTIONS, make_optimizer
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    training = Training(epochs=1, batch_size=32, patience=0)
    layers = Network(layers=(Lstm(units=5, **penalty),))
    ours, theirs = (build(layers, TIMESTEPS, 1, (HORIZON, 1), seed=1) for _ in range(2))
    list(fit(Runner(ours, feed, training)))
    theirs.compile(make_optimizer(training), FUNCTIONS["mse"], run_eagerly=True)
    order = shuffled(feed.train, seed=0, epoch=1)
    for first in range(0, len(order), 32):
        theirs.train_on_batch(*windows(order[first : first + 32]))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


def same(first, second):
    return all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(),
                                              strict=True))  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("xla_from", [0.0, float("inf")], ids=["XLA", "graph"])
def test_the_same_seed_gives_the_same_weights_to_the_bit(feed, xla_from, monkeypatch):
    monkeypatch.setattr("forecast_cli.networks.loops.XLA_WORK", xla_from)
    monkeypatch.setattr("forecast_cli.networks.loops.XLA_STEPS", 0)
    training = Training(epochs=3, patience=0, seed=7)
    first, _ = run(feed, training, dropout=0.3)
    RUNNERS.clear()
    assert same(first, run(feed, training, dropout=0.3)[0])
    other = training.model_copy(update={"seed": 8})
    assert not same(first, run(feed, other, dropout=0.3)[0])


@pytest.mark.slow
def test_loops_are_written_out_for_training_alone(feed):
    from forecast_cli.networks.build import build
    from forecast_cli.networks.train_step import Runner

    layers = (Lstm(units=4, bidirectional=True), Lstm(units=3, unroll=True), Lstm(units=3))
    model = build(Network(layers=layers), TIMESTEPS, 1, (HORIZON, 1), seed=0)
    used = Runner(model, feed, Training(epochs=1), model)
    first, second, third = model.layers[1:4]
    loops = [first.forward_layer, first.backward_layer, second, third]
    with used.unrolling():
        used.run([])
        assert [layer.unroll for layer in loops] == [True] * 4
    assert [layer.unroll for layer in loops] == [False, False, True, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        (Lstm(units=5, return_sequences=True), Lstm(units=4, bidirectional=True)),
        (Gru(units=5),),
        (Rnn(units=5),),
        (Lstm(units=5, unroll=True),),
        (Lstm(units=16, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False),),
    ],
)
def test_what_xla_is_spared_changes_no_training(layers, feed, monkeypatch):
    from forecast_cli.networks import loops
    from forecast_cli.networks.build import build
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    training = Training(epochs=2, patience=0, seed=7)
    monkeypatch.setattr(loops, "XLA_STEPS", 0)
    weights = []
    for work in (0.0, float("inf")):
        monkeypatch.setattr(loops, "XLA_WORK", work)
        model = build(Network(layers=layers), TIMESTEPS, 1, (HORIZON, 1), seed=1)
        runner = Runner(model, feed, training)
        assert runner.compiled == (work == 0)
        assert {epoch.number for epoch in fit(runner)} == {1, 2}
        cells = [layer.cell for layer in runner.loops]
        assert not [cell for cell in cells if "call" in vars(cell)]
        known = {cell.get_config().get("recurrent_activation", "sigmoid") for cell in cells}
        assert known <= {"sigmoid", "hard_sigmoid"}
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_long_windows_are_written_out_for_xla_where_many_steps_pay(feed):
    from forecast_cli.networks.build import build
    from forecast_cli.networks.loops import choose_loops, find_loops

    model = build(Network(layers=(Lstm(units=50),)), 24, 1, (HORIZON, 1), seed=1)
    choose = partial(choose_loops, find_loops(model), work=1e12, fixed=True)
    long, patient = Training(epochs=100, patience=0), Training(epochs=100, patience=10)
    assert choose(long, batch_size=32, steps=50) == (False, 64)
    assert choose(long, batch_size=32, steps=150) == (True, 64)
    assert choose(patient, batch_size=32, steps=150) == (False, 64)
    assert choose(patient, batch_size=32, steps=500) == (True, 64)
    assert choose(long, batch_size=512, steps=5) == (True, 12)
    assert choose(long, batch_size=512, steps=50) == (True, 64)


@pytest.mark.slow
def test_cutting_an_epoch_into_blocks_changes_nothing(feed, monkeypatch):
    training = Training(epochs=2, batch_size=10, patience=0)
    whole, _ = run(feed, training)
    monkeypatch.setattr("forecast_cli.networks.train_step.BLOCK_WORK", 1.0)
    assert same(whole, run(feed, training)[0])


@pytest.mark.slow
def test_a_batch_larger_than_all_windows_is_all_of_them(feed):
    whole, _ = run(feed, Training(epochs=2, batch_size=75, patience=0))
    assert same(whole, run(feed, Training(epochs=2, batch_size=10**7, patience=0))[0])


def test_every_window_is_seen_once_an_epoch_in_an_order_of_its_own(feed):
    from forecast_cli.networks.batch_order import batches, blocks, shuffled

    orders = [shuffled(feed.train, seed=0, epoch=epoch) for epoch in (1, 2)]
    assert (orders[0] != orders[1]).any()
    for order in orders:
        assert sorted(order) == sorted(feed.train)
        cut = blocks(*batches(order, 32), 2)
        seen = [row[:size] for rows, sizes, _ in cut
                for row, size in zip(rows, sizes, strict=False)]  # fmt: skip
        assert (np.concatenate(seen) == order).all()


@pytest.mark.slow
def test_patience_stops_and_keeps_the_best_weights(feed):
    training = Training(epochs=50, learning_rate=0.05, patience=2)
    model, epochs = run(feed, training)
    losses = [epoch.validation_loss for epoch in epochs]
    best = int(np.argmin(losses))
    assert len(epochs) == best + 3 < 50
    again, _ = run(feed, Training(epochs=best + 1, learning_rate=0.05, patience=0))
    assert same(model, again)


@pytest.mark.slow
def test_without_patience_the_last_weights_stay(feed):
    model, epochs = run(feed, Training(epochs=4, patience=0))
    assert len(epochs) == 4
    longer, _ = run(feed, Training(epochs=5, patience=0))
    assert not same(model, longer)


def test_without_validation_the_training_loss_is_watched(feed):
    from dataclasses import replace

    _, epochs = run(replace(feed, validation=feed.validation[:0]), Training(epochs=3))
    assert [epoch.validation_loss for epoch in epochs] == [None] * 3
    assert all(epoch.best for epoch in epochs)


@pytest.mark.slow
def test_closing_stops_cleanly_with_the_best_weights(feed):
    from forecast_cli.networks.training_loop import fit

    used = runner(feed, Training(epochs=50))
    with closing(fit(used)) as epochs:
        assert [next(epochs).number for _ in range(3)] == [1, 2, 3]
    stopped = used.network.get_weights()
    whole, _ = run(feed, Training(epochs=3, patience=0))
    assert all(map(np.array_equal, stopped, whole.get_weights()))


def test_fewer_steps_an_epoch_see_fewer_windows(feed):
    _, epochs = run(feed, Training(epochs=1, batch_size=10, steps_per_epoch=3))
    assert epochs[0].windows == 30


@pytest.mark.slow
def test_clipping_bounds_the_step(feed):
    plain = Training(epochs=1, batch_size=75, optimizer="sgd", learning_rate=1.0, patience=0)
    before = network().get_weights()
    for clip in (0.01, 0.001):
        after, _ = run(feed, plain.model_copy(update={"clip": clip}))
        moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in
                            zip(after.get_weights(), before, strict=True)))  # fmt: skip
        assert moved == pytest.approx(clip, rel=1e-3)


def test_a_loss_that_blows_up_stops_with_the_epoch_and_what_to_try(feed):
    training = Training(optimizer="sgd", learning_rate=1e30, patience=0)
    with pytest.raises(TrainingError, match=r"in epoch 1 .*learning rate 1e\+30.*`clip=1`"):
        run(feed, training)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.1, 0.1, 0.1]),
        ("cosine", [0.1, 0.075, 0.025]),
        ("exponential", [0.1, 0.01, 0.001]),
    ],
)
def test_the_learning_rate_falls_as_scheduled(feed, schedule, rates):
    training = Training(epochs=3, learning_rate=0.1, schedule=schedule, patience=0)
    _, epochs = run(feed, training)
    assert [epoch.learning_rate for epoch in epochs] == pytest.approx(rates)


def test_the_rate_of_an_epoch_is_that_of_its_steps(feed):
    falling = Training(epochs=2, batch_size=75, optimizer="sgd", learning_rate=1.0, clip=0.01,
                       schedule="exponential", patience=0)  # fmt: skip
    first, _ = run(feed, falling.model_copy(update={"epochs": 1, "schedule": "constant"}))
    second, _ = run(feed, falling)
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in
                        zip(first.get_weights(), second.get_weights(), strict=True)))  # fmt: skip
    assert moved == pytest.approx(0.01 * 0.01, rel=1e-2)


def test_a_plateau_halves_the_rate_after_five_epochs_without_improvement():
    from forecast_cli.networks.epochs import learning_rate

    training = Training(learning_rate=1.0, schedule="plateau")
    losses = [3.0, 2.0, *[2.5] * 10]
    rates = [learning_rate(training, losses[:done]) for done in range(len(losses) + 1)]
    assert rates == [1.0] * 7 + [0.5] * 5 + [0.25]


@pytest.mark.slow
def test_weights_decay_as_asked(feed):
    training = Training(epochs=1, batch_size=75, optimizer="sgd", learning_rate=1e-9, patience=0)
    before = network().get_weights()
    after, _ = run(feed, training.model_copy(update={"weight_decay": 0.5, "learning_rate": 1e-2}))
    plain, _ = run(feed, training.model_copy(update={"learning_rate": 1e-2}))
    for start, decayed, kept in zip(before, after.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(kept - decayed, 0.5 * 1e-2 * start, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"]
)
def test_every_optimizer_lowers_the_loss(feed, name):
    _, epochs = run(feed, Training(epochs=6, optimizer=name, learning_rate=0.003))
    assert epochs[-1].loss < epochs[0].loss


@pytest.mark.parametrize("last", [1, 2, 9])
def test_averaged_weights_are_the_mean_of_those_after_the_last_epochs(feed, last):
    from forecast_cli.networks.training_loop import fit

    plain = Training(epochs=4, patience=0, learning_rate=0.01)
    used, after = runner(feed, plain), []
    for _ in fit(used):
        after.append(used.network.get_weights())
    averaged, _ = run(feed, plain.model_copy(update={"average": last}))
    for ours, *theirs in zip(averaged.get_weights(), *after[-last:], strict=True):
        np.testing.assert_allclose(ours, np.mean(theirs, axis=0), atol=1e-7)


def test_closing_leaves_the_mean_of_the_epochs_so_far(feed):
    from forecast_cli.networks.training_loop import fit

    training = Training(epochs=50, patience=0, average=2)
    used = runner(feed, training)
    with closing(fit(used)) as epochs:
        assert [next(epochs).number for _ in range(3)] == [1, 2, 3]
    stopped = used.network.get_weights()
    whole, _ = run(feed, training.model_copy(update={"epochs": 3}))
    assert all(map(np.array_equal, stopped, whole.get_weights()))


@given(
    epochs=st.integers(1, 1000),
    done=st.integers(1, 1000),
    more=st.floats(-1e9, 1e9),
    less=st.floats(0, 1e6),
)
def test_epochs_that_fit_into_the_time(epochs, done, more, less):
    from forecast_cli.networks.training_loop import fitting

    done = min(done, epochs)
    count = fitting(epochs, done, more)
    # What is done is done, and two are always run; never more than were asked for.
    assert max(done, min(2, epochs)) <= count <= epochs
    assert count <= max(done + max(more, 0), 2)
    # Less time, fewer epochs; with time for all there are all.
    assert fitting(epochs, done, more - less) <= count
    assert fitting(epochs, done, float(epochs)) == epochs


def test_a_tiny_budget_ends_after_two_epochs(feed):
    training = Training(epochs=50, patience=0)
    model, epochs = run(feed, training, seconds=0.0)
    assert [epoch.number for epoch in epochs] == [1, 2]
    assert [epoch.epochs for epoch in epochs] == [2, 2]
    assert same(model, run(feed, training.model_copy(update={"epochs": 2}))[0])
    assert len(run(feed, Training(epochs=1), seconds=0.0)[1]) == 1


def test_the_learning_rate_falls_by_the_end_that_the_budget_sets(feed, monkeypatch):
    from forecast_cli.networks import training_loop as module

    # By the clock each epoch takes a second of the twelve.
    clock = iter(range(100))
    monkeypatch.setattr(module, "perf_counter", lambda: float(next(clock)))
    used = runner(feed, Training(epochs=50, schedule="cosine", patience=0))
    once = used.run

    def second(losses, on_event):
        from dataclasses import replace

        return replace(once(losses, on_event), seconds=1.0)

    monkeypatch.setattr(used, "run", second)
    epochs = list(module.fit(used, seconds=12.0))
    assert len(epochs) == 12
    assert {epoch.epochs for epoch in epochs} == {12}
    rates = [epoch.learning_rate for epoch in epochs]
    expected = [0.0005 * (1 + np.cos(np.pi * done / 12)) for done in range(1, 12)]
    assert rates == pytest.approx([0.001, *expected])
