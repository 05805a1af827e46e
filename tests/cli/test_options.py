"""The user's settings: below the project's file, the environment and flags."""

import pytest


@pytest.fixture
def own(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    (folder / "forecast").mkdir(parents=True)
    path = folder / "forecast" / "config.toml"
    path.write_text("[training]\nseed = 7\npatience = 4\nepochs = 9\n")
    return path


def test_each_value_comes_from_the_highest_that_has_one(run, own, tmp_path):
    (tmp_path / "forecast.toml").write_text("[training]\npatience = 5\n")
    lines = run("config", "--epochs", "3")[1].splitlines()
    assert f"seed = 7 # {own}" in lines
    assert "patience = 5 # forecast.toml" in lines
    assert "epochs = 3 # --epochs" in lines


def test_it_is_below_a_named_file_too(run, own, tmp_path):
    (tmp_path / "other.toml").write_text("[training]\nseed = 8\n")
    assert "seed = 8 # other.toml" in run("config", "--config", "other.toml")[1].splitlines()


def test_a_relative_folder_does_not_count(run, own, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "home")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert "seed = 7" not in run("config")[1]


def test_a_file_that_is_not_toml_is_named(run, own):
    own.write_text("seed =")
    code, _, err = run("config")
    assert code == 2 and f"{own} is not TOML" in err
