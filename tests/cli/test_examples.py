"""The recipes: tables that are found or written, and commands that run as they are printed."""

import json
import shlex

import pandas as pd
import pytest

from forecast_cli.cli.examples import RECIPES


def test_the_tables_are_written_once(run, tmp_path):
    code, out, err = run("examples")
    assert code == 0 and "wrote energy.csv, prices.csv, stores-future.csv, stores.csv" in err
    assert "forecast train sample_data/prices.csv --column Close" in out
    changed = tmp_path / "sample_data" / "prices.csv"
    changed.write_text("mine\n")
    assert "found sample_data" in run("examples")[2]
    assert changed.read_text() == "mine\n"


def test_a_folder_that_cannot_be_written_is_an_error(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("examples", "file/tables")
    assert code == 2 and "file/tables cannot be written" in err


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("title", RECIPES)
def test_each_recipe_runs(run, tmp_path, linear_training, title):
    recipes = json.loads(run("examples", "my tables", "--json")[1])["recipes"]
    # Few rows are enough to see that the commands are right.
    for path in (tmp_path / "my tables").glob("*.csv"):
        frame = pd.read_csv(path)
        if "store" in frame:
            frame = frame[frame["store"].isin(["S01", "S02"])]
        if path.name != "stores-future.csv":
            frame = frame.groupby("store").tail(400) if "store" in frame else frame.tail(800)
        frame.to_csv(path, index=False)
    (commands,) = [each["commands"] for each in recipes if each["title"] == title]
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "forecast"
        code, _, err = run(*words)
        assert code == 0, err
