"""The pages of the documentation: their code blocks run, and what is generated is fresh."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pandas as pd
import pytest

from ..frames import seasonal_frame
from ..pages import PAGES, ROOT, Shell, find_blocks, find_indented

RUN = {"sh", "python"}
READ = {"json": json.loads, "toml": tomllib.loads}
SHOWN = {"text", "ini"}
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
RUNNING = [name for name in NAMES if any(each.language in RUN for each in find_blocks(ROOT / name))]


@pytest.mark.parametrize("name", NAMES)
def test_blocks_say_what_they_hold(name):
    blocks = list(find_blocks(ROOT / name))
    assert {each.language for each in blocks} <= {*RUN, *READ, *SHOWN}
    assert not find_indented(ROOT / name), "put ``` around code"
    for each in blocks:
        if each.language in READ:
            READ[each.language](each.text)


@pytest.mark.parametrize("script", ["generate_commands.py"])
def test_generated_pages_are_fresh(script):
    command = [sys.executable, ROOT / "scripts" / script, "--check"]
    assert subprocess.run(command, check=False).returncode == 0, f"run python scripts/{script}"


@pytest.mark.slow
@pytest.mark.tf
def test_pictures_of_the_terminal_show_what_is_printed_now():
    names = ["train", "inspect", "shops", "what-if"]
    command = [sys.executable, ROOT / "scripts" / "record_docs.py", "--check", *names]
    assert subprocess.run(command, check=False).returncode == 0, "run python scripts/record_docs.py"


def test_pictures_of_pages_exist_and_are_made_by_the_script():
    script = (ROOT / "scripts" / "record_docs.py").read_text()
    pictures = {path.stem for path in (ROOT / "docs" / "pictures").iterdir()}
    shown = {
        name for path in PAGES for name in re.findall(r"pictures/([\w-]+)\.svg", path.read_text())
    }
    assert shown == pictures
    assert all(f'"{name}"' in script for name in pictures)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The tables that the pages name: the last rows of the sample data, and small ones."""
    folder = tmp_path_factory.mktemp("documented") / "folder"
    sample = folder / "sample_data"
    sample.mkdir(parents=True)
    prices = pd.read_csv(ROOT / "sample_data" / "prices.csv").tail(500)
    energy = pd.read_csv(ROOT / "sample_data" / "energy.csv").tail(1000)
    stores = pd.read_csv(ROOT / "sample_data" / "stores.csv")
    stores = stores[stores["date"] >= "2025-06-01"]
    future = pd.read_csv(ROOT / "sample_data" / "stores-future.csv")
    few = ["S01", "S02", "S16"]
    for where in (folder, sample):
        prices.to_csv(where / "prices.csv", index=False)
        energy.to_csv(where / "energy.csv", index=False)
        stores[stores["store"].isin(few)].to_csv(where / "stores.csv", index=False)
        future[future["store"].isin(few)].to_csv(where / "stores-future.csv", index=False)
    shutil.copy(ROOT / "sample_data" / "make.py", sample)
    monthly = seasonal_frame().rename(columns={"value": "Sales"})
    monthly[["date", "Sales"]].to_csv(folder / "sales.csv", index=False)
    load = energy.rename(columns={"demand": "MW"})[["timestamp", "MW", "temperature"]]
    load.to_csv(folder / "load.csv", index=False)
    load.head(900).to_csv(folder / "older.csv", index=False)
    prices[["Date", "Close"]].to_csv(folder / "shares.csv", index=False)
    write_many(folder)
    write_sequences(folder)
    return folder


def write_many(folder):
    """Series named by three columns, and series in rows."""
    trips = [
        seasonal_frame(rows=40, freq="QS", seed=seed)[["date", "value"]]
        .rename(columns={"value": "Trips"})
        .assign(Region=f"R{seed}", State="north" if seed else "south", Purpose="visit")
        for seed in range(3)
    ]
    pd.concat(trips).to_csv(folder / "trips.csv", index=False)
    hourly = [seasonal_frame(rows=400, seed=seed)["value"].to_list() for seed in range(3)]
    names = [f"V{number}" for number in range(1, 402)]
    rows = [[f"H{number}", *values] for number, values in enumerate(hourly, start=1)]
    pd.DataFrame(rows, columns=names).to_csv(folder / "Hourly-train.csv", index=False)


def write_sequences(folder):
    """Sequences with a label: a row a step, and a row a sequence."""
    walks = pd.concat(
        pd.DataFrame({"person": f"p{number}", "x": range(20), "y": number % 3}).assign(
            activity="walk" if number % 2 else "run"
        )
        for number in range(40)
    )
    walks.to_csv(folder / "walks.csv", index=False)
    pixels = pd.DataFrame({f"x{n}": [(n * row) % 7 for row in range(60)] for n in range(64)})
    pixels.to_csv(folder / "new.csv", index=False)
    digits = [f"d{row % 3}" for row in range(60)]
    pixels.assign(digit=digits).to_csv(folder / "digits.csv", index=False)
    text = "x1,x2,x3,y\n1,2,3,2\n4,5,6,5\n7,8,9,8\n10,11,12,11\n"
    (folder / "one.csv").write_text(text)


@pytest.fixture
def shell(tables, tmp_path, monkeypatch):
    """A shell in a folder with these tables."""
    shutil.copytree(tables, tmp_path / "folder")
    home = tmp_path / "bin"
    home.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    # Other processes would not have the fixtures of the tests; the results do not matter.
    for name, value in {"JOBS": "1", "N_WINDOWS": "2", "TRIALS": "2", "NO_CHART": "1"}.items():
        monkeypatch.setenv(f"FORECAST_{name}", value)
    monkeypatch.chdir(tmp_path / "folder")
    shell = Shell(home, tmp_path / "folder")
    yield shell
    shell.close()


@pytest.fixture
def brief_keras():
    """Scripts in Keras train for an epoch of two batches."""
    from keras import config

    config.set_max_epochs(1)
    config.set_max_steps_per_epoch(2)
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.usefixtures("linear_training", "brief_keras")
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", RUNNING)
def test_the_blocks_of_a_page_run_from_top_to_bottom(name, shell):
    names: dict[str, object] = {"__name__": "__main__"}
    for block in find_blocks(ROOT / name):
        if block.reason or block.language not in RUN:
            continue
        place = f"{name}, line {block.line}"
        if block.language == "python":
            exec(compile(block.text, place, "exec"), names)
        else:
            code, printed = shell.run(block)
            assert code == 0, f"{place}\n{block.text}\n{printed}"
