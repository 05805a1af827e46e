"""Several networks made one: what each of them gives, and that each is trained as if alone."""

from collections import OrderedDict
from contextlib import closing

import numpy as np
import pytest

from forecast_cli.config.covariates import Inputs, plain_inputs
from forecast_cli.config.layers import Gru, Lstm
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure
from forecast_cli.config.sections import Training
from forecast_cli.core.scaling import Scaling, Units

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 8, 4
RNG = np.random.default_rng(0)
WINDOWS = RNG.normal(size=(5, TIMESTEPS, 3)).astype(np.float32)
# Two targets, in an order of their own.
PLAIN = plain_inputs(3, (2, 0))
# The last feature is known ahead.
COMING = Inputs(features=3, targets=(1, 0), columns=2, known=(2,), ahead=(2,))
AHEAD = RNG.normal(size=(5, HORIZON, 1)).astype(np.float32)
MAPS = RNG.normal(size=(2, 2, TIMESTEPS, HORIZON)).astype(np.float32)
STEPS = (8, 5, 8)


def networks(inputs=PLAIN, outputs=(HORIZON, 2), steps=STEPS):
    """Small ones of unlike seeds, which read unlike numbers of steps."""
    from forecast_cli.networks.build import build

    network = Network(layers=(Gru(units=3),), anchor="last")
    return [build(network, back, inputs, outputs, seed=seed) for seed, back in enumerate(steps)]


def whole(members, inputs=PLAIN, outputs=(HORIZON, 2), **how):
    from forecast_cli.networks.ensemble_graph import combined

    how = {"maps": None, "combine": "mean"} | how
    return combined(members, (TIMESTEPS, inputs, outputs), **how)


def each(members, *more):
    """What the members give by themselves, each of its own last steps."""
    forecasts = []
    for network in members:
        first = network.inputs[0].shape[1]
        given = [WINDOWS[:, TIMESTEPS - first :], *more]
        forecasts.append(np.asarray(network(given if more else given[0])))
    return forecasts


def of_maps(targets=(2, 0)):
    return [
        np.stack([WINDOWS[..., at] @ one[place] for place, at in enumerate(targets)], axis=-1)
        for one in MAPS
    ]


# What one forecast is made of.


@pytest.mark.slow
@pytest.mark.parametrize("maps", [None, MAPS], ids=["networks alone", "with maps"])
@pytest.mark.parametrize("combine", ["mean", "median", "weights"])
def test_the_whole_is_the_mean_median_or_weighted_sum_of_its_members(combine, maps):
    members = networks()
    every = np.stack(each(members) + (of_maps() if maps is not None else []))
    shares = RNG.dirichlet(np.ones(len(every)), size=2).T.astype(np.float32)
    expected = {
        "mean": every.mean(axis=0),
        "median": np.median(every, axis=0),
        "weights": (every * shares[:, None, None]).sum(axis=0),
    }[combine]
    model = whole(members, maps=maps, combine=combine, weights=shares)
    np.testing.assert_allclose(model(WINDOWS), expected, atol=1e-5)


def test_weights_that_are_not_known_yet_are_equal():
    members = networks()
    model = whole(members, maps=MAPS, combine="weights")
    expected = np.mean(each(members) + of_maps(), axis=0)
    np.testing.assert_allclose(model(WINDOWS), expected, atol=1e-5)


def test_a_map_alone_in_weight_is_the_window_times_its_matrix():
    shares = np.zeros((5, 2), np.float32)
    shares[3, 0] = shares[4, 1] = 1.0
    model = whole(networks(), maps=MAPS, combine="weights", weights=shares)
    first, second = of_maps()
    expected = np.stack([first[..., 0], second[..., 1]], axis=-1)
    np.testing.assert_allclose(model(WINDOWS), expected, atol=1e-5)


