import pytest

from forecast_cli.config import Dense, Gru, Lstm, Network, Rnn
from forecast_cli.settings import configure

pytestmark = pytest.mark.tf


def built(layers, *, timesteps=3, features=1, outputs=(1, 1), seed=0):
    from forecast_cli.nn.build import build

    network = Network(layers=tuple(layers))
    return build(network, timesteps=timesteps, features=features, outputs=outputs, seed=seed)


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
    from forecast_cli.nn.build import layer_rows

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
    "dropout": 0.3,
    "recurrent_dropout": 0.2,
    "go_backwards": True,
    "unroll": True,
    "reset_after": False,
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind in (Lstm, Gru, Rnn, Dense)
        for name in kind.model_fields
        if name not in {"type", "bidirectional"}
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_option_reaches_its_layer(kind, name):
    layer = built([kind(**{name: CHANGED[name]})] if kind is not Dense else
                  [Lstm(), Dense(**{name: CHANGED[name]})]).layers[1 + (kind is Dense)]  # fmt: skip
    value = getattr(layer, name)
    if callable(value):
        value = getattr(value, "__name__", None) or type(value).__name__
    expected = CHANGED[name]
    if name.endswith("initializer"):
        expected = "".join(word.capitalize() for word in expected.split("_"))
    assert value == expected


def test_bidirectional_doubles_the_state():
    assert built([Lstm(units=6, bidirectional=True)]).layers[1].output.shape == (None, 12)


def test_only_the_last_recurrent_layer_gives_one_state():
    network = built([Gru(units=4), Rnn(units=3)], timesteps=25, features=8, outputs=(10, 2))
    shapes = [layer.output.shape[1:] for layer in network.layers]
    assert shapes == [(25, 8), (25, 4), (3,), (20,), (10, 2)]


def test_the_seed_decides_the_weights_and_nothing_else_is_disturbed():
    import random

    random.seed(5)
    expected = random.Random(5).random()
    first, second, other = (built([Lstm()], seed=seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert (first[0] != other[0]).any()
    assert random.random() == expected


def test_every_flag_of_the_network_changes_it():
    plain = configure({}).network
    settings = {
        "cell": "gru", "units": (8, 4), "dense": (3,), "activation": "relu", "dropout": 0.2,
        "recurrent_dropout": 0.2, "bidirectional": True,
    }  # fmt: skip
    for name, value in settings.items():
        assert configure({name: value}).network != plain, name
