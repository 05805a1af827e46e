"""`forecast config`: what would be trained, and why."""

import json
import tomllib

import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.config.resolution import configure
from forecast_cli.config.schema import Config
from forecast_cli.config.searchable import flatten_names
from forecast_cli.config.settings import BY_PRESET, SETTINGS
from forecast_cli.core.events import ignore
from forecast_cli.training.pipeline import read_dataset


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
        "# batch_size: by preset",
        '# optimizer = "adam" # default',
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
    assert (
        json.loads(run("config", "--json", "--epochs", "5")[1])["config"]["training"]["epochs"] == 5
    )


def test_what_the_preset_chooses_has_no_value_before_there_is_a_table(run):
    given = json.loads(run("config", "--json", "--units", "8")[1])["config"]
    assert given["network"]["layers"][0]["units"] == 8
    assert not {"epochs", "learning_rate"} & {*given["training"]}
    assert "type" not in given["network"]["layers"][0]
    plain = json.loads(run("config", "--json", "--preset", "classic")[1])["config"]
    assert plain["training"]["epochs"] == 100


FLAGS = ("--column", "value", "--epochs", "1")


def test_for_a_table_every_value_is_resolved_and_says_where_it_comes_from(
    run, table, tmp_path, monkeypatch
):
    monkeypatch.setenv("FORECAST_CLIP", "2")
    (tmp_path / "forecast.toml").write_text("[training]\nseed = 4\n")
    code, out, err = run("config", "--for", table, *FLAGS, "--units", "8", "--set", "level=[90]")
    assert code == 0
    assert "preset auto with units 8" in err
    for line in (
        'preset = "auto" # default',
        "epochs = 1 # --epochs",
        "seed = 4 # forecast.toml",
        "clip = 2.0 # FORECAST_CLIP",
        "level = [90.0] # --set",
        'type = "lstm" # preset auto',
        "units = 8 # --units",
        "learning_rate = 0.003 # preset auto",
        "horizon = 12 # data",
        'optimizer = "adam" # default',
    ):
        assert line in out.splitlines()
    document = json.loads(run("config", "--for", table, *FLAGS, "--json")[1])
    assert document["config"]["training"]["epochs"] == 1
    assert document["sources"]["training.epochs"] == "--epochs"
    assert document["sources"]["ensemble.size"] == "preset auto"
    # What the preset chose is what the help leaves to it.
    chosen = {path for path, each in document["sources"].items() if each == "preset auto"}
    left = {name for name, each in SETTINGS.items() if each.default == BY_PRESET}
    assert flatten_names(chosen) <= left


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--preset", "classic", "--units", "4"),
        ("--head", "sequence", "--missing", "mask"),
        ("--segment", "5", "--cell", "gru", "--test", "2015-01-01"),
        ("--intervals", "quantile", "--horizon", "1"),
        ("--time", "none", "--column", "other", "--past-covariate", "value"),
    ],
)
def test_what_is_resolved_resolves_to_itself(run, table, tmp_path, flags):
    column = () if "--column" in flags else ("--column", "value")
    code, out, err = run("config", "--for", table, *column, *flags)
    assert code == 0, err
    first = Config.model_validate(tomllib.loads(out))
    again = read_dataset(str(table), configure({}, tomllib.loads(out)), on_event=ignore).config
    assert again.model_dump(exclude={"data"}) == first.model_dump(exclude={"data"})


def test_sequences_with_labels_are_resolved_too(run, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,y\n" + "1,2,3\n2,3,4\n" * 10)
    _, out, _ = run("config", "--for", "rows.csv", "--layout", "rows", "--label", "y")
    assert "timesteps = 2 # data" in out


@pytest.mark.slow
@pytest.mark.tf
def test_a_resolved_configuration_trains_the_same_model_to_the_bit(run, table, tmp_path):
    pd.read_csv(table).head(120).to_csv(tmp_path / "t.csv", index=False)
    flags = ("-c", "value", "--epochs", "1", "--steps-per-epoch", "2", "--no-refit")
    (tmp_path / "resolved.toml").write_text(run("config", "--for", "t.csv", *flags)[1])
    assert run("train", "t.csv", *flags, "-m", "a.forecast")[0] == 0
    assert run("train", "t.csv", "--config", "resolved.toml", "-m", "b.forecast")[0] == 0
    first, second = (fc.load(f"{name}.forecast").bundle for name in "ab")
    assert first.manifest.config.ensemble.size == 2
    assert first.weights == second.weights
    assert first.manifest.config == second.manifest.config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[training]\nepocs = 3", 'no training.epocs. Did you mean "epochs"?'),
        ("[trainig]\nepochs = 3", 'no trainig. Did you mean "training"?'),
        ("epochs = 3", "no epochs. Put epochs into [training], or pass --epochs."),
    ],
)
def test_a_misspelled_key_is_refused_with_the_nearest_one(run, tmp_path, text, said):
    (tmp_path / "forecast.toml").write_text(text)
    code, out, err = run("config")
    assert (code, out) == (2, "")
    assert said in err


def test_a_misspelled_variable_is_warned_of_with_the_nearest_one(run, monkeypatch):
    monkeypatch.setenv("FORECAST_EPOCS", "7")
    monkeypatch.setenv("FORECAST_TYPO", "7")
    # The options of other commands are no mistakes.
    monkeypatch.setenv("FORECAST_START", "7")
    monkeypatch.setenv("FORECAST_MODEL", "7")
    monkeypatch.setenv("FORECAST_COLUMN", "y")
    warned = [line for line in run("config")[2].splitlines() if line.startswith("warning")]
    assert warned == [
        "warning: no option has the variable FORECAST_EPOCS: did you mean FORECAST_EPOCHS?",
        "warning: no option has the variable FORECAST_TYPO; docs/settings.md lists their names",
    ]
    assert run("config", "--quiet")[2] == ""
