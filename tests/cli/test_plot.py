"""`forecast plot`, and the charts below the tables of other commands."""

import json
import shutil

import pandas as pd
import pytest

from ..frames import seasonal_frame


@pytest.fixture
def model(golden, tmp_path):
    path = tmp_path / "model.forecast"
    shutil.copy(golden.with_name("format-8.forecast"), path)
    return path


def show_on_terminal(monkeypatch):
    """Make stdout a terminal; called where the test runs, since only then it is captured."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_model_is_drawn_in_a_pipe_without_colours(run, model):
    code, out, _ = run("plot", "model.forecast")
    assert code == 0 and "\x1b" not in out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and "┌" in out and "• forecast" in out
    assert "Forecast of value: 3 steps from 2006-01-01" in out


@pytest.mark.parametrize("kind", ["residuals", "errors", "loss", "coverage", "series"])
def test_a_model_has_other_charts(run, model, kind):
    code, out, _ = run("plot", "model.forecast", "--kind", kind, "--width", "60")
    assert code == 0 and max(map(len, out.splitlines())) <= 60


def test_a_table_is_drawn_and_its_gaps_are_named(run, tmp_path):
    frame = seasonal_frame()
    frame.loc[frame.index[5], "value"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    code, out, _ = run("plot", "t.csv", "-c", "value")
    assert code == 0 and "1 missing" in out


def test_json_has_the_description(run, model):
    code, out, _ = run("plot", "model.forecast", "--json", "--level", "80")
    document = json.loads(out)
    assert code == 0 and set(document) >= {"notes", "chart"}
    (axes,) = document["chart"]["axes"]
    assert axes["bands"][0]["level"] == 80 and document["chart"]["text"]


def test_an_image_is_written_and_its_text_said(run, model, tmp_path):
    code, out, err = run(
        "plot", "model.forecast", "-o", "chart.svg", "--width", "6", "--height", "4"
    )
    assert code == 0 and out == "" and "saved chart.svg" in err
    assert b'width="432pt" height="288pt"' in (tmp_path / "chart.svg").read_bytes()
    code, _, err = run("plot", "model.forecast", "-o", "model.forecast")
    assert code == 2 and "not overwritten" in err


def test_a_forecast_is_drawn_with_and_without_its_table(run, model, tmp_path):
    assert run("predict", "--level", "80", "-o", "f.csv")[0] == 0
    code, out, _ = run("plot", "f.csv")
    assert code == 0 and "80 %" in out and "actual values" not in out
    dates = pd.date_range("2004-01-01", periods=24, freq="MS")
    pd.DataFrame({"date": dates, "value": range(24)}).to_csv(tmp_path / "t.csv", index=False)
    code, out, _ = run("plot", "f.csv", "t.csv", "-c", "value")
    assert code == 0 and "80 %" in out and "actual values" in out


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["model.forecast", "--kind", "test"], 2, "Name DATA"),
        (["model.forecast", "--kind", "tets"], 2, 'Did you mean "test"?'),
        (["model.forecast", "-c", "value"], 2, "--column has no effect here"),
        (["model.forecast", "--width", "30"], 2, "must be 40 to 200 columns"),
        (["model.forecast", "-o", "c.svg", "--width", "3"], 2, "Pass both --width and --height"),
        (["model.forecast", "-o", "c.gif"], 2, "png, svg, pdf"),
        (["model.forecast", "--json", "-o", "c.svg"], 2, "--json cannot be combined"),
        (["a.csv", "b.csv", "c.csv"], 2, "3 files"),
        (["-", "-"], 2, "stdin is one table"),
        (["absent.csv"], 3, "absent.csv"),
        (["absent.forecast"], 4, "absent.forecast"),
    ],
)
def test_what_cannot_be_drawn_is_refused(run, model, words, code, text):
    found, out, err = run("plot", *words)
    assert found == code and text in out + err


def test_options_of_models_are_refused_for_tables(run, table):
    code, _, err = run("plot", table, "-c", "value", "--level", "80")
    assert code == 2 and "--level is for a model" in err
    code, _, err = run("plot", table, "-c", "value", "--kind", "errors")
    assert code == 2 and "--kind seasons or --kind series" in err


def test_a_forecast_on_a_terminal_has_a_small_chart_below(run, model, monkeypatch):
    show_on_terminal(monkeypatch)
    code, out, _ = run("predict", "--level", "80")
    assert code == 0 and "┌" in out
    assert out.index("value_lo80") < out.index("┌")
    assert "\x1b[38;5" in out


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["--no-chart"], {}),
        (["--json"], {}),
        (["--quiet"], {}),
        (["--format", "csv"], {}),
        ([], {"TERM": "dumb"}),
        ([], {"COLUMNS": "50"}),
        ([], {"FORECAST_NO_CHART": "1"}),
    ],
)
def test_no_chart_where_it_is_not_wanted(run, model, monkeypatch, words, variables):
    show_on_terminal(monkeypatch)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, out, _ = run("predict", *words)
    assert code == 0 and "┌" not in out


def test_no_color_leaves_the_chart_and_takes_its_colours(run, model, monkeypatch):
    show_on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, _ = run("predict")
    assert code == 0 and "┌" in out and "\x1b[38;5" not in out


@pytest.mark.parametrize("output", [[], ["-o", "chart.png"]])
def test_the_first_year_is_drawn(run, tmp_path, output):
    days = [f"0001-01-{day:02}" for day in range(1, 29)]
    pd.DataFrame({"day": days, "y": range(28)}).to_csv(tmp_path / "t.csv", index=False)
    code, _, err = run("plot", "t.csv", "-c", "y", *output)
    assert code == 0, err
