"""The small chart below the table of a command."""

import pytest

import forecast_cli as fc
from forecast_cli.cli.charts import show_compact
from forecast_cli.cli.console import Console
from forecast_cli.cli.options import OutputOptions


@pytest.mark.parametrize("table", ["absent.csv", "-", ["a.csv", "b.csv"], "table.csv"])
def test_after_a_training_the_stored_rows_do_where_the_table_cannot_be_read_again(
    write, golden, capsys, monkeypatch, table
):
    write("nothing\nof it\n")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("TERM", "xterm")
    model = fc.load(golden.with_name("format-8.forecast"))
    show_compact(Console(OutputOptions(False, False, False)), model.bundle, table)
    out = capsys.readouterr().out
    assert "┌" in out and len(out.splitlines()) <= 14


def test_labels_have_no_chart(golden, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    model = fc.load(golden.with_name("format-2-labels.forecast"))
    show_compact(Console(OutputOptions(False, False, False)), model.bundle, None)
    assert capsys.readouterr().out == ""
