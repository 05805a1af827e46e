"""`forecast config`: what would be trained, and why."""

import json
import tomllib

from forecast_cli.config.schema import Config


def test_the_output_is_a_configuration_file(run, tmp_path):
    code, out, _ = run("config", "--units", "8,4", "--dense", "3", "--column", "Close")
    assert code == 0
    (tmp_path / "forecast.toml").write_text(out)
    again = run("config")[1]
    values = Config.model_validate(tomllib.loads(out))
    assert "epochs" not in values.training.model_fields_set
    assert Config.model_validate(tomllib.loads(again)) == values
    assert [layer.units for layer in values.network.layers] == [8, 4, 3]


def test_every_value_says_where_it_comes_from(run, tmp_path, monkeypatch):
    (tmp_path / "forecast.toml").write_text("[training]\npatience = 3\nseed = 4\n")
    monkeypatch.setenv("FORECAST_EPOCHS", "7")
    lines = run("config", "--seed", "5", "--cell", "gru", "--set", "window.timesteps=9")[1]
    for line in (
        "patience = 3 # forecast.toml",
        "epochs = 7 # FORECAST_EPOCHS",
        "seed = 5 # --seed",
        'type = "gru" # --cell',
        "timesteps = 9 # --set",
        "# batch_size = 32 # default",
    ):
        assert line in lines.splitlines()


def test_several_names_stand_on_lines_in_the_environment(run, monkeypatch):
    monkeypatch.setenv("FORECAST_COLUMN", "Min Temp\nMax, Temp")
    assert 'column = ["Min Temp", "Max, Temp"] # FORECAST_COLUMN' in run("config")[1]


def test_the_schema_describes_the_layers(run):
    schema = json.loads(run("config", "--schema")[1])
    assert schema["properties"].keys() == Config.model_fields.keys()
    assert "recurrent_regularizer" in schema["$defs"]["Lstm"]["properties"]


def test_json_is_the_nested_configuration(run):
    assert json.loads(run("config", "--json", "--epochs", "5")[1])["training"]["epochs"] == 5
