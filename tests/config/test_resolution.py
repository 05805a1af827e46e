import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import typer

from forecast_cli.cli.spelling import seconds
from forecast_cli.config.members import list_members
from forecast_cli.config.resolution import configure, read_toml
from forecast_cli.config.schema import Config
from forecast_cli.core.errors import UsageError


def test_what_is_not_set_keeps_its_default():
    assert configure({}) == Config()


def test_settings_reach_their_section():
    config = configure({"timesteps": 7, "epochs": 3, "test": "2024-01-01", "scaler": "robust"})
    assert (config.window.timesteps, config.training.epochs) == (7, 3)
    assert (config.split.test, config.scaler) == ("2024-01-01", "robust")


def test_units_and_dense_spell_out_the_stack():
    layers = configure({"units": (64, 32), "dense": (5,), "cell": "gru", "dropout": 0.1}).network
    assert [(each.type, each.units) for each in layers.layers] == [
        ("gru", 64),
        ("gru", 32),
        ("dense", 5),
    ]
    assert [each.dropout for each in layers.layers[:2]] == [0.1, 0.1]


def test_flags_win_over_the_file_and_keep_the_rest_of_it():
    base = {"network": {"layers": [{"type": "lstm", "units": 9, "use_bias": False}]}}
    config = configure({"cell": "rnn"}, base)
    (layer,) = config.network.layers
    assert (layer.type, layer.units, layer.use_bias) == ("rnn", 9, False)


def test_changing_the_cell_drops_what_only_the_other_has():
    base = {"network": {"layers": [{"type": "lstm", "unit_forget_bias": False}]}}
    assert configure({"cell": "gru"}, base).network.layers[0].reset_after is True


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, 'no setting "epoch".*Did you mean "epochs"'),
        ({"epochs": 0}, "training.epochs = 0"),
        ({"dropout": 1.5}, r"network.layers.0.dropout = 1.5"),
        ({"activation": "rleu"}, 'activation "rleu" is unknown.*Did you mean "relu"'),
        ({"learning_rate": -1}, "learning_rate = -1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings, message):
    with pytest.raises(UsageError, match=message):
        configure(settings)


def test_single_names_and_dates_are_taken_as_they_are_written():
    config = configure({}, {"data": {"column": "y"}, "split": {"test": date(2024, 6, 1)}})
    assert (config.data.column, config.split.test) == (("y",), "2024-06-01")


def test_unknown_keys_of_a_file_are_refused():
    with pytest.raises(UsageError, match=r"no training\.epoch"):
        configure({}, {"training": {"epoch": 3}})


def test_a_toml_file_is_the_nested_configuration(tmp_path):
    path = tmp_path / "forecast.toml"
    path.write_text("[window]\ntimesteps = 24\n[[network.layers]]\ntype = 'gru'\nunits = 8\n")
    config = configure({}, read_toml(path))
    assert (config.window.timesteps, config.network.layers[0].type) == (24, "gru")


def test_a_broken_toml_file_is_named(tmp_path):
    path = tmp_path / "forecast.toml"
    path.write_text("[window\n")
    with pytest.raises(UsageError, match=r"forecast\.toml is not TOML"):
        read_toml(path)


def test_what_is_generated_of_the_settings_is_fresh():
    script = Path(__file__).parents[2] / "scripts" / "generate_settings.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, "run python scripts/generate_settings.py"


def test_a_configuration_survives_its_json():
    config = configure({"units": (8, 4), "dense": (3,), "column": ("a",)})
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_an_assignment_reaches_any_depth_and_wins():
    config = configure(
        {"units": (8, 4), "epochs": 3},
        assignments=[
            "network.layers.1.recurrent_regularizer=l2:0.01",
            "network.layers.0.use_bias=false",
            "training.epochs=7",
        ],
    )
    first, second = config.network.layers
    assert (first.use_bias, second.recurrent_regularizer) == (False, "l2:0.01")
    assert config.training.epochs == 7


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("network.layers.5.units=3", 'no "5".*There are: 0'),
        ("netwrk.layers.0.units=3", 'Did you mean "network"'),
        ("network.layers.0.unit=3", r"no network\.layers\.0\.unit"),
        ("training.epocs=3", r'no training\.epocs.*Did you mean "epochs"'),
        ("network.layers.0.unit=3", 'Did you mean "units"'),
        ("network.epochs=3", r"Put epochs into \[training\], or pass `epochs`"),
        ("network.units=3", r"Put units into \[\[network.layers\]\], or pass `units`"),
        ("training.epochs", "must be a path and a value"),
        ("training.epochs.more=1", "must be a path"),
        ("training.epochs=many", "training.epochs"),
    ],
)
def test_an_assignment_that_leads_nowhere_is_refused(assignment, message):
    with pytest.raises(UsageError, match=message):
        configure({}, assignments=[assignment])


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90.0), ("90s", 90.0), ("5m", 300.0), ("1.5h", 5400.0), ("0.5m", 30.0)],
)
def test_a_time_budget_is_seconds_minutes_or_hours(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "5d", "5mh", "five", "1:30", "5m3s"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(typer.BadParameter, match="is not like 90s, 5m or 1h"):
        seconds(text)


def test_settings_of_an_ensemble_reach_it():
    config = configure(
        {
            "ensemble": 3,
            "member_timesteps": [24, 12],
            "member_losses": "mae",
            "member_anchors": ("last", "none", "mean"),
            "baselines": ["naive", "seasonal-naive"],
            "combine": "weights",
            "average": 3,
            "time_budget": 60,
        }
    )
    ensemble = config.ensemble
    assert (ensemble.size, ensemble.timesteps, ensemble.losses) == (3, (24, 12), ("mae",))
    assert (ensemble.anchors, ensemble.baselines) == (
        ("last", "none", "mean"),
        ("naive", "seasonal-naive"),
    )
    assert (ensemble.combine, ensemble.alone) == ("weights", False)
    assert (config.training.average, config.training.time_budget) == (3, 60.0)
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_members_take_their_settings_by_turns_and_seeds_one_after_the_other():
    config = configure(
        {"ensemble": 5, "seed": 7, "member_timesteps": (24, 12), "member_losses": ("mae", "mse")}
        | {"member_anchors": ("last", "none", "mean"), "timesteps": 30, "units": 3}
    )
    members = list_members(config)
    assert [each.training.seed for each in members] == [7, 8, 9, 10, 11]
    assert [each.timesteps for each in members] == [24, 12, 24, 12, 24]
    assert [each.training.loss for each in members] == ["mae", "mse", "mae", "mse", "mae"]
    assert [each.network.anchor for each in members] == ["last", "none", "mean", "last", "none"]
    plain = list_members(configure({"timesteps": 30}))
    assert [(each.timesteps, each.network) for each in plain] == [(30, Config().network)]


def test_the_mean_of_the_last_epochs_leaves_patience_out():
    training = configure({"average": 3}).training
    assert (training.average, training.patience) == (3, 0)
    assert configure({"average": 3, "patience": 0}).training == training
