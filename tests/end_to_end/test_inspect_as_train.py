"""What an inspection says of a table is what a training makes of it, by the command it suggests."""

import shlex
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import forecast_cli as fc
from forecast_cli.cli.command import build

from ..data.samples import TABLES

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "tests" / "data" / "reports"
FEW = ("--horizon", 2, "--timesteps", 2, "--validation", 0, "--test", 0, "--preset", "classic")


# The options of a command are made once.
built = cache(build)


class ReadOnly(Exception):
    """Raised in place of a training, with its dataset."""


@pytest.fixture
def reading(run, monkeypatch):
    """Run a command up to the training: the exit code, the dataset or None, and stderr."""
    from forecast_cli.cli import app
    from forecast_cli.training import pipeline

    def stop(dataset, **_):
        raise ReadOnly(dataset)

    monkeypatch.setattr(pipeline, "learn", stop)
    monkeypatch.setattr(app, "build", built)

    def call(*command):
        try:
            code, _, err = run(*command)
        except ReadOnly as stopped:
            return 0, stopped.args[0], ""
        return code, None, err

    return call


@pytest.fixture
def agree(reading):
    """Inspect a table, run the suggested command, and compare what both understood."""

    def call(path):
        report = fc.inspect(path).document()
        if not report["train"]:
            # What is not suggested is refused.
            column = next(each["column"] for each in report["columns"] if each["kind"] != "empty")
            assert reading("train", path, "--column", column, *FEW)[0] == 3
            return report, None
        forecast, *command = shlex.split(report["train"])
        assert forecast == "forecast"
        code, dataset, err = reading(*command, *FEW)
        assert code == 0, err
        compare(report, dataset)
        return report, dataset

    return call


def compare(report, dataset):
    panel, columns = dataset.panel, dataset.panel.columns
    assert report["time"] == columns.time
    assert tuple(report["series"]) == columns.series
    assert report["count"] == panel.count
    if panel.timeline is None:
        assert report["first"] is None
    else:
        times = panel.timeline.times
        ends = [pd.Timestamp(report["first"]), pd.Timestamp(report["last"])]
        assert ends == [times.min(), times.max()]
        assert report["frequency"] in (None, panel.timeline.frequency.name)
    assert report["season_length"] == dataset.season_length
    target = next(each for each in report["columns"] if each["column"] == columns.targets[0])
    known = panel.values[:, 0][pd.notna(panel.values[:, 0])]
    assert (target["least"], target["greatest"]) == (known.min(), known.max())


@pytest.mark.parametrize("name", ["energy", "prices", "stores"])
def test_sample_data(agree, name):
    agree(ROOT / "sample_data" / f"{name}.csv")


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.csv")), ids=lambda path: path.stem)
def test_tables_after_reports(agree, path):
    agree(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_in_well_known_forms(agree, samples, name):
    agree(samples / name)
