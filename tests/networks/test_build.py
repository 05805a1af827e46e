import pytest

from forecast_cli.config.layers import (
    Convolution,
    Dense,
    Gru,
    Lstm,
    Mask,
    Normalization,
    Recurrent,
    Rnn,
)
from forecast_cli.config.network import Network
from forecast_cli.config.resolution import configure

pytestmark = pytest.mark.tf


def built(layers, *, timesteps=3, features=1, outputs=(1, 1), seed=0, batch_size=None, **network):
    from forecast_cli.networks.build import build

    network = Network(layers=tuple(layers), **network)
    return build(network, timesteps, features, outputs, seed=seed, batch_size=batch_size)


@pytest.mark.parametrize(
    ("layers", "outputs", "parameters"),
    [
        ([Lstm(units=10), Dense(units=5)], (1, 1), 480 + 55 + 6),
        ([Lstm(units=20), Lstm(units=10)], (1, 1), 3011),
        ([Lstm(units=20), Lstm(units=10)], (2, 1), 3022),
        ([Lstm(units=20), Lstm(units=10)], (1, 2), 3022),
    ],
)
def test_parameters_are_those_of_the_tutorials(layers, outputs, parameters):
    assert built(layers, outputs=outputs).count_params() == parameters


def test_the_rows_of_inspect_are_those_of_the_summary():
    from forecast_cli.networks.build import layer_rows

    rows = layer_rows(built([Lstm(units=10), Dense(units=5)]))
    assert [(row["type"], row["shape"], row["parameters"]) for row in rows] == [
        ("InputLayer", [3, 1], 0),
        ("LSTM", [10], 480),
        ("Dense", [5], 55),
        ("Dense", [1], 6),
        ("Reshape", [1, 1], 0),
    ]


CHANGED = {
    "units": 7,
    "activation": "relu",
    "recurrent_activation": "hard_sigmoid",
    "use_bias": False,
    "kernel_initializer": "he_normal",
    "recurrent_initializer": "glorot_normal",
    "bias_initializer": "ones",
    "unit_forget_bias": False,
    "kernel_regularizer": "l2:0.5",
    "recurrent_regularizer": "l1:0.5",
    "bias_regularizer": "l1_l2:0.5,0.25",
    "activity_regularizer": "l2:0.5",
    "kernel_constraint": "max_norm:0.5",
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
    "dropout": 0.3,
    "recurrent_dropout": 0.2,
    "seed": 11,
    "go_backwards": True,
    "unroll": True,
    "stateful": True,
    "zero_output_for_mask": True,
    "reset_after": False,
    "implementation": 1,
    "use_cudnn": False,
    "filters": 5,
    "kernel_size": 2,
    "dilation_rate": 2,
    "epsilon": 0.5,
}
# Shown by tests of their own below.
NOT_OF_THE_LAYER = {
    "type",
    "bidirectional",
    "merge_mode",
    "residual",
    "return_sequences",
    "return_state",
}
CLASSES = {"l1": "L1", "l2": "L2", "l1_l2": "L1L2"}


def held(layer, name):
    """What a built layer holds of a setting, as it is written in the configuration."""
    value = getattr(layer.cell if name in {"implementation", "seed"} else layer, name)
    if name in {"kernel_size", "dilation_rate"}:
        return value[0]
    if callable(value):
        return getattr(value, "__name__", None) or type(value).__name__
    return value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in (Lstm, Gru, Rnn, Dense, Convolution, Normalization)
        for name in kind.model_fields
        if name not in NOT_OF_THE_LAYER
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_option_reaches_its_layer(kind, name):
    changed = kind(**{name: CHANGED[name]})
    masked = name == "zero_output_for_mask"
    stack = [changed] if isinstance(changed, Recurrent) else [changed, Lstm()]
    network = built(
        [Mask(), *stack] if masked else stack, batch_size=4 if name == "stateful" else None
    )
    expected = CHANGED[name]
    if name.endswith(("initializer", "regularizer", "constraint")):
        word = expected.split(":")[0]
        expected = CLASSES.get(word, "".join(part.capitalize() for part in word.split("_")))
    layer = next(each for each in network.layers if each.name.startswith(changed.type))
    assert held(layer, name) == expected


