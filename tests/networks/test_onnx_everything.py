"""ONNX equals Keras for every pair of what a network can be made of."""

from itertools import combinations, product
from typing import get_args

import numpy as np
import pytest

from forecast_cli.config.covariates import plain_inputs
from forecast_cli.config.layers import Activation, Dense, Gru, Lstm, Mask, Normalization, Rnn
from forecast_cli.config.network import Network
from forecast_cli.config.sections import Training

pytestmark = pytest.mark.tf
TIMESTEPS, HORIZON = 6, 5
PROBES = np.random.default_rng(0).normal(size=(7, TIMESTEPS, 2)).astype(np.float32)
CELLS = {"lstm": Lstm, "gru": Gru, "rnn": Rnn}
HEADS = {
    "last": {"head": "last"},
    "sequence": {"head": "sequence"},
    "repeat": {"head": "encoder-decoder"},
    "teacher": {"head": "encoder-decoder", "decoder": "teacher"},
    "recursive": {"head": "recursive"},
    "segments": {"head": "segments", "segment": 3},
}
STACKS = {
    "plain": lambda cell: [cell(units=4)],
    "bidirectional": lambda cell: [cell(units=4, bidirectional=True, merge_mode="ave")],
    "residual": lambda cell: [cell(units=4), cell(units=3, residual=True)],
    "stacked": lambda cell: [
        cell(units=4), Normalization(), cell(units=3), Dense(units=3, activation="relu"),
        Normalization(),
    ],
}  # fmt: skip
AROUND = {
    "as it is": {},
    "relative": {"anchor": "last", "window_scale": "std", "skip": "linear"},
    "season": {"anchor": "season", "season_length": 3},
    "mask": {},
    "channels": {"channels": "independent"},
}


def possible(case):
    _, head, stack, around = case
    if head == "sequence":
        return stack != "bidirectional" and around not in ("relative", "season")
    return not (stack == "residual" and head in ("repeat", "teacher"))


def pairs(case):
    return set(combinations(enumerate(case), 2))


def covering():
    """Few cases in which every possible pair of choices comes up."""
    cases = [case for case in product(CELLS, HEADS, STACKS, AROUND) if possible(case)]
    left = set().union(*map(pairs, cases))
    chosen = []
    while left:
        chosen.append(max(cases, key=lambda case: len(left & pairs(case))))
        left -= pairs(chosen[-1])
    return chosen


def same_as_keras(network, windows):
    from forecast_cli.model.runtime import Runtime
    from forecast_cli.networks.onnx_export import export_onnx

    runtime = Runtime(export_onnx(network, windows))
    for count in (1, 7):
        expected = np.asarray(network(windows[:count], training=False))
        assert expected.shape == (count, HORIZON, 2)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(runtime(windows[:count]), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", covering(), ids=", ".join)
def test_onnx_equals_keras_for_every_pair_of_choices(case):
    from forecast_cli.networks.build import build

    cell, head, stack, around = case
    layers = [Mask()] * (around == "mask") + STACKS[stack](CELLS[cell])
    network = build(
        Network(layers=tuple(layers), **HEADS[head], **AROUND[around]),
        TIMESTEPS, 2, (HORIZON, 2), seed=0, targets=(0, 1) if around == "channels" else (1, 0),
    )  # fmt: skip
    draw = np.random.default_rng(1)
    for layer in network.layers:
        if layer.name == "skip":
            layer.set_weights([draw.normal(size=weight.shape) for weight in layer.get_weights()])
    windows = PROBES.copy()
    if around == "mask":
        windows[0, 0], windows[1, 4:], windows[2, 2:4, 1], windows[3] = (np.nan,) * 4
    same_as_keras(network, windows)


RISKY = ("celu", "gelu")
TAME = [name for name in get_args(Activation) if name not in RISKY]


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [*([name] for name in RISKY), TAME[::3], TAME[1::3], TAME[2::3]], ids=", ".join
)
def test_every_activation_can_be_saved(names):
    from forecast_cli.networks.build import build

    inner = [
        layer for name in names for layer in (Dense(units=3, activation=name), Normalization())
    ]
    layers = (*inner, Gru(units=3, activation=names[0]), Lstm(units=3, activation=names[-1]))
    same_as_keras(build(Network(layers=layers), TIMESTEPS, 2, (HORIZON, 2), seed=0), PROBES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layers",
    [
        [Gru(units=3, bidirectional=True, activity_regularizer="l2:0.1")],
        [Rnn(units=3), Dense(units=3, activity_regularizer="l1:0.1")],
        [Gru(units=3, dropout=0.2, implementation=1)],
        [Lstm(units=3, dropout=0.2, recurrent_dropout=0.2, bidirectional=True)],
        [Rnn(units=3, dropout=0.2, recurrent_dropout=0.2, bidirectional=True)],
    ],
    ids=[
        "activity both ways", "activity of dense", "dropout by gates", "dropouts of lstm",
        "dropouts of rnn",
    ],
)  # fmt: skip
def test_penalties_and_dropout_can_be_trained_with_and_saved(layers):
    from forecast_cli.networks.batches import WindowFeed
    from forecast_cli.networks.build import build
    from forecast_cli.networks.train_step import Runner
    from forecast_cli.networks.training_loop import fit

    values = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    starts = np.arange(40, dtype=np.int32)
    feed = WindowFeed(
        values, plain_inputs(values.shape[1], (0, 1)), starts, starts[:0], TIMESTEPS, HORIZON
    )
    network = build(Network(layers=tuple(layers)), *feed.shape, seed=0)
    (epoch,) = fit(Runner(network, feed, Training(epochs=1, steps_per_epoch=1)))
    assert np.isfinite(epoch.loss)
    same_as_keras(network, PROBES)
