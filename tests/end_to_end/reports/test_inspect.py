"""Tables after public reports: each is read as its index says, or the index says what is asked."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast_cli as fc

REPORTS = Path(__file__).parents[2] / "data" / "reports"
INDEX = json.loads((REPORTS / "index.json").read_text())
FACTS = ("time", "first", "last", "frequency", "rows", "count")


def name(entry):
    return entry["file"].removesuffix(".csv")


def test_every_table_is_in_the_index_with_its_report():
    assert {each["file"] for each in INDEX} == {path.name for path in REPORTS.glob("*.csv")}
    assert all("https://" in each["report"] and each["kind"] for each in INDEX)


@pytest.mark.parametrize("entry", [each for each in INDEX if "read" in each], ids=name)
def test_a_table_is_read_as_expected(entry):
    expected = entry["read"]
    asked = {"column": expected["column"]} if "column" in expected else {}
    report = fc.inspect(REPORTS / entry["file"], **asked)
    found = {key: getattr(report, key) for key in FACTS if key in expected}
    assert found == {key: expected[key] for key in found}
    assert list(report.series) == expected.get("series", [])
    text = " ".join([*report.notes, *report.warnings])
    assert [words for words in expected.get("said", []) if words not in text] == []
    assert expected.get("train", "") in report.train
    if "target" in expected:
        layout = "--layout" in report.train
        assert layout or f"--column {expected['target']}" in report.train
    if "values" in expected:
        column = next(each for each in report.columns if each.column == expected["target"])
        assert expected["values"][0] <= column.greatest


@pytest.mark.parametrize("entry", [each for each in INDEX if "asked" in each], ids=name)
def test_what_cannot_be_known_is_asked(entry):
    try:
        report = fc.inspect(REPORTS / entry["file"])
    except fc.DataError as error:
        text = str(error)
    else:
        assert report.train == "", report.notes
        text = " ".join(report.notes)
    assert [words for words in entry["asked"] if words not in text] == []


def test_a_quality_column_that_never_changes_is_not_what_is_forecast(run, tmp_path):
    hours = pd.date_range("2020-01-01", periods=200, freq="h").strftime("%Y%m%d%H")
    frame = pd.DataFrame({"STATIONS_ID": 3987, "MESS_DATUM": hours, "QN_9": 3})
    frame = frame.assign(TT_TU=np.arange(200) % 24 / 3, eor="eor")
    frame.to_csv(tmp_path / "weather.csv", index=False, sep=";")
    report = json.loads(run("inspect", "weather.csv", "--json")[1])
    assert report["train"] == "forecast train weather.csv --column TT_TU"
    assert (report["time"], report["season_length"]) == ("MESS_DATUM", 24)
    assert report["last"] == "2020-01-09 07:00:00"
