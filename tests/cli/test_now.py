"""`forecast now`: streams, files and formats."""

import io
import json
import sqlite3

import pandas as pd
import pytest

import forecast_cli as fc

from ..frames import seasonal_frame


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = seasonal_frame(60).drop(columns="other")
    frame.assign(date=frame["date"].dt.strftime("%Y-%m")).to_csv("sales.csv", index=False)
    return tmp_path / "sales.csv"


def test_stdout_has_the_forecast_and_stderr_the_verdict(run, data):
    code, out, err = run("now", "sales.csv", "-c", "value", "-H", "4")
    assert code == 0
    found = pd.read_csv(io.StringIO(out))
    assert found["date"].tolist() == ["2005-01", "2005-02", "2005-03", "2005-04"]
    expected = fc.now(str(data), column="value", horizon=4)
    pd.testing.assert_frame_equal(found.drop(columns="date"), expected.drop(columns="date"))
    assert "seasonal-naive" in err
    assert "coverage80" in err
    assert run("now", "sales.csv", "-c", "value", "-H", "4", "-q") == (0, out, "")


def test_stdin_files_and_databases(run, data, monkeypatch):
    words = ("-c", "value", "-H", "3", "--level", "80")
    _, out, _ = run("now", "sales.csv", *words)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data.read_bytes())))
    assert run("now", "-", *words)[:2] == (0, out)
    code, nothing, _ = run("now", "sales.csv", *words, "-o", "next.parquet")
    assert (code, nothing) == (0, "")
    assert list(pd.read_parquet("next.parquet")) == ["date", "value", "value_lo80", "value_hi80"]
    code, _, err = run("now", "sales.csv", *words, "-o", "sqlite:///f.db?table=next")
    assert code == 0, err
    with sqlite3.connect("f.db") as database:
        rows = database.execute("select cutoff, date from next").fetchall()
    assert rows[0] == ("2004-12", "2005-01")


def test_one_document_has_it_all(run, data):
    code, out, _ = run("now", "sales.csv", "-c", "value", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["settings"]["season_length"] == 12
    assert len(found["forecast"]) == found["settings"]["horizon"]
    assert found["verdict"]


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("nothing.csv", "-c", "value"), 3, "nothing.csv"),
        (("sales.csv", "-c", "price"), 3, "price"),
        (("sales.csv", "-c", "value", "-H", "0"), 2, "0"),
        (("sales.csv", "-c", "value", "--level", "101"), 2, "101"),
        (("sales.csv", "-c", "value", "-o", "sales.csv"), 2, "not overwritten"),
        (("sales.csv", "-c", "value", "--epochs", "3"), 2, "--epochs"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(run, data, words, code, text):
    found, out, err = run("now", *words)
    assert (found, out) == (code, "")
    assert text in err


def test_warnings_can_be_errors(run, data):
    table = pd.read_csv(data).assign(value=lambda frame: frame["value"].mask(frame.index == 59))
    table.to_csv("gaps.csv", index=False)
    words = ("now", "gaps.csv", "-c", "value", "--missing", "ffill")
    code, out, err = run(*words)
    assert code == 0 and out
    assert "warning" in err
    assert run(*words, "--strict")[:2] == (3, "")


def test_a_time_column_without_a_name_is_called_time(run, data):
    text = data.read_text()
    data.write_text(text[text.index(",") :])
    code, out, err = run("now", "sales.csv", "-c", "value", "-H", "2")
    assert code == 0, err
    assert [line.split(",")[0] for line in out.splitlines()] == ["time", "2005-01", "2005-02"]


def test_scores_fit_on_80_columns_and_name_the_series_that_they_are_of(run, data):
    table = pd.read_csv(data)
    ended = table.iloc[:30].assign(shop="closed")
    pd.concat([table.assign(shop="open"), ended]).to_csv("shops.csv", index=False)
    code, _, err = run("now", "shops.csv", "-c", "value", "--series", "shop", "-H", "3")
    assert code == 0, err
    lines = err.splitlines()
    assert any("horizon 3 of 1 of 2 series, from" in line for line in lines)
    assert len(next(line for line in lines if line.startswith("skill:"))) <= 80


@pytest.mark.parametrize("size", [1e-300, 1.0])
def test_values_of_any_size_are_judged(run, data, size):
    table = pd.read_csv(data)
    table.assign(value=table["value"] * size).to_csv("sized.csv", index=False)
    code, _, err = run("now", "sized.csv", "-c", "value", "-H", "3")
    assert code == 0, err
    assert "forecasts; the difference is" in err


def test_too_few_rows_get_no_verdict(run, data):
    pd.read_csv(data).head(3).to_csv("three.csv", index=False)
    code, _, err = run("now", "three.csv", "-c", "value", "-H", "1")
    assert code == 0, err
    assert "No verdict: of 3 rows, the last one cannot be forecast from the others" in err
