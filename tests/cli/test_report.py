"""`forecast report`, and `--report` of other commands."""

import json

import pytest


@pytest.fixture
def model(tmp_path, golden):
    (tmp_path / "model.forecast").write_bytes(golden.read_bytes())


def test_a_report_of_the_usual_model_is_written(run, model, tmp_path):
    code, out, err = run("report")
    assert (code, out) == (0, "") and "saved report.html" in err
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_document_says_where_it_is(run, model, tmp_path):
    code, out, _ = run("report", "model.forecast", "-o", "page.html", "--json")
    document = json.loads(out)
    assert code == 0 and document["report"] == "page.html"
    assert document["bytes"] == (tmp_path / "page.html").stat().st_size


def test_a_report_does_not_replace_what_it_is_made_from(run, model, tmp_path):
    before = (tmp_path / "model.forecast").read_bytes()
    code, _, err = run("report", "model.forecast", "-o", "model.forecast")
    assert code == 2 and "model.forecast" in err
    assert (tmp_path / "model.forecast").read_bytes() == before


def test_a_folder_that_does_not_exist_is_an_error(run, model):
    code, _, err = run("report", "-o", "nowhere/report.html")
    assert code == 2 and "nowhere" in err


@pytest.mark.parametrize("page", ["-", ".", "nowhere/page.html", "rows.csv"])
def test_a_page_that_cannot_be_written_is_refused_before_any_work(run, table, tmp_path, page):
    size = table.rename(tmp_path / "rows.csv").stat().st_size
    words = ("rows.csv", "-c", "value", "--report", page)
    for command in (("train",), ("backtest", "--models", "naive,drift")):
        code, out, err = run(*command, *words)
        assert code == 2 and not out
        assert err.rstrip().endswith("with --report.") and "Name" in err
    assert (tmp_path / "rows.csv").stat().st_size == size
    assert not (tmp_path / "model.forecast").exists()


@pytest.mark.parametrize("command", ["report", "export"])
def test_pages_and_exports_are_not_written_to_stdout(run, model, tmp_path, command):
    code, _, err = run(command, "model.forecast", "-o", "-")
    assert code == 2 and "is not written to stdout" in err
    assert not (tmp_path / "-").exists()


def test_an_export_does_not_replace_the_model(run, model, tmp_path):
    before = (tmp_path / "model.forecast").read_bytes()
    code, _, err = run("export", "model.forecast", "--format", "keras", "-o", "model.forecast")
    assert code == 2 and "not overwritten" in err
    assert (tmp_path / "model.forecast").read_bytes() == before


def test_a_backtest_writes_one_too(run, table, tmp_path):
    words = ("backtest", table, "-c", "value", "--models", "naive,drift", "--n-windows", "2")
    code, _, err = run(*words, "--report", "page.html")
    assert code == 0 and "saved page.html" in err
    assert "drift" in (tmp_path / "page.html").read_text()


@pytest.mark.tf
def test_a_training_writes_one_too(run, table, tmp_path, linear_training):
    words = ("train", table, "-c", "value", "--preset", "classic", "--horizon", "3", "--refit")
    code, _, err = run(*words, "--report", "page.html")
    assert code == 0, err
    page = (tmp_path / "page.html").read_text()
    assert "saved page.html" in err and "SHA-256 of network.onnx" in page
    # The test forecasts are those of the network that was scored, not of the one refitted.
    assert '"name":"test forecasts"' in page
    # What was chosen, and why, in the words of the training.
    assert "What was understood and chosen" in page