def test_a_member_with_a_shorter_window_reads_the_last_steps_alone():
    changed = WINDOWS.copy()
    changed[:, :3] += 1
    short = whole(networks(steps=(5,)))
    np.testing.assert_array_equal(short(WINDOWS), short(changed))
    changed = WINDOWS.copy()
    changed[:, 3] += 1
    assert np.abs(np.asarray(short(changed)) - short(WINDOWS)).max() > 1e-5
    longer = whole(networks(steps=(8, 5)))
    assert longer.inputs[0].shape == (None, TIMESTEPS, 3)


@pytest.mark.parametrize("combine", ["mean", "weights"])
def test_what_is_known_ahead_reaches_every_member(combine):
    members = networks(COMING)
    model = whole(members, COMING, combine=combine)
    expected = np.mean(each(members, AHEAD), axis=0)
    np.testing.assert_allclose(model([WINDOWS, AHEAD]), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("combine", ["mean", "median", "weights"])
def test_quantiles_are_combined_one_by_one(combine):
    outputs = (HORIZON, 2, 5)
    members = networks(outputs=outputs)
    every = np.stack(each(members))
    shares = np.array([[0.5, 0.0], [0.3, 1.0], [0.2, 0.0]], np.float32)
    expected = {
        "mean": every.mean(axis=0),
        "median": np.median(every, axis=0),
        "weights": (every * shares[:, None, None, :, None]).sum(axis=0),
    }[combine]
    model = whole(members, outputs=outputs, combine=combine, weights=shares)
    np.testing.assert_allclose(model(WINDOWS), expected, atol=1e-5)
    assert (np.diff(model(WINDOWS), axis=-1) >= 0).all()


@pytest.mark.parametrize("combine", ["mean", "median"])
def test_the_spread_is_the_deviation_of_all_around_the_forecast(combine):
    members = networks()
    every = np.stack(each(members) + of_maps())
    model = whole(members, maps=MAPS, combine=combine, spread=True)
    low, middle, high = np.moveaxis(np.asarray(model(WINDOWS)), -1, 0)
    expected = every.mean(axis=0) if combine == "mean" else np.median(every, axis=0)
    np.testing.assert_allclose(middle, expected, atol=1e-5)
    np.testing.assert_allclose(high - middle, every.std(axis=0), atol=1e-5)
    np.testing.assert_allclose(middle - low, every.std(axis=0), atol=1e-5)


@pytest.mark.slow
def test_forecasts_of_many_windows_are_those_of_each(monkeypatch):
    from forecast_cli.networks.ensemble_graph import forecast_windows

    monkeypatch.setattr("forecast_cli.networks.ensemble_graph.BATCH", 2)
    members = networks(COMING)
    for network, expected in zip(members, each(members, AHEAD), strict=True):
        np.testing.assert_allclose(forecast_windows(network, [WINDOWS, AHEAD]), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("combine", ["median", "weights"])
def test_the_export_is_the_whole_and_the_weights_file_brings_all_back(combine):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx, weights_bytes, with_weights

    shares = RNG.dirichlet(np.ones(5), size=2).T.astype(np.float32)
    how = {"combine": combine, "spread": True}
    model = whole(networks(), maps=MAPS, weights=shares, **how)
    runtime = Runtime(export_onnx(model, WINDOWS))
    expected = np.asarray(model(WINDOWS))
    assert runtime.quantile_count == 3
    np.testing.assert_allclose(runtime.quantiles(WINDOWS), expected, atol=1e-5)
    np.testing.assert_allclose(runtime(WINDOWS[:1]), expected[:1, ..., 1], atol=1e-5)
    others = networks()
    for network in others:
        network.set_weights([0 * weights for weights in network.get_weights()])
    again = whole(others, maps=0 * MAPS, **how)
    assert np.abs(np.asarray(again(WINDOWS)) - expected).max() > 1e-3
    with_weights(again, weights_bytes(model))
    np.testing.assert_array_equal(again(WINDOWS), expected)


# Trained one after the other from shared compiled code.

VALUES = np.sin(np.arange(120) / 5).astype(np.float32)[:, None]
UNITS = Units(Scaling("minmax", np.full((1, 1), 5.0), np.ones((1, 1))), np.ones((1, 1)))


def feed(timesteps=3, rows=120, units=None):
    from forecast_cli.networks.batches import WindowFeed

    starts = np.arange(rows - 20, dtype=np.int32)
    parts = starts[: rows - 45], starts[rows - 35 :]
    return WindowFeed(VALUES[:rows], plain_inputs(1, (0,)), *parts, timesteps, 2, units=units)


def trained(should_stop=bool, on_event=lambda _: None, rows=120, **settings):
    from forecast_cli.networks.ensemble_training import EnsembleTrainer, train_members

    settings = {"units": 3, "epochs": 2, "patience": 0, "timesteps": 3} | settings
    config = configure(settings)
    losses = config.training.model_copy(update={"loss": config.training.loss or "mse"})
    config = config.model_copy(update={"training": losses})
    units = UNITS if config.training.loss == "mape" else None
    feeds = {back: feed(back, rows, units) for back in (*config.ensemble.timesteps, 3)}
    return list(
        train_members(
            EnsembleTrainer(config, feeds.__getitem__), on_event=on_event, should_stop=should_stop
        )
    )


def same(first, second):
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


KINDS = {
    "plain": {"ensemble": 3},
    "dropout": {"dropout": 0.3, "recurrent_dropout": 0.2, "clip": 0.1, "schedule": "plateau"},
    "teacher": {"head": "encoder-decoder", "decoder": "teacher", "dropout": 0.3, "average": 2},
    "patience": {"ema": 0.9, "patience": 1, "epochs": 6, "learning_rate": 0.3},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_members_are_the_networks_that_training_alone_gives(kind):
    settings = dict(KINDS[kind])
    size = settings.pop("ensemble", 2)
    together = trained(ensemble=size, **settings)
    assert len(together) == size
    for seed, (network, course) in enumerate(together):
        ((alone, own),) = trained(seed=seed, **settings)
        assert same(network, alone)
        assert course.training == own.training
        assert [one.loss for one in course.epochs] == [one.loss for one in own.epochs]
        assert course.best == own.best
    assert not same(together[0][0], together[1][0])


@pytest.mark.slow
def test_losses_anchors_and_windows_are_taken_by_turns():
    turns = {"loss": ("mae", "mse"), "anchor": ("last", "none"), "timesteps": (3, 2, 3, 2)}
    together = trained(
        ensemble=4,
        seed=5,
        epochs=1,
        dropout=0.2,
        member_losses=turns["loss"],
        member_anchors=turns["anchor"],
        member_timesteps=turns["timesteps"],
    )
    for number in (0, 1, 2):
        network, course = together[number]
        ((alone, own),) = trained(
            seed=5 + number,
            epochs=1,
            dropout=0.2,
            loss=turns["loss"][number % 2],
            anchor=turns["anchor"][number % 2],
            member_timesteps=(turns["timesteps"][number],),
        )
        assert course.training == own.training
        assert network.inputs[0].shape[1] == turns["timesteps"][number]
        assert same(network, alone)


@pytest.fixture
def compiled(monkeypatch) -> list[str]:
    """The losses of the training steps that are compiled, where nothing is before."""
    from forecast_cli.networks import ensemble_training as members

    made: list[str] = []

    class Counted(members.Runner):
        def _train_block(self, *given):
            made.append(self.training.loss)
            return super()._train_block(*given)

    monkeypatch.setattr(members, "Runner", Counted)
    monkeypatch.setattr(members, "FINISHED", OrderedDict())
    return made


def test_code_is_compiled_once_for_all_that_are_alike(compiled):
    trained(ensemble=4, member_losses=("mae", "mse"))
    assert compiled == ["mae", "mse"]


@pytest.mark.parametrize("how", [{"dropout": 0.3}, {"ema": 0.9}])
def test_a_training_on_other_rows_goes_on_with_the_compiled_code(compiled, how):
    from forecast_cli.networks import ensemble_training as members

    trained(rows=90, seed=7, epochs=3, learning_rate=0.1, **how)
    ((used, course),) = trained(**how)
    assert compiled == ["mse"]
    compiled.clear()
    members.FINISHED.clear()
    ((new, own),) = trained(**how)
    assert compiled == ["mse"]
    assert same(used, new)
    assert [each.loss for each in course.epochs] == [each.loss for each in own.epochs]


def test_losses_in_original_units_are_compiled_for_their_data(compiled):
    trained(loss="mape")
    trained(loss="mape")
    assert compiled == ["mape", "mape"]


def test_a_training_within_another_has_code_of_its_own(compiled):
    inner = []

    def train_another():
        if not inner:
            inner.append(None)
            inner[:] = trained(seed=2)
        return False

    ((outer, _),) = trained(should_stop=train_another, seed=1)
    assert compiled == ["mse", "mse"]
    assert same(outer, trained(seed=1)[0][0])
    assert same(inner[0][0], trained(seed=2)[0][0])


@pytest.mark.parametrize(
    "optimizer", ["adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "adagrad", "lion"]
)
def test_starting_anew_leaves_nothing_of_the_member_before(optimizer):
    from forecast_cli.networks.build import build
    from forecast_cli.networks.train_step import Runner

    training = Training(ema=0.9, optimizer=optimizer)
    other = training.model_copy(update={"seed": 1})
    layers = Network(layers=(Lstm(units=3, dropout=0.3),))
    first, second, third = (build(layers, 3, 1, (2, 1), seed=seed) for seed in (0, 1, 1))
    used, new = Runner(first, feed(), training), Runner(third, feed(), other)
    for variable in (*used.optimizer.variables, *first.variables):
        variable.assign(0 * variable.value + 7)
    used.raw, used.epochs = first.get_weights(), 1
    used.restart(second, other, used.feed)
    assert (used.raw, used.epochs, used.training) == (None, 100, other)
    assert (used.passes.training(1)[0] == new.passes.training(1)[0]).all()
    for ours, theirs in (
        (used.optimizer.variables, new.optimizer.variables),
        (first.variables, third.variables),
    ):
        for left, expected in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(left.numpy(), expected.numpy())


def test_every_epoch_says_of_which_network_it_is():
    from forecast_cli.core.events import Epoch

    heard = []
    trained(ensemble=2, on_event=heard.append)
    epochs = [event for event in heard if isinstance(event, Epoch)]
    numbers = [(one.network, one.networks, one.number) for one in epochs]
    assert numbers == [(1, 2, 1), (1, 2, 2), (2, 2, 1), (2, 2, 2)]


@pytest.mark.slow
def test_stopping_leaves_the_networks_out_that_were_not_begun():
    heard = []
    together = trained(
        ensemble=3, epochs=3, on_event=heard.append, should_stop=lambda: len(heard) == 6
    )  # Two stages and four epochs.
    assert [len(course.epochs) for _, course in together] == [3, 1]
    assert [course.interrupted for _, course in together] == [False, True]
    ((alone, _),) = trained(seed=1, epochs=1)
    assert same(together[1][0], alone)


@pytest.mark.slow
def test_members_go_on_from_networks_that_are_given():
    from forecast_cli.networks.ensemble_training import EnsembleTrainer, train_members

    before = [network for network, _ in trained(ensemble=2)]
    config = configure(
        {"units": 3, "epochs": 1, "patience": 0, "timesteps": 3, "loss": "mse", "ensemble": 2}
        | {"learning_rate": 1e-12}
    )
    workshop = EnsembleTrainer(config, lambda _: feed(), begin=before)
    running = train_members(workshop, on_event=lambda _: None, should_stop=bool)
    with closing(running):
        for (after, _), old in zip(running, before, strict=True):
            for ours, theirs in zip(after.get_weights(), old.get_weights(), strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-7)
