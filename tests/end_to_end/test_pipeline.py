"""The job of docs/pipeline.md through usual nights and a bad one."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

from ..pages import ROOT, Block, Shell, find_blocks

pytestmark = [pytest.mark.tf, pytest.mark.slow]
DAYS, NIGHT = 36, 24


@pytest.fixture
def table() -> pd.DataFrame:
    """Hours of some weeks, the last day with twice the demand."""
    steps = np.arange(DAYS * 24)
    noise = np.random.default_rng(0).normal(0, 2, len(steps))
    demand = 100 + 30 * np.sin(2 * np.pi * steps / 24) + noise
    demand[-NIGHT:] *= 2
    hours = pd.date_range("2024-01-01", periods=len(steps), freq="h")
    return pd.DataFrame({"time": hours, "demand": demand.round(2)})


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Makes the script of the page, and runs it: its exit code."""
    folder = tmp_path / "job"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(folder)
    shell = Shell(tmp_path / "home", folder)
    (script,) = [each.text for each in find_blocks(ROOT / "docs" / "pipeline.md")
                 if "cat > pipeline.sh" in each.text]  # fmt: skip
    shell.run(Block(1, "sh", script))
    yield lambda: shell.run(Block(1, "sh", "./pipeline.sh"))[0]
    shell.close()


def test_nights(job, table, tmp_path):
    folder = tmp_path / "job"
    model = fc.train(
        table.iloc[: -3 * NIGHT], column="demand", horizon=24, preset="classic", timesteps=24,
        units=8, epochs=12, learning_rate=0.01, batch_size=16, test=100, skip="linear",
    )  # fmt: skip
    model.save(folder / "model.forecast")
    codes = []
    for days in (3, 2, 1, 0):
        table.iloc[: len(table) - days * NIGHT].to_csv(folder / "demand.csv", index=False)
        codes.append(job())
    lines = [json.loads(line) for line in (folder / "pipeline.jsonl").read_text().splitlines()]
    steps = [(each["step"], each["code"]) for each in lines]
    replaced = lines[-2]["document"]["keep_better"]["replaced"]
    assert codes == [0, 0, 0, 6 * (not replaced)]
    assert steps[:-2] == [("predict", 0), *[("evaluate", 0), ("predict", 0)] * 2, ("evaluate", 6)]
    assert steps[-2:] == [("train", codes[-1]), ("predict", 0)]
    assert lines[-3]["document"]["conditions_met"][0].startswith("mase of forecast is")
    # A replaced model has learned from later rows than the first one.
    begins = [each.bundle.manifest.splits.test_begins
              for each in (model, fc.load(folder / "model.forecast"))]  # fmt: skip
    assert (begins[1] > begins[0]) == replaced
    with closing(sqlite3.connect(folder / "forecasts.db")) as database:
        nights = database.execute("SELECT cutoff, count(*) FROM demand GROUP BY cutoff").fetchall()
    assert [count for _, count in nights] == [24] * 4
    assert nights[-1][0] == str(table["time"].iloc[-1])


def test_it_ends_with_the_code_of_a_failure(job, table, tmp_path):
    table.to_csv(tmp_path / "job" / "demand.csv", index=False)
    # There is no model.
    assert job() == 4
    (line,) = (tmp_path / "job" / "pipeline.jsonl").read_text().splitlines()
    assert json.loads(line)["step"] == "predict" and json.loads(line)["code"] == 4