@pytest.mark.parametrize("kind", [Lstm, Gru, Rnn])
@pytest.mark.parametrize(
    "name",
    ["kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "activity_regularizer"],
)
def test_every_penalty_is_in_the_loss(kind, name):
    import numpy as np

    network = built([kind(**{name: "l1:0.5"}, bias_initializer="ones")])
    network(np.ones((2, 3, 1), np.float32), training=True)
    (penalty,) = network.losses
    layer = network.layers[1]
    weights = dict(zip(["kernel", "recurrent", "bias"], layer.get_weights(), strict=True))
    # Keras takes the penalty on outputs as a mean over the batch.
    states = np.asarray(layer(np.ones((2, 3, 1), np.float32))) / 2
    summed = np.abs(weights.get(name.split("_")[0], states)).sum()
    assert float(penalty) == pytest.approx(0.5 * summed, rel=1e-5)


@pytest.mark.parametrize(
    ("merge", "width"), [(None, 12), ("concat", 12), ("sum", 6), ("mul", 6), ("ave", 6)]
)
def test_both_directions_are_merged_as_asked(merge, width):
    layer = built([Gru(units=6, bidirectional=True, merge_mode=merge)]).layers[1]
    assert layer.output.shape == (None, width)
    assert layer.merge_mode == (merge or "concat")


def test_residual_layers_add_what_they_read():
    import numpy as np

    network = built([Lstm(units=4), Lstm(units=4, residual=True), Rnn(units=3, residual=True)],
                    timesteps=5, features=2)  # fmt: skip
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("Add") == 2
    assert "rnn_3_residual" in [layer.name for layer in network.layers]
    assert np.isfinite(network(np.ones((2, 5, 2), np.float32))).all()


def test_a_causal_convolution_does_not_see_later_steps():
    import keras
    import numpy as np

    network = built([Convolution(filters=3), Lstm()], timesteps=6, features=2)
    early = keras.Model(network.inputs[0], network.layers[1].output)
    window = np.random.default_rng(0).normal(size=(1, 6, 2)).astype(np.float32)
    changed = window.copy()
    changed[:, 4:] += 1
    before, after = np.asarray(early(window)), np.asarray(early(changed))
    assert (before[:, :4] == after[:, :4]).all()
    assert (before[:, 4:] != after[:, 4:]).any()


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([{"type": "dense"}], "at least one layer of type lstm"),
        ([{"type": "gru"}, {"type": "conv"}], "before the last recurrent layer"),
        ([{"type": "gru", "merge_mode": "sum"}], "`merge_mode` needs `bidirectional=true`"),
        (
            [{"type": "gru", "bidirectional": True, "go_backwards": True}],
            "`go_backwards` has no effect",
        ),
        ([{"type": "gru", "kernel_regularizer": "l3:1"}], "l1:x, l2:x, l1_l2:x,x"),
        ([{"type": "gru", "bias_constraint": "max_norm"}], "max_norm:x"),
        ([{"type": "rnn", "reset_after": True}], "reset_after"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(layers, why):
    from forecast_cli.core.errors import UsageError

    with pytest.raises(UsageError, match=why):
        configure({}, {"network": {"layers": layers}})


def test_only_the_last_recurrent_layer_gives_one_state():
    network = built([Gru(units=4), Rnn(units=3)], timesteps=25, features=8, outputs=(10, 2))
    shapes = [layer.output.shape[1:] for layer in network.layers]
    assert shapes == [(25, 8), (25, 4), (3,), (20,), (10, 2)]


def test_the_seed_decides_the_weights_and_nothing_else_is_disturbed():
    import random

    # What is loaded with the first network draws too.
    built([Lstm()])
    random.seed(5)
    expected = random.Random(5).random()
    first, second, other = (built([Lstm()], seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert (first[0] != other[0]).any()
    assert random.random() == expected


def test_another_thread_that_draws_random_numbers_changes_no_weights():
    import random
    import threading

    stopped = threading.Event()

    def draw():
        while not stopped.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    first = built([Lstm(), Gru()], seed=1).get_weights()
    thread.start()
    try:
        second = built([Lstm(), Gru()], seed=1).get_weights()
    finally:
        stopped.set()
        thread.join()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_every_flag_of_the_network_changes_it():
    plain = configure({}).network
    settings = {
        "cell": "gru", "units": (8, 4), "dense": (3,), "activation": "relu", "dropout": 0.2,
        "recurrent_dropout": 0.2, "bidirectional": True,
    }  # fmt: skip
    for name, value in settings.items():
        assert configure({name: value}).network != plain, name
